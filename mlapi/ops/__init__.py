"""Operations on tensors: the names, arguments and meaning of `keras.ops`.

Every function takes tensors of the framework, Variables, NumPy arrays, Python numbers and lists,
and returns the framework's own tensors; called on symbolic tensors, it becomes part of a model.
"""

from mlapi.ops.activation import *
from mlapi.ops.control import *
from mlapi.ops.convolution import *
from mlapi.ops.creation import *
from mlapi.ops.crossentropy import *
from mlapi.ops.elementwise import *
from mlapi.ops.exponential import *
from mlapi.ops.indexing import *
from mlapi.ops.linalg import *
from mlapi.ops.logical import *
from mlapi.ops.normalization import *
from mlapi.ops.products import *
from mlapi.ops.reduction import *
from mlapi.ops.sequences import *
from mlapi.ops.shape import *
from mlapi.ops.trigonometry import *

# Without what the files import for themselves.
__all__ = [n for n, v in vars().items() if getattr(v, "__module__", "").startswith(__name__ + ".")]


def __dir__() -> list[str]:
    return sorted(__all__)
