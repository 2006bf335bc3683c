"""Functions of single elements on tensorflow: aliases where name and meaning agree, then others."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from mlapi import dtypes
from mlapi.types import DTypeLike

Tensor = tf.Tensor


def with_booleans(native: Callable[..., Tensor], boolean: Callable[..., Tensor]) -> Any:
    """`native`, and `boolean` for booleans, for which it has no kernel."""

    @functools.wraps(native)
    def call(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return (boolean if x.dtype is tf.bool else native)(x, *args, **kwargs)

    return call


def widened(native: Callable[..., Tensor], *narrow: tf.DType) -> Any:
    """`native`, by way of int32 for dtypes for which it has no kernel."""

    @functools.wraps(native)
    def call(*xs: Tensor) -> Tensor:
        if xs[0].dtype not in narrow:
            return native(*xs)
        y = native(*(tf.cast(x, tf.int32) for x in xs))
        return tf.cast(y, xs[0].dtype) if y.dtype is tf.int32 else y

    return call


add = with_booleans(tf.add, tf.logical_or)
subtract = tf.subtract
multiply = with_booleans(tf.multiply, tf.logical_and)
divide = tf.divide
floor_divide = tf.math.floordiv
mod = tf.math.floormod
power = widened(tf.pow, tf.uint8, tf.uint16)
negative = tf.negative
square = tf.square
sqrt = tf.sqrt
rsqrt = tf.math.rsqrt
reciprocal = tf.math.reciprocal
exp = tf.exp
expm1 = tf.math.expm1
arctan2 = tf.math.atan2
log = tf.math.log
log1p = tf.math.log1p
sin = tf.sin
cos = tf.cos
tanh = tf.tanh
erf = tf.math.erf
maximum = with_booleans(tf.maximum, tf.logical_or)
minimum = with_booleans(tf.minimum, tf.logical_and)
clip = tf.clip_by_value
floor = tf.floor
ceil = tf.math.ceil

equal = tf.equal
not_equal = tf.not_equal
less = widened(tf.less, tf.bool)
less_equal = widened(tf.less_equal, tf.bool)
greater = widened(tf.greater, tf.bool)
greater_equal = widened(tf.greater_equal, tf.bool)
logical_and = tf.logical_and
logical_or = tf.logical_or
logical_xor = tf.math.logical_xor
logical_not = tf.logical_not
isnan = tf.math.is_nan
isinf = tf.math.is_inf
isfinite = tf.math.is_finite

stop_gradient = tf.stop_gradient
copy = tf.identity


def absolute(x: Tensor) -> Tensor:
    return x if x.dtype.is_unsigned or x.dtype.is_bool else tf.abs(x)


def sign(x: Tensor) -> Tensor:
    return tf.cast(x != 0, x.dtype) if x.dtype.is_unsigned else tf.sign(x)


def round(x: Tensor, decimals: int = 0) -> Tensor:
    if not x.dtype.is_floating:
        return x
    return tf.round(x) if decimals == 0 else tf.round(x * 10.0**decimals) / 10.0**decimals


def cast(x: Tensor, dtype: DTypeLike) -> Tensor:
    return tf.cast(x, dtypes.standardize(dtype))


def where(
    condition: Tensor, x1: Tensor | None = None, x2: Tensor | None = None
) -> Tensor | tuple[Tensor, ...]:
    if x1 is None or x2 is None:
        return tuple(tf.unstack(tf.cast(tf.where(condition), tf.int32), axis=1))
    return tf.where(condition, x1, x2)
