"""Complex numbers and their parts."""

from typing import Any

from mlapi.backends import adapter
from mlapi.errors import ShapeError
from mlapi.op import op, to_float
from mlapi.ops import rules
from mlapi.ops.elementwise import arctan2, multiply
from mlapi.ops.logical import equal
from mlapi.ops.shape import shape, stack
from mlapi.ops.trigonometry import cos, sin
from mlapi.types import Tensor, TensorLike

_complex = adapter.elementwise.complex_of


@op(dtype=None)
def real(x: TensorLike) -> Tensor:
    """Real part; real numbers stay as they are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.real(1 + 2j))
        array(1., dtype=float32)
    """
    ...


@op(dtype=None)
def imag(x: TensorLike) -> Tensor:
    """Imaginary part; zeros for real numbers.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.imag(1 + 2j))
        array(2., dtype=float32)
    """
    ...


@op(dtype=None)
def conj(x: TensorLike) -> Tensor:
    """Complex conjugate; real numbers stay as they are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.conj(1 + 2j))
        array(1.-2.j, dtype=complex64)
    """
    ...


conjugate = conj


@op(dtype=to_float)
def angle(x: TensorLike) -> Tensor:
    """Angle of a complex number in radians, in [-π, π]; of a negative number π.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.angle([1.0, -1.0])).round(3)
        array([0.   , 3.142], dtype=float32)
    """
    return arctan2(imag(x), real(x))


@op(dtype=None)
def isreal(x: TensorLike) -> Tensor:
    """Whether the imaginary part is zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isreal([1j, 1]))
        array([False,  True])
    """
    return equal(imag(x), 0)


@op(dtype=rules.parts)
def polar(abs_: TensorLike, angle: TensorLike) -> Tensor:
    """Complex numbers of given magnitudes and angles, in radians.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.polar([2.0], [0.0]))
        array([2.+0.j], dtype=complex64)
    """
    return _complex(multiply(abs_, cos(angle)), multiply(abs_, sin(angle)))


@op(dtype=rules.parts)
def view_as_complex(x: TensorLike) -> Tensor:
    """Complex numbers out of real and imaginary parts along the last axis, of size 2.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.view_as_complex([[1.0, 2.0], [3.0, 4.0]]))
        array([1.+2.j, 3.+4.j], dtype=complex64)
    """
    if shape(x)[-1:] != (2,):
        raise ShapeError(
            "view_as_complex: expected real and imaginary parts along a last axis of size 2, "
            f"received shape {shape(x)}. Stack them with mlapi.ops.stack(..., axis=-1)."
        )
    y: Any = x
    return _complex(y[..., 0], y[..., 1])


@op(dtype=None)
def view_as_real(x: TensorLike) -> Tensor:
    """Real and imaginary parts along a new last axis.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.view_as_real(1 + 2j))
        array([1., 2.], dtype=float32)
    """
    return stack([real(x), imag(x)], axis=-1)
