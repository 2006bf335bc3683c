"""Metrics of right and wrong decisions at thresholds: counts, precision, recall.

All keep one histogram of predictions between thresholds, for positives and for negatives apart;
a sum over its bars gives the four counts at every threshold. A batch costs one scatter whatever
the number of thresholds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import ops, validation
from mlapi.backends import adapter
from mlapi.errors import ShapeError
from mlapi.losses.base import fit_weights, matched, ratio, spread
from mlapi.metrics.base import Metric
from mlapi.types import DTypeLike, Tensor, TensorLike

Thresholds = float | Sequence[float] | None


def _from_0_to_1(value: Any) -> float | list[float]:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError
    if array.ndim > 1 or not array.size or not ((array >= 0) & (array <= 1)).all():
        raise ValueError
    return array.tolist()


levels = validation.Check("one or several numbers from 0 to 1", _from_0_to_1, 1.5)
_optional_count = validation.optional(validation.positive_int)
optional_index = validation.optional(validation.non_negative_int)


def evenly(count: int) -> list[float]:
    """Returns thresholds that divide 0 to 1 evenly, both included; 0.5 if there is to be one."""
    return [0.5] if count == 1 else [i / (count - 1) for i in range(count)]


class ConfusionMetric(Metric):
    """A metric made from true and false positives and negatives at thresholds.

    Args:
        thresholds: ascending; a prediction above one counts as positive there.
        labels: None, or how many columns of the predictions are counted apart.
        name: for logs.
        dtype: float type of the state.
        even: whether the thresholds divide 0 to 1 evenly, which spares a search.
    """

    def __init__(
        self,
        thresholds: Sequence[float],
        labels: int | None,
        name: str | None,
        dtype: DTypeLike | None,
        even: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self._levels = [float(t) for t in thresholds]
        self._even = even and len(self._levels) > 1
        self._edges = None
        if not self._even and len(self._levels) > 1:
            self._edges = adapter.core.convert(np.asarray(thresholds, self.dtype))
        columns = () if labels is None else (labels,)
        # Axes: between which thresholds, (which label,) positive or negative.
        self.histogram = self.add_variable((len(self._levels) + 1, *columns, 2), name="histogram")

    def count(self, y_true: Tensor, y_pred: Tensor, weights: Tensor | None) -> None:
        """Adds a batch, all of one shape, to the histogram; targets other than 0 are positive."""
        bars = self.histogram.shape
        predictions = ops.reshape(y_pred, (-1,))
        place = self._below_which(predictions)
        if len(bars) == 3:
            columns = ops.arange(0, bars[1], dtype="int32")
            place = ops.reshape(ops.reshape(place, (-1, bars[1])) * bars[1] + columns, (-1,))
        negative: Any = ops.reshape(y_true, (-1,)) == 0.0
        place = place * 2 + ops.cast(negative, "int32")
        if weights is None:
            counted = ops.ones_like(predictions)
        else:
            counted = ops.reshape(weights, (-1,))
        empty = ops.zeros((int(np.prod(bars)),), self.dtype)
        # Added up apart first: ones are too small to be added to large numbers.
        counted = adapter.arrays.accumulate(empty, place, counted, "add", False)
        self.histogram.assign_add(ops.reshape(counted, bars))

    def _below_which(self, predictions: Tensor) -> Tensor:
        """How many thresholds each prediction is above of."""
        if self._edges is not None:
            return adapter.arrays.search(self._edges, predictions, "left")
        if not self._even:
            return ops.cast(predictions > self._levels[0], "int32")
        last = len(self._levels) - 1
        place = ops.cast(ops.ceil(predictions * last), "int32")
        return ops.clip(place, 1 if self._levels[0] < 0 else 0, last)

    def add(
        self,
        y_true: Any,
        y_pred: Any,
        sample_weight: TensorLike | None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        """Adds a batch, of which only one column or the highest predictions may count."""
        y_true, y_pred = matched(y_true, ops.cast(y_pred, self.dtype), self.name)
        weights = None
        if sample_weight is not None:
            weights = spread(fit_weights(sample_weight, y_pred, self.name), y_pred)
        if top_k is not None:
            places = ops.top_k(y_pred, top_k)[1]
            chosen = ops.sum(ops.one_hot(places, y_pred.shape[-1]), axis=-2) > 0
            y_pred = ops.where(chosen, y_pred, -np.inf)
        if class_id is not None:
            if len(y_pred.shape) < 2:
                raise ShapeError(
                    f'{type(self).__name__} "{self.name}": class_id={class_id} needs predictions '
                    f"of shape (batch, …, classes), received {tuple(y_pred.shape)}."
                )
            y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
            weights = None if weights is None else weights[..., class_id]
        self.count(y_true, y_pred, weights)

    def _above(self) -> tuple[Tensor, Tensor]:
        """True and false positives at every threshold."""
        summed = ops.cumsum(self.histogram.value, axis=0)
        above = ops.relu(summed[-1:] - summed[:-1])
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
        if thresholds is not None:
            thresholds = levels(self, "thresholds", thresholds)
        default = 0.5 if top_k is None else -np.inf
        given = np.atleast_1d(default if thresholds is None else np.asarray(thresholds, float))
        order = np.argsort(given, kind="stable")
        self._in_order = adapter.core.convert(np.argsort(order).astype("int32"))
        super().__init__(given[order].tolist(), None, name, dtype)
        self.thresholds = thresholds
        self.top_k = _optional_count(self, "top_k", top_k)
        self.class_id = optional_index(self, "class_id", class_id)

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
        self.add(y_true, y_pred, sample_weight, self.top_k, self.class_id)

    def _given(self, values: Tensor) -> Tensor:
        """Values at the ascending thresholds in the user's order; a scalar where there is one."""
        if len(self._levels) == 1:
            return values[0]
        return ops.take(values, self._in_order, axis=0)


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
