"""The best of one rate where another is high enough: metrics at an operating point of a curve."""

from typing import Any

from mlapi import ops, validation
from mlapi.losses.base import ratio
from mlapi.metrics.confusion import ConfusionMetric, evenly, optional_index
from mlapi.types import DTypeLike, Tensor, TensorLike


class OperatingPoint(ConfusionMetric):
    """Base of the metrics here.

    Args:
        value: name and value of the rate that must be reached, from 0 to 1.
        num_thresholds: how many thresholds, spread evenly over 0 to 1, are tried.
        class_id: only this column of the last axis counts.
        name: for logs.
        dtype: float type of the state.
    """

    def __init__(
        self,
        value: tuple[str, float],
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: DTypeLike | None,
    ) -> None:
        self._least = validation.fraction(self, *value)
        self.num_thresholds = validation.positive_int(self, "num_thresholds", num_thresholds)
        self.class_id = optional_index(self, "class_id", class_id)
        super().__init__(evenly(self.num_thresholds), None, name, dtype, even=True)

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: targets of 0 and 1.
            y_pred: predictions from 0 to 1, same shape.
            sample_weight: a weight per sample, or of the shape of the targets.

        Raises:
            ShapeError: the shapes do not fit.
        """
        self.add(y_true, y_pred, sample_weight, class_id=self.class_id)

    def _rates(self) -> tuple[Tensor, Tensor, Tensor]:
        """Recall (or sensitivity), specificity and precision at every threshold."""
        found, false = self._above()
        missed, left = self._below()
        recall, specificity = ratio(found, found + missed), ratio(left, left + false)
        return recall, specificity, ratio(found, found + false)

    def _best(self, rate: Tensor, where: Tensor) -> Tensor:
        """The largest of a rate at the thresholds where the other is high enough, or 0."""
        return ops.max(ops.where(where >= self._least, rate, 0.0))


class SensitivityAtSpecificity(OperatingPoint):
    """The highest sensitivity at thresholds where specificity is at least so much.

    Sensitivity is the share of the positives that are found, specificity the share of the negatives
    that are left alone.

    Args:
        specificity: from 0 to 1.
        num_thresholds: how many thresholds, spread evenly over 0 to 1, are tried.
        class_id: only this column of the last axis counts.
        name: for logs.
        dtype: float type of the state.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.SensitivityAtSpecificity(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(("specificity", specificity), num_thresholds, class_id, name, dtype)
        self.specificity = self._least

    def result(self) -> Tensor:
        """Returns the sensitivity; 0 where no threshold has the specificity."""
        recall, specificity, _ = self._rates()
        return self._best(recall, specificity)


class SpecificityAtSensitivity(OperatingPoint):
    """The highest specificity at thresholds where sensitivity is at least so much.

    Args:
        sensitivity: from 0 to 1.
        num_thresholds: as for `SensitivityAtSpecificity`.
        class_id: as for `SensitivityAtSpecificity`.
        name: for logs.
        dtype: float type of the state.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.SpecificityAtSensitivity(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.6667
    """

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(("sensitivity", sensitivity), num_thresholds, class_id, name, dtype)
        self.sensitivity = self._least

    def result(self) -> Tensor:
        """Returns the specificity; 0 where no threshold has the sensitivity."""
        recall, specificity, _ = self._rates()
        return self._best(specificity, recall)


class PrecisionAtRecall(OperatingPoint):
    """The highest precision at thresholds where recall is at least so much.

    Args:
        recall: from 0 to 1.
        num_thresholds: as for `SensitivityAtSpecificity`.
        class_id: as for `SensitivityAtSpecificity`.
        name: for logs.
        dtype: float type of the state.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.PrecisionAtRecall(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(("recall", recall), num_thresholds, class_id, name, dtype)
        self.recall = self._least

    def result(self) -> Tensor:
        """Returns the precision; 0 where no threshold has the recall."""
        recall, _, precision = self._rates()
        return self._best(precision, recall)


class RecallAtPrecision(OperatingPoint):
    """The highest recall at thresholds where precision is at least so much.

    Args:
        precision: from 0 to 1.
        num_thresholds: as for `SensitivityAtSpecificity`.
        class_id: as for `SensitivityAtSpecificity`.
        name: for logs.
        dtype: float type of the state.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.RecallAtPrecision(0.8)
        >>> float(metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.5
    """

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(("precision", precision), num_thresholds, class_id, name, dtype)
        self.precision = self._least

    def result(self) -> Tensor:
        """Returns the recall; 0 where no threshold has the precision."""
        recall, _, precision = self._rates()
        return self._best(recall, precision)
