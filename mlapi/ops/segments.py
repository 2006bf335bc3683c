"""Rows of one tensor put, or gathered up, into those of another by their numbers.

Numbers outside of the result are an error where the framework checks it, and undefined elsewhere.
Where `num_segments` is None the result's size depends on the ids, which cannot be compiled.
"""

import math
from typing import Any

import numpy as np

from mlapi import dtypes
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ShapeError
from mlapi.op import op
from mlapi.ops import reduction, rules, values
from mlapi.ops.conversion import dtype as dtype_of
from mlapi.ops.creation import full, zeros
from mlapi.ops.logical import less, where
from mlapi.ops.shape import ravel, reshape, shape
from mlapi.types import Shape, Tensor, TensorLike


def _identity(how: str, kind: str) -> float:
    """What changes nothing: the result for a segment without rows."""
    if how in ("add", "mul"):
        return 0 if how == "add" else 1
    if dtypes.is_integer(kind):
        limits = np.iinfo(kind)
        return limits.min if how == "max" else limits.max
    return -math.inf if how == "max" else math.inf


def _gathered(
    data: TensorLike, segment_ids: TensorLike, count: int | None, in_order: bool, how: str
) -> Tensor:
    if len(shape(segment_ids)) != 1:
        raise ShapeError(f"segment_ids has shape {shape(segment_ids)}, it must have one axis.")
    if count is None:
        count = 0
        if shape(segment_ids)[0] != 0:
            count = values.known(reduction.max(segment_ids), "num_segments=None") + 1
    kind = dtype_of(data)
    start = full((count, *shape(data)[1:]), _identity(how, kind), kind)
    return adapter.arrays.accumulate(start, segment_ids, data, how, in_order)


@op(dtype=rules.indices_last)
def segment_sum(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Sums of the rows that belong together.

    Args:
        data: shape `(n, ...)`.
        segment_ids: which sum each row goes to, integers in `[0, num_segments)`, shape `(n,)`.
        num_segments: how many sums; None for the largest id plus 1.
        sorted: promises that the ids ascend, which may be faster.

    Returns:
        Shape `(num_segments, ...)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.segment_sum([1, 2, 4], [0, 1, 0], 2))
        array([5, 2], dtype=int32)
    """
    return _gathered(data, segment_ids, num_segments, sorted, "add")


@op(dtype=rules.indices_last)
def segment_prod(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Products of the rows that belong together, 1 without any; arguments as for `segment_sum`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.segment_prod([3, 2, 4], [0, 1, 0], 2))
        array([12,  2], dtype=int32)
    """
    return _gathered(data, segment_ids, num_segments, sorted, "mul")


@op(dtype=rules.indices_last)
def segment_max(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Largest elements of the rows that belong together; arguments as for `segment_sum`.

    A segment without rows has -inf, or the smallest integer.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.segment_max([3, 2, 4], [0, 1, 0], 2))
        array([4, 2], dtype=int32)
    """
    return _gathered(data, segment_ids, num_segments, sorted, "max")


@op(dtype=rules.indices_last)
def segment_min(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Smallest elements of the rows that belong together; arguments as for `segment_sum`.

    A segment without rows has inf, or the largest integer.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.segment_min([3, 2, 4], [0, 1, 0], 2))
        array([3, 2], dtype=int32)
    """
    return _gathered(data, segment_ids, num_segments, sorted, "min")


@op(dtype=rules.updates_last)
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Tensor:
    """A copy of a tensor with blocks of it replaced, or combined with others.

    Args:
        inputs: any shape.
        indices: integers, shape `(..., d)`: places in the first `d` axes of `inputs`; negative
            ones count from the end.
        updates: shape `indices.shape[:-1] + inputs.shape[d:]`; they take the dtype of `inputs`.
        reduction: how an update meets what is there, also where several fall on one place:
            `"add"`, `"mul"`, `"max"` or `"min"`; None to replace it (by any one of several).

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.scatter_update([1, 2, 3], [[0], [2]], [9, 8]))
        array([9, 2, 8], dtype=int32)
    """
    if reduction not in (None, "add", "mul", "max", "min"):
        raise ArgumentError(f"reduction {reduction!r} is none of add, mul, max, min and None.")
    sizes, places = shape(inputs), shape(indices)
    depth = places[-1] if places else 0
    if not 0 < depth <= len(sizes):
        raise ShapeError(
            f"indices of shape {places} for a tensor of shape {sizes}: their last axis has a "
            f"number for each of the first axes of it, from 1 to {len(sizes)}."
        )
    rest = sizes[depth:]
    if shape(updates) != (*places[:-1], *rest):
        raise ShapeError(
            f"updates of shape {shape(updates)} for indices of shape {places} and a tensor of "
            f"shape {sizes}: they need shape {(*places[:-1], *rest)}."
        )
    ids: Any = 0
    index: Any = indices
    for axis in range(depth):
        one = index[..., axis]
        ids = ids * sizes[axis] + where(less(one, 0), one + sizes[axis], one)
    rows = reshape(updates, (math.prod(places[:-1]), *rest))
    into = reshape(inputs, (math.prod(sizes[:depth]), *rest))
    found = adapter.arrays.accumulate(into, ravel(ids), rows, reduction, False)
    return reshape(found, sizes)


@op(dtype=rules.indices_first)
def scatter(indices: TensorLike, values: TensorLike, shape: Shape) -> Tensor:
    """Zeros with `values` added at `indices`; what falls on the same place adds up.

    Args:
        indices: integers, shape `(..., d)`: places in the first `d` axes of the result.
        values: shape `indices.shape[:-1] + shape[d:]`.
        shape: of the result.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.scatter([[1], [3], [1]], [1, 2, 4], (4,)))
        array([0, 5, 0, 2], dtype=int32)
    """
    return scatter_update(zeros(shape, dtype_of(values)), indices, values, "add")
