"""Functions of single elements on tensorflow: aliases where name and meaning agree, then others."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOptionalOperand=false

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from mlapi import dtypes
from mlapi.errors import ShapeError
from mlapi.types import DTypeLike

Tensor = tf.Tensor


def with_booleans(native: Callable[..., Tensor], boolean: Callable[..., Tensor]) -> Any:
    """`native`, and `boolean` for booleans, for which it has no kernel."""

    @functools.wraps(native)
    def call(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return (boolean if x.dtype is tf.bool else native)(x, *args, **kwargs)

    return call


def widened(native: Callable[..., Tensor], *narrow: tf.DType, by: tf.DType = tf.int32) -> Any:
    """`native`, by way of another dtype for those for which it has no kernel."""

    @functools.wraps(native)
    def call(*xs: Tensor) -> Tensor:
        if xs[0].dtype not in narrow:
            return native(*xs)
        y = native(*(tf.cast(x, by) for x in xs))
        return tf.cast(y, xs[0].dtype) if y.dtype is by else y

    return call


add = with_booleans(tf.add, tf.logical_or)
subtract = tf.subtract
multiply = with_booleans(tf.multiply, tf.logical_and)
divide = tf.divide
mod = tf.math.floormod
power = widened(tf.pow, tf.uint8, tf.uint16)
square = tf.square
sqrt = tf.sqrt
rsqrt = tf.math.rsqrt
reciprocal = tf.math.reciprocal
divide_no_nan = tf.math.divide_no_nan
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
at_least = tf.maximum
within = tf.clip_by_value
keep_where = tf.where
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


def negative(x: Tensor) -> Tensor:
    return tf.zeros_like(x) - x if x.dtype.is_unsigned else tf.negative(x)


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


# --- angles and exponentials ---------------------------------------------------------------------

tan = tf.tan
arcsin = tf.asin
arccos = tf.acos
arctan = tf.atan
sinh = tf.sinh
cosh = tf.cosh
arcsinh = tf.asinh
arccosh = tf.acosh
arctanh = tf.atanh
erfc = tf.math.erfc
erfinv = widened(tf.math.erfinv, tf.float16, tf.bfloat16, by=tf.float32)


def _i0(x: Tensor) -> Tensor:
    root = tf.exp(tf.abs(x) / 2)  # without the factor exp(|x|), XLA has a kernel
    return root * tf.math.bessel_i0e(x) * root


i0 = widened(_i0, tf.float16, tf.bfloat16, by=tf.float32)


def cbrt(x: Tensor) -> Tensor:
    return tf.sign(x) * tf.cast(tf.cast(tf.abs(x), tf.float32) ** (1 / 3), x.dtype)


# --- integers, bits and complex numbers ----------------------------------------------------------

bitwise_and = with_booleans(tf.bitwise.bitwise_and, tf.logical_and)
bitwise_or = with_booleans(tf.bitwise.bitwise_or, tf.logical_or)
bitwise_xor = with_booleans(tf.bitwise.bitwise_xor, tf.math.logical_xor)
bitwise_not = with_booleans(tf.bitwise.invert, tf.logical_not)
complex_of = tf.complex
_whole_fmod = widened(tf.truncatemod, tf.int8, tf.uint8, tf.int16, tf.uint16)


def fmod(x1: Tensor, x2: Tensor) -> Tensor:
    if not x1.dtype.is_floating:
        return _whole_fmod(x1, x2)
    flip = x1 < 0  # by way of `floormod`, since `truncatemod` has no gradient
    y = tf.math.floormod(tf.where(flip, -x1, x1), tf.abs(x2))
    return tf.where(flip, -y, y)


def floor_divide(x1: Tensor, x2: Tensor) -> Tensor:
    """By the remainder, as NumPy does it: the quotient alone is wrong where it is infinite."""
    if not x1.dtype.is_floating:
        return tf.math.floordiv(x1, x2)
    rest = fmod(x1, x2)
    below = (rest != 0) & ((rest < 0) != (x2 < 0))
    y = tf.round((x1 - rest) / x2) - tf.cast(below, x1.dtype)
    return tf.where(x2 == 0, x1 / x2, y)


def trunc(x: Tensor) -> Tensor:
    return tf.where(x < 0, tf.math.ceil(x), tf.floor(x)) if x.dtype.is_floating else x


def _in_range(y: Tensor) -> tuple[Tensor, Tensor]:
    """Whether shifts are by less than all bits, and the shifts that are.

    TensorFlow would take those by more, or by negative numbers, for the nearest possible.
    """
    last = 8 * y.dtype.size - 1
    inside = tf.logical_and(y >= 0, y <= last)
    return inside, tf.where(inside, y, tf.cast(last, y.dtype))


def bitwise_left_shift(x: Tensor, y: Tensor) -> Tensor:
    inside, y = _in_range(y)
    return tf.where(inside, tf.bitwise.left_shift(x, y), 0)


def bitwise_right_shift(x: Tensor, y: Tensor) -> Tensor:
    inside, y = _in_range(y)
    shifted = tf.bitwise.right_shift(x, y)
    return tf.where(inside, shifted, 0) if x.dtype.is_unsigned else shifted


def real(x: Tensor) -> Tensor:
    return tf.math.real(x) if x.dtype.is_complex else x


def imag(x: Tensor) -> Tensor:
    return tf.math.imag(x) if x.dtype.is_complex else tf.zeros_like(x)


def conj(x: Tensor) -> Tensor:
    return tf.math.conj(x) if x.dtype.is_complex else x


def view(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    if dtype is None:
        return x
    target = tf.as_dtype(dtypes.standardize(dtype))
    if target.is_bool:
        return tf.cast(view(x, "uint8"), tf.bool)
    x = tf.cast(x, tf.uint8) if x.dtype.is_bool else x
    if x.dtype.size == target.size:
        return tf.bitcast(x, target)
    *leading, last = (tf.shape(x)[i] if n is None else n for i, n in enumerate(x.shape))
    if x.dtype.size > target.size:
        return tf.reshape(tf.bitcast(x, target), [*leading, last * (x.dtype.size // target.size)])
    ratio = target.size // x.dtype.size
    return tf.bitcast(tf.reshape(x, [*leading, last // ratio, ratio]), target)


def diag(x: Tensor, k: int = 0) -> Tensor:
    if x.shape.rank == 1:
        return tf.linalg.diag(x, k=k)
    if x.shape.rank != 2:
        raise ShapeError(f"expected one axis or two, received shape {tuple(x.shape)}.")
    rows, columns = x.shape
    outside = (rows is not None and k <= -rows) or (columns is not None and k >= columns)
    return x[:0, 0] if outside else tf.linalg.diag_part(x, k=k)


_SMALL = (tf.uint8, tf.int8, tf.uint16, tf.int16)  # whose limits are numbers of 32-bit floats


def saturate_cast(x: Tensor, dtype: DTypeLike) -> Tensor:
    target = tf.as_dtype(dtypes.standardize(dtype))
    if x.dtype not in (tf.float32, tf.float64) or target not in _SMALL:
        return NotImplemented
    least, most = (tf.constant(float(n), x.dtype) for n in (target.min, target.max))
    y = tf.raw_ops.ClipByValue(t=x, clip_value_min=least, clip_value_max=most)
    return tf.cast(tf.where(tf.math.is_nan(x), tf.zeros((), x.dtype), y), target)


saturate_cast.declines = True  # type: ignore[attr-defined]
