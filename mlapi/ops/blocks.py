"""Pooling to a given size, and moves between space and channels: blocks and windows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlapi.backends.windows import per_axis
from mlapi.errors import ArgumentError, ShapeError
from mlapi.op import op, to_float
from mlapi.ops import layout
from mlapi.ops.conversion import dtype
from mlapi.ops.elementwise import cast
from mlapi.ops.products import tensordot
from mlapi.ops.reduction import amax
from mlapi.ops.shape import moveaxis, pad, reshape, shape, stack, transpose
from mlapi.types import Tensor, TensorLike


def _adaptive(
    pool: Callable[[Any, int, list[slice]], Any],
    inputs: Any,
    output_size: int | Sequence[int],
    data_format: str | None,
) -> Any:
    """`pool` along each spatial axis: it gets the axis and its windows, which may overlap."""
    rank = len(layout.known(inputs)) - 2
    last = layout.is_last(data_format)
    for axis, count in enumerate(per_axis("output_size", output_size, rank), 1 if last else 2):
        size = inputs.shape[axis]
        if size is None:
            raise ShapeError(
                f"adaptive pooling needs to know sizes; received shape {layout.known(inputs)}."
            )
        windows = [slice(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        inputs = pool(inputs, axis, windows)
    return inputs


@op(dtype=to_float)
def adaptive_average_pool(
    inputs: TensorLike, output_size: int | Sequence[int], data_format: str | None = None
) -> Tensor:
    """Means of windows that are laid so that as many come out as asked for.

    Args:
        inputs: as for `conv`, of known sizes. Window `i` of `n` over a size goes from
            `floor(i * size / n)` to `ceil((i + 1) * size / n)`.
        output_size: how many windows, one number for all spatial axes or one each.
        data_format: as for `conv`.

    Example:
        >>> from mlapi import ops
        >>> x = [[[1.0], [3.0], [2.0], [5.0]]]
        >>> ops.convert_to_numpy(ops.adaptive_average_pool(x, 3)).ravel()
        array([2. , 2.5, 3.5], dtype=float32)
    """

    def pool(x: Any, axis: int, windows: list[slice]) -> Any:
        shares = np.zeros((x.shape[axis], len(windows)))
        for i, window in enumerate(windows):
            shares[window, i] = 1 / (window.stop - window.start)
        return moveaxis(tensordot(x, cast(shares, dtype(x)), [[axis], [0]]), -1, axis)

    return _adaptive(pool, inputs, output_size, data_format)


@op(dtype=to_float)
def adaptive_max_pool(
    inputs: TensorLike, output_size: int | Sequence[int], data_format: str | None = None
) -> Tensor:
    """As `adaptive_average_pool`, with the largest element of each window.

    Example:
        >>> from mlapi import ops
        >>> x = [[[1.0], [3.0], [2.0], [5.0]]]
        >>> ops.convert_to_numpy(ops.adaptive_max_pool(x, 3)).ravel()
        array([3., 3., 5.], dtype=float32)
    """

    def pool(x: Any, axis: int, windows: list[slice]) -> Any:
        index = (slice(None),) * axis
        return stack([amax(x[(*index, window)], axis) for window in windows], axis)

    return _adaptive(pool, inputs, output_size, data_format)


def _image_sizes(x: Any, data_format: str, rows: int, columns: int, channels: int) -> Any:
    """Batch, height, width, channels, whether those come last; checked for divisibility."""
    last = layout.is_last(data_format)
    if len(layout.known(x)) != 4:
        raise ShapeError(f"expected images of four axes; received shape {layout.known(x)}.")
    sizes = shape(x)
    sizes = sizes if last else (sizes[0], *sizes[2:], sizes[1])
    for size, part in zip(sizes[1:], (rows, columns, channels), strict=True):
        if isinstance(size, int) and size % part:
            raise ShapeError(f"shape {layout.known(x)} cannot be cut into blocks of this size.")
    return (*sizes, last)


@op
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Spreads groups of channels over blocks of pixels.

    Args:
        x: shape `(batch, height, width, block_size² * channels)`, or with the channels second.
            The place in the block comes before the channel in the first format, after it in the
            second.
        block_size: height and width of a block.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Shape `(batch, height * block_size, width * block_size, channels)`.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.depth_to_space(ops.ones((1, 2, 2, 12)), 2))
        (1, 4, 4, 3)
    """
    n, height, width, depth, last = _image_sizes(x, data_format, 1, 1, block_size**2)
    b, channels = block_size, depth // block_size**2
    if last:
        x = transpose(reshape(x, (n, height, width, b, b, channels)), (0, 1, 3, 2, 4, 5))
        return reshape(x, (n, height * b, width * b, channels))
    x = transpose(reshape(x, (n, channels, b, b, height, width)), (0, 1, 4, 2, 5, 3))
    return reshape(x, (n, channels, height * b, width * b))


