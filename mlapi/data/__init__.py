"""Data as a sequence of batches."""

from mlapi.data.adapt import Data, adapt, adapt_validation
from mlapi.data.arrays import ArrayData
from mlapi.data.batches import pack, unpack
from mlapi.data.indexed import IndexedData, PyDataset
from mlapi.data.iterables import IterableData
from mlapi.data.rows import FetchedData, RowData
from mlapi.data.weights import ClassWeights

__all__ = [
    "ArrayData",
    "ClassWeights",
    "Data",
    "FetchedData",
    "IndexedData",
    "IterableData",
    "PyDataset",
    "RowData",
    "adapt",
    "adapt_validation",
    "pack",
    "unpack",
]
