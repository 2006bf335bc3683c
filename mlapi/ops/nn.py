"""The names of `keras.ops.nn`."""

from mlapi.ops.activation import *
from mlapi.ops.blocks import *
from mlapi.ops.complexes import polar
from mlapi.ops.convolution import *
from mlapi.ops.crossentropy import *
from mlapi.ops.ctc import *
from mlapi.ops.indexing import multi_hot, one_hot
from mlapi.ops.normalization import *
from mlapi.ops.recurrence import *
from mlapi.ops.sequences import *

__all__ = [n for n, v in vars().items() if getattr(v, "__module__", "").startswith("mlapi.ops.")]
