"""Integers, and their bits. What is not an integer raises a DTypeError."""

from mlapi.op import op
from mlapi.ops import rules
from mlapi.ops.control import while_loop
from mlapi.ops.creation import zeros_like
from mlapi.ops.elementwise import absolute, add, floor_divide, mod, multiply
from mlapi.ops.logical import equal, not_equal, where
from mlapi.ops.reduction import any
from mlapi.types import Tensor, TensorLike


@op(dtype=rules.integers)
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Greatest common divisor of two integers.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.gcd([12, 0], 18))
        array([ 6, 18], dtype=int32)
    """

    def reduce(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        done = equal(other, 0)
        rest = where(done, 0, mod(one, where(done, 1, other)))
        return where(done, one, other), rest

    one, other = absolute(x1), absolute(x2)
    pair = add(one, zeros_like(other)), add(other, zeros_like(one))  # of one shape
    return while_loop(lambda one, other: any(not_equal(other, 0)), reduce, pair)[0]


@op(dtype=rules.integers)
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Least common multiple of two integers; 0 if either is.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.lcm([4, 0], 6))
        array([12,  0], dtype=int32)
    """
    divisor = gcd(x1, x2)
    return absolute(multiply(floor_divide(x1, where(equal(divisor, 0), 1, divisor)), x2))


@op(dtype=rules.bits)
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits that are set in both integers; of booleans the `and`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bitwise_and([1, 3], 2))
        array([0, 2], dtype=int32)
    """
    ...


@op(dtype=rules.bits)
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits that are set in at least one of two integers; of booleans the `or`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bitwise_or([1, 3], 2))
        array([3, 3], dtype=int32)
    """
    ...


@op(dtype=rules.bits)
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits that are set in one of two integers; of booleans, whether they differ.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bitwise_xor([1, 3], 2))
        array([3, 1], dtype=int32)
    """
    ...


@op(dtype=rules.bits)
def bitwise_not(x: TensorLike) -> Tensor:
    """All bits of an integer inverted; of booleans the `not`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bitwise_not([0, 5]))
        array([-1, -6], dtype=int32)
    """
    ...


bitwise_invert = bitwise_not


@op(dtype=rules.integers)
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits moved `y` places up, `x * 2**y`; those that leave the dtype are lost.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bitwise_left_shift([1, 3], 2))
        array([ 4, 12], dtype=int32)
    """
    ...


@op(dtype=rules.integers)
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Bits moved `y` places down, `x // 2**y`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bitwise_right_shift([-5, 8], 1))
        array([-3,  4], dtype=int32)
    """
    ...


left_shift = bitwise_left_shift
right_shift = bitwise_right_shift
