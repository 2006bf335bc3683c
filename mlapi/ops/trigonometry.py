"""Angles: circular and hyperbolic functions and their inverses. Integers count as floats."""

import math

from mlapi.op import op, to_float
from mlapi.ops import rules
from mlapi.ops.elementwise import absolute, multiply, sqrt
from mlapi.ops.logical import equal, isinf, less, logical_or, where
from mlapi.types import Tensor, TensorLike


@op(dtype=to_float)
def sin(x: TensorLike) -> Tensor:
    """Sine of an angle in radians.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sin([0, 1])).round(3)
        array([0.   , 0.841], dtype=float32)
    """
    ...


@op(dtype=to_float)
def cos(x: TensorLike) -> Tensor:
    """Cosine of an angle in radians.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cos([0, 1])).round(3)
        array([1.  , 0.54], dtype=float32)
    """
    ...


@op(dtype=to_float)
def tan(x: TensorLike) -> Tensor:
    """Tangent of an angle in radians.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.tan([0, 1])).round(3)
        array([0.   , 1.557], dtype=float32)
    """
    ...


@op(dtype=to_float)
def arcsin(x: TensorLike) -> Tensor:
    """The angle in [-π/2, π/2] whose sine is `x`; NaN for `x` outside of [-1, 1].

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arcsin([0, 1])).round(3)
        array([0.   , 1.571], dtype=float32)
    """
    ...


@op(dtype=to_float)
def arccos(x: TensorLike) -> Tensor:
    """The angle in [0, π] whose cosine is `x`; NaN for `x` outside of [-1, 1].

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arccos([0, 1])).round(3)
        array([1.571, 0.   ], dtype=float32)
    """
    ...


@op(dtype=to_float)
def arctan(x: TensorLike) -> Tensor:
    """The angle in [-π/2, π/2] whose tangent is `x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arctan([0, 1])).round(3)
        array([0.   , 0.785], dtype=float32)
    """
    ...


@op(dtype=to_float)
def sinh(x: TensorLike) -> Tensor:
    """Hyperbolic sine.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sinh([0, 1])).round(3)
        array([0.   , 1.175], dtype=float32)
    """
    ...


@op(dtype=to_float)
def cosh(x: TensorLike) -> Tensor:
    """Hyperbolic cosine.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cosh([0, 1])).round(3)
        array([1.   , 1.543], dtype=float32)
    """
    ...


@op(dtype=to_float)
def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.tanh([0, 1])).round(3)
        array([0.   , 0.762], dtype=float32)
    """
    ...


@op(dtype=to_float)
def arcsinh(x: TensorLike) -> Tensor:
    """Inverse of the hyperbolic sine.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arcsinh([0, 1])).round(3)
        array([0.   , 0.881], dtype=float32)
    """
    ...


@op(dtype=to_float)
def arccosh(x: TensorLike) -> Tensor:
    """Inverse of the hyperbolic cosine, not negative; NaN for `x` below 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arccosh([1, 2])).round(3)
        array([0.   , 1.317], dtype=float32)
    """
    ...


@op(dtype=to_float)
def arctanh(x: TensorLike) -> Tensor:
    """Inverse of the hyperbolic tangent; NaN for `x` outside of [-1, 1].

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arctanh([0, 0.5])).round(3)
        array([0.   , 0.549], dtype=float32)
    """
    ...


@op(dtype=to_float)
def sinc(x: TensorLike) -> Tensor:
    """`sin(πx) / (πx)`, and 1 at zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sinc([0, 0.5])).round(3)
        array([1.   , 0.637], dtype=float32)
    """
    turn = multiply(x, math.pi)
    zero = equal(x, 0)
    return where(zero, 1, sin(turn) / where(zero, 1, turn))


@op(dtype=rules.real_float)
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`sqrt(x1² + x2²)`, without overflow on the way; infinite if either is.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hypot(3, [4, 0])).round(3)
        array([5., 3.], dtype=float32)
    """
    one, other = absolute(x1), absolute(x2)
    swap = less(one, other)
    long, short = where(swap, other, one), where(swap, one, other)
    endless = logical_or(isinf(x1), isinf(x2))
    ratio = short / where(logical_or(equal(long, 0), endless), 1, long)
    return where(endless, math.inf, long * sqrt(1 + ratio * ratio))


@op(dtype=rules.real_float)
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees to radians.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.deg2rad([0, 180])).round(3)
        array([0.   , 3.142], dtype=float32)
    """
    return multiply(x, math.pi / 180)


@op(dtype=rules.real_float)
def rad2deg(x: TensorLike) -> Tensor:
    """Radians to degrees.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.rad2deg([0, 1])).round(3)
        array([ 0.   , 57.296], dtype=float32)
    """
    return multiply(x, 180 / math.pi)
