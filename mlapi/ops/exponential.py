"""Exponentials, logarithms and what is made of them. Integers count as floats."""

import math

from mlapi.op import op, to_float
from mlapi.ops import rules
from mlapi.ops.elementwise import divide, multiply, power
from mlapi.ops.logical import isinf, less, where
from mlapi.types import Tensor, TensorLike


@op(dtype=to_float)
def exp(x: TensorLike) -> Tensor:
    """Euler's number to the power of `x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.exp([0, 1])).round(3)
        array([1.   , 2.718], dtype=float32)
    """
    ...


@op(dtype=to_float)
def exp2(x: TensorLike) -> Tensor:
    """2 to the power of `x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.exp2([0, 3]))
        array([1., 8.], dtype=float32)
    """
    return power(2, x)


@op(dtype=to_float)
def expm1(x: TensorLike) -> Tensor:
    """`exp(x) - 1`, accurate near zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.expm1([0.0]))
        array([0.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def log(x: TensorLike) -> Tensor:
    """Natural logarithm; minus infinity at zero and NaN below.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.log([1, 2])).round(3)
        array([0.   , 0.693], dtype=float32)
    """
    ...


@op(dtype=to_float)
def log2(x: TensorLike) -> Tensor:
    """Logarithm to the base 2.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.log2([1, 8])).round(3)
        array([0., 3.], dtype=float32)
    """
    return divide(log(x), math.log(2))


@op(dtype=to_float)
def log10(x: TensorLike) -> Tensor:
    """Logarithm to the base 10.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.log10([1, 100])).round(3)
        array([0., 2.], dtype=float32)
    """
    return divide(log(x), math.log(10))


@op(dtype=to_float)
def log1p(x: TensorLike) -> Tensor:
    """Natural logarithm of `1 + x`, accurate near zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.log1p([0, 1])).round(3)
        array([0.   , 0.693], dtype=float32)
    """
    ...


@op(dtype=rules.real_float)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log(exp(x1) + exp(x2))`, without overflow on the way.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logaddexp([0.0, 99.0], 0.0)).round(3)
        array([ 0.693, 99.   ], dtype=float32)
    """
    swap = less(x1, x2)
    high, low = where(swap, x2, x1), where(swap, x1, x2)
    return high + log1p(exp(low - where(isinf(high), 0, high)))


@op(dtype=rules.real_float)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log2(2**x1 + 2**x2)`, without overflow on the way.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logaddexp2([0.0, 99.0], 0.0)).round(3)
        array([ 1., 99.], dtype=float32)
    """
    unit = math.log(2)
    return logaddexp(multiply(x1, unit), multiply(x2, unit)) / unit


@op(dtype=to_float)
def erf(x: TensorLike) -> Tensor:
    """Error function, `2 / sqrt(pi)` times the integral of `exp(-t²)` from 0 to `x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.erf([0, 1])).round(3)
        array([0.   , 0.843], dtype=float32)
    """
    ...


@op(dtype=rules.real_float)
def erfc(x: TensorLike) -> Tensor:
    """`1 - erf(x)`, accurate for large `x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.erfc([0, 1])).round(3)
        array([1.   , 0.157], dtype=float32)
    """
    ...


@op(dtype=rules.real_float)
def erfinv(x: TensorLike) -> Tensor:
    """Inverse of `erf`; infinite at -1 and 1, NaN outside.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.erfinv([0, 0.5])).round(3)
        array([0.   , 0.477], dtype=float32)
    """
    ...


@op(dtype=rules.real_float)
def i0(x: TensorLike) -> Tensor:
    """Modified Bessel function of the first kind, of order 0.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.i0([0, 1])).round(3)
        array([1.   , 1.266], dtype=float32)
    """
    ...
