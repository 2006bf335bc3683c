"""Array operations on tensorflow: aliases where name and meaning agree, then real differences.

Sizes may be unknown while a function is traced: `shape` gives a scalar tensor for those.
"""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportAssignmentType=false, reportOptionalOperand=false

import builtins
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mlapi import dtypes
from mlapi.backends.axes import place, places
from mlapi.backends.tensorflow.elementwise import (
    cast,
    maximum,
    minimum,
    multiply,
    widened,
    with_booleans,
)
from mlapi.errors import ShapeError
from mlapi.types import Axis, DTypeLike, Shape

Tensor = tf.Tensor


# --- reductions ----------------------------------------------------------------------------------


def _reduction(native: Callable[..., Tensor], unreduced: Callable[[Tensor], Tensor]) -> Any:
    """An empty tuple of axes would count as floats; `unreduced` is the result for none."""

    def reduce(x: Tensor, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
        if axis is not None and not isinstance(axis, int) and len(axis) == 0:
            return unreduced(x)
        return native(x, axis, keepdims)

    return reduce


def _no_spread(x: Tensor) -> Tensor:
    return x - x  # which is NaN for what is not finite


sum = _reduction(tf.reduce_sum, tf.identity)
mean = _reduction(tf.reduce_mean, tf.identity)
any = _reduction(tf.reduce_any, tf.identity)
all = _reduction(tf.reduce_all, tf.identity)
var = _reduction(tf.math.reduce_variance, _no_spread)
std = _reduction(tf.math.reduce_std, _no_spread)
logsumexp = _reduction(tf.reduce_logsumexp, tf.identity)
_largest = _reduction(with_booleans(tf.reduce_max, tf.reduce_any), tf.identity)
_smallest = _reduction(with_booleans(tf.reduce_min, tf.reduce_all), tf.identity)


def _check_not_empty(x: Tensor, axis: Axis | None) -> None:
    """TensorFlow would answer with an infinity that nobody put in."""
    if 0 in x.shape:
        axes = range(x.shape.rank) if axis is None else (axis,) if isinstance(axis, int) else axis
        if builtins.any(x.shape[one] == 0 for one in axes):
            raise ShapeError(
                f"max and min of a tensor of shape {tuple(x.shape)} over axis {axis} need "
                "`initial`: there are no elements."
            )


def max(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    if initial is None:
        _check_not_empty(x, axis)
        return _largest(x, axis, keepdims)
    return maximum(_largest(x, axis, keepdims), tf.cast(initial, x.dtype))


def min(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    if initial is None:
        _check_not_empty(x, axis)
        return _smallest(x, axis, keepdims)
    return minimum(_smallest(x, axis, keepdims), tf.cast(initial, x.dtype))


def prod(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, dtype: DTypeLike | None = None
) -> Tensor:
    if dtype is not None:
        x = cast(x, dtype)
    return _product(x, axis, keepdims)


_product = _reduction(tf.reduce_prod, tf.identity)


def cumsum(x: Tensor, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    if dtype is not None:
        x = cast(x, dtype)
    x = tf.cast(x, tf.int32) if x.dtype.is_bool else x
    return tf.cumsum(x, place(axis, x.shape.rank))


# --- shapes --------------------------------------------------------------------------------------


def shape(x: Tensor) -> tuple[Any, ...]:
    if x.shape.is_fully_defined():
        return tuple(x.shape)
    sizes = tf.shape(x)
    return tuple(sizes[i] if n is None else n for i, n in enumerate(x.shape))


def zeros(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    return tf.zeros(shape, dtypes.standardize(dtype))


def ones(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    return tf.ones(shape, dtypes.standardize(dtype))


def full(shape: Shape, fill_value: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return tf.broadcast_to(cast(fill_value, dtypes.standardize(dtype)), shape)


def _like(x: Tensor, dtype: DTypeLike | None) -> Any:
    return x.dtype if dtype is None else dtypes.standardize(dtype)


def zeros_like(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return tf.zeros_like(x, _like(x, dtype))


def ones_like(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return tf.ones_like(x, _like(x, dtype))


def full_like(x: Tensor, fill_value: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return tf.broadcast_to(tf.cast(fill_value, _like(x, dtype)), tf.shape(x))


def arange(
    start: float,
    stop: float | None = None,
    step: float | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    if dtype is None:
        given = (v for v in (start, stop, step) if v is not None)
        dtype = dtypes.promote(*(getattr(v, "dtype", type(v)) for v in given))
    if stop is None:
        start, stop = 0, start
    return tf.cast(tf.range(start, stop, 1 if step is None else step), dtypes.standardize(dtype))


def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    if axis not in (-1, x[0].shape.rank):
        return tf.stack(x, axis)
    return moveaxis(tf.stack(x), 0, -1)  # several times as fast as one number after the other


broadcast_to = tf.broadcast_to


def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    return tf.concat(xs, axis)


def reshape(x: Tensor, newshape: int | Shape) -> Tensor:
    return tf.reshape(x, [newshape] if isinstance(newshape, int) else newshape)


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    rank = x.shape.rank
    return tf.transpose(x, None if axes is None else places(axes, rank))


def moveaxis(x: Tensor, source: Axis, destination: Axis) -> Tensor:
    rank = x.shape.rank
    sources, targets = places(source, rank), places(destination, rank)
    order = [axis for axis in range(rank) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return tf.transpose(x, order)


def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    order = list(range(x.shape.rank))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return tf.transpose(x, order)


def expand_dims(x: Tensor, axis: Axis) -> Tensor:
    if isinstance(axis, int):
        return tf.expand_dims(x, axis)
    rank = x.shape.rank + len(axis)
    for one in sorted(places(axis, rank)):
        x = tf.expand_dims(x, one)
    return x


def squeeze(x: Tensor, axis: Axis | None = None) -> Tensor:
    return tf.squeeze(x, axis)


def split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    if isinstance(indices_or_sections, int):
        return tf.split(x, indices_or_sections, axis)
    cuts = [0, *indices_or_sections, shape(x)[axis]]
    sizes = [after - before for before, after in itertools.pairwise(cuts)]
    return tf.split(x, sizes, axis)


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    return tf.unstack(x, num, axis)


def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    counts = [repeats] if isinstance(repeats, int) else list(repeats)
    missing = len(counts) - x.shape.rank
    if missing > 0:
        x = tf.reshape(x, [1] * missing + list(shape(x)))
    return tf.tile(x, [1] * -missing + counts)


def repeat(x: Tensor, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    if isinstance(repeats, int):
        return tf.repeat(x, repeats, axis)
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    each, size = np.asarray(repeats, int), x.shape[axis]
    counts = np.broadcast_to(each, each.shape if size is None else size)
    # By numbers, so that the size of the result is known while a function is traced.
    return tf.gather(x, np.repeat(np.arange(len(counts)), counts), axis=axis)


def flip(x: Tensor, axis: Axis | None = None) -> Tensor:
    axes = range(x.shape.rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return tf.reverse(x, list(axes)) if len(axes) else x


def pad(
    x: Tensor,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: float | None = None,
) -> Tensor:
    widths = np.broadcast_to(np.asarray(pad_width), (x.shape.rank, 2))
    value = tf.cast(constant_values or 0, x.dtype)
    return tf.pad(x, widths, mode.upper(), value)


# --- indices -------------------------------------------------------------------------------------


def _from_the_start(indices: Tensor, size: int | Tensor) -> Tensor:
    """Negative indices count from the end."""
    return tf.where(indices < 0, indices + tf.cast(size, indices.dtype), indices)


def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    return tf.gather(x, _from_the_start(indices, shape(x)[axis]), axis=axis)


def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        x, indices, axis = tf.reshape(x, [-1]), tf.reshape(indices, [-1]), 0
    indices = _from_the_start(indices, shape(x)[axis])
    rank = x.shape.rank
    if place(axis, rank) != rank - 1:
        y = take_along_axis(moveaxis(x, axis, -1), moveaxis(indices, axis, -1), -1)
        return moveaxis(y, -1, axis)
    tf.broadcast_static_shape(x.shape[:-1], indices.shape[:-1])  # an error if they do not fit
    if x.shape[:-1] != indices.shape[:-1] or not x.shape[:-1].is_fully_defined():
        batch = tf.broadcast_dynamic_shape(tf.shape(x)[:-1], tf.shape(indices)[:-1])
        x = tf.broadcast_to(x, tf.concat([batch, tf.shape(x)[-1:]], 0))
        indices = tf.broadcast_to(indices, tf.concat([batch, tf.shape(indices)[-1:]], 0))
    return tf.gather(x, indices, axis=-1, batch_dims=rank - 1)


def one_hot(
    x: Tensor,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    if x.dtype not in (tf.uint8, tf.int32, tf.int64):
        x = tf.cast(x, tf.int32)
    axis = place(axis, x.shape.rank + 1)
    if dtypes.is_bool(dtype):
        return tf.one_hot(x, num_classes, True, False, axis, tf.bool)
    return tf.one_hot(x, num_classes, axis=axis, dtype=dtypes.standardize(dtype))


def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    values, indices = tf.math.top_k(x, k, sorted)
    return values, indices


def slice(inputs: Tensor, start_indices: Tensor, shape: Sequence[int]) -> Tensor:
    return tf.slice(inputs, start_indices, tf.cast(shape, start_indices.dtype))


def slice_update(inputs: Tensor, start_indices: Tensor, updates: Tensor) -> Tensor:
    if inputs.shape.rank == 0:
        return updates
    starts = tf.cast(start_indices, tf.int32)
    along = [starts[axis] + tf.range(size) for axis, size in enumerate(shape(updates))]
    places = tf.stack(tf.meshgrid(*along, indexing="ij"), -1)
    return tf.tensor_scatter_nd_update(inputs, places, updates)


# --- products ------------------------------------------------------------------------------------

_NARROW = (tf.bool, tf.int8, tf.uint8, tf.int16, tf.uint16)


def _matmul(x1: Tensor, x2: Tensor) -> Tensor:
    row, column = x1.shape.rank == 1, x2.shape.rank == 1
    y = tf.matmul(x1[None, :] if row else x1, x2[:, None] if column else x2)
    if column:
        y = tf.squeeze(y, -1)
    return tf.squeeze(y, -1 if column else -2) if row else y


matmul = widened(_matmul, *_NARROW)


def dot(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.shape.rank == 0 or x2.shape.rank == 0:
        return multiply(x1, x2)
    if x2.shape.rank == 1:
        return tensordot(x1, x2, 1)
    return tensordot(x1, x2, [[-1], [-2]])


def tensordot(
    x1: Tensor, x2: Tensor, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2
) -> Tensor:
    if not isinstance(axes, int):
        pairs = [[one] if isinstance(one, int) else list(one) for one in axes]
        axes = [
            [one % x.shape.rank for one in each] for x, each in zip((x1, x2), pairs, strict=True)
        ]
    return widened(lambda a, b: tf.tensordot(a, b, axes), *_NARROW)(x1, x2)


def einsum_of(operands: Sequence[Tensor], subscripts: str) -> Tensor:
    return widened(lambda *xs: tf.einsum(subscripts, *xs), *_NARROW)(*operands)


def outer(x1: Tensor, x2: Tensor) -> Tensor:
    return multiply(tf.reshape(x1, [-1, 1]), tf.reshape(x2, [1, -1]))
