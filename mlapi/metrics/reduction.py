"""Sums and means over everything seen."""

from collections.abc import Callable
from typing import Any, Self

from mlapi import ops
from mlapi.backends import adapter
from mlapi.losses.base import (
    fit_weights,
    function_name,
    ratio,
    spread,
    to_tensors,
    with_function,
)
from mlapi.metrics.base import Metric
from mlapi.types import DTypeLike, Tensor, TensorLike

_native_types = adapter.core.native_types
_dtype_of = adapter.core.dtype_of


class Sum(Metric):
    """The (weighted) sum of all values.

    Args:
        name: for logs.
        dtype: float type of the sum.

    Example:
        >>> from mlapi import metrics
        >>> float(metrics.Sum()([1.0, 3.0, 5.0], sample_weight=[1.0, 1.0, 0.0]))
        4.0
    """

    def __init__(self, name: str | None = "sum", dtype: DTypeLike | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Adds values, each multiplied by its weight; weights of lower rank are per sample."""
        added = ops.cast(values, self.dtype)
        if sample_weight is not None:
            added = added * fit_weights(sample_weight, added, self.name)
        self.total.assign_add(ops.sum(added))

    def result(self) -> Tensor:
        """Returns the sum."""
        return ops.copy(self.total.value)


class Mean(Metric):
    """The (weighted) mean of all values.

    Values beyond the first axis are averaged within their sample first, so every sample counts
    the same however many steps or pixels it has.

    Args:
        name: for logs.
        dtype: float type of the state.

    Example:
        >>> from mlapi import metrics
        >>> mean = metrics.Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean.update_state([5.0, 7.0], sample_weight=[1.0, 0.0])
        >>> float(mean.result())
        3.0
    """

    def __init__(self, name: str | None = "mean", dtype: DTypeLike | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: TensorLike | None = None) -> None:
        """Adds values.

        Args:
            values: a number, one value per sample, or several.
            sample_weight: a number, one weight per sample, or one per value.

        Raises:
            ShapeError: weights and values do not fit.
        """
        if type(values) not in _native_types:
            values = ops.convert_to_tensor(values)
        if _dtype_of(values) != self._dtype:
            values = ops.cast(values, self._dtype)
        if sample_weight is not None:
            return self._update_weighted(values, sample_weight)
        rank = len(values.shape)
        if rank > 1:
            values = ops.mean(values, axis=tuple(range(1, rank)))
        self.total.assign_add(ops.sum(values) if rank else values)
        size: Any = ops.shape(values)[0] if rank else 1
        self.count.assign_add(size)
        return None

    def _update_weighted(self, values: Tensor, weights: Any) -> None:
        if not len(values.shape) and isinstance(weights, int | float):
            self.total.assign_add(values * weights)
            self.count.assign_add(weights)
            return
        weights = ops.cast(weights, self.dtype)
        rank = len(weights.shape)
        if 0 < rank < len(values.shape):  # a weight for each of these averages
            values = ops.mean(values, axis=tuple(range(rank, len(values.shape))))
        weights = spread(fit_weights(weights, values, self.name), values)
        values = values * weights
        if len(values.shape) > 1:
            axes = tuple(range(1, len(values.shape)))
            values, weights = ops.mean(values, axis=axes), ops.mean(weights, axis=axes)
        self.total.assign_add(ops.sum(values))
        self.count.assign_add(ops.sum(weights))

    def result(self) -> Tensor:
        """Returns the mean; 0 where nothing was seen."""
        return ratio(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The mean of a function `fn(y_true, y_pred, **kwargs)` of targets and predictions.

    Args:
        fn: returns one value per sample, or per element.
        name: for logs; by default that of the function.
        dtype: float type of the state.
        **kwargs: passed on to `fn`.

    Example:
        >>> from mlapi import metrics, ops
        >>> metric = metrics.MeanMetricWrapper(lambda t, p: ops.abs(t - p), name="distance")
        >>> float(metric([[1.0], [2.0]], [[0.0], [0.0]]))
        1.5
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or function_name(fn), dtype)
        self.fn = fn
        self.fn_kwargs = kwargs

    def update_state(  # type: ignore[override]  # targets and predictions instead of values
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch of targets and predictions."""
        if type(y_true) not in _native_types:
            y_true = to_tensors(y_true, None)
        if type(y_pred) not in _native_types:
            y_pred = to_tensors(y_pred, None)
        super().update_state(self.fn(y_true, y_pred, **self.fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments."""
        return {**super().get_config(), **self.fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns a new object from what `get_config` returned, plain data included."""
        return cls(**(with_function(config, "metrics") if "fn" in config else config))


def masked_weights(weights: Any, mask: Any, metric: Metric) -> Tensor:
    """Returns weights that are 0 where `mask` is false; either may lack trailing axes."""
    mask = ops.cast(mask, metric.dtype)
    if weights is None:
        return mask
    weights = ops.cast(weights, metric.dtype)
    if len(weights.shape) > len(mask.shape):
        return weights * fit_weights(mask, weights, metric.name)
    return mask * fit_weights(weights, mask, metric.name)
