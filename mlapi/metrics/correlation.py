"""How far predictions and targets go up and down together."""

from mlapi import config, ops, validation
from mlapi.losses.base import matched
from mlapi.metrics.reduction import MeanMetricWrapper
from mlapi.types import Axis, DTypeLike, Tensor, TensorLike


def _moments(
    y_true: TensorLike, y_pred: TensorLike, axis: Axis, where: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Both variances, the covariance, and the squared distance of the means."""
    target, output = matched(y_true, y_pred, where)
    axis = tuple(axis) if isinstance(axis, list) else axis
    target_mean = ops.mean(target, axis=axis, keepdims=True)
    output_mean = ops.mean(output, axis=axis, keepdims=True)
    target, output = target - target_mean, output - output_mean
    return (
        ops.mean(ops.square(target), axis=axis),
        ops.mean(ops.square(output), axis=axis),
        ops.mean(target * output, axis=axis),
        ops.mean(ops.square(target_mean - output_mean), axis=axis),
    )


def pearson_correlation(y_true: TensorLike, y_pred: TensorLike, axis: Axis = -1) -> Tensor:
    """Pearson's correlation of targets and predictions along `axis`: covariance over deviations.

    Args:
        y_true: targets, any shape.
        y_pred: predictions, same shape.
        axis: one or several, whose values are correlated.

    Returns:
        The shape of `y_pred` without `axis`, from -1 to 1; not a number where either is constant.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.

    Example:
        >>> from mlapi import metrics
        >>> correlations = metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[0.0, 1.0, 5.0]])
        >>> [round(float(x), 4) for x in correlations]
        [0.9449]
    """
    target, output, common, _ = _moments(y_true, y_pred, axis, "pearson_correlation")
    return common / (ops.sqrt(target) * ops.sqrt(output))


def concordance_correlation(y_true: TensorLike, y_pred: TensorLike, axis: Axis = -1) -> Tensor:
    """Lin's concordance correlation: 1 only where predictions equal targets.

    `2 cov / (var_true + var_pred + (mean_true - mean_pred)²)` along `axis` (Lin, "A concordance
    correlation coefficient to evaluate reproducibility", 1989).

    Args:
        y_true: targets, any shape.
        y_pred: predictions, same shape.
        axis: one or several, whose values are compared.

    Returns:
        The shape of `y_pred` without `axis`, from -1 to 1.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.

    Example:
        >>> from mlapi import metrics
        >>> correlations = metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])
        >>> [round(float(x), 4) for x in correlations]
        [0.5714]
    """
    target, output, common, apart = _moments(y_true, y_pred, axis, "concordance_correlation")
    return common * 2.0 / (target + output + apart + config.epsilon())


class PearsonCorrelation(MeanMetricWrapper):
    """Mean of Pearson's correlation of targets and predictions.

    Each sample's values along `axis` have a correlation of their own; constant ones have none.

    Args:
        name: for logs.
        dtype: float type of the state.
        axis: one or several, whose values are correlated.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.PearsonCorrelation()
        >>> round(float(metric([[0.0, 1.0, 2.0]], [[0.0, 1.0, 5.0]])), 4)
        0.9449
    """

    def __init__(
        self,
        name: str | None = "pearson_correlation",
        dtype: DTypeLike | None = None,
        axis: Axis = -1,
    ) -> None:
        axis = validation.integer_axes(self, "axis", axis)
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean of Lin's concordance correlation of targets and predictions.

    Args:
        name: for logs.
        dtype: float type of the state.
        axis: one or several, whose values are compared.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.ConcordanceCorrelation()
        >>> round(float(metric([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]])), 4)
        0.9756
    """

    def __init__(
        self,
        name: str | None = "concordance_correlation",
        dtype: DTypeLike | None = None,
        axis: Axis = -1,
    ) -> None:
        axis = validation.integer_axes(self, "axis", axis)
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
