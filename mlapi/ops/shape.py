"""Tensors in other shapes. Nothing here changes a value.

Axes may be negative: they count from the last. Results keep the dtype of what they are made from.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi.backends import adapter
from mlapi.graph import SymbolicTensor
from mlapi.op import op
from mlapi.state import Variable
from mlapi.types import Axis, Shape, Tensor, TensorLike


def shape(x: TensorLike) -> tuple[Any, ...]:
    """Sizes of the axes.

    Args:
        x: a tensor, array, Variable, symbolic tensor, number or list.

    Returns:
        A tuple of ints. A size that is known at run time only is a scalar tensor in a compiled
        tensorflow function and None for a symbolic tensor.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.zeros((2, 3)))
        (2, 3)
    """
    if isinstance(x, SymbolicTensor | Variable):
        return tuple(x.shape)
    return adapter.ops.shape(x) if adapter.core.is_tensor(x) else np.shape(x)


def ndim(x: TensorLike) -> int:
    """Number of axes.

    Example:
        >>> from mlapi import ops
        >>> ops.ndim([[1, 2], [3, 4]])
        2
    """
    return len(shape(x))


def size(x: TensorLike) -> Any:
    """Number of elements, as `shape` gives it; None for a symbolic tensor of unknown size.

    Example:
        >>> from mlapi import ops
        >>> ops.size([[1, 2, 3], [4, 5, 6]])
        6
    """
    sizes = shape(x)
    return None if None in sizes else math.prod(sizes)


@op
def reshape(x: TensorLike, newshape: int | Shape) -> Tensor:
    """The same elements, in row-major order, in another shape.

    Args:
        x: any shape.
        newshape: sizes; at most one may be -1 and is then found from the others.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.reshape([1, 2, 3, 4], (2, -1)))
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    ...


@op
def ravel(x: TensorLike) -> Tensor:
    """All elements in row-major order along one axis.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.ravel([[1, 2], [3, 4]]))
        array([1, 2, 3, 4], dtype=int32)
    """
    return reshape(x, (-1,))


@op
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Axes in another order.

    Args:
        x: any shape.
        axes: for each axis of the result, which axis of `x` it is; by default reversed.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.transpose([[1, 2], [3, 4]]))
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    ...


@op
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes change places.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.swapaxes(ops.zeros((2, 3, 4)), 0, -1))
        (4, 3, 2)
    """
    ...


@op
def moveaxis(x: TensorLike, source: Axis, destination: Axis) -> Tensor:
    """Some axes move to other places; the rest keep their order.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.moveaxis(ops.zeros((2, 3, 4)), -1, 0))
        (4, 2, 3)
    """
    ...


@op
def expand_dims(x: TensorLike, axis: Axis) -> Tensor:
    """New axes of size 1.

    Args:
        x: any shape.
        axis: places of the new axes in the result.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.expand_dims(ops.zeros((2, 3)), -1))
        (2, 3, 1)
    """
    ...


@op
def squeeze(x: TensorLike, axis: Axis | None = None) -> Tensor:
    """Without axes of size 1.

    Args:
        x: any shape.
        axis: the axes that go, which must have size 1; None for all that have.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.squeeze(ops.zeros((1, 3, 1)), 0))
        (3, 1)
    """
    ...


@op
def broadcast_to(x: TensorLike, shape: Shape) -> Tensor:
    """Repeats axes of size 1, and puts new ones in front, until the shape is `shape`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.broadcast_to([1, 2], (2, 2)))
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    ...


@op
def concatenate(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors one after another along an axis that they have; they get one dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.concatenate([[1, 2], [3]]))
        array([1, 2, 3], dtype=int32)
    """
    ...


@op
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis; they get one dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.stack([[1, 2], [3, 4]], axis=1))
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    ...


@op
def split(x: TensorLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Cuts a tensor into a list of pieces along an axis.

    Args:
        x: any shape.
        indices_or_sections: how many pieces of equal size, or where the cuts are.
        axis: along which.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(part).tolist() for part in ops.split([1, 2, 3, 4], [1, 3])]
        [[1], [2, 3], [4]]
    """
    ...


@op
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """A list of the slices along an axis, without that axis.

    Args:
        x: any shape.
        num: size of the axis, needed where it is known at run time only.
        axis: along which.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(row).tolist() for row in ops.unstack([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
    """
    ...


@op
def tile(x: TensorLike, repeats: int | Sequence[int]) -> Tensor:
    """The whole tensor again and again along each axis, the last ones if `repeats` is shorter.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.tile([1, 2], 2))
        array([1, 2, 1, 2], dtype=int32)
    """
    ...


@op
def repeat(x: TensorLike, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Each element again and again.

    Args:
        x: any shape.
        repeats: how often, for all or for each place along `axis`.
        axis: along which; None flattens the tensor first.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.repeat([1, 2], 2))
        array([1, 1, 2, 2], dtype=int32)
    """
    ...


@op
def flip(x: TensorLike, axis: Axis | None = None) -> Tensor:
    """Reversed order along axes, all of them for None.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.flip([1, 2, 3]))
        array([3, 2, 1], dtype=int32)
    """
    ...


@op
def pad(
    x: TensorLike,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: float | None = None,
) -> Tensor:
    """Adds elements before and after each axis.

    Args:
        x: any shape.
        pad_width: a pair (before, after) for each axis, one pair for all, or one number.
        mode: `"constant"`; `"reflect"`, which mirrors at the edge element; or `"symmetric"`,
            which mirrors after it.
        constant_values: what is added in mode `"constant"`, by default 0.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.pad([1, 2, 3], (1, 2)))
        array([0, 1, 2, 3, 0, 0], dtype=int32)
    """
    ...
