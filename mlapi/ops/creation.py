"""New tensors: constants, sequences of numbers, matrices by their diagonals."""

import math
from collections.abc import Sequence
from typing import Any

from mlapi import dtypes
from mlapi.errors import ArgumentError, ShapeError, one_of
from mlapi.op import op, to_float
from mlapi.ops import rules
from mlapi.ops.elementwise import absolute, cast, floor, multiply, power, sign, subtract
from mlapi.ops.exponential import exp, log
from mlapi.ops.logical import equal, less_equal, where
from mlapi.ops.shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    moveaxis,
    ndim,
    ravel,
    reshape,
)
from mlapi.ops.shape import shape as shape_of
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike


@op(dtype=None)
def zeros(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of zeros; of the default float type unless `dtype` says otherwise.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.zeros((2,)))
        array([0., 0.], dtype=float32)
    """
    ...


@op(dtype=None)
def ones(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of ones; of the default float type unless `dtype` says otherwise.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.ones((2,), dtype="int32"))
        array([1, 1], dtype=int32)
    """
    ...


@op(dtype=None)
def full(shape: Shape, fill_value: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor with the same value everywhere.

    Args:
        shape: of the result.
        fill_value: a number, or what can be broadcast to `shape`.
        dtype: of the result, by default the default float type.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.full((2,), 0.5))
        array([0.5, 0.5], dtype=float32)
    """
    ...


@op(dtype=None)
def zeros_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Zeros in the shape of `x`, and of its dtype unless `dtype` says otherwise.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.zeros_like([1, 2]))
        array([0, 0], dtype=int32)
    """
    ...


@op(dtype=None)
def ones_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Ones in the shape of `x`, and of its dtype unless `dtype` says otherwise.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.ones_like([1, 2]))
        array([1, 1], dtype=int32)
    """
    ...


@op(dtype=None)
def full_like(x: TensorLike, fill_value: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """One value in the shape of `x`, and of its dtype unless `dtype` says otherwise.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.full_like([1, 2], 7))
        array([7, 7], dtype=int32)
    """
    ...


@op(dtype=None)
def arange(
    start: float,
    stop: float | None = None,
    step: float | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Numbers from `start` up to, but without, `stop`.

    Args:
        start: the first number; where it is the only argument, it is `stop` and 0 is the first.
        stop: the end.
        step: the distance between two numbers, by default 1.
        dtype: by default int32 if all arguments are ints, else the default float type.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.arange(1, 7, 2))
        array([1, 3, 5], dtype=int32)
    """
    ...


