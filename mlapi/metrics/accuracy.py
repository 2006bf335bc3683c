"""How often predictions are right."""

from typing import Any

from mlapi import config, ops, validation
from mlapi.backends import adapter
from mlapi.losses.base import dtype_name, equal_rank, matched
from mlapi.losses.classification import class_numbers, class_scores
from mlapi.metrics.base import Metric
from mlapi.metrics.reduction import MeanMetricWrapper
from mlapi.op import op
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike

_native_types = adapter.core.native_types

# The functions of booleans, true for a hit: what the metrics average, without a cast on the way.


def equal_hits(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Where the two are equal."""
    return ops.equal(*equal_rank(ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)))


def binary_hits(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """Where `y_pred > threshold` agrees with a target of 1, or its opposite with a target of 0."""
    target, output = matched(y_true, y_pred, "binary_accuracy")
    return ops.equal(target, ops.cast(output > threshold, dtype_name(target)))


@op(dtype=None)
def class_hits(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Where the largest entry of `y_pred` along the last axis stands at the place `y_true`."""
    return ops.equal(y_true, ops.argmax(y_pred, axis=-1))


def categorical_hits(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Where the largest entries of both stand at the same place of the last axis."""
    target, output = matched(y_true, y_pred, "categorical_accuracy")
    return class_hits(ops.argmax(target, axis=-1), output)


def sparse_hits(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Where the largest entry of `y_pred` stands at the place that `y_true` gives."""
    output: Any = y_pred
    if type(output) not in _native_types:
        output = ops.convert_to_tensor(output)
    return class_hits(class_numbers(y_true, output, -1, "sparse_categorical_accuracy"), output)


def sparse_top_k_hits(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """Where fewer than `k` classes score higher than the right one."""
    output = ops.convert_to_tensor(y_pred)
    target = class_numbers(y_true, output, -1, "sparse_top_k_categorical_accuracy")
    if from_sorted_ids:
        best = ops.cast(output[..., :k], "int32")
        return ops.any(ops.equal(best, ops.expand_dims(target, -1)), axis=-1)
    return top_hits(class_scores(output, target), output, k)


def top_k_hits(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """As `sparse_top_k_hits`, with one-hot targets."""
    target, output = matched(y_true, y_pred, "top_k_categorical_accuracy")
    return top_hits(class_scores(output, ops.argmax(target, axis=-1)), output, k)


@op(dtype=None)
def top_hits(right: TensorLike, y_pred: TensorLike, k: int) -> Tensor:
    """Where fewer than `k` entries of `y_pred` along the last axis are larger than `right`."""
    better = ops.sum(ops.greater(y_pred, ops.expand_dims(right, -1)), axis=-1)
    # A score that is not a number beats nothing and is beaten by nothing: it is no hit.
    return ops.logical_and(better < k, ops.isfinite(right))


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """1 where a prediction is on the right side of the threshold, else 0; targets of 0 and 1.

    Args:
        y_true: targets, shape `(batch, d0, …, dN)`.
        y_pred: predictions, same shape.
        threshold: above it a prediction counts as 1.

    Returns:
        Floats of the same shape.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.
    """
    return ops.cast(binary_hits(y_true, y_pred, threshold), config.floatx())


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where the class of highest score is the right one, else 0.

    Args:
        y_true: one-hot targets, shape `(batch, …, classes)`.
        y_pred: probabilities or logits, same shape.

    Returns:
        Floats of shape `(batch, …)`.

    Raises:
        ShapeError: the shapes differ.
    """
    return ops.cast(categorical_hits(y_true, y_pred), config.floatx())


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """As `categorical_accuracy`, with class numbers of shape `(batch, …)` as targets."""
    return ops.cast(sparse_hits(y_true, y_pred), config.floatx())


def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """1 where the right class is among the `k` of highest score, else 0; one-hot targets."""
    return ops.cast(top_k_hits(y_true, y_pred, k), config.floatx())


def sparse_top_k_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """As `top_k_categorical_accuracy`, with class numbers of shape `(batch, …)` as targets.

    With `from_sorted_ids`, `y_pred` holds class numbers, best first, instead of scores.
    """
    return ops.cast(sparse_top_k_hits(y_true, y_pred, k, from_sorted_ids), config.floatx())


class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets.

    Args:
        name: for logs.
        dtype: float type of the state.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
        0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: DTypeLike | None = None) -> None:
        super().__init__(equal_hits, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions fall on the right side of a threshold, with targets of 0 and 1.

    Args:
        name: for logs.
        dtype: float type of the state.
        threshold: above it a prediction counts as 1; 0 for predictions that are logits.

    Raises:
        ArgumentTypeError: `threshold` is no number.
    """

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: DTypeLike | None = None,
        threshold: float = 0.5,
    ) -> None:
        threshold = validation.number(self, "threshold", threshold)
        super().__init__(binary_hits, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the class of highest score is the right one, with one-hot targets.

    Args:
        name: for logs.
        dtype: float type of the state.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]))
        0.5
    """

    def __init__(
        self, name: str | None = "categorical_accuracy", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(categorical_hits, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of highest score is the right one, with class numbers as targets.

    Args:
        name: for logs.
        dtype: float type of the state.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.4, 0.6]]))
        0.5
    """

    def __init__(
        self, name: str | None = "sparse_categorical_accuracy", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(sparse_hits, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the right class is among the `k` of highest score, with one-hot targets.

    Args:
        k: how many classes count.
        name: for logs.
        dtype: float type of the state.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: DTypeLike | None = None,
    ) -> None:
        k = validation.positive_int(self, "k", k)
        super().__init__(top_k_hits, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the right class is among the `k` of highest score, with class numbers as targets.

    Args:
        k: how many classes count.
        name: for logs.
        dtype: float type of the state.
        from_sorted_ids: whether predictions are class numbers, best first, instead of scores.
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: DTypeLike | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        k = validation.positive_int(self, "k", k)
        from_sorted_ids = validation.boolean(self, "from_sorted_ids", from_sorted_ids)
        super().__init__(sparse_top_k_hits, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k = k
        self.from_sorted_ids = from_sorted_ids


def resolve_accuracy(y_true_shape: Shape, y_pred_shape: Shape) -> type[Metric]:
    """Returns the class that `"accuracy"` stands for, given the shapes of a batch.

    One output unit means binary, targets without the axis of classes mean class numbers.
    """
    if len(y_pred_shape) < 2 or y_pred_shape[-1] == 1:
        return BinaryAccuracy
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy
