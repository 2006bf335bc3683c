"""Angles: circular and hyperbolic functions and their inverses. Integers count as floats."""

from mlapi.op import op, to_float
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
def tanh(x: TensorLike) -> Tensor:
    """Hyperbolic tangent.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.tanh([0, 1])).round(3)
        array([0.   , 0.762], dtype=float32)
    """
    ...
