"""The names of `keras.ops.numpy`."""

from mlapi.ops.arrangement import *
from mlapi.ops.bits import *
from mlapi.ops.complexes import *
from mlapi.ops.creation import *
from mlapi.ops.elementwise import *
from mlapi.ops.exponential import *
from mlapi.ops.indexing import *
from mlapi.ops.linalg import slogdet
from mlapi.ops.logical import *
from mlapi.ops.nan import *
from mlapi.ops.products import *
from mlapi.ops.reduction import *
from mlapi.ops.representation import *
from mlapi.ops.shape import *
from mlapi.ops.sorting import *
from mlapi.ops.statistics import *
from mlapi.ops.trigonometry import *
from mlapi.ops.vectorizing import *
from mlapi.ops.windows import *

__all__ = [n for n, v in vars().items() if getattr(v, "__module__", "").startswith("mlapi.ops.")]
