"""Elements by their indices, and indices of elements.

Indices may be of any integer dtype. One that lies outside the axis is an error where the
framework checks it (torch and tensorflow on the CPU); compiled code and accelerators do not.
"""

import builtins
import math
from collections.abc import Sequence
from typing import Any

from mlapi import dtypes
from mlapi.errors import ArgumentError, DTypeError, ShapeError
from mlapi.op import op, to_bool
from mlapi.ops import rules, values
from mlapi.ops.conversion import convert_to_tensor
from mlapi.ops.conversion import dtype as dtype_of
from mlapi.ops.elementwise import add
from mlapi.ops.logical import less, where
from mlapi.ops.reduction import amax, count_nonzero
from mlapi.ops.shape import flip, moveaxis, reshape, shape, transpose
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike


@op(dtype=rules.indices_last)
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements at `indices` along an axis.

    Args:
        x: any shape.
        indices: integers of any shape, negative ones count from the end.
        axis: along which; None takes from the flattened tensor.

    Returns:
        The shape of `x` with that of `indices` in the place of `axis`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.take([10, 20, 30], [2, -3]))
        array([30, 10], dtype=int32)
    """
    ...


@op(dtype=rules.indices_last)
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """For each place, the element at its own index along an axis: what `argsort` gives, applied.

    Args:
        x: any shape.
        indices: integers, of as many axes as `x`, broadcast with it except along `axis`.
        axis: along which; None flattens `x` first.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1))
        array([[20],
               [30]], dtype=int32)
    """
    ...


@op(dtype=None)
def one_hot(
    x: TensorLike,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    """1 at the place that an index names along a new axis, 0 elsewhere.

    Args:
        x: integers of any shape. One outside `[0, num_classes)` gives zeros only.
        num_classes: size of the new axis.
        axis: where the new axis is in the result.
        dtype: of the result, by default the default float type.
        sparse: must be False; there are no sparse tensors.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.one_hot([1, 0], 3))
        array([[0., 1., 0.],
               [1., 0., 0.]], dtype=float32)
    """
    ...


@op(dtype=None)
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    """1 at the places that the indices of a sample name, 0 elsewhere.

    Args:
        inputs: integers, `(labels,)` or `(batch, labels, ...)`; those of axis 1 belong together.
        num_classes: size of the new axis, which must be given.
        axis: as for `one_hot`, before the labels' axis goes.
        dtype: of the result, by default the default float type.
        sparse: must be False; there are no sparse tensors.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.multi_hot([[0, 2], [1, 1]], 3))
        array([[1., 0., 1.],
               [0., 1., 0.]], dtype=float32)
    """
    if num_classes is None:
        raise ArgumentError("multi_hot: num_classes must be given, the size of the new axis.")
    rank = len(shape(inputs))
    return amax(one_hot(inputs, num_classes, axis, dtype), 1 if rank > 1 else 0)


@op(dtype=to_bool)
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """Indices, int32, of the elements that are not zero: a tensor for each axis.

    How many there are depends on the data, so this cannot be compiled.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nonzero([0, 5, 6])[0])
        array([1, 2], dtype=int32)
    """
    if not shape(x):
        raise ShapeError("nonzero: x has no axes.")
    values.known(count_nonzero(x), "nonzero")
    found: Any = where(x)
    return tuple(found)


@op(dtype=rules.selection)
def select(
    condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0
) -> Tensor:
    """For each place, the choice that belongs to the first condition that is true there.

    Args:
        condlist: conditions.
        choicelist: as many choices; all is broadcast together.
        default: where no condition is true.

    Example:
        >>> from mlapi import ops
        >>> x = ops.arange(4)
        >>> ops.convert_to_numpy(ops.select([x < 1, x > 2], [x - 9, x * 9], default=5))
        array([-9,  5,  5, 27], dtype=int32)
    """
    if len(condlist) != len(choicelist):
        raise ArgumentError(
            f"select: there are {len(condlist)} conditions and {len(choicelist)} choices."
        )
    chosen: Any = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        chosen = where(condition, choice, chosen)
    return chosen


@op(dtype=rules.indices_last)
def unravel_index(indices: TensorLike, shape: Shape) -> tuple[Tensor, ...]:
    """Index along each axis of what has these indices in the flattened tensor.

    Args:
        indices: integers of any shape; negative ones count from the end.
        shape: of the tensor.

    Returns:
        A tensor for each axis, in the shape of `indices`.

    Example:
        >>> from mlapi import ops
        >>> rows, columns = ops.unravel_index([5, -1], (2, 3))
        >>> ops.convert_to_numpy(columns)
        array([2, 2], dtype=int32)
    """
    sizes: Any = shape
    left: Any = where(less(indices, 0), add(indices, math.prod(sizes)), indices)
    found = []
    for size in reversed(sizes):
        found.append(left % size)
        left = left // size
    return tuple(reversed(found))


@op(dtype=None)
def get_item(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`, as in NumPy on every backend.

    Args:
        x: any shape.
        key: an int, a slice, None, `...`, integers or booleans in a tensor or list, or a tuple of
            these. With booleans the shape depends on their values, which cannot be compiled.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.get_item([[1, 2, 3], [4, 5, 6]], ([1, 0], 0)))
        array([4, 1], dtype=int32)
    """
    keys, together = _expanded(key, len(shape(x)))
    if builtins.any(_is_array(one) for one in keys):
        return _get_at(x, keys, together)
    basic: list[Any] = []
    turned = []
    axis = 0
    for one in keys:
        if one is None:
            basic.append(None)
            continue
        size = shape(x)[axis]
        axis += 1
        if isinstance(one, builtins.slice) and one.step is not None and one.step < 0:
            turned.append(len([k for k in basic if not isinstance(k, int)]))
            places = range(size)[one][::-1]
            one = builtins.slice(places.start, places.stop, places.step)
        elif isinstance(one, int) and isinstance(size, int) and not -size <= one < size:
            raise ArgumentError(f"get_item: {one} is outside of an axis of size {size}.")
        basic.append(one)
    found: Any = x
    found = found[tuple(basic)] if basic else x
    return flip(found, turned) if turned else found


