"""Cross-entropies and other measures of targets and predictions."""

import math

from mlapi.backends.losses import check_same_shape
from mlapi.op import op, to_float
from mlapi.ops import layout, rules
from mlapi.ops.elementwise import square, subtract
from mlapi.ops.exponential import log
from mlapi.ops.reduction import mean
from mlapi.types import Tensor, TensorLike


@op(dtype=to_float)
def binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> Tensor:
    """`-target * log(p) - (1 - target) * log(1 - p)`, element by element.

    Args:
        target: 0 or 1, or probabilities between; of the shape of `output`.
        output: probabilities `p`, kept `config.epsilon()` away from 0 and 1; or logits.
        from_logits: whether `p` is the sigmoid of `output`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.binary_crossentropy([0.0, 1.0], [0.5, 0.9])).round(3)
        array([0.693, 0.105], dtype=float32)
    """
    ...


@op(dtype=to_float)
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-sum(target * log(p))` over the classes.

    Args:
        target: probability of each class (one-hot, for instance), of the shape of `output`.
        output: probabilities, divided by their sum and kept `config.epsilon()` away from 0 and 1;
            or logits.
        from_logits: whether `p` is the softmax of `output`.
        axis: of the classes.

    Returns:
        The shape of `output` without `axis`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.categorical_crossentropy([[0, 1]], [[0.5, 0.5]])).round(3)
        array([0.693], dtype=float32)
    """
    ...


@op(dtype=rules.class_first)
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-log(p[target])`: categorical cross-entropy by the index of the class.

    Args:
        target: integers of the shape of `output` without `axis`, or with size 1 there. One
            that is no class is an error on the CPU of torch and tensorflow and gives NaN elsewhere.
        output: as for `categorical_crossentropy`.
        from_logits: whether `p` is the softmax of `output`.
        axis: of the classes.

    Returns:
        The shape of `output` without `axis`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])).round(3)
        array([0.693], dtype=float32)
    """
    ...


@op(dtype=to_float)
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """Peak signal-to-noise ratio in decibels, `10 log10(max_val² / mean((x1 - x2)²))`.

    Example:
        >>> from mlapi import ops
        >>> round(float(ops.psnr([0.0, 1.0], [0.1, 0.9], max_val=1.0)), 3)
        20.0
    """
    check_same_shape("psnr", layout.known(x1), layout.known(x2))
    return (20 * math.log(max_val) - 10 * log(mean(square(subtract(x1, x2))))) / math.log(10)
