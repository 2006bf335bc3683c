"""Images on tensorflow: resampling kernels, channels last."""

# tensorflow's annotations lack its own shapes and sizes not yet known.
# pyright: reportArgumentType=false

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from mlapi.backends.tensorflow.ops import shape
from mlapi.backends.windows import window

Tensor = tf.Tensor


def bilinear(x: Tensor, sizes: tuple[int, int]) -> Tensor:
    """Images (batch, height, width, channels) at other sizes, pixels being centers of squares."""
    return tf.cast(tf.image.resize(x, sizes), x.dtype)


def enlarge(
    images: Tensor,
    factors: int | Sequence[int],
    interpolation: str = "nearest",
    data_format: str | None = None,
) -> Any:
    if interpolation != "nearest" or images.shape.rank != 4:
        return NotImplemented
    w = window(images.shape, factors, None, "valid", data_format)
    if not w.channels_last:  # two transpositions take longer than the kernel saves
        return NotImplemented
    height, width = shape(images)[1:3]
    return tf.image.resize(images, (height * w.size[0], width * w.size[1]), "nearest")


enlarge.declines = True  # type: ignore[attr-defined]
