"""Arithmetic and functions of single elements.

Two tensors are broadcast together by NumPy's rules and brought to the dtype that both have in
the lattice of `mlapi.dtypes`. Where a function leaves the integers (`sqrt`, `divide`), integers and
booleans become the default float type first.
"""

from mlapi.op import op, to_float
from mlapi.ops import rules
from mlapi.ops.logical import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_or,
    not_equal,
    where,
)
from mlapi.types import DTypeLike, Tensor, TensorLike


@op
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of two tensors, element by element; on booleans their `or`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.add([1, 2], 10))
        array([11, 12], dtype=int32)
    """
    ...


@op
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Difference of two tensors, element by element. Booleans have none.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.subtract([1, 2], [3, 3]))
        array([-2, -1], dtype=int32)
    """
    ...


@op
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Product of two tensors, element by element; on booleans their `and`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.multiply([[1], [2]], [3, 4]))
        array([[3, 4],
               [6, 8]], dtype=int32)
    """
    ...


@op(dtype=to_float)
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient of two tensors, element by element, as floats.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.divide([1, 3], 2))
        array([0.5, 1.5], dtype=float32)
    """
    ...


@op(dtype=to_float)
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Another name of `divide`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.true_divide([1, 3], 2))
        array([0.5, 1.5], dtype=float32)
    """
    return divide(x1, x2)


@op(dtype=to_float)
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient, and 0 where `x2` is zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.divide_no_nan([1, 3], [0, 2]))
        array([0. , 1.5], dtype=float32)
    """
    zero = equal(x2, 0)
    return where(zero, 0, divide(x1, where(zero, 1, x2)))


@op(dtype=rules.real)
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Quotient rounded towards minus infinity. What an integer divided by zero gives is undefined.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.floor_divide([-3, 3], 2))
        array([-2,  1], dtype=int32)
    """
    ...


@op(dtype=rules.real)
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder of `floor_divide`, with the sign of `x2`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.mod([-3, 3], 2))
        array([1, 1], dtype=int32)
    """
    ...


@op(dtype=rules.real)
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Remainder of the quotient rounded towards zero, with the sign of `x1`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.fmod([-3, 3], 2))
        array([-1,  1], dtype=int32)
    """
    ...


@op
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1` to the power of `x2`. Integers need exponents that are not negative.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.power([2.0, 3.0], 2))
        array([4., 9.], dtype=float32)
    """
    ...


@op(dtype=rules.real_float)
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle in radians, in [-π, π], between the positive x axis and the point `(x2, x1)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arctan2([0.0, 1.0], 1.0))
        array([0.       , 0.7853982], dtype=float32)
    """
    ...


@op
def negative(x: TensorLike) -> Tensor:
    """`-x`. Unsigned integers wrap around; booleans have none.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.negative([1, -2]))
        array([-1,  2], dtype=int32)
    """
    ...


@op
def absolute(x: TensorLike) -> Tensor:
    """Distance from zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.absolute([1, -2]))
        array([1, 2], dtype=int32)
    """
    ...


@op
def abs(x: TensorLike) -> Tensor:
    """Another name of `absolute`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.abs([1, -2]))
        array([1, 2], dtype=int32)
    """
    return absolute(x)


@op(dtype=rules.real_float)
def fabs(x: TensorLike) -> Tensor:
    """Distance from zero, as a float.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.fabs([1, -2]))
        array([1., 2.], dtype=float32)
    """
    return absolute(x)


@op
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1 by the sign of each element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sign([-3, 0, 5]))
        array([-1,  0,  1], dtype=int32)
    """
    ...


@op(dtype=rules.real_float)
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 where `x1` is negative, `x2` where it is zero, 1 where it is positive.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.heaviside([-2, 0, 3], 0.5))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    step = where(less(x1, 0), 0, where(greater(x1, 0), 1, x1))  # NaN stays
    return where(equal(x1, 0), x2, step)


@op
def square(x: TensorLike) -> Tensor:
    """`x * x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.square([-3, 5]))
        array([ 9, 25], dtype=int32)
    """
    ...


@op(dtype=to_float)
def sqrt(x: TensorLike) -> Tensor:
    """Square root; NaN below zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sqrt([4, 9]))
        array([2., 3.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def rsqrt(x: TensorLike) -> Tensor:
    """`1 / sqrt(x)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.rsqrt([4.0])).round(3)
        array([0.5], dtype=float32)
    """
    ...


@op(dtype=rules.real_float)
def cbrt(x: TensorLike) -> Tensor:
    """Cube root, of the sign of `x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cbrt([-8, 27])).round(3)
        array([-2.,  3.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def reciprocal(x: TensorLike) -> Tensor:
    """`1 / x`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.reciprocal([4.0]))
        array([0.25], dtype=float32)
    """
    return divide(1, x)


@op(dtype=rules.real)
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two elements; NaN if one is.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.maximum([-1, 2], 0))
        array([0, 2], dtype=int32)
    """
    ...


@op(dtype=rules.real)
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two elements; NaN if one is.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.minimum([-1, 2], 0))
        array([-1,  0], dtype=int32)
    """
    ...


@op(dtype=rules.real)
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two elements; NaN only if both are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.fmax([-1.0, float("nan")], 0.0))
        array([0., 0.], dtype=float32)
    """
    return where(logical_or(greater_equal(x1, x2), not_equal(x2, x2)), x1, x2)


@op(dtype=rules.real)
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two elements; NaN only if both are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.fmin([-1.0, float("nan")], 0.0))
        array([-1.,  0.], dtype=float32)
    """
    return where(logical_or(less_equal(x1, x2), not_equal(x2, x2)), x1, x2)


@op
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """Moves elements into the range from `x_min` to `x_max`; outside, the gradient is zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.clip([-5, 3, 7], 0, 5))
        array([0, 3, 5], dtype=int32)
    """
    ...


@op(dtype=to_float)
def floor(x: TensorLike) -> Tensor:
    """The largest whole number that is not above `x`, as a float.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.floor([-1.5, 1.5]))
        array([-2.,  1.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def ceil(x: TensorLike) -> Tensor:
    """The smallest whole number that is not below `x`, as a float.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.ceil([-1.5, 1.5]))
        array([-1.,  2.], dtype=float32)
    """
    ...


@op(dtype=rules.real)
def trunc(x: TensorLike) -> Tensor:
    """Without what is behind the point. Integers and booleans stay as they are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.trunc([-1.7, 1.7]))
        array([-1.,  1.], dtype=float32)
    """
    ...


@op
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """Rounds to `decimals` places, halves to the even neighbour. Integers stay as they are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.round([0.5, 1.5, 2.6]))
        array([0., 2., 3.], dtype=float32)
    """
    ...


@op(dtype=None)
def copy(x: TensorLike) -> Tensor:
    """A tensor of its own with the values of `x`, which assigning to a Variable leaves alone.

    Example:
        >>> import mlapi
        >>> v = mlapi.Variable(1.0, trainable=False)
        >>> before = mlapi.ops.copy(v)
        >>> v.assign(2.0)
        >>> float(before)
        1.0
    """
    ...


@op(dtype=None)
def cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """Converts to another dtype. Floats lose their fraction on the way to integers.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cast([-1.7, 1.7], "int32"))
        array([-1,  1], dtype=int32)
    """
    ...
