"""Errors on a continuous scale, averaged over everything seen."""

from mlapi import ops
from mlapi.losses.regression import (
    absolute_error,
    log_cosh_error,
    percentage_error,
    similarity,
    squared_error,
    squared_logarithmic_error,
)
from mlapi.metrics.reduction import MeanMetricWrapper
from mlapi.types import DTypeLike, Tensor


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
        super().__init__(similarity, name, dtype, axis=axis)
        self.axis = axis
