"""Tensors put together, cut, turned and moved: the conveniences of NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi.backends.axes import place
from mlapi.errors import ArgumentError, ShapeError
from mlapi.graph import clipping
from mlapi.op import op
from mlapi.ops.elementwise import minimum
from mlapi.ops.reduction import sum
from mlapi.ops.shape import concatenate, flip, moveaxis, ravel, reshape, shape, split, swapaxes
from mlapi.types import Tensor, TensorLike

# --- pieces put together, and taken apart --------------------------------------------------------


@op
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """`x2` behind `x1` along an axis; None flattens both first.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.append([1, 2], [[3]]))
        array([1, 2, 3], dtype=int32)
    """
    return concatenate([ravel(x1), ravel(x2)] if axis is None else [x1, x2], axis or 0)


def _with_axes(x: TensorLike, rank: int) -> TensorLike:
    """`rank` axes at least: new ones in front, but the third one last."""
    sizes = shape(x)
    if len(sizes) >= rank:
        return x
    last = (1,) if rank == 3 else ()
    return reshape(x, (1,) * (rank - len(last) - len(sizes)) + sizes + last)


@op
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors side by side: along the second axis, or the only one.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hstack([[1, 2], [3]]))
        array([1, 2, 3], dtype=int32)
    """
    xs = [_with_axes(x, 1) for x in xs]
    return concatenate(xs, 0 if len(shape(xs[0])) == 1 else 1)


@op
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors below one another, along the first axis; what has one axis only is a row.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.vstack([[1, 2], [3, 4]]))
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return concatenate([_with_axes(x, 2) for x in xs], 0)


@op
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors behind one another, along the third axis; rows and matrices get one of size 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.dstack([[1, 2], [3, 4]]))
        array([[[1, 3],
                [2, 4]]], dtype=int32)
    """
    return concatenate([_with_axes(x, 3) for x in xs], 2)


@op
def array_split(
    x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0
) -> list[Tensor]:
    """As `split`, but the first pieces may be larger by one than the others.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(part).tolist() for part in ops.array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    count, size = indices_or_sections, shape(x)[axis]
    if count < 1:
        raise ArgumentError(f"array_split: {count} pieces: there must be one at least.")
    least, larger = size // count, size % count
    return split(x, [i * least + min(i, larger) for i in range(1, count)], axis)


def _split_along(
    x: TensorLike, indices_or_sections: int | Sequence[int], axis: int
) -> list[Tensor]:
    if len(shape(x)) <= axis:
        raise ShapeError(f"a tensor of shape {shape(x)} has no axis {axis} to be split.")
    return split(x, indices_or_sections, axis)


@op
def hsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`split` along the second axis, or the only one.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(part).tolist() for part in ops.hsplit([[1, 2], [3, 4]], 2)]
        [[[1], [3]], [[2], [4]]]
    """
    return _split_along(x, indices_or_sections, 0 if len(shape(x)) == 1 else 1)


@op
def vsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`split` along the first axis of two or more.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(part).tolist() for part in ops.vsplit([[1, 2], [3, 4]], 2)]
        [[[1, 2]], [[3, 4]]]
    """
    _check_matrix(x)
    return split(x, indices_or_sections, 0)


@op
def dsplit(x: TensorLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """`split` along the third axis.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(part).tolist() for part in ops.dsplit([[[1, 2]]], 2)]
        [[[[1]]], [[[2]]]]
    """
    return _split_along(x, indices_or_sections, 2)


# --- turned and moved ----------------------------------------------------------------------------


def _check_matrix(x: TensorLike) -> None:
    if len(shape(x)) < 2:
        raise ShapeError(f"a tensor of shape {shape(x)}: it must have two axes at least.")


@op
def fliplr(x: TensorLike) -> Tensor:
    """Reversed order along the second axis.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.fliplr([[1, 2], [3, 4]]))
        array([[2, 1],
               [4, 3]], dtype=int32)
    """
    _check_matrix(x)
    return flip(x, 1)


@op
def flipud(x: TensorLike) -> Tensor:
    """Reversed order along the first axis.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.flipud([[1, 2], [3, 4]]))
        array([[3, 4],
               [1, 2]], dtype=int32)
    """
    if not shape(x):
        raise ShapeError("flipud: x has no axes.")
    return flip(x, 0)


@op
def roll(
    x: TensorLike, shift: int | Sequence[int], axis: int | Sequence[int] | None = None
) -> Tensor:
    """Elements move on along axes; those that leave at the end come back at the start.

    Args:
        x: any shape.
        shift: by how many places, for all axes or each; negative towards the start.
        axis: one axis or several, also one more than once; None moves in the flattened tensor.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.roll([1, 2, 3], 1))
        array([3, 1, 2], dtype=int32)
    """
    if axis is None:
        return reshape(roll(ravel(x), int(np.sum(shift)), 0), shape(x))
    sizes = shape(x)
    found: Any = x
    for by, one in zip(*(x.ravel().tolist() for x in np.broadcast_arrays(shift, axis))):
        one = place(one, len(sizes))
        if sizes[one] != 0 and by != 0:
            start = -by % sizes[one]
            before = (slice(None),) * one
            pieces = found[(*before, slice(start, None))], found[(*before, slice(start))]
            found = concatenate(pieces, one)
    return found


@op
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turned by `k` right angles, from the first of two axes towards the second.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.rot90([[1, 2], [3, 4]]))
        array([[2, 4],
               [1, 3]], dtype=int32)
    """
    rank = len(shape(array))
    if len(axes) != 2 or not all(-rank <= one < rank for one in axes):
        raise ArgumentError(f"rot90: axes {axes} are not two of a tensor with {rank} axes.")
    first, second = (one % rank for one in axes)
    if first == second:
        raise ArgumentError(f"rot90: axes {axes} are one and the same.")
    if k % 4 in (0, 2):
        return flip(array, (first, second) if k % 4 else ())
    return flip(swapaxes(array, first, second), first if k % 4 == 1 else second)


@op
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Elements whose indices along two axes are equal; they become the last axis.

    Args:
        x: at least two axes.
        offset: how much larger the index along `axis2` is.
        axis1: the rows' axis.
        axis2: the columns' axis.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.diagonal([[1, 2], [3, 4]]))
        array([1, 4], dtype=int32)
    """
    _check_matrix(x)
    y: Any = moveaxis(x, (axis1, axis2), (-2, -1))
    y = y[..., max(-offset, 0) :, max(offset, 0) :]
    *outer, rows, columns = shape(y)
    known = isinstance(rows, int) and isinstance(columns, int)
    count = min(rows, columns) if known else minimum(rows, columns)
    # In row-major order each is one row and one column behind the last.
    y = reshape(y[..., :count, :], (*outer, count * columns))
    return y[..., :: columns + 1]


clipping.add(diagonal)


@op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Sum along a diagonal, which is that of `diagonal`; small integers give int32.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.trace([[1, 2], [3, 4]]))
        array(5, dtype=int32)
    """
    return sum(diagonal(x, offset, axis1, axis2), -1)
