"""Linear algebra: the names of `keras.ops.linalg`."""

from mlapi.op import op, to_float
from mlapi.types import Axis, Tensor, TensorLike


@op(dtype=to_float)
def norm(
    x: TensorLike,
    ord: float | str | None = None,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Length of vectors, or norm of matrices.

    Args:
        x: any shape; one- or two-dimensional if `axis` is None and `ord` is not.
        ord: for vectors any number, also 0 (how many elements are not zero) and `±inf`; for
            matrices `"fro"`, `"nuc"`, `±1`, `±2` and `±inf`. None is the root of the sum of
            squares over whatever axes there are.
        axis: one axis for vectors, two for matrices; None for all.
        keepdims: whether reduced axes stay, with size 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.norm([3, 4]))
        array(5., dtype=float32)
    """
    ...
