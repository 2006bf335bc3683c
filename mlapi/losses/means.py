"""Cross-entropies straight to their mean: what training asks for in nearly every step.

An adapter whose framework has one kernel for the two may supply the same name. Shapes and dtypes
have been checked before these are called.
"""

from mlapi import ops
from mlapi.losses.base import differs
from mlapi.op import op
from mlapi.types import Tensor, TensorLike


@op(dtype=None)
def mean_binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> Tensor:
    """Mean of `ops.binary_crossentropy` over all elements."""
    return ops.mean(ops.binary_crossentropy(target, output, from_logits))


@op(dtype=None)
def mean_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Mean of `ops.categorical_crossentropy` over all samples."""
    return ops.mean(ops.categorical_crossentropy(target, output, from_logits, axis))


@op(dtype=None)
def mean_sparse_categorical_crossentropy(
    target: TensorLike,
    output: TensorLike,
    from_logits: bool = False,
    axis: int = -1,
    ignore_class: int | None = None,
) -> Tensor:
    """Mean of `ops.sparse_categorical_crossentropy` over the samples of other classes than one."""
    if ignore_class is None:
        return ops.mean(ops.sparse_categorical_crossentropy(target, output, from_logits, axis))
    valid = differs(target, ignore_class)
    target = ops.where(valid, target, 0)
    values = ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    count = ops.sum(ops.cast(valid, values.dtype))
    return ops.sum(ops.where(valid, values, 0.0)) / ops.maximum(count, 1.0)
