"""Metrics of right and wrong decisions at thresholds: counts, precision, recall, AUC.

All keep one histogram of predictions between thresholds, for positives and for negatives apart;
a sum over its bars gives the four counts at every threshold. A batch costs one search and one
scatter whatever the number of thresholds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import config, ops
from mlapi.errors import ArgumentError, NotBuiltError, ShapeError, one_of
from mlapi.losses.base import fit_weights, matched, ratio, spread
from mlapi.metrics.base import Metric
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike

Thresholds = float | Sequence[float] | None


class ConfusionMetric(Metric):
    """A metric made from true and false positives and negatives at thresholds.

    Args:
        thresholds: ascending; a prediction above one counts as positive there.
        labels: None, or how many columns of the predictions are counted apart.
        name: for logs.
        dtype: float type of the state.
    """

    def __init__(
        self,
        thresholds: Sequence[float],
        labels: int | None,
        name: str | None,
        dtype: DTypeLike | None,
    ) -> None:
        super().__init__(dtype, name)
        self._edges = np.asarray(thresholds, self.dtype)
        columns = () if labels is None else (labels,)
        # Axes: between which thresholds, (which label,) positive or negative.
        self.histogram = self.add_variable((len(self._edges) + 1, *columns, 2), name="histogram")

    def count(self, y_true: Tensor, y_pred: Tensor, weights: Tensor | None) -> None:
        """Adds a batch, all of one shape, to the histogram."""
        bars = self.histogram.shape
        place = ops.searchsorted(self._edges, ops.reshape(y_pred, (-1,)))
        if len(bars) == 3:
            place = ops.reshape(place, (-1, bars[1])) * bars[1]
            place = ops.add(place, np.arange(bars[1], dtype="int32"))
        both = ops.stack([y_true, 1.0 - y_true], axis=-1)
        if weights is not None:
            both = both * ops.expand_dims(weights, -1)
        counted = ops.segment_sum(
            ops.reshape(both, (-1, 2)),
            ops.reshape(place, (-1,)),
            num_segments=int(np.prod(bars[:-1])),
        )
        self.histogram.assign_add(ops.reshape(counted, bars))

    def _above(self) -> tuple[Tensor, Tensor]:
        """True and false positives at every threshold."""
        summed = ops.cumsum(self.histogram.value, axis=0)
        above = ops.maximum(summed[-1:] - summed[:-1], 0.0)
        return above[..., 0], above[..., 1]

    def _below(self) -> tuple[Tensor, Tensor]:
        """False and true negatives at every threshold."""
        below = ops.cumsum(self.histogram.value, axis=0)[:-1]
        return below[..., 0], below[..., 1]

    @property
    def true_positives(self) -> Tensor:
        """Weight of the positives above each threshold."""
        return self._above()[0]

    @property
    def false_positives(self) -> Tensor:
        """Weight of the negatives above each threshold."""
        return self._above()[1]

    @property
    def false_negatives(self) -> Tensor:
        """Weight of the positives not above each threshold."""
        return self._below()[0]

    @property
    def true_negatives(self) -> Tensor:
        """Weight of the negatives not above each threshold."""
        return self._below()[1]


class ThresholdMetric(ConfusionMetric):
    """Counts at thresholds that the user gives; results are in the order they were given in."""

    def __init__(
        self,
        thresholds: Thresholds,
        name: str | None,
        dtype: DTypeLike | None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        self.thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        if thresholds is None:
            thresholds = 0.5 if top_k is None else -np.inf
        given = [float(t) for t in np.ravel(np.asarray(thresholds, float))]
        if top_k is None and not (given and all(0 <= t <= 1 for t in given)):
            raise ArgumentError(
                f"{type(self).__name__}: thresholds must lie from 0 to 1, received {thresholds!r}."
            )
        order = np.argsort(given, kind="stable")
        self._position = np.argsort(order).astype("int32")
        super().__init__(np.asarray(given)[order].tolist(), None, name, dtype)

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: targets of 0 and 1.
            y_pred: predictions, same shape.
            sample_weight: a weight per sample, or of the shape of the targets.

        Raises:
            ShapeError: the shapes do not fit.
        """
        y_true, y_pred = matched(y_true, ops.cast(y_pred, self.dtype), self.name)
        weights = None
        if sample_weight is not None:
            weights = spread(fit_weights(sample_weight, y_pred, self.name), y_pred)
        if self.top_k is not None:
            least = ops.top_k(y_pred, self.top_k)[0][..., -1:]
            y_pred = ops.where(y_pred >= least, y_pred, -np.inf)
        if self.class_id is not None:
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            weights = None if weights is None else weights[..., self.class_id]
        self.count(y_true, y_pred, weights)

    def _given(self, values: Tensor) -> Tensor:
        """Values at the ascending thresholds in the user's order; a scalar where there is one."""
        if len(self._position) == 1:
            return values[0]
        return ops.take(values, self._position, axis=0)


class TruePositives(ThresholdMetric):
    """How many positives are found.

    Args:
        thresholds: from 0 to 1, one or several: predictions above count as positive. By
            default 0.5. With several the result has one number for each.
        name: for logs.
        dtype: float type of the state.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.TruePositives()([0, 1, 1], [0.9, 0.8, 0.3]))
        1.0
    """

    def __init__(
        self,
        thresholds: Thresholds = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype)

    def result(self) -> Tensor:
        """Returns the weight of true positives."""
        return self._given(self.true_positives)


