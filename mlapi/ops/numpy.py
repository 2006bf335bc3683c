"""The names of `keras.ops.numpy`."""

from mlapi.ops.creation import *
from mlapi.ops.elementwise import *
from mlapi.ops.exponential import *
from mlapi.ops.indexing import *
from mlapi.ops.logical import *
from mlapi.ops.products import *
from mlapi.ops.reduction import *
from mlapi.ops.shape import *
from mlapi.ops.trigonometry import *

__all__ = [n for n, v in vars().items() if getattr(v, "__module__", "").startswith("mlapi.ops.")]
