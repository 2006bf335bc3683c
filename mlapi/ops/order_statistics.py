"""How medians and quantiles are found, with and without NaN. Not for users."""

import math

from mlapi.backends.axes import places
from mlapi.errors import ArgumentError, ShapeError
from mlapi.ops.conversion import dtype as dtype_of
from mlapi.ops.creation import full
from mlapi.ops.elementwise import cast, ceil, clip, floor, maximum, round
from mlapi.ops.indexing import take_along_axis
from mlapi.ops.logical import equal, greater_equal, isnan, less, logical_not, where
from mlapi.ops.reduction import mean, sum
from mlapi.ops.shape import moveaxis, reshape, shape, transpose
from mlapi.ops.sorting import sort
from mlapi.types import Axis, Tensor, TensorLike

_NAN = float("nan")


def axes_of(axis: Axis | None, rank: int) -> tuple[int, ...]:
    """The axes that are meant, counted from the first."""
    return tuple(range(rank) if axis is None else places(axis, rank))


def _sorted(x: TensorLike, axis: Axis | None) -> tuple[Tensor, tuple[int, ...]]:
    """In order along the last axis, into which those to be reduced are merged; and those."""
    sizes = shape(x)
    axes = axes_of(axis, len(sizes))
    kept = [i for i in range(len(sizes)) if i not in axes]
    x = transpose(x, (*kept, *axes))
    merged = reshape(x, (*(sizes[i] for i in kept), math.prod(sizes[i] for i in axes)))
    return sort(merged, -1), axes


def _restored(x: Tensor, axes: tuple[int, ...], keepdims: bool, extra: int = 0) -> Tensor:
    """The reduced axes back in their places, with size 1; behind `extra` axes in front."""
    if keepdims:
        for one in sorted(axes):
            x = x[(slice(None),) * (one + extra) + (None,)]
    return x


def _last(x: Tensor) -> Tensor:
    return x[..., -1:]


def _count(ordered: Tensor, skip: bool) -> Tensor:
    """How many elements count: NaN, which come last, may be left out."""
    if skip:
        return sum(logical_not(isnan(ordered)), -1, keepdims=True)
    return full((1,) * len(ordered.shape), shape(ordered)[-1], "int32")


def _pick(ordered: Tensor, places: Tensor, count: Tensor) -> Tensor:
    return take_along_axis(ordered, clip(places, 0, maximum(count - 1, 0)), -1)


def median(x: TensorLike, axis: Axis | None, keepdims: bool, skip: bool) -> Tensor:
    """The median, over all elements or those that are not NaN."""
    ordered, axes = _sorted(x, axis)
    if shape(ordered)[-1] == 0:
        return mean(x, axis, keepdims)
    count = _count(ordered, skip)
    lower, upper = _pick(ordered, (count - 1) // 2, count), _pick(ordered, count // 2, count)
    middle = lower / 2 + upper / 2  # the sum might overflow
    middle = where(isnan(_last(ordered)), _NAN, middle) if not skip else middle
    return _restored(middle[..., 0], axes, keepdims)


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    x: TensorLike, q: TensorLike, axis: Axis | None, method: str, keepdims: bool, skip: bool
) -> Tensor:
    """The quantiles, over all elements or those that are not NaN."""
    if method not in _METHODS:
        raise ArgumentError(f"method {method!r} is none of {', '.join(_METHODS)}.")
    if len(shape(q)) > 1:
        raise ShapeError(f"q has shape {shape(q)}: it must be a number or have one axis.")
    ordered, axes = _sorted(x, axis)
    rank = len(ordered.shape)
    if shape(ordered)[-1] == 0:
        ordered = full((*shape(ordered)[:-1], 1), _NAN, dtype_of(x))
    count = _count(ordered, skip)
    fractions = reshape(q, (1,) * (rank - 1) + (-1,))
    place = fractions * cast(maximum(count - 1, 0), dtype_of(q))
    if method in ("lower", "higher", "nearest"):
        whole = {"lower": floor, "higher": ceil, "nearest": round}[method](place)
        found = _pick(ordered, cast(whole, "int32"), count)
    else:
        below = cast(floor(place), "int32")
        lower, upper = _pick(ordered, below, count), _pick(ordered, below + 1, count)
        between = place - floor(place)
        if method == "midpoint":
            between = where(equal(between, 0), between, 0.5)
        between, width = cast(between, dtype_of(x)), upper - lower
        found = where(less(between, 0.5), lower + width * between, upper - width * (1 - between))
    fits = greater_equal(fractions * (1 - fractions), 0)
    if not skip:
        fits = fits & logical_not(isnan(_last(ordered)))
    found = where(fits, found, _NAN)
    found = moveaxis(found, -1, 0) if len(shape(q)) else found[..., 0]
    return _restored(found, axes, keepdims, len(shape(q)))
