"""Comparisons, truth values, and choices by them. Results are booleans except those of `where`."""

from mlapi.op import op, to_bool, to_float
from mlapi.ops import rules
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


@op
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 < x2`, element by element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.less([1, 2], 2))
        array([ True, False])
    """
    ...


@op
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 <= x2`, element by element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.less_equal([1, 2, 3], 2))
        array([ True,  True, False])
    """
    ...


@op
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 > x2`, element by element.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.greater([1, 2, 3], 2))
        array([False, False,  True])
    """
    ...


@op
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