class FalsePositives(ThresholdMetric):
    """How many negatives are taken for positives. Arguments as for `TruePositives`."""

    def __init__(
        self,
        thresholds: Thresholds = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype)

    def result(self) -> Tensor:
        """Returns the weight of false positives."""
        return self._given(self.false_positives)


class TrueNegatives(ThresholdMetric):
    """How many negatives are left alone. Arguments as for `TruePositives`."""

    def __init__(
        self,
        thresholds: Thresholds = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype)

    def result(self) -> Tensor:
        """Returns the weight of true negatives."""
        return self._given(self.true_negatives)


class FalseNegatives(ThresholdMetric):
    """How many positives are missed. Arguments as for `TruePositives`."""

    def __init__(
        self,
        thresholds: Thresholds = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype)

    def result(self) -> Tensor:
        """Returns the weight of false negatives."""
        return self._given(self.false_negatives)


class Precision(ThresholdMetric):
    """Share of true positives in what is taken for positive.

    Args:
        thresholds: from 0 to 1, one or several: predictions above count as positive. By
            default 0.5, or none with `top_k`. With several the result has one number for each.
        top_k: only the so many highest predictions of a sample can count as positive.
        class_id: only this column of the last axis counts.
        name: for logs.
        dtype: float type of the state.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.Precision()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]) * 3)
        2.0
    """

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype, top_k, class_id)

    def result(self) -> Tensor:
        """Returns the precision; 0 where nothing was taken for positive."""
        true, false = self._above()
        return self._given(ratio(true, true + false))


class Recall(ThresholdMetric):
    """Share of the positives that are found. Arguments as for `Precision`.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.Recall()([0, 1, 1], [0.9, 0.8, 0.3]))
        0.5
    """

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(thresholds, name, dtype, top_k, class_id)

    def result(self) -> Tensor:
        """Returns the recall; 0 where there are no positives."""
        found, missed = self.true_positives, self.false_negatives
        return self._given(ratio(found, found + missed))


class AUC(ConfusionMetric):
    """Area under the ROC or the precision-recall curve, drawn through a number of thresholds.

    The more thresholds, and the more evenly predictions spread between them, the closer the
    result comes to the exact area.

    Args:
        num_thresholds: points of the curve, spread evenly over 0 to 1; at least 2.
        curve: `"ROC"` (true positive over false positive rate) or `"PR"`.
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
        self.curve = one_of("AUC curve", str(curve).upper(), ("ROC", "PR"))
        self.summation_method = one_of(
            "AUC summation_method",
            str(summation_method).lower(),
            ("interpolation", "minoring", "majoring"),
        )
        if num_labels and not multi_label:
            raise ArgumentError("AUC: num_labels needs multi_label=True.")
        if thresholds is None:
            if num_thresholds < 2:
                raise ArgumentError(
                    f"AUC: num_thresholds must be at least 2, received {num_thresholds!r}."
                )
            inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        else:
            inner = np.sort(np.asarray(thresholds, float))
            if inner.ndim != 1 or not np.all((inner >= 0) & (inner <= 1)):
                raise ArgumentError(
                    f"AUC: thresholds must be a list from 0 to 1, received {thresholds!r}."
                )
        # The outermost two take all predictions in, exactly 0 and 1 too.
        self.thresholds = [-config.epsilon(), *inner.tolist(), 1.0 + config.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        self._given_thresholds = thresholds
        if multi_label and not num_labels:
            Metric.__init__(self, dtype, name)
        else:
            super().__init__(self.thresholds, num_labels, name, dtype)

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
        super().__init__(self.thresholds, self.num_labels, self.name, self.dtype)

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
        if self.label_weights is not None and not self.multi_label:
            columns = np.asarray(self.label_weights, self.dtype)
            weights = ops.multiply(columns, ops.ones_like(y_pred) if weights is None else weights)
        self.count(y_true, y_pred, weights)

    def result(self) -> Tensor:
        """Returns the area."""
        if "histogram" not in self.__dict__:
            raise NotBuiltError(
                f'AUC "{self.name}" with multi_label=True has seen no batch yet, so the number of '
                "labels is unknown. Give num_labels, or call update_state() first."
            )
        areas = self._areas()
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = np.asarray(self.label_weights, self.dtype)
        return ops.sum(ops.multiply(areas, weights / weights.sum()))

    def _areas(self) -> Tensor:
        found, false = self._above()
        missed, left = self._below()
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _precision_recall_area(found, false, missed)
        recall = ratio(found, found + missed)
        if self.curve == "ROC":
            x, y = ratio(false, false + left), recall
        else:
            x, y = recall, ratio(found, found + false)
        if self.summation_method == "interpolation":
            height = (y[:-1] + y[1:]) / 2.0
        elif self.summation_method == "minoring":
            height = ops.minimum(y[:-1], y[1:])
        else:
            height = ops.maximum(y[:-1], y[1:])
        return ops.sum((x[:-1] - x[1:]) * height, axis=0)

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
