"""Natives of tensorflow for running products, orders, and rows that go somewhere by number."""

# pyright: reportArgumentType=false, reportCallIssue=false

import functools
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from mlapi.backends.axes import place
from mlapi.backends.tensorflow.ops import cast, take_along_axis
from mlapi.backends.windows import indices
from mlapi.types import DTypeLike

Tensor = tf.Tensor


def host_int(x: Tensor) -> int | None:
    return int(x) if tf.executing_eagerly() else None


def cumprod(x: Tensor, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    if dtype is not None:
        x = cast(x, dtype)
    x = tf.cast(x, tf.int32) if x.dtype.is_bool else x
    return tf.math.cumprod(x, place(axis, x.shape.rank))


# --- orders --------------------------------------------------------------------------------------

_BITS = {tf.float32: tf.int32, tf.float64: tf.int64}


def _keys(x: Tensor, nan_is_least: bool = False) -> Tensor:
    """Numbers in the order of `x` where NaN has a place, as it has not in tensorflow's."""
    if x.dtype.is_bool:
        return tf.cast(x, tf.uint8)
    if not x.dtype.is_floating:
        return x
    if x.dtype not in _BITS:
        x = tf.cast(x, tf.float32)
    bits = tf.bitcast(tf.where(x == 0, tf.zeros_like(x), x), _BITS[x.dtype])  # without -0
    bits = tf.where(bits < 0, bits ^ bits.dtype.max, bits)
    return tf.where(tf.math.is_nan(x), bits.dtype.min if nan_is_least else bits.dtype.max, bits)


def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    return tf.argsort(_keys(x), axis, stable=True)


def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    if x.dtype.is_integer:
        return tf.sort(x, axis)
    return take_along_axis(x, argsort(x, axis), axis)


def _arg(native: Callable[..., Tensor], keys: Callable[[Tensor], Tensor]) -> Any:
    def find(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
        x, rank = keys(x), x.shape.rank
        if axis is None:
            index = native(tf.reshape(x, [-1]), 0, tf.int32)
            return tf.reshape(index, [1] * rank) if keepdims else index
        index = native(x, axis, tf.int32)
        return tf.expand_dims(index, axis) if keepdims else index

    return find


argmax = _arg(tf.argmax, _keys)
argmin = _arg(tf.argmin, functools.partial(_keys, nan_is_least=True))


def _without_nan(native: Callable[..., Tensor], least: float) -> Any:
    find_any = _arg(native, lambda x: x)

    def find(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
        if x.dtype not in _BITS:
            return NotImplemented
        nan = tf.math.is_nan(x)
        found = find_any(tf.where(nan, tf.constant(least, x.dtype), x), axis, keepdims)
        return tf.where(tf.reduce_all(nan, axis, keepdims), -1, found)

    find.declines = True  # type: ignore[attr-defined]
    return find


nanargmax = _without_nan(tf.argmax, -math.inf)
nanargmin = _without_nan(tf.argmin, math.inf)


# --- rows by their numbers -----------------------------------------------------------------------

_NATIVE = {
    None: tf.tensor_scatter_nd_update,
    "max": tf.tensor_scatter_nd_max,
    "min": tf.tensor_scatter_nd_min,
}


def accumulate(into: Tensor, ids: Tensor, rows: Tensor, how: str | None, sorted: bool) -> Tensor:
    if 0 in rows.shape:  # tensorflow refuses to put nothing into nothing
        return into
    if how == "mul":
        return into * tf.math.unsorted_segment_prod(rows, ids, tf.shape(into)[0])
    if how == "add":
        return into + tf.math.unsorted_segment_sum(rows, ids, tf.shape(into)[0])
    found = _NATIVE[how](into, ids[:, None], rows)
    if how in ("max", "min") and rows.dtype.is_floating:  # which would pass over NaN
        nan = tf.where(tf.math.is_nan(rows), rows, tf.zeros_like(rows))
        found += tf.math.unsorted_segment_sum(nan, ids, tf.shape(into)[0])
    return found


def windows(x: Tensor, axis: int, size: int, stride: int, dilation: int) -> Tensor:
    return tf.gather(x, indices(x.shape[axis], size, stride, dilation), axis=axis)


def search(sorted_sequence: Tensor, values: Tensor, side: str) -> Tensor:
    found = tf.searchsorted(sorted_sequence, tf.reshape(values, [-1]), side=side)
    return tf.reshape(found, tf.shape(values))
