"""Products of vectors, matrices and tensors."""

from collections.abc import Sequence

from mlapi.errors import ShapeError
from mlapi.op import op
from mlapi.ops.complexes import conj
from mlapi.ops.elementwise import multiply
from mlapi.ops.shape import moveaxis, ravel, reshape, shape, stack, transpose
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
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of products over the last axes of both; the product with a scalar.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.inner([1, 2], [3, 4]))
        array(11, dtype=int32)
    """
    if not shape(x1) or not shape(x2):
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=([-1], [-1]))


@op
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Sum of products of all elements, those of `x1` conjugated; both are flattened.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.vdot([1, 2], [3, 4]))
        array(11, dtype=int32)
    """
    return dot(ravel(conj(x1)), ravel(x2))


@op
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Kronecker's product: `x2` once for each element of `x1`, times that, in its place.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.kron([[1, 2]], [[1, 0], [0, 1]]))
        array([[1, 0, 2, 0],
               [0, 1, 0, 2]], dtype=int32)
    """
    rank = max(len(shape(x1)), len(shape(x2)))
    one = (1,) * (rank - len(shape(x1))) + shape(x1)
    other = (1,) * (rank - len(shape(x2))) + shape(x2)
    # Of two axes only, since there are backends that broadcast along few.
    products = reshape(multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1))), one + other)
    pairs = transpose(products, [axis for i in range(rank) for axis in (i, rank + i)])
    return reshape(pairs, [m * n for m, n in zip(one, other)])


@op
def cross(
    x1: TensorLike,
    x2: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """Vector product in three dimensions.

    Args:
        x1: vectors along `axisa`, of size 3, or 2 for a third component of 0.
        x2: likewise, along `axisb`; the other axes are broadcast together.
        axisa: axis of the vectors in `x1`.
        axisb: axis of the vectors in `x2`.
        axisc: axis of the vectors in the result. Where both have size 2, the result is the third
            component alone.
        axis: all three of these axes.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cross([1, 0, 0], [0, 1, 0]))
        array([0, 0, 1], dtype=int32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    if not {shape(a)[-1], shape(b)[-1]} <= {2, 3}:
        raise ShapeError(
            f"cross: the vectors' axes have sizes {shape(a)[-1]} and {shape(b)[-1]}, not 2 or 3."
        )
    a0, a1, *a2 = (a[..., i] for i in range(shape(a)[-1]))
    b0, b1, *b2 = (b[..., i] for i in range(shape(b)[-1]))
    third = a0 * b1 - a1 * b0
    if not a2 and not b2:
        return third
    if a2 and b2:
        first, second = a1 * b2[0] - a2[0] * b1, a2[0] * b0 - a0 * b2[0]
    elif b2:
        first, second = a1 * b2[0], -a0 * b2[0]
    else:
        first, second = -a2[0] * b1, a2[0] * b0
    return stack([first, second, third], axisc)


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
