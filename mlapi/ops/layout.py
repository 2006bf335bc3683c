"""Layouts, windows along an axis and pixels of integers: what ops on images have in common."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mlapi import config, dtypes
from mlapi.backends import adapter
from mlapi.errors import ShapeError, one_of
from mlapi.ops.conversion import dtype
from mlapi.ops.elementwise import cast, clip, round
from mlapi.ops.shape import expand_dims, moveaxis, reshape, shape, squeeze


def known(x: Any) -> tuple[int | None, ...]:
    """The sizes of a tensor, None for one that is not known while a function is traced."""
    return tuple(x.shape)


def is_last(data_format: str | None) -> bool:
    """Whether the channels come last; by default as configured."""
    data_format = data_format or config.image_data_format()
    one_of("data_format", data_format, ("channels_last", "channels_first"))
    return data_format == "channels_last"


def on_images(fn: Callable[[Any], Any], images: Any, data_format: str | None, rank: int = 2) -> Any:
    """`fn` of images of shape (batch, *sizes, channels), and its result in the layout given.

    Args:
        fn: keeps the number of axes, or adds some at the end.
        images: with a batch axis or without.
        data_format: their layout.
        rank: number of spatial axes.
    """
    given = len(images.shape)
    if given not in (rank + 1, rank + 2):
        raise ShapeError(
            f"expected {rank} spatial axes and channels, with or without a batch axis before "
            f"them; received shape {tuple(images.shape)}."
        )
    x = images if given == rank + 2 else expand_dims(images, 0)
    last = is_last(data_format)
    y = fn(x if last else moveaxis(x, 1, -1))
    y = y if last else moveaxis(y, rank + 1, 1)
    return y if given == rank + 2 else squeeze(y, 0)


def windows(x: Any, axis: int, size: int, stride: int, dilation: int) -> Any:
    """The windows along an axis, of known size: it becomes two, the windows and their elements."""
    count = (x.shape[axis] - (size - 1) * dilation - 1) // stride + 1
    if count < 1:
        raise ShapeError(
            f"windows of {size} elements, {dilation} apart, do not fit axis {axis} of a tensor of "
            f"shape {tuple(x.shape)}."
        )
    index = (slice(None),) * axis
    if size == stride and dilation == 1:
        x = x[(*index, slice(0, count * size))]
        sizes = shape(x)
        return reshape(x, (*sizes[:axis], count, size, *sizes[axis + 1 :]))
    return adapter.arrays.windows(x, axis, size, stride, dilation)


def to_numbers(x: Any) -> Any:
    """Floats of what may be integers or truth values."""
    return x if dtypes.is_float(dtype(x)) else cast(x, config.floatx())


def back(x: Any, kind: str) -> Any:
    """Floats as the dtype `kind`: integers are rounded, and kept within its range."""
    if dtypes.is_integer(kind):
        limits = np.iinfo(kind)
        top = np.float32(limits.max)
        # Of 32 bits, the nearest float to the largest integer is one more.
        x = clip(round(x), float(limits.min), float(np.nextafter(top, 0) if top > 2**24 else top))
    return cast(x, kind)
