"""The callbacks of training, under their public name."""

from mlapi.training import callbacks
from mlapi.training.callbacks import *  # noqa: F403

__all__ = callbacks.__all__