@op
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """The inverse of `depth_to_space`.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.space_to_depth(ops.ones((1, 4, 4, 3)), 2))
        (1, 2, 2, 12)
    """
    n, height, width, channels, last = _image_sizes(x, data_format, block_size, block_size, 1)
    b, rows, columns = block_size, height // block_size, width // block_size
    if last:
        x = transpose(reshape(x, (n, rows, b, columns, b, channels)), (0, 1, 3, 2, 4, 5))
        return reshape(x, (n, rows, columns, channels * b**2))
    x = transpose(reshape(x, (n, channels, rows, b, columns, b)), (0, 1, 3, 5, 2, 4))
    return reshape(x, (n, channels * b**2, rows, columns))


def _pairs(**values: int | Sequence[int]) -> list[tuple[int, ...]]:
    return [per_axis(name, value, 2) for name, value in values.items()]


def _padding(padding: int | Sequence[int]) -> tuple[int, int]:
    pair = (padding, padding) if isinstance(padding, int) else tuple(padding)
    if len(pair) != 2 or min(pair) < 0:
        raise ArgumentError(f"padding must be one or two ints, 0 or more; received {padding!r}.")
    return pair


@op
def unfold(
    x: TensorLike,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """The windows of images as columns of a matrix (im2col).

    Args:
        x: shape `(batch, channels, height, width)`.
        kernel_size: sizes of the window, one for both axes or one each, like the following.
        dilation: distance of the window's elements.
        padding: zeros on either side of an axis.
        stride: steps of the window.

    Returns:
        Shape `(batch, channels * window, places)`, row by row.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.unfold(ops.ones((1, 2, 4, 4)), 2))
        (1, 8, 9)
    """
    size, gap, step = _pairs(kernel_size=kernel_size, dilation=dilation, stride=stride)
    above, left = _padding(padding)
    if len(layout.known(x)) != 4:
        raise ShapeError(f"unfold: expected four axes; received shape {layout.known(x)}.")
    if above or left:
        x = pad(x, ((0, 0), (0, 0), (above, above), (left, left)))
    x = layout.windows(layout.windows(x, 3, size[1], step[1], gap[1]), 2, size[0], step[0], gap[0])
    n, channels, rows, high, columns, wide = shape(x)
    x = transpose(x, (0, 1, 3, 5, 2, 4))
    return reshape(x, (n, channels * high * wide, rows * columns))


@op
def fold(
    x: TensorLike,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Adds up windows where they came from (col2im): `unfold`, transposed.

    Args:
        x: shape `(batch, channels * window, places)`.
        output_size: height and width of the images.
        kernel_size: as for `unfold`.
        dilation: as for `unfold`.
        padding: as for `unfold`.
        stride: as for `unfold`.

    Returns:
        Shape `(batch, channels, *output_size)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.fold(ops.ones((1, 4, 4)), 3, 2))[0, 0]
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]], dtype=float32)
    """
    out, size, gap, step = _pairs(
        output_size=output_size, kernel_size=kernel_size, dilation=dilation, stride=stride
    )
    around = _padding(padding)
    counts = [
        (n + 2 * p - (k - 1) * g - 1) // s + 1
        for n, p, k, g, s in zip(out, around, size, gap, step, strict=True)
    ]
    area = size[0] * size[1]
    given = layout.known(x)
    if len(given) != 3 or given[2] != counts[0] * counts[1] or (given[1] or 0) % area:
        raise ShapeError(
            f"fold: images of size {out} have {counts[0]} x {counts[1]} windows of {area} "
            f"elements; received shape {given}."
        )
    y: Any = reshape(x, (shape(x)[0], (given[1] or 0) // area, *size, *counts))
    for axis in (0, 1):  # from (n, channels, high, wide, rows, columns): high goes, then wide
        y = _add_windows(y, 2, 4, out[axis], around[axis], gap[axis], step[axis])
    return y


def _add_windows(
    x: Any, axis: int, places: int, size: int, around: int, gap: int, step: int
) -> Any:
    """Adds up the slices along `axis`, spread out along `places` and each moved by one more."""
    count = x.shape[places]
    places -= 1  # once `axis` is gone
    along = (slice(None),) * places
    total = 0
    for i in range(x.shape[axis]):
        piece = x[(*(slice(None),) * axis, i)]
        sizes = list(shape(piece))
        if step > 1:  # zeros between the elements
            piece = _widen(reshape(piece, (*sizes[: places + 1], 1, *sizes[places + 1 :])),
                           places + 1, 0, step - 1)  # fmt: skip
            sizes[places] = count * step
            piece = reshape(piece, sizes)
        before, start = max(0, i * gap - around), max(0, around - i * gap)
        piece = _widen(piece, places, before, max(0, start + size - before - count * step))
        total = total + piece[(*along, slice(start, start + size))]
    return total


def _widen(x: Any, axis: int, before: int, after: int) -> Any:
    return pad(x, [(before, after) if a == axis else (0, 0) for a in range(len(layout.known(x)))])
