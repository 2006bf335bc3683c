"""Order statistics, averages, counts by value, and what belongs to sampled curves."""

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import dtypes
from mlapi.errors import ArgumentError, DTypeError, ShapeError
from mlapi.op import op, to_float
from mlapi.ops import order_statistics, rules, values
from mlapi.ops.arrangement import diagonal
from mlapi.ops.complexes import conj
from mlapi.ops.conversion import convert_to_tensor
from mlapi.ops.conversion import dtype as dtype_of
from mlapi.ops.convolution import conv
from mlapi.ops.creation import arange, ones_like
from mlapi.ops.elementwise import cast, clip, divide, minimum, multiply, sqrt, subtract
from mlapi.ops.indexing import take
from mlapi.ops.logical import equal, greater_equal, less_equal, logical_and, not_equal, where
from mlapi.ops.products import matmul
from mlapi.ops.reduction import max, mean, min, sum
from mlapi.ops.segments import segment_sum
from mlapi.ops.shape import (
    broadcast_to,
    flip,
    moveaxis,
    pad,
    ravel,
    reshape,
    shape,
    transpose,
)
from mlapi.ops.sorting import searchsorted
from mlapi.types import Axis, Tensor, TensorLike


@op(dtype=to_float)
def median(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Element in the middle, or mean of the two that are; NaN if one is.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.median([5, 1, 2]))
        array(2., dtype=float32)
    """
    return order_statistics.median(x, axis, keepdims, skip=False)


@op(dtype=rules.float_and_wide)
def quantile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis | None = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Values below which the fractions `q` of the elements lie; NaN if an element is.

    Args:
        x: any shape.
        q: a number, or several along an axis that becomes the first of the result. What is not
            from 0 to 1 gives NaN.
        axis: one axis, several, or None for all.
        method: what is between two elements: `"linear"`, the `"lower"`, the `"higher"`, their
            `"midpoint"`, or the `"nearest"` (the one with the even index if neither is).
        keepdims: whether reduced axes stay, with size 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.quantile([1, 2, 4], [0.5, 0.75]))
        array([2., 3.], dtype=float32)
    """
    return order_statistics.quantile(x, q, axis, method, keepdims, skip=False)


@op(dtype=rules.float_and_wide)
def percentile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis | None = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """`quantile` with `q` from 0 to 100.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.percentile([1, 2, 4], 75))
        array(3., dtype=float32)
    """
    return order_statistics.quantile(x, divide(q, 100), axis, method, keepdims, skip=False)


@op(dtype=to_float)
def average(x: TensorLike, axis: Axis | None = None, weights: TensorLike | None = None) -> Tensor:
    """Weighted mean over axes, `sum(x * weights) / sum(weights)`.

    Args:
        x: any shape.
        axis: one axis, several, or None for all.
        weights: the shape of `x`, or of its axes `axis` alone; None for equal ones.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.average([1, 2], weights=[3, 1]))
        array(1.25, dtype=float32)
    """
    if weights is None:
        return mean(x, axis)
    sizes, given = shape(x), shape(weights)
    if given != sizes:
        axes = order_statistics.axes_of(axis, len(sizes))
        if axis is None or given != tuple(sizes[i] for i in axes):
            raise ShapeError(
                f"average: weights of shape {given} for x of shape {sizes} and axis {axis}. They "
                "need the shape of x, or that of the axes."
            )
        weights = transpose(weights, np.argsort(axes).tolist())
        weights = reshape(weights, [n if i in axes else 1 for i, n in enumerate(sizes)])
        weights = broadcast_to(weights, sizes)
    return divide(sum(multiply(x, weights), axis), sum(weights, axis))


