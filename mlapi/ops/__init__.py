"""Operations on tensors: the names, arguments and meaning of `keras.ops`.

Every function takes tensors of the framework, Variables, NumPy arrays, Python numbers and lists,
and returns the framework's own tensors; called on symbolic tensors, it becomes part of a model.
"""

from mlapi.ops.activation import *
from mlapi.ops.arrangement import *
from mlapi.ops.bits import *
from mlapi.ops.blocks import *
from mlapi.ops.complexes import *
from mlapi.ops.control import *
from mlapi.ops.conversion import *
from mlapi.ops.convolution import *
from mlapi.ops.creation import *
from mlapi.ops.crossentropy import *
from mlapi.ops.ctc import *
from mlapi.ops.elementwise import *
from mlapi.ops.exponential import *
from mlapi.ops.indexing import *
from mlapi.ops.linalg import *
from mlapi.ops.logical import *
from mlapi.ops.nan import *
from mlapi.ops.normalization import *
from mlapi.ops.patterns import *
from mlapi.ops.products import *
from mlapi.ops.recurrence import *
from mlapi.ops.reduction import *
from mlapi.ops.representation import *
from mlapi.ops.segments import *
from mlapi.ops.sequences import *
from mlapi.ops.shape import *
from mlapi.ops.signal import *
from mlapi.ops.sorting import *
from mlapi.ops.statistics import *
from mlapi.ops.transformations import *
from mlapi.ops.trigonometry import *
from mlapi.ops.vectorizing import *
from mlapi.ops.windows import *

from mlapi.ops import image, nn, numpy  # isort: skip

# Without what the files import for themselves.
__all__ = [n for n, v in vars().items() if getattr(v, "__module__", "").startswith(__name__ + ".")]


def __dir__() -> list[str]:
    return sorted(__all__)
