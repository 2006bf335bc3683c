"""New tensors: constants, sequences of numbers, matrices by their diagonals, windows."""

from mlapi.op import op
from mlapi.ops.elementwise import cast
from mlapi.ops.logical import equal
from mlapi.ops.shape import expand_dims
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
