"""F-scores: precision and recall in one number."""

from typing import Any

from mlapi import config, ops, validation
from mlapi.errors import NotBuiltError, ShapeError
from mlapi.losses.base import dtype_name, fit_weights, matched
from mlapi.metrics.base import Metric
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike

_average = validation.optional(validation.Choice("micro", "macro", "weighted"))


def _above_0(value: Any) -> float:
    value = validation.fraction.convert(value)
    if not value:
        raise ValueError
    return value


_threshold = validation.optional(validation.Check("a number above 0, and 1 at most", _above_0, 0.0))


class FBetaScore(Metric):
    """Weighted harmonic mean of precision and recall, `(1 + β²) p r / (β² p + r)`, by class.

    Args:
        average: `None`: one score for each class; `"micro"`: that of all decisions together;
            `"macro"`: the mean of the classes; `"weighted"`: their mean, weighted by how many
            targets each has.
        beta: how many times as much recall counts as precision.
        threshold: above it a prediction is positive. By default the highest prediction of a sample
            is, and no other.
        name: for logs.
        dtype: float type of the state.

    Raises:
        ArgumentError: an argument has none of these values.

    Example:
        >>> from mlapi import metrics, ops
        >>> metric = metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> y_true = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
        >>> y_pred = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
        >>> ops.convert_to_numpy(metric(y_true, y_pred)).round(3)
        array([0.385, 0.909, 0.833], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(dtype, name)
        self.average = _average(self, "average", average)
        self.beta = validation.positive(self, "beta", beta)
        self.threshold = _threshold(self, "threshold", threshold)

    def build(self, y_true_shape: Shape, y_pred_shape: Shape) -> None:
        """Makes the state, once the number of classes is known.

        Raises:
            ShapeError: the predictions are not of shape `(batch, classes)`.
        """
        if "counts" in self.__dict__:
            return
        if len(y_pred_shape) != 2 or y_pred_shape[1] is None:
            raise ShapeError(
                f'{type(self).__name__} "{self.name}" needs predictions of shape (batch, classes), '
                f"received {tuple(y_pred_shape)}."
            )
        classes = () if self.average == "micro" else (y_pred_shape[1],)
        # Weight of true positives, of all that was predicted, and of all that was right.
        self.counts = self.add_variable((3, *classes), name="counts")

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: targets of 0 and 1, shape `(batch, classes)`.
            y_pred: predictions, same shape.
            sample_weight: a weight per sample, or of the shape of the targets.

        Raises:
            ShapeError: the shapes do not fit.
        """
        y_true, y_pred = matched(y_true, ops.cast(y_pred, self.dtype), self.name)
        self.build(y_true.shape, y_pred.shape)
        if self.threshold is not None:
            hits = y_pred > self.threshold
        else:
            highest = y_pred >= ops.max(y_pred, axis=-1, keepdims=True)
            hits = ops.logical_and(highest, ops.abs(y_pred) > 1e-9)
        hits = ops.cast(hits, dtype_name(y_true))
        counted = ops.stack([hits * y_true, hits, y_true])
        if sample_weight is not None:
            counted = counted * fit_weights(sample_weight, y_pred, self.name)
        axes = (1, 2) if self.average == "micro" else 1
        self.counts.assign_add(ops.sum(counted, axis=axes))

    def result(self) -> Tensor:
        """Returns the score, shape `(classes,)` without an average and else a scalar.

        Raises:
            NotBuiltError: there was no batch yet, so the number of classes is unknown.
        """
        if "counts" not in self.__dict__:
            raise NotBuiltError(
                f'{type(self).__name__} "{self.name}" has seen no batch yet, so the number of '
                "classes is unknown. Call update_state() first."
            )
        epsilon, square = config.epsilon(), self.beta**2
        found, predicted, right = (self.counts.value[i] for i in range(3))
        precision, recall = found / (predicted + epsilon), found / (right + epsilon)
        score = precision * recall / (precision * square + recall + epsilon) * (1.0 + square)
        if self.average == "weighted":
            return ops.sum(score * right) / (ops.sum(right) + epsilon)
        return score if self.average is None else ops.mean(score)


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall, `2 p r / (p + r)`, by class.

    Args:
        average: as for `FBetaScore`.
        threshold: as for `FBetaScore`.
        name: for logs.
        dtype: float type of the state.

    Raises:
        ArgumentError: an argument has another value than it can.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.F1Score(average="macro")
        >>> round(float(metric([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])), 4)
        0.6667
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
