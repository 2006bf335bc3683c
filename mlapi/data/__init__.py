"""Data as a sequence of batches."""

from mlapi.data.arrays import ArrayData, split
from mlapi.data.batches import pack, unpack
from mlapi.data.iterables import IterableData, adapt, class_weights

__all__ = ["ArrayData", "IterableData", "adapt", "class_weights", "pack", "split", "unpack"]
