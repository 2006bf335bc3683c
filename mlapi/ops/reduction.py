"""Sums, extremes and statistics over axes.

`axis` is one axis, several, or None for all; `()` reduces nothing. Negative axes count from the
last. With `keepdims` the reduced axes stay, with size 1.
"""

from mlapi.dtypes import promote
from mlapi.op import op, to_bool, to_float
from mlapi.types import Axis, DTypeLike, Tensor, TensorLike

_NARROW = ("bool", "int8", "int16", "uint8", "uint16")


def _to_accumulator(kinds: tuple[str, ...]) -> str:
    """Booleans and integers below 32 bits are summed up in int32."""
    kind = promote(*kinds)
    return "int32" if kind in _NARROW else kind


@op(dtype=_to_accumulator)
def sum(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Sum over axes. Booleans and integers below 32 bits give int32.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sum([[1, 2], [3, 4]], axis=0))
        array([4, 6], dtype=int32)
    """
    ...


@op(dtype=_to_accumulator)
def prod(
    x: TensorLike, axis: Axis | None = None, keepdims: bool = False, dtype: DTypeLike | None = None
) -> Tensor:
    """Product over axes. Booleans and integers below 32 bits give int32.

    Args:
        x: any shape.
        axis: see above.
        keepdims: see above.
        dtype: of the result, and what the elements are converted to beforehand.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.prod([[1, 2], [3, 4]], axis=0))
        array([3, 8], dtype=int32)
    """
    ...


@op(dtype=to_float)
def mean(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Arithmetic mean over axes, as a float.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.mean([[1, 2], [3, 4]], axis=0))
        array([2., 3.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def var(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Variance of a population over axes: the mean squared distance from the mean.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.var([1, 3]))
        array(1., dtype=float32)
    """
    ...


@op(dtype=to_float)
def std(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Standard deviation of a population over axes, the square root of `var`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.std([1, 3]))
        array(1., dtype=float32)
    """
    ...


@op
def max(
    x: TensorLike,
    axis: Axis | None = None,
    keepdims: bool = False,
    initial: float | None = None,
) -> Tensor:
    """Largest element over axes; NaN if one is.

    Args:
        x: any shape. Without `initial`, the reduced axes must not be empty.
        axis: see above.
        keepdims: see above.
        initial: a number that takes part besides the elements.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.max([[1, 2], [3, 4]], axis=0))
        array([3, 4], dtype=int32)
    """
    ...


@op
def min(
    x: TensorLike,
    axis: Axis | None = None,
    keepdims: bool = False,
    initial: float | None = None,
) -> Tensor:
    """Smallest element over axes; NaN if one is.

    Args:
        x: any shape. Without `initial`, the reduced axes must not be empty.
        axis: see above.
        keepdims: see above.
        initial: a number that takes part besides the elements.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.min([[1, 2], [3, 4]], axis=0))
        array([1, 2], dtype=int32)
    """
    ...


@op
def amax(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Another name of `max`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.amax([1, 2]))
        array(2, dtype=int32)
    """
    return max(x, axis=axis, keepdims=keepdims)


@op
def amin(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Another name of `min`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.amin([1, 2]))
        array(1, dtype=int32)
    """
    return min(x, axis=axis, keepdims=keepdims)


@op(dtype=to_bool)
def any(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Whether at least one element is true, that is, not zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.any([[0, 1], [0, 0]], axis=1))
        array([ True, False])
    """
    ...


@op(dtype=to_bool)
def all(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Whether every element is true, that is, not zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.all([[0, 1], [1, 1]], axis=1))
        array([False,  True])
    """
    ...


@op(dtype=to_bool)
def count_nonzero(x: TensorLike, axis: Axis | None = None) -> Tensor:
    """Number of elements that are not zero, int32.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.count_nonzero([[0, 1], [1, 1]], axis=1))
        array([1, 2], dtype=int32)
    """
    return sum(x, axis=axis)


@op
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the largest element, the first of equals, int32.

    Args:
        x: any shape.
        axis: the axis along which indices count; None for the index in the flattened tensor.
        keepdims: whether reduced axes stay, with size 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.argmax([[1, 5], [3, 2]], axis=1))
        array([1, 0], dtype=int32)
    """
    ...


@op
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the smallest element, the first of equals, int32.

    Args:
        x: any shape.
        axis: the axis along which indices count; None for the index in the flattened tensor.
        keepdims: whether reduced axes stay, with size 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.argmin([[1, 5], [3, 2]], axis=1))
        array([0, 1], dtype=int32)
    """
    ...


@op(dtype=to_float)
def logsumexp(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """`log(sum(exp(x)))` over axes, without overflow.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logsumexp([[1000.0, 1000.0]], axis=1)).round(2)
        array([1000.69], dtype=float32)
    """
    ...


@op
def cumsum(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Sums of the elements up to each one, along an axis.

    Args:
        x: any shape.
        axis: the axis; None flattens the tensor first.
        dtype: of the result; by default that of `x`, and int32 for booleans.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cumsum([1, 2, 3]))
        array([1, 3, 6], dtype=int32)
    """
    ...


@op
def cumprod(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Products of the elements up to each one, along an axis; arguments as for `cumsum`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cumprod([1, 2, 3]))
        array([1, 2, 6], dtype=int32)
    """
    ...
