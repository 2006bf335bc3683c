"""Cross-entropies, divergences and hinges, averaged over everything seen."""

from typing import Any

from mlapi import validation
from mlapi.losses.base import float_tensor
from mlapi.losses.classification import (
    binary_error,
    categorical_crossentropy,
    kl_divergence,
    not_ignored,
    sparse_categorical_crossentropy,
)
from mlapi.losses.hinge import categorical_hinge, hinge_error, squared_hinge_error
from mlapi.losses.regression import poisson_error
from mlapi.metrics.reduction import MeanMetricWrapper, masked_weights
from mlapi.types import DTypeLike, TensorLike

_optional_integer = validation.optional(validation.integer_axis)


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean binary cross-entropy, for targets that are each 0 or 1.

    Args:
        name: for logs.
        dtype: float type of the state.
        from_logits: whether predictions have not been through a sigmoid yet.
        label_smoothing: from 0 to 1: how far targets are drawn towards 0.5.

    Example:
        >>> from mlapi import metrics
        >>> round(float(metrics.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])), 4)
        0.6931
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: DTypeLike | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        from_logits = validation.boolean(self, "from_logits", from_logits)
        label_smoothing = validation.fraction(self, "label_smoothing", label_smoothing)
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(binary_error, name, dtype, **options)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross-entropy, with one-hot targets.

    Args:
        name: for logs.
        dtype: float type of the state.
        from_logits: whether predictions have not been through a softmax yet.
        label_smoothing: from 0 to 1: the share of the target spread evenly over all classes.
        axis: of the classes.
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: DTypeLike | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        from_logits = validation.boolean(self, "from_logits", from_logits)
        label_smoothing = validation.fraction(self, "label_smoothing", label_smoothing)
        axis = validation.integer_axis(self, "axis", axis)
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, name, dtype, **options)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean cross-entropy, with class numbers as targets.

    Args:
        name: for logs.
        dtype: float type of the state.
        from_logits: whether predictions have not been through a softmax yet.
        ignore_class: a class number whose samples do not count.
        axis: of the classes.
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypeLike | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        from_logits = validation.boolean(self, "from_logits", from_logits)
        ignore_class = _optional_integer(self, "ignore_class", ignore_class)
        axis = validation.integer_axis(self, "axis", axis)
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, name, dtype, **options)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch; samples of the ignored class get weight 0."""
        if self.ignore_class is not None:
            valid = not_ignored(y_true, float_tensor(y_pred), self)
            sample_weight = masked_weights(sample_weight, valid, self)
        super().update_state(y_true, y_pred, sample_weight)


class KLDivergence(MeanMetricWrapper):
    """Mean Kullback-Leibler divergence `Σ y_true log(y_true / y_pred)`.

    Args:
        name: for logs.
        dtype: float type of the state.
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: DTypeLike | None = None) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """Mean of `y_pred - y_true log(y_pred)`. Arguments as for `KLDivergence`."""

    def __init__(self, name: str | None = "poisson", dtype: DTypeLike | None = None) -> None:
        super().__init__(poisson_error, name, dtype)


class Hinge(MeanMetricWrapper):
    """Mean of `max(0, 1 - y_true y_pred)` with targets ±1. Arguments as for `KLDivergence`."""

    def __init__(self, name: str | None = "hinge", dtype: DTypeLike | None = None) -> None:
        super().__init__(hinge_error, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of `max(0, 1 - y_true y_pred)²` with targets ±1. Arguments as for `KLDivergence`."""

    def __init__(self, name: str | None = "squared_hinge", dtype: DTypeLike | None = None) -> None:
        super().__init__(squared_hinge_error, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean hinge of the right class's score against the best wrong one's, one-hot targets.

    Arguments as for `KLDivergence`.
    """

    def __init__(
        self, name: str | None = "categorical_hinge", dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(categorical_hinge, name, dtype)
