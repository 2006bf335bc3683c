"""Elements by their indices, and the orders that indices come from.

Indices may be of any integer dtype. One that lies outside the axis is an error where the
framework checks it (torch and tensorflow on the CPU); compiled code and accelerators do not.
"""

from collections.abc import Sequence

from mlapi.op import op
from mlapi.ops import rules
from mlapi.ops.logical import greater, isfinite, less
from mlapi.ops.reduction import sum
from mlapi.ops.shape import expand_dims
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike


@op(dtype=rules.indices_last)
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements at `indices` along an axis.

    Args:
        x: any shape.
        indices: integers of any shape, negative ones count from the end.
        axis: along which; None takes from the flattened tensor.

    Returns:
        The shape of `x` with that of `indices` in the place of `axis`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.take([10, 20, 30], [2, -3]))
        array([30, 10], dtype=int32)
    """
    ...


@op(dtype=rules.indices_last)
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """For each place, the element at its own index along an axis: what `argsort` gives, applied.

    Args:
        x: any shape.
        indices: integers, of as many axes as `x`, broadcast with it except along `axis`.
        axis: along which; None flattens `x` first.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1))
        array([[20],
               [30]], dtype=int32)
    """
    ...


@op(dtype=None)
def one_hot(
    x: TensorLike,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    """1 at the place that an index names along a new axis, 0 elsewhere.

    Args:
        x: integers of any shape. One outside `[0, num_classes)` gives zeros only.
        num_classes: size of the new axis.
        axis: where the new axis is in the result.
        dtype: of the result, by default the default float type.
        sparse: must be False; there are no sparse tensors.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.one_hot([1, 0], 3))
        array([[0., 1., 0.],
               [1., 0., 0.]], dtype=float32)
    """
    ...


@op
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, and their indices.

    Args:
        x: shape `(..., n)`, with `n >= k`.
        k: how many.
        sorted: whether they come largest first; otherwise in any order.

    Returns:
        Values and int32 indices, both of shape `(..., k)`.

    Example:
        >>> from mlapi import ops
        >>> values, indices = ops.top_k([3, 9, 5], 2)
        >>> ops.convert_to_numpy(indices)
        array([1, 2], dtype=int32)
    """
    ...


@op(dtype=rules.indices_first)
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the prediction for the target class is among the `k` largest.

    Classes that tie with the k-th count as among them; predictions that are not finite do not.

    Args:
        targets: integer class of each sample, shape `(batch,)`.
        predictions: a score for each class, shape `(batch, classes)`.
        k: how many classes are looked at.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.in_top_k([2, 0], [[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]], 2))
        array([ True, False])
    """
    chosen = take_along_axis(predictions, expand_dims(targets, 1), axis=1)
    better = sum(greater(predictions, chosen), axis=1)
    return isfinite(chosen[:, 0]) & less(better, k)


@op
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Elements in ascending order along an axis; None flattens the tensor first.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sort([3, 1, 2]))
        array([1, 2, 3], dtype=int32)
    """
    ...


@op
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """Indices, int32, that put the elements in ascending order; equal ones keep their order.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.argsort([3, 1, 2]))
        array([1, 2, 0], dtype=int32)
    """
    ...


@op
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values belong in a sequence that ascends, as int32.

    Args:
        sorted_sequence: shape `(n,)`.
        values: any shape.
        side: `"left"` of what is equal (the result counts the smaller elements), or `"right"`.

    Returns:
        The shape of `values`, from 0 to n.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.searchsorted([1, 3, 5], [0, 3, 9]))
        array([0, 1, 3], dtype=int32)
    """
    ...


@op(dtype=rules.indices_last)
def segment_sum(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> Tensor:
    """Sums of the rows that belong together.

    Args:
        data: shape `(n, ...)`.
        segment_ids: which sum each row goes to, integers in `[0, num_segments)`, shape `(n,)`.
        num_segments: how many sums; None for the largest id plus 1, which cannot be compiled
            on every backend.
        sorted: promises that the ids ascend, which may be faster.

    Returns:
        Shape `(num_segments, ...)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.segment_sum([1, 2, 4], [0, 1, 0], 2))
        array([5, 2], dtype=int32)
    """
    ...


@op(dtype=rules.indices_first)
def scatter(indices: TensorLike, values: TensorLike, shape: Shape) -> Tensor:
    """Zeros with `values` added at `indices`; what falls on the same place adds up.

    Args:
        indices: integers, shape `(..., d)`: places in the first `d` axes of the result.
        values: shape `indices.shape[:-1] + shape[d:]`.
        shape: of the result.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.scatter([[1], [3], [1]], [1, 2, 4], (4,)))
        array([0, 5, 0, 2], dtype=int32)
    """
    ...


@op(dtype=None)
def slice(inputs: TensorLike, start_indices: TensorLike, shape: Sequence[int]) -> Tensor:
    """A block of a tensor.

    Args:
        inputs: any shape.
        start_indices: where the block begins along each axis; may be computed.
        shape: of the block, which must lie inside.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.slice([[1, 2], [3, 4]], (0, 1), (2, 1)))
        array([[2],
               [4]], dtype=int32)
    """
    ...


@op(dtype=rules.updates_last)
def slice_update(inputs: TensorLike, start_indices: TensorLike, updates: TensorLike) -> Tensor:
    """A copy of a tensor with a block of it replaced.

    Args:
        inputs: any shape.
        start_indices: where the block begins along each axis; may be computed.
        updates: the new block, of as many axes as `inputs`; it takes their dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.slice_update([1, 2, 3], [1], [9]))
        array([1, 9, 3], dtype=int32)
    """
    ...
