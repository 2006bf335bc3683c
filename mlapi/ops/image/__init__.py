"""Operations on images: the names, arguments and meaning of `keras.ops.image`.

Images have shape `(height, width, channels)` or `(batch, height, width, channels)`, with the
channels before the height for `data_format="channels_first"`. Those of integers stay integers,
rounded and kept within the range of their dtype, wherever pixels are moved or mixed.
"""

from mlapi.ops.image.color import *
from mlapi.ops.image.filters import *
from mlapi.ops.image.patches import *
from mlapi.ops.image.resizing import *
from mlapi.ops.image.warping import *

__all__ = [n for n, v in vars().items() if getattr(v, "__module__", "").startswith(__name__ + ".")]


def __dir__() -> list[str]:
    return sorted(__all__)
