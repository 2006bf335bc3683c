"""Comparisons, truth values, and choices by them. Results are booleans except those of `where`."""

import math
from typing import Any

from mlapi.op import op, to_bool, to_float
from mlapi.ops import rules
from mlapi.ops.reduction import all
from mlapi.types import Tensor, TensorLike


@op
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether elements are equal; NaN equals nothing.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.equal([1, 2], 2))
        array([False,  True])
    """
    ...


@op
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether elements differ; NaN differs from everything.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.not_equal([1, 2], 2))
        array([ True, False])
    """
    ...


@op(dtype=rules.real)
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 < x2`, element by element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.less([1, 2], 2))
        array([ True, False])
    """
    ...


@op(dtype=rules.real)
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 <= x2`, element by element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.less_equal([1, 2, 3], 2))
        array([ True,  True, False])
    """
    ...


@op(dtype=rules.real)
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 > x2`, element by element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.greater([1, 2, 3], 2))
        array([False, False,  True])
    """
    ...


@op(dtype=rules.real)
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 >= x2`, element by element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.greater_equal([1, 2, 3], 2))
        array([False,  True,  True])
    """
    ...


@op(dtype=to_bool)
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether both elements are true, that is, not zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logical_and([True, False], [1, 1]))
        array([ True, False])
    """
    ...


@op(dtype=to_bool)
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether at least one element is true.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logical_or([True, False], [0, 0]))
        array([ True, False])
    """
    ...


@op(dtype=to_bool)
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether exactly one element is true.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logical_xor([True, False], [1, 1]))
        array([False,  True])
    """
    ...


@op(dtype=to_bool)
def logical_not(x: TensorLike) -> Tensor:
    """Whether an element is false, that is, zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logical_not([True, False]))
        array([False,  True])
    """
    ...


@op(dtype=to_float)
def isnan(x: TensorLike) -> Tensor:
    """Whether an element is not a number.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isnan([1.0, float("nan")]))
        array([False,  True])
    """
    ...


@op(dtype=to_float)
def isinf(x: TensorLike) -> Tensor:
    """Whether an element is infinite, of either sign.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isinf([1.0, float("-inf")]))
        array([False,  True])
    """
    ...


@op(dtype=to_float)
def isfinite(x: TensorLike) -> Tensor:
    """Whether an element is neither infinite nor NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isfinite([1.0, float("inf")]))
        array([ True, False])
    """
    ...


@op(dtype=rules.real_float)
def isposinf(x: TensorLike) -> Tensor:
    """Whether an element is plus infinity.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isposinf([1.0, float("inf")]))
        array([False,  True])
    """
    return equal(x, math.inf)


@op(dtype=rules.real_float)
def isneginf(x: TensorLike) -> Tensor:
    """Whether an element is minus infinity.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isneginf([1.0, float("-inf")]))
        array([False,  True])
    """
    return equal(x, -math.inf)


@op(dtype=to_float)
def isclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Whether `|x1 - x2| <= atol + rtol * |x2|`, or both are the same infinity.

    Args:
        x1: any shape.
        x2: what it should be; the two are broadcast together.
        rtol: tolerance relative to `x2`.
        atol: tolerance besides.
        equal_nan: whether NaN is close to NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.isclose([1.0, 1.1], [1.000001, 1.0]))
        array([ True, False])
    """
    one: Any = x1
    other: Any = x2
    size = abs(other)
    close = (abs(one - other) <= atol + rtol * size) & (size < math.inf) | (one == other)
    return close | (one != one) & (other != other) if equal_nan else close


@op(dtype=to_float)
def allclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Whether all elements are close, as `isclose` has it.

    Example:
        >>> from mlapi import ops
        >>> bool(ops.allclose([1.0, 2.0], [1.000001, 2.0]))
        True
    """
    return all(isclose(x1, x2, rtol, atol, equal_nan))


@op(dtype=rules.condition_first)
def where(
    condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None
) -> Tensor:
    """Elements of `x1` where `condition` is true, of `x2` elsewhere.

    Args:
        condition: truth values; the three are broadcast together.
        x1: what is taken where it is true. It and `x2` are brought to one dtype.
        x2: what is taken where it is false.

    Returns:
        The chosen elements. With neither `x1` nor `x2`, a tuple of int32 tensors, one an axis:
        the indices of the true elements. Their number depends on the values, so that form
        cannot be compiled on every backend.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.where([True, False], [1, 2], 0))
        array([1, 0], dtype=int32)
    """
    ...
