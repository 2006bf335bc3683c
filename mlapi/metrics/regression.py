"""Errors on a continuous scale, averaged over everything seen, and explained variance."""

from typing import Any

from mlapi import config, ops, validation
from mlapi.errors import NotBuiltError, ShapeError
from mlapi.losses.base import fit_weights, matched, ratio, spread
from mlapi.losses.regression import (
    absolute_error,
    log_cosh_error,
    percentage_error,
    similarity,
    squared_error,
    squared_logarithmic_error,
)
from mlapi.metrics.base import Metric
from mlapi.metrics.reduction import MeanMetricWrapper
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike

_aggregation = validation.optional(
    validation.Choice("uniform_average", "variance_weighted_average")
)


class MeanSquaredError(MeanMetricWrapper):
    """Mean of `(y_pred - y_true)²`.

    Args:
        name: for logs.
        dtype: float type of the state.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.MeanSquaredError()([[0.0], [2.0]], [[1.0], [0.0]]))
        2.5
    """

    def __init__(
        self, name: str | None = "mean_squared_error", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(squared_error, name, dtype)


class RootMeanSquaredError(MeanMetricWrapper):
    """Square root of the mean of `(y_pred - y_true)²`. Arguments as for `MeanSquaredError`."""

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(squared_error, name, dtype)

    def result(self) -> Tensor:
        """Returns the root of the mean so far."""
        return ops.sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of `|y_pred - y_true|`. Arguments as for `MeanSquaredError`."""

    def __init__(
        self, name: str | None = "mean_absolute_error", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean error in percent of the target. Arguments as for `MeanSquaredError`."""

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of `(log(1 + y_pred) - log(1 + y_true))²`. Arguments as for `MeanSquaredError`."""

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of `log(cosh(y_pred - y_true))`. Arguments as for `MeanSquaredError`."""

    def __init__(self, name: str | None = "logcosh", dtype: DTypeLike | None = None) -> None:
        super().__init__(log_cosh_error, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between target and prediction: 1 where they point alike.

    Args:
        name: for logs.
        dtype: float type of the state.
        axis: along which the vectors lie.
    """

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: DTypeLike | None = None,
        axis: int = -1,
    ) -> None:
        axis = validation.integer_axis(self, "axis", axis)
        super().__init__(similarity, name, dtype, axis=axis)
        self.axis = axis


class R2Score(Metric):
    """Coefficient of determination: the share of the targets' variance that predictions explain.

    `1 - Σ (y_true - y_pred)² / Σ (y_true - mean)²` for each output: 1 where all is explained, 0 for
    a constant guess at the mean, and below for worse ones. Means and sums of squares are combined
    batch by batch without differences of large numbers (Chan, Golub and LeVeque, "Updating
    formulae and a pairwise algorithm for computing sample variances", 1979).

    Args:
        class_aggregation: how the scores of several outputs become one: `"uniform_average"`: their
            mean; `"variance_weighted_average"`: weighted by the targets' variance; `None`: not.
        num_regressors: with `p > 0` of them the score of `n` samples is adjusted to
            `1 - (1 - R²) (n - 1) / (n - p - 1)`, if there are enough samples.
        name: for logs.
        dtype: float type of the state.

    Raises:
        ArgumentError: an argument has none of these values.

    Example:
        >>> from mlapi import metrics
        >>> round(float(metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(dtype, name)
        self.class_aggregation = _aggregation(self, "class_aggregation", class_aggregation)
        self.num_regressors = validation.non_negative_int(self, "num_regressors", num_regressors)
        self.num_samples = self.add_variable((), name="num_samples")

    def build(self, y_true_shape: Shape, y_pred_shape: Shape) -> None:
        """Makes the state, once the number of outputs is known.

        Raises:
            ShapeError: the predictions are not of shape `(batch, outputs)`.
        """
        if "total" in self.__dict__:
            return
        if len(y_pred_shape) != 2 or y_pred_shape[1] is None:
            raise ShapeError(
                f'R2Score "{self.name}" needs predictions of shape (batch, outputs), received '
                f"{tuple(y_pred_shape)}."
            )
        outputs = (y_pred_shape[1],)
        self.count = self.add_variable(outputs, name="count")
        self.mean = self.add_variable(outputs, name="mean")
        self.total = self.add_variable(outputs, name="total")
        self.residual = self.add_variable(outputs, name="residual")

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch.

        Args:
            y_true: targets, shape `(batch, outputs)`.
            y_pred: predictions, same shape.
            sample_weight: a weight per sample, or of the shape of the targets.

        Raises:
            ShapeError: the shapes do not fit.
        """
        y_true, y_pred = matched(y_true, ops.cast(y_pred, self.dtype), self.name)
        self.build(y_true.shape, y_pred.shape)
        rows: Any = ops.shape(y_true)[0]
        count: Any = float(rows) if isinstance(rows, int) else ops.cast(rows, self.dtype)
        weights = None
        if sample_weight is not None:
            weights = spread(fit_weights(sample_weight, y_true, self.name), y_true)
            count = ops.sum(weights, axis=0)

        def summed(x: Tensor) -> Tensor:
            return ops.sum(x if weights is None else x * weights, axis=0)

        divisor = (
            max(count, 1.0) if isinstance(count, float) else ops.maximum(count, config.epsilon())
        )
        mean = summed(y_true) / divisor
        spread_out = summed(ops.square(y_true - mean))
        residual = summed(ops.square(y_true - y_pred))
        seen = self.count.value
        share = count / ops.maximum(seen + count, config.epsilon())
        apart = mean - self.mean.value
        step = apart * share
        self.total.assign_add(spread_out + step * apart * seen)
        self.mean.assign_add(step)
        self.count.assign_add(count)
        self.residual.assign_add(residual)
        self.num_samples.assign_add(rows)

    def result(self) -> Tensor:
        """Returns the score, shape `(outputs,)` without aggregation and else a scalar.

        For an output whose targets are constant it is 1 if all predictions are right, else 0.

        Raises:
            NotBuiltError: there was no batch yet, so the number of outputs is unknown.
        """
        if "total" not in self.__dict__:
            raise NotBuiltError(
                f'R2Score "{self.name}" has seen no batch yet, so the number of outputs is '
                "unknown. Call update_state() first."
            )
        total, residual = self.total.value, self.residual.value
        varies = ops.cast(total > 0.0, self.dtype)
        right: Any = ops.logical_and(residual == 0.0, self.count.value > 0.0)
        constant = ops.cast(right, self.dtype) * (1.0 - varies)
        score = varies - ratio(residual, total) + constant
        if self.class_aggregation == "variance_weighted_average":
            score = ratio(ops.sum(total * score), ops.sum(total))
        elif self.class_aggregation is not None:
            score = ops.mean(score)
        if not self.num_regressors:
            return score
        left = self.num_samples.value - (self.num_regressors + 1.0)
        adjusted = 1.0 - (1.0 - score) * ratio(self.num_samples.value - 1.0, left)
        return ops.where(left > 0.0, adjusted, score)
