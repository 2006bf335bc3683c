"""Reductions that pass over NaN. On integers and booleans they are those without `nan`.

`axis` is one axis, several, or None for all; `()` reduces nothing.
"""

from mlapi import dtypes
from mlapi.op import op, to_float
from mlapi.ops import order_statistics, rules
from mlapi.ops.conversion import dtype as dtype_of
from mlapi.ops.elementwise import cast, divide, sqrt, square
from mlapi.ops.logical import isnan, logical_not, where
from mlapi.ops.reduction import all, argmax, argmin, cumprod, cumsum, max, min, prod, sum
from mlapi.types import Axis, DTypeLike, Tensor, TensorLike

_INF = float("inf")


def _is_exact(x: TensorLike) -> bool:
    """Whether there can be no NaN."""
    return dtypes.is_integer(dtype_of(x)) or dtypes.is_bool(dtype_of(x))


def _filled(x: TensorLike, value: float) -> TensorLike:
    return x if _is_exact(x) else where(isnan(x), value, x)


def _unless_empty(
    found: Tensor, x: TensorLike, axis: Axis | None, keepdims: bool, otherwise: float
) -> Tensor:
    """What was found, or `otherwise` where there is nothing but NaN."""
    return found if _is_exact(x) else where(all(isnan(x), axis, keepdims), otherwise, found)


@op
def nansum(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """`sum` with 0 for NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nansum([1.0, float("nan"), 2.0]))
        array(3., dtype=float32)
    """
    return sum(_filled(x, 0), axis, keepdims)


@op
def nanprod(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """`prod` with 1 for NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanprod([3.0, float("nan"), 2.0]))
        array(6., dtype=float32)
    """
    return prod(_filled(x, 1), axis, keepdims)


@op
def nancumsum(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """`cumsum` with 0 for NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nancumsum([1.0, float("nan"), 2.0]))
        array([1., 1., 3.], dtype=float32)
    """
    return cumsum(_filled(x, 0), axis, dtype)


@op
def nancumprod(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """`cumprod` with 1 for NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nancumprod([3.0, float("nan"), 2.0]))
        array([3., 3., 6.], dtype=float32)
    """
    return cumprod(_filled(x, 1), axis, dtype)


@op
def nanmax(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Largest element that is not NaN; NaN where all are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanmax([1.0, float("nan"), 2.0]))
        array(2., dtype=float32)
    """
    return _unless_empty(max(_filled(x, -_INF), axis, keepdims), x, axis, keepdims, float("nan"))


@op
def nanmin(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Smallest element that is not NaN; NaN where all are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanmin([1.0, float("nan"), 2.0]))
        array(1., dtype=float32)
    """
    return _unless_empty(min(_filled(x, _INF), axis, keepdims), x, axis, keepdims, float("nan"))


@op
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the largest element, where NaN counts as -inf, int32; -1 where all are NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanargmax([1.0, float("nan"), 2.0]))
        array(2, dtype=int32)
    """
    return _unless_empty(argmax(_filled(x, -_INF), axis, keepdims), x, axis, keepdims, -1)


@op
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Index of the smallest element, where NaN counts as inf, int32; -1 where all are NaN.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanargmin([1.0, float("nan"), 2.0]))
        array(0, dtype=int32)
    """
    return _unless_empty(argmin(_filled(x, _INF), axis, keepdims), x, axis, keepdims, -1)


def _count(x: TensorLike, axis: Axis | None, keepdims: bool) -> Tensor:
    return cast(sum(logical_not(isnan(x)), axis, keepdims), dtype_of(x))


@op(dtype=to_float)
def nanmean(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Mean of the elements that are not NaN, as a float; NaN where all are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanmean([1.0, float("nan"), 2.0]))
        array(1.5, dtype=float32)
    """
    return divide(nansum(x, axis, keepdims), _count(x, axis, keepdims))


@op(dtype=to_float)
def nanvar(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Variance, as a population's, of the elements that are not NaN; NaN where all are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanvar([1.0, float("nan"), 3.0]))
        array(1., dtype=float32)
    """
    distance = where(isnan(x), 0, x - nanmean(x, axis, keepdims=True))
    return divide(sum(square(distance), axis, keepdims), _count(x, axis, keepdims))


@op(dtype=to_float)
def nanstd(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Standard deviation of the elements that are not NaN, the square root of `nanvar`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanstd([1.0, float("nan"), 3.0]))
        array(1., dtype=float32)
    """
    return sqrt(nanvar(x, axis, keepdims))


@op(dtype=to_float)
def nanmedian(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Median of the elements that are not NaN; NaN where all are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanmedian([1.0, float("nan"), 2.0]))
        array(1.5, dtype=float32)
    """
    return order_statistics.median(x, axis, keepdims, skip=True)


@op(dtype=rules.float_and_wide)
def nanquantile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis | None = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN where all are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanquantile([1.0, float("nan"), 2.0], 0.25))
        array(1.25, dtype=float32)
    """
    return order_statistics.quantile(x, q, axis, method, keepdims, skip=True)


@op(dtype=rules.float_and_wide)
def nanpercentile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis | None = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """`percentile` of the elements that are not NaN; NaN where all are.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nanpercentile([1.0, float("nan"), 2.0], 25))
        array(1.25, dtype=float32)
    """
    return order_statistics.quantile(x, divide(q, 100), axis, method, keepdims, skip=True)