@op
def ptp(x: TensorLike, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
    """Distance from the smallest to the largest element over axes.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.ptp([[1, 5], [3, 4]], axis=1))
        array([4, 1], dtype=int32)
    """
    return max(x, axis, keepdims) - min(x, axis, keepdims)


@op(dtype=to_float)
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation of each row with each other; NaN for a row that is constant.

    Args:
        x: shape `(variables, samples)`, or `(samples,)`.

    Returns:
        Shape `(variables, variables)`, or a number.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.corrcoef([[1, 2, 3], [4, 3, 2]])).round(4)
        array([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    rank = len(shape(x))
    if rank > 2:
        raise ShapeError(f"corrcoef: x has shape {shape(x)}: it must have at most two axes.")
    rows = reshape(x, (1, -1)) if rank < 2 else x
    rows = subtract(rows, mean(rows, axis=1, keepdims=True))
    products = matmul(rows, transpose(rows))
    lengths: Any = sqrt(diagonal(products))
    found = clip(products / lengths[:, None] / lengths[None, :], -1, 1)
    return found[0, 0] if rank < 2 else found


@op
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """Sums of products with `x2` at every offset: `c[k] = sum over n of x1[n + k] * conj(x2[n])`.

    Args:
        x1: shape `(n,)`.
        x2: shape `(m,)`.
        mode: which offsets: `"valid"`, where one lies inside the other; `"same"`, as many as the
            longer has elements; `"full"`, all where they overlap.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.correlate([1, 2, 3], [0, 1], "full"))
        array([1, 2, 3, 0], dtype=int32)
    """
    if len(shape(x1)) != 1 or len(shape(x2)) != 1:
        raise ShapeError(f"correlate: {shape(x1)} and {shape(x2)} must both have one axis.")
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(f"correlate: mode {mode!r} is none of valid, same, full.")
    long, short = shape(x1)[0], shape(x2)[0]
    if 0 in (long, short):
        raise ShapeError("correlate: there are no elements.")
    kind = dtype_of(x1)
    if "complex" in kind:
        x2 = conj(x2)
    if long < short:
        x1, x2, long, short = flip(x2), flip(x1), short, long
        half = -(-short // 2) - 1
    else:
        half = short // 2
    before, after = {"valid": (0, 0), "full": (short - 1,) * 2}.get(mode, (half, short - 1 - half))
    x1 = pad(x1, (before, after))
    if dtypes.is_float(kind):
        signal, kernel = reshape(x1, (1, 1, -1)), reshape(x2, (-1, 1, 1))
        return ravel(conv(signal, kernel, data_format="channels_first"))
    windows = arange(shape(x1)[0] - short + 1)[:, None] + arange(short)
    return matmul(take(x1, windows), x2)


@op(dtype=to_float)
def trapezoid(
    y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1
) -> Tensor:
    """Area under a sampled curve, by straight lines between the samples.

    Args:
        y: samples along `axis`.
        x: where they were taken: the shape of `y`, or its size along `axis`; None for samples at
            distance `dx`.
        dx: see `x`.
        axis: along which.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.trapezoid([1, 2, 3], dx=2))
        array(8., dtype=float32)
    """
    heights = moveaxis(y, axis, -1)
    size = shape(heights)[-1]
    if x is None and isinstance(size, int) and size > 1:
        ends = (heights[..., 0] + heights[..., -1]) / 2
        return (sum(heights[..., 1:-1], -1) + ends) * dx
    pairs = heights[..., 1:] + heights[..., :-1]
    if x is None:
        return sum(pairs, -1) * (dx / 2)
    return sum(pairs * diff(x if len(shape(x)) == 1 else moveaxis(x, axis, -1)), -1) / 2


@op
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """Differences of neighbours along an axis, `n` times over; whether they differ, for booleans.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.diff([1, 4, 9, 16], n=2))
        array([2, 2], dtype=int32)
    """
    if n < 0:
        raise ArgumentError(f"diff: n is {n}: it must not be negative.")
    (axis,) = order_statistics.axes_of(axis, len(shape(a)))
    before = (slice(None),) * axis
    found: Any = a
    for _ in range(n):
        after, first = found[(*before, slice(1, None))], found[(*before, slice(None, -1))]
        found = not_equal(after, first) if dtype_of(found) == "bool" else after - first
    return found


@op
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """Number of the bin that each element is in, int32: how many of the edges are at most it.

    Args:
        x: any shape.
        bins: edges of the bins, ascending, shape `(n,)`.

    Returns:
        The shape of `x`, from 0 (below the first edge) to n.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.digitize([0.5, 1.0, 9.0], [1.0, 2.0]))
        array([0, 1, 2], dtype=int32)
    """
    return searchsorted(bins, x, side="right")


@op(dtype=None)
def bincount(
    x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False
) -> Tensor:
    """How often each number occurs, or the sum of its weights.

    Args:
        x: integers that are not negative, shape `(n,)` or `(batch, n)`. The size of the result
            depends on them, so this cannot be compiled.
        weights: what each adds up to, in the shape of `x`; None for 1.
        minlength: the result has this size at least.
        sparse: must be False; there are no sparse tensors.

    Returns:
        Shape `(length,)` or `(batch, length)`, where the length is the largest number plus 1;
        int32, or the dtype of the weights.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bincount([1, 3, 1]))
        array([0, 2, 0, 1], dtype=int32)
    """
    if sparse:
        raise ArgumentError("bincount: sparse must be False, there are no sparse tensors.")
    kind, sizes = dtype_of(x), shape(x)
    if not dtypes.is_integer(kind):
        raise DTypeError(f"bincount: x is {kind}, it must be of integers.")
    if len(sizes) not in (1, 2):
        raise ShapeError(f"bincount: x has shape {sizes}, it must have one axis or two.")
    weights = ones_like(x, "int32") if weights is None else weights
    if shape(weights) != sizes:
        raise ShapeError(f"bincount: weights of shape {shape(weights)} for x of shape {sizes}.")
    length = minlength
    if math.prod(sizes):
        if values.known(min(x), "bincount") < 0:
            raise ArgumentError("bincount: x has negative numbers.")
        length = builtins.max(length, values.known(max(x), "bincount") + 1)
    if len(sizes) == 1:
        return segment_sum(weights, x, length)
    ids = cast(x, "int32") + arange(sizes[0])[:, None] * length
    counts = segment_sum(ravel(weights), ravel(ids), sizes[0] * length)
    return reshape(counts, (sizes[0], length))


@op(dtype=to_float)
def histogram(
    x: TensorLike,
    bins: int | Sequence[float] = 10,
    range: tuple[float, float] | None = None,
) -> tuple[Tensor, Tensor]:
    """How many elements lie in each of several bins, and where the bins are.

    Args:
        x: any shape. Elements outside the bins, and NaN, are not counted.
        bins: how many of equal width, or their edges, ascending.
        range: the first and the last edge, by default the smallest and the largest element.

    Returns:
        Counts, int32, shape `(bins,)`, and edges, shape `(bins + 1,)`. The last bin includes its
        upper edge.

    Example:
        >>> from mlapi import ops
        >>> counts, edges = ops.histogram([1, 2, 2, 5], bins=2)
        >>> ops.convert_to_numpy(counts), ops.convert_to_numpy(edges)
        (array([3, 1], dtype=int32), array([1., 3., 5.], dtype=float32))
    """
    x, kind = ravel(x), dtype_of(x)
    if isinstance(bins, int):
        if bins < 1:
            raise ArgumentError(f"histogram: bins is {bins}, it must be positive.")
        low, high = _limits(x, range)
        edges = _edges(low, high, arange(bins + 1), bins)
        place = _bin_of(x, low, high, bins) if bins <= _FEW else _bin_among(x, edges)
    else:
        edges = convert_to_tensor(bins, kind)
        place = _bin_among(x, edges)
    count = shape(edges)[0] - 1
    # The last edge belongs to its bin. There is one more for what lies outside, and for NaN.
    inside = less_equal(x, edges[-1])
    if range is not None or not isinstance(bins, int):
        inside = logical_and(inside, greater_equal(x, edges[0]))
    place = where(inside, minimum(place, count - 1), count)
    return segment_sum(ones_like(x, "int32"), place, count + 1)[:count], edges


def _bin_among(x: Tensor, edges: Tensor) -> Tensor:
    return searchsorted(edges, x, side="right") - 1


_FEW = 2**16  # bins that arithmetic in 32 bits can tell from one another


def _bin_of(x: Tensor, low: Tensor, high: Tensor, bins: int) -> Tensor:
    """By arithmetic, a little too low: the upper edge of the bin has the last word."""
    wide = dtypes.promote(dtype_of(x), "float32")
    start, scale = cast(low, wide), bins / (cast(high, wide) - cast(low, wide))
    place = (cast(x, wide) - start) * scale - bins * 1e-6
    place = cast(clip(place, 0, bins - 1), "int32")
    return place + cast(greater_equal(x, _edges(low, high, place + 1, bins)), "int32")


def _edges(low: Tensor, high: Tensor, index: Tensor, bins: int) -> Tensor:
    share = cast(index, dtype_of(low)) / bins
    return low * (1 - share) + high * share


def _limits(x: Tensor, limits: tuple[float, float] | None) -> tuple[Tensor, Tensor]:
    """The first and the last edge."""
    kind = dtype_of(x)
    if limits is None and shape(x)[0] == 0:
        limits = 0.0, 1.0
    if limits is None:
        low, high = min(x), max(x)
    else:
        if not limits[0] <= limits[1]:
            raise ArgumentError(f"histogram: range {limits} must ascend.")
        low, high = (convert_to_tensor(one, kind) for one in limits)
    widen = cast(equal(low, high), kind) / 2
    return low - widen, high + widen
