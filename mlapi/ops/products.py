"""Products of vectors, matrices and tensors."""

from collections.abc import Sequence

from mlapi.op import op
from mlapi.types import Tensor, TensorLike


@op
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Matrix product over the last two axes, the others broadcast together.

    A one-dimensional `x1` is a row, a one-dimensional `x2` a column; that axis is then dropped.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.matmul([[1, 2], [3, 4]], [5, 6]))
        array([17, 39], dtype=int32)
    """
    ...


@op
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of products over the last axis of `x1` and the last but one of `x2`.

    With a scalar it is the product, with a one-dimensional `x2` the sum is over its only axis.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.dot([1, 2, 3], [4, 5, 6]))
        array(32, dtype=int32)
    """
    ...


@op
def tensordot(
    x1: TensorLike, x2: TensorLike, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2
) -> Tensor:
    """Sum of products over chosen axes.

    Args:
        x1: any shape.
        x2: any shape.
        axes: how many of the last axes of `x1` meet the first of `x2`; or two lists, the axes of
            `x1` and those of `x2` that meet them.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.tensordot(ops.ones((2, 3)), ops.ones((4, 3)), axes=([1], [1])))
        (2, 4)
    """
    ...


def einsum(subscripts: str, *operands: TensorLike) -> Tensor:
    """Sums of products in Einstein's notation.

    Args:
        subscripts: letters for the axes of each operand and, after `->`, of the result, as in
            `numpy.einsum`; `...` stands for axes that are broadcast.
        *operands: tensors; they get one dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.einsum("ij,j->i", [[1, 2], [3, 4]], [5, 6]))
        array([17, 39], dtype=int32)
    """
    return einsum_of(operands, subscripts)


@op
def einsum_of(operands: Sequence[TensorLike], subscripts: str) -> Tensor:
    """As `einsum`, the operands in a list.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.einsum_of([[1, 2], [3, 4]], "i,i->"))
        array(11, dtype=int32)
    """
    ...


@op
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Products of every element of `x1` with every one of `x2`, both flattened.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.outer([1, 2], [3, 4]))
        array([[3, 4],
               [6, 8]], dtype=int32)
    """
    ...


@op
def dense(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """`x @ kernel + bias` in one kernel.

    Args:
        x: shape `(..., inputs)`, at least two-dimensional.
        kernel: shape `(inputs, units)`.
        bias: shape `(units,)`.

    Returns:
        Shape `(..., units)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.dense([[1.0, 2.0]], [[1.0], [1.0]], [0.5]))
        array([[3.5]], dtype=float32)
    """
    ...
