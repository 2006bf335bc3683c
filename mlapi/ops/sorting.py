"""Orders, and what is found by putting things in order. NaN is the largest of all, as in NumPy."""

import builtins
import math

from mlapi import dtypes
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ShapeError
from mlapi.op import op
from mlapi.ops import rules, values
from mlapi.ops.conversion import dtype as dtype_of
from mlapi.ops.creation import arange, zeros, zeros_like
from mlapi.ops.elementwise import minimum
from mlapi.ops.indexing import take, take_along_axis
from mlapi.ops.logical import equal, greater, isfinite, isnan, less, logical_not, not_equal, where
from mlapi.ops.reduction import any, cumsum, sum
from mlapi.ops.shape import concatenate, expand_dims, moveaxis, ravel, reshape, shape
from mlapi.types import Tensor, TensorLike


@op
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, and their indices.

    Args:
        x: shape `(..., n)`, with `n >= k`.
        k: how many.
        sorted: whether they come largest first; otherwise in any order.

    Returns:
        Values and int32 indices, both of shape `(..., k)`.

    Example:
        >>> from mlapi import ops
        >>> values, indices = ops.top_k([3, 9, 5], 2)
        >>> ops.convert_to_numpy(indices)
        array([1, 2], dtype=int32)
    """
    ...


@op(dtype=rules.indices_first)
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the prediction for the target class is among the `k` largest.

    Classes that tie with the k-th count as among them; predictions that are not finite do not.

    Args:
        targets: integer class of each sample, shape `(batch,)`.
        predictions: a score for each class, shape `(batch, classes)`.
        k: how many classes are looked at.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.in_top_k([2, 0], [[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]], 2))
        array([ True, False])
    """
    chosen = take_along_axis(predictions, expand_dims(targets, 1), axis=1)
    better = sum(greater(predictions, chosen), axis=1)
    return isfinite(chosen[:, 0]) & less(better, k)


@op
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Elements in ascending order along an axis; None flattens the tensor first.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sort([3, 1, 2]))
        array([1, 2, 3], dtype=int32)
    """
    ...


@op
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Indices, int32, that put the elements in ascending order; equal ones keep their order.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.argsort([3, 1, 2]))
        array([1, 2, 0], dtype=int32)
    """
    ...


@op
def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Tensor:
    """Indices, int32, that put the `kth` element where sorting would, smaller ones before it.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.argpartition([3, 1, 2], 0))[0]
        np.int32(1)
    """
    size = math.prod(shape(x)) if axis is None else shape(x)[axis]
    if isinstance(size, int) and not -size <= kth < size:
        raise ArgumentError(f"argpartition: kth is {kth}, but axis {axis} has size {size}.")
    return argsort(x, axis)


@op(dtype=rules.comparable)
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values belong in a sequence that ascends, as int32. NaN is the largest of all.

    Args:
        sorted_sequence: shape `(n,)`.
        values: any shape.
        side: `"left"` of what is equal (the result counts the smaller elements), or `"right"`.

    Returns:
        The shape of `values`, from 0 to n.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.searchsorted([1, 3, 5], [0, 3, 9]))
        array([0, 1, 3], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side {side!r} is neither left nor right.")
    if len(shape(sorted_sequence)) != 1:
        raise ShapeError(
            f"searchsorted: the sequence has shape {shape(sorted_sequence)}, it must have one axis."
        )
    if dtypes.is_integer(dtype_of(values)):
        return adapter.arrays.search(sorted_sequence, values, side)
    # No two frameworks agree on NaN in the sequence.
    numbers = sum(logical_not(isnan(sorted_sequence)))
    found = adapter.arrays.search(
        where(isnan(sorted_sequence), math.inf, sorted_sequence), values, side
    )
    last = numbers if side == "left" else shape(sorted_sequence)[0]
    return where(isnan(values), last, minimum(found, numbers))


@op
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: TensorLike | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The elements, each once, ascending; NaNs are one.

    Args:
        x: any shape.
        sorted: False promises no order.
        return_index: whether to return where each occurs first.
        return_inverse: whether to return the place in the result of each element of `x`.
        return_counts: whether to return how often each occurs.
        axis: slices along it are compared with one another; None for single elements.
        size: how many to return; None for all, which cannot be compiled.
        fill_value: in the places of `size` that are left; by default the first of the result.

    Returns:
        The elements, or a tuple of them and what else was asked for, int32. The index where
        nothing is left is that of the first, the count is 0.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.unique([3, 1, 3]))
        array([1, 3], dtype=int32)
    """
    rows = ravel(x)[:, None] if axis is None else moveaxis(x, axis, 0)
    sizes = shape(rows)
    count = sizes[0]
    flat = reshape(rows, (count, math.prod(sizes[1:])))
    order = arange(count)
    for column in reversed(range(shape(flat)[1])):
        order = take(order, argsort(take(flat[:, column], order)))
    ordered = take(flat, order, axis=0)
    before, after = ordered[:-1], ordered[1:]
    differ = not_equal(before, after) & (equal(before, before) | equal(after, after))
    group = concatenate([zeros((builtins.min(count, 1),), "int32"), cumsum(any(differ, axis=1))])
    if size is None:
        size = values.known(group[-1], "unique without size") + 1 if count else 0
    starts = searchsorted(group, arange(size))
    index = take(order, where(less(starts, count), starts, 0))
    elements = take(rows, index, axis=0)
    if fill_value is not None:
        there = reshape(less(starts, count), (size,) + (1,) * (len(sizes) - 1))
        elements = where(there, elements, fill_value)
    elements = elements[:, 0] if axis is None else moveaxis(elements, 0, axis)
    found = [elements]
    if return_index:
        found.append(index)
    if return_inverse:
        inverse = take(group, argsort(order))
        found.append(reshape(inverse, shape(x)) if axis is None else inverse)
    if return_counts:
        found.append(searchsorted(group, arange(size), side="right") - starts)
    return tuple(found) if len(found) > 1 else elements


@op(dtype=rules.comparable)
def isin(
    x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element of `x1` is among those of `x2`; NaN never is.

    Args:
        x1: any shape.
        x2: any shape.
        assume_unique: makes no difference.
        invert: whether to ask for those that are not.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isin([1, 2, 3], [3, 1]))
        array([ True, False,  True])
    """
    known = sort(x2, axis=None)
    if shape(known)[0] == 0:
        found = zeros_like(x1, "bool")
    else:
        found = equal(take(known, minimum(searchsorted(known, x1), shape(known)[0] - 1)), x1)
    return logical_not(found) if invert else found
