"""Exponentials, logarithms and what is made of them. Integers count as floats."""

from mlapi.op import op, to_float
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
def log1p(x: TensorLike) -> Tensor:
    """Natural logarithm of `1 + x`, accurate near zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.log1p([0, 1])).round(3)
        array([0.   , 0.693], dtype=float32)
    """
    ...


@op(dtype=to_float)
def erf(x: TensorLike) -> Tensor:
    """Error function, `2 / sqrt(pi)` times the integral of `exp(-t²)` from 0 to `x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.erf([0, 1])).round(3)
        array([0.   , 0.843], dtype=float32)
    """
    ...