@op(dtype=None)
def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: number of rows.
        M: number of columns, by default `N`.
        k: which diagonal: 0 the main one, above it positive, below it negative.
        dtype: by default the default float type.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.eye(2, 3, k=1))
        array([[0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    columns = N if M is None else M
    return cast(equal(expand_dims(arange(k, N + k), 1), arange(columns)), dtype)


@op(dtype=None)
def empty(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor whose values do not matter.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.empty((2, 3)))
        (2, 3)
    """
    return zeros(shape, dtype)


@op(dtype=None)
def empty_like(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor in the shape of `x`, and of its dtype by default, whose values do not matter.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.empty_like([1, 2]))
        (2,)
    """
    return zeros_like(x, dtype)


@op(dtype=None)
def array(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Another name of `convert_to_tensor`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.array([1, 2], "float32"))
        array([1., 2.], dtype=float32)
    """
    y: Any = x  # a tensor by now
    return y if dtype is None else cast(y, dtype)


@op(dtype=to_float)
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor | tuple[Tensor, Tensor]:
    """Numbers from `start` to `stop` in equal steps.

    Args:
        start: the first number; may have axes.
        stop: the last number; the two are broadcast together.
        num: how many numbers.
        endpoint: whether `stop` is one of them; otherwise it would be the next.
        retstep: whether to return a pair, of the numbers and the size of a step.
        dtype: by default that of `start` and `stop` as floats. Integers are rounded down.
        axis: of the result, along which the numbers follow one another.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.linspace(0, 1, 5))
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    span = subtract(stop, start)
    target = dtypes.standardize(span.dtype if dtype is None else dtype)
    part = _fractions(num, endpoint, span)
    y: Any = multiply(start, 1 - part) + multiply(stop, part)
    y = cast(moveaxis(floor(y) if dtypes.is_integer(target) else y, 0, axis), target)
    steps = num - 1 if endpoint else num
    return (y, span / steps if steps > 0 else multiply(span, math.nan)) if retstep else y


def _fractions(num: int, endpoint: bool, like: Tensor) -> Any:
    """`num` numbers from 0 to 1 along a new first axis of a tensor, exact to 32 bits at least."""
    if num < 0:
        raise ArgumentError(f"expected `num` to be 0 or more, received {num}.")
    kind = "float64" if dtypes.promote(like.dtype, "complex64") == "complex128" else "float32"
    steps = arange(num, dtype=kind) / max(num - 1 if endpoint else num, 1)
    return reshape(steps, (num,) + (1,) * ndim(like))


@op(dtype=to_float)
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """`base` to the power of `linspace(start, stop)`: numbers in equal ratios.

    Args:
        start: exponent of the first number; may have axes.
        stop: exponent of the last number; the two are broadcast together.
        num: how many numbers.
        endpoint: whether the power of `stop` is one of them; otherwise it would be the next.
        base: of the powers.
        dtype: by default that of `start` and `stop` as floats.
        axis: of the result, along which the numbers follow one another.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.logspace(0, 2, 3)).round()
        array([  1.,  10., 100.], dtype=float32)
    """
    kind = subtract(stop, start).dtype
    exponent = linspace(start, stop, num, endpoint, False, dtypes.promote(kind, "float32"), axis)
    return cast(power(base, exponent), kind if dtype is None else dtype)


@op(dtype=to_float)
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """Numbers from `start` to `stop` in equal ratios.

    Args:
        start: the first number, not zero; may have axes.
        stop: the last number, of the same sign; the two are broadcast together.
        num: how many numbers.
        endpoint: whether `stop` is one of them; otherwise it would be the next.
        dtype: by default that of `start` and `stop` as floats.
        axis: of the result, along which the numbers follow one another.

    Returns:
        The numbers; NaN where the signs differ or are zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.geomspace(1, 16, 5)).round(3)
        array([ 1.,  2.,  4.,  8., 16.], dtype=float32)
    """
    kind = subtract(stop, start).dtype
    part = _fractions(num, endpoint, subtract(stop, start))
    first, last = cast(start, part.dtype), cast(stop, part.dtype)
    ratio = log(absolute(last)) - log(absolute(first))
    # From the nearer end, which is then exact, and nothing on the way overflows.
    half = num // 2
    first = multiply(first, exp(part[:half] * ratio))
    last = multiply(last, exp((part[half:] - 1) * ratio))
    fits = equal(multiply(sign(start), sign(stop)), 1)
    y = concatenate([first, last]) + where(fits, 0, math.nan)
    return cast(moveaxis(y, 0, axis), kind if dtype is None else dtype)


def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """Coordinates of the points of a grid.

    Args:
        *x: the coordinates along each axis; what has several axes is flattened.
        indexing: `"ij"`, or `"xy"` for results whose first two axes have changed places.

    Returns:
        A tensor for each axis, all of the shape of the grid, each with its own dtype.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(one).tolist() for one in ops.meshgrid([1, 2], [3, 4, 5])]
        [[[1, 2], [1, 2], [1, 2]], [[3, 3], [4, 4], [5, 5]]]
    """
    return meshgrid_of(x, indexing) if x else []


@op(dtype=None)
def meshgrid_of(x: Sequence[TensorLike], indexing: str = "xy") -> list[Tensor]:
    """As `meshgrid`, the coordinates in a list.

    Example:
        >>> from mlapi import ops
        >>> [ops.convert_to_numpy(one).tolist() for one in ops.meshgrid_of([[1], [3, 4]])]
        [[[1], [1]], [[3], [4]]]
    """
    order = list(range(len(x)))
    if one_of("indexing", indexing, ("xy", "ij")) == "xy":
        order[:2] = order[1::-1]
    flat = [ravel(one) for one in x]
    sizes = [shape_of(flat[axis])[0] for axis in order]
    return [
        broadcast_to(reshape(one, [-1 if axis == own else 1 for axis in order]), sizes)
        for own, one in enumerate(flat)
    ]


@op(dtype=None)
def identity(n: int, dtype: DTypeLike | None = None) -> Tensor:
    """A square matrix with ones on the diagonal and zeros elsewhere.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.identity(2))
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


@op(dtype=None)
def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """A matrix with ones on and below a diagonal and zeros above it; arguments as for `eye`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.tri(2, 3))
        array([[1., 0., 0.],
               [1., 1., 0.]], dtype=float32)
    """
    columns = N if M is None else M
    return cast(less_equal(arange(columns), expand_dims(arange(N) + k, 1)), dtype)


@op
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """Matrices with zeros above diagonal `k`.

    Args:
        x: shape `(..., rows, columns)`.
        k: 0 the main diagonal, above it positive, below it negative.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.tril([[1, 2], [3, 4]]))
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    return where(_below(x, k), x, False)


@op
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """Matrices with zeros below diagonal `k`; arguments as for `tril`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.triu([[1, 2], [3, 4]]))
        array([[1, 2],
               [0, 4]], dtype=int32)
    """
    return where(_below(x, k - 1), False, x)


def _below(x: TensorLike, k: int) -> Tensor:
    """Where matrices have diagonal `k`, and what is below it."""
    if ndim(x) < 2:
        raise ShapeError(f"expected at least two axes, received shape {shape_of(x)}.")
    rows, columns = shape_of(x)[-2:]
    return tri(rows, columns, k, "bool")


@op
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """A matrix with a given diagonal, or the diagonal of a matrix.

    Args:
        x: the diagonal, or the matrix.
        k: 0 the main diagonal, above it positive, below it negative.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.diag([1, 2]))
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    ...


@op
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """A matrix with the elements of `x`, flattened, on diagonal `k`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.diagflat([[1], [2]]))
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    return diag(ravel(x), k)


@op(dtype=rules.counted_bools)
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """Vandermonde matrix: powers of the elements of a vector, one row for each.

    Args:
        x: shape `(rows,)`.
        N: number of columns, by default that of rows.
        increasing: whether the powers rise from 0 instead of falling to it.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.vander([2, 3], 3))
        array([[4, 2, 1],
               [9, 3, 1]], dtype=int32)
    """
    if ndim(x) != 1:
        raise ShapeError(f"expected one axis, received shape {shape_of(x)}.")
    factor = expand_dims(x, 1)
    count = shape_of(x)[0] if N is None else N
    found, known = ones_like(factor), 1
    while known < count:  # the powers that are known, times the next one
        found = concatenate([found, multiply(found, factor)], 1)
        factor, known = multiply(factor, factor), 2 * known
    found = found[:, :count]
    return found if increasing else flip(found, 1)