def _is_array(key: Any) -> bool:
    return not (key is None or isinstance(key, int | builtins.slice)) or isinstance(key, bool)


def _expanded(key: Any, rank: int) -> tuple[list[Any], bool]:
    """A key for each axis, and new axes; whether numbers follow one another. No more masks."""
    keys: list[Any] = []
    for one in key if isinstance(key, tuple) else (key,):
        if hasattr(one, "__index__") and not hasattr(one, "shape") and not isinstance(one, bool):
            one = one.__index__()
        if one is Ellipsis or not _is_array(one):
            keys.append(one)
            continue
        array = convert_to_tensor(one)
        if dtype_of(array) == "bool":
            keys.extend(nonzero(array))
        elif dtypes.is_integer(dtype_of(array)):
            keys.append(array)
        else:
            raise DTypeError(f"get_item: {dtype_of(array)} is no dtype of indices.")
    named = len([one for one in keys if one is not None and one is not Ellipsis])
    if named > rank or len([one for one in keys if one is Ellipsis]) > 1:
        raise ArgumentError(f"get_item: key {key!r} for a tensor with {rank} axes.")
    place = next((i for i, one in enumerate(keys) if one is Ellipsis), len(keys))
    numbers = [i for i, one in enumerate(keys) if _is_number(one)]
    together = not numbers or numbers[-1] - numbers[0] == len(numbers) - 1
    rest = [builtins.slice(None)] * (rank - named)
    return [*keys[:place], *rest, *keys[place + 1 :]], together


def _is_number(key: Any) -> bool:
    return key is not None and key is not Ellipsis and not isinstance(key, builtins.slice)


def _get_at(x: TensorLike, keys: list[Any], together: bool) -> Tensor:
    """With arrays among the keys; ints count as such. They are applied last, all at once."""
    numbered = [_is_number(one) for one in keys]
    rest = [builtins.slice(None) if at else one for at, one in zip(numbered, keys)]
    x = get_item(x, tuple(rest))
    axes = [i for i, at in enumerate(numbered) if at]
    if len(axes) == 1:
        return take(x, convert_to_tensor(keys[axes[0]]), axes[0])
    sizes = shape(x)
    flat: Any = 0
    for axis in axes:
        index = convert_to_tensor(keys[axis])
        flat = flat * sizes[axis] + where(less(index, 0), index + sizes[axis], index)
    others = [i for i in range(len(sizes)) if i not in axes]
    x = transpose(x, (*axes, *others))
    x = reshape(x, (math.prod(sizes[i] for i in axes), *(sizes[i] for i in others)))
    found = take(x, flat, axis=0)
    width = len(shape(flat))
    if together and axes[0] > 0:
        found = moveaxis(found, tuple(range(width)), tuple(range(axes[0], axes[0] + width)))
    return found


@op(dtype=None)
def slice(inputs: TensorLike, start_indices: TensorLike, shape: Sequence[int]) -> Tensor:
    """A block of a tensor.

    Args:
        inputs: any shape.
        start_indices: where the block begins along each axis; may be computed.
        shape: of the block, which must lie inside.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.slice([[1, 2], [3, 4]], (0, 1), (2, 1)))
        array([[2],
               [4]], dtype=int32)
    """
    ...


@op(dtype=rules.updates_last)
def slice_update(inputs: TensorLike, start_indices: TensorLike, updates: TensorLike) -> Tensor:
    """A copy of a tensor with a block of it replaced.

    Args:
        inputs: any shape.
        start_indices: where the block begins along each axis; may be computed.
        updates: the new block, of as many axes as `inputs`; it takes their dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.slice_update([1, 2, 3], [1], [9]))
        array([1, 9, 3], dtype=int32)
    """
    ...
