"""Areas under curves that are drawn through thresholds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import config, ops, validation
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, NotBuiltError, ShapeError
from mlapi.losses.base import fit_weights, matched, ratio, spread
from mlapi.metrics.base import Metric
from mlapi.metrics.confusion import ConfusionMetric, evenly, levels
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike


def weight_list(value: Any) -> list[float]:
    """Returns numbers as a list; raises what `Check.convert` is to raise."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError
    if array.ndim != 1 or not array.size or not (np.isfinite(array) & (array >= 0)).all():
        raise ValueError
    return array.tolist()


_curves = validation.Choice("roc", "pr", "prgain")
_summation = validation.Choice("interpolation", "minoring", "majoring")
_optional_count = validation.optional(validation.positive_int)
_label_weights = validation.optional(
    validation.Check("a list of numbers of at least 0", weight_list, [-1.0])
)
_count = validation.Check(
    "an integer of at least 2", lambda value: validation.as_integer(value, 2), 1
)


class AUC(ConfusionMetric):
    """Area under the ROC or the precision-recall curve, drawn through a number of thresholds.

    The more thresholds, and the more evenly predictions spread between them, the closer the
    result comes to the exact area.

    Args:
        num_thresholds: points of the curve, spread evenly over 0 to 1; at least 2.
        curve: `"ROC"` (true positive over false positive rate), `"PR"` (precision over recall) or
            `"PRGAIN"` (both rescaled so that guessing gives 0: Flach and Kull,
            "Precision-recall-gain curves: PR analysis done right", 2015).
        summation_method: between two points, `"interpolation"` takes straight lines (for PR,
            straight in true and false positives: Davis and Goadrich, "The relationship between
            precision-recall and ROC curves", 2006), `"minoring"` the lower of the two heights,
            `"majoring"` the upper one.
        name: for logs.
        dtype: float type of the state.
        thresholds: in place of `num_thresholds`, those between 0 and 1 to use.
        multi_label: whether each column of `(batch, labels)` has an area of its own, of which the
            result is the mean. Otherwise all predictions go into one curve.
        num_labels: with `multi_label`, how many labels; by default seen from the first batch.
        label_weights: of the labels in that mean, or of the columns in the one curve.
        from_logits: whether predictions have not been through a sigmoid yet.

    Raises:
        ArgumentError: an argument has none of these values.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: DTypeLike | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        self.curve = _curves(self, "curve", getattr(curve, "value", curve)).upper()
        self.summation_method = _summation(
            self, "summation_method", getattr(summation_method, "value", summation_method)
        )
        self.multi_label = validation.boolean(self, "multi_label", multi_label)
        self.num_labels = _optional_count(self, "num_labels", num_labels or None)
        self.from_logits = validation.boolean(self, "from_logits", from_logits)
        if num_labels and not multi_label:
            raise ArgumentError("AUC: num_labels needs multi_label=True.")
        self._given_thresholds = None
        if thresholds is None:
            inner = evenly(_count(self, "num_thresholds", num_thresholds))[1:-1]
        else:
            inner = np.sort(np.atleast_1d(levels(self, "thresholds", thresholds))).tolist()
            self._given_thresholds = inner
        # The outermost two take all predictions in, exactly 0 and 1 too.
        self._thresholds = [-config.epsilon(), *inner, 1.0 + config.epsilon()]
        self.num_thresholds = len(self._thresholds)
        self.label_weights = _label_weights(self, "label_weights", label_weights)
        if multi_label and not num_labels:
            Metric.__init__(self, dtype, name)
        else:
            super().__init__(self._thresholds, num_labels, name, dtype, thresholds is None)
        self._weights = None
        if self.label_weights is not None:
            self._weights = adapter.core.convert(np.asarray(self.label_weights, self.dtype))

    @property
    def thresholds(self) -> list[float]:
        """Where the points of the curve are, the outermost two beyond 0 and 1."""
        return list(self._thresholds)

    def build(self, y_true_shape: Shape, y_pred_shape: Shape) -> None:
        """Makes the state, where it waits for the number of labels."""
        if "histogram" in self.__dict__:
            return
        if len(y_pred_shape) != 2 or y_pred_shape[1] is None:
            raise ShapeError(
                f'AUC "{self.name}" with multi_label=True needs predictions of shape '
                f"(batch, labels), received {tuple(y_pred_shape)}."
            )
        self.num_labels = int(y_pred_shape[1])
        even = self._given_thresholds is None
        super().__init__(self._thresholds, self.num_labels, self.name, self.dtype, even)

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: targets of 0 and 1.
            y_pred: predictions from 0 to 1 (or logits), same shape.
            sample_weight: a weight per sample, or of the shape of the targets.

        Raises:
            ShapeError: the shapes do not fit.
        """
        y_true, y_pred = matched(y_true, ops.cast(y_pred, self.dtype), self.name)
        if self.multi_label:
            self.build(y_true.shape, y_pred.shape)
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        weights = None
        if sample_weight is not None:
            weights = spread(fit_weights(sample_weight, y_pred, self.name), y_pred)
        if self._weights is not None and not self.multi_label:
            weights = self._weights * (ops.ones_like(y_pred) if weights is None else weights)
        self.count(y_true, y_pred, weights)

    def result(self) -> Tensor:
        """Returns the area."""
        if "histogram" not in self.__dict__:
            raise NotBuiltError(
                f'AUC "{self.name}" with multi_label=True has seen no batch yet, so the number of '
                "labels is unknown. Give num_labels, or call update_state() first."
            )
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._curve()
        if self.summation_method == "interpolation":
            height = (y[:-1] + y[1:]) / 2.0
        elif self.summation_method == "minoring":
            height = ops.minimum(y[:-1], y[1:])
        else:
            height = ops.maximum(y[:-1], y[1:])
        return self._together(ops.sum((x[:-1] - x[1:]) * height, axis=0))

    def interpolate_pr_auc(self) -> Tensor:
        """Returns the area under precision over recall, interpolated after Davis and Goadrich."""
        found, false = self._above()
        missed, _ = self._below()
        return self._together(_precision_recall_area(found, false, missed))

    def _curve(self) -> tuple[Tensor, Tensor]:
        """Both coordinates of the curve's points, the first falling."""
        found, false = self._above()
        missed, left = self._below()
        if self.curve == "ROC":
            return ratio(false, false + left), ratio(found, found + missed)
        if self.curve == "PR":
            return ratio(found, found + missed), ratio(found, found + false)
        odds = ratio(found + missed, left + false)
        none: Any = found == 0.0
        recall_gain = ops.where(none, 0.0, 1.0 - odds * ratio(missed, found))
        return ops.relu(recall_gain), ops.where(none, 1.0, 1.0 - odds * ratio(false, found))

    def _together(self, areas: Tensor) -> Tensor:
        """The mean over labels that are counted apart."""
        if not self.multi_label:
            return areas
        if self._weights is None:
            return ops.mean(areas)
        return ratio(ops.sum(areas * self._weights), ops.sum(self._weights))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), "thresholds": self._given_thresholds}


def _precision_recall_area(found: Tensor, false: Tensor, missed: Tensor) -> Tensor:
    """Area under precision over recall, true positives being linear in all positives between.

    With `tp = slope * p + intercept` between two thresholds, where `p = tp + fp`, precision
    integrates to `slope * (Δtp + intercept * log(p₁ / p₂))` over the increase of `tp`.
    """
    positives = found + false
    gained = found[:-1] - found[1:]
    slope = ratio(gained, positives[:-1] - positives[1:])
    intercept = found[1:] - slope * positives[1:]
    both = ops.logical_and(positives[:-1] > 0, positives[1:] > 0)
    growth = ops.where(both, ratio(positives[:-1], positives[1:]), 1.0)
    area = slope * (gained + intercept * ops.log(growth))
    return ops.sum(ratio(area, found[1:] + missed[1:]), axis=0)
