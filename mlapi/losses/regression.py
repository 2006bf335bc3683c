"""Losses for targets on a continuous scale."""

import math

from mlapi import config, ops, validation
from mlapi.losses.base import ElementwiseLoss, Loss, matched
from mlapi.op import op
from mlapi.types import DTypeLike, Tensor, TensorLike

# The functions of errors element by element: losses and metrics average them in their own ways.


def squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`(y_pred - y_true)²`."""
    y_true, y_pred = matched(y_true, y_pred, "mean_squared_error")
    return ops.square(y_pred - y_true)


def absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`|y_pred - y_true|`."""
    y_true, y_pred = matched(y_true, y_pred, "mean_absolute_error")
    return ops.abs(y_pred - y_true)


def percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`100 |y_pred - y_true| / |y_true|`."""
    y_true, y_pred = matched(y_true, y_pred, "mean_absolute_percentage_error")
    scale = ops.maximum(ops.abs(y_true), config.epsilon())
    return ops.abs((y_pred - y_true) / scale) * 100.0


def squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`(log(1 + y_pred) - log(1 + y_true))²`; negative numbers count as 0."""
    y_true, y_pred = matched(y_true, y_pred, "mean_squared_logarithmic_error")
    epsilon = config.epsilon()
    log_true = ops.log1p(ops.maximum(y_true, epsilon))
    log_pred = ops.log1p(ops.maximum(y_pred, epsilon))
    return ops.square(log_pred - log_true)


def huber_error(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """`e²/2` for errors up to `delta`, `delta |e| - delta²/2` beyond."""
    y_true, y_pred = matched(y_true, y_pred, "huber")
    return huber_distance(y_true, y_pred, delta)


@op(dtype=None)
def huber_distance(y_true: TensorLike, y_pred: TensorLike, delta: float) -> Tensor:
    """`huber_error` of tensors of the same shape and dtype."""
    error = ops.abs(ops.subtract(y_pred, y_true))
    beyond = ops.relu(error - delta)
    return ops.square(error - beyond) * 0.5 + beyond * delta


def log_cosh_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`log(cosh(y_pred - y_true))`, in a form that does not overflow."""
    y_true, y_pred = matched(y_true, y_pred, "log_cosh")
    error = y_pred - y_true
    return error + ops.softplus(-2.0 * error) - math.log(2.0)


def poisson_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`y_pred - y_true log(y_pred)`."""
    y_true, y_pred = matched(y_true, y_pred, "poisson")
    return y_pred - y_true * ops.log(y_pred + config.epsilon())


def similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Cosine of the angle between vectors along `axis`; 0 where one has no length."""
    y_true, y_pred = matched(y_true, y_pred, "cosine_similarity")
    return ops.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(x: Tensor, axis: int) -> Tensor:
    length = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(length, config.epsilon() ** 2))


def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `(y_pred - y_true)²`.

    Args:
        y_true: targets, shape `(batch, d0, …, dN)`.
        y_pred: predictions, same shape.

    Returns:
        Shape `(batch, d0, …, dN-1)`.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.

    Example:
        >>> from mlapi import losses
        >>> [float(x) for x in losses.mean_squared_error([[0.0, 2.0]], [[1.0, 0.0]])]
        [2.5]
    """
    return ops.mean(squared_error(y_true, y_pred), axis=-1)


def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `|y_pred - y_true|`; shapes as for `mean_squared_error`."""
    return ops.mean(absolute_error(y_true, y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `100 |y_pred - y_true| / |y_true|`.

    Targets nearer to 0 than `config.epsilon()` are taken for that. Shapes are as for
    `mean_squared_error`.
    """
    return ops.mean(percentage_error(y_true, y_pred), axis=-1)


def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `(log(1 + y_pred) - log(1 + y_true))²`.

    Negative numbers count as 0. Shapes are as for `mean_squared_error`.
    """
    return ops.mean(squared_logarithmic_error(y_true, y_pred), axis=-1)


def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """Mean over the last axis of the Huber error; shapes as for `mean_squared_error`."""
    return ops.mean(huber_error(y_true, y_pred, delta), axis=-1)


def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `log(cosh(y_pred - y_true))`, as for `mean_squared_error`."""
    return ops.mean(log_cosh_error(y_true, y_pred), axis=-1)


def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `y_pred - y_true log(y_pred)`, as for `mean_squared_error`."""
    return ops.mean(poisson_error(y_true, y_pred), axis=-1)


def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between vectors along `axis`: -1 where they point alike."""
    return -similarity(y_true, y_pred, axis)


class MeanSquaredError(ElementwiseLoss):
    """Mean squared error, `mean((y_pred - y_true)²)`.

    Args:
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.

    Example:
        >>> from mlapi import losses
        >>> float(losses.MeanSquaredError()([[0.0], [2.0]], [[1.0], [0.0]]))
        2.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return squared_error(y_true, y_pred)


class MeanAbsoluteError(ElementwiseLoss):
    """Mean absolute error, `mean(|y_pred - y_true|)`. Arguments as for `MeanSquaredError`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(ElementwiseLoss):
    """Mean error in percent of the target. Arguments as for `MeanSquaredError`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(ElementwiseLoss):
    """Mean of `(log(1 + y_pred) - log(1 + y_true))²`. Arguments as for `MeanSquaredError`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return squared_logarithmic_error(y_true, y_pred)


class Huber(ElementwiseLoss):
    """Squared error for small errors, absolute error for large ones.

    `e²/2` where `|e| ≤ delta`, else `delta |e| - delta²/2` (Huber, "Robust Estimation of a
    Location Parameter", 1964).

    Args:
        delta: the error at which the one becomes the other.
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = validation.positive(self, "delta", delta)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the Huber error of every element."""
        return huber_error(y_true, y_pred, self.delta)


class LogCosh(ElementwiseLoss):
    """Mean of `log(cosh(y_pred - y_true))`: smooth, and linear for large errors.

    Arguments as for `MeanSquaredError`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return log_cosh_error(y_true, y_pred)


class Poisson(ElementwiseLoss):
    """Mean of `y_pred - y_true log(y_pred)`, for counts. Arguments as for `MeanSquaredError`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return poisson_error(y_true, y_pred)


class CosineSimilarity(Loss):
    """Minus the cosine of the angle between target and prediction: from -1 (alike) to 1.

    Args:
        axis: along which the vectors lie.
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = validation.integer_axis(self, "axis", axis)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns minus the cosine for every sample."""
        return cosine_similarity(y_true, y_pred, self.axis)
