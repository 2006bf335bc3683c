"""Losses of overlap, for segmentation: one minus a share of what targets and predictions are."""

from collections.abc import Sequence
from typing import Any

from mlapi import config, ops, validation
from mlapi.losses.base import Loss, matched
from mlapi.types import Axis, DTypeLike, Tensor, TensorLike

_optional_axes = validation.optional(validation.integer_axes)


def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axis | None = None) -> Tensor:
    """`1 - 2 Σ y_true y_pred / (Σ y_true + Σ y_pred)` over `axis`.

    Args:
        y_true: masks of 0 and 1 (or between), any shape.
        y_pred: probabilities, same shape.
        axis: over which the sums are taken, by default over everything.

    Returns:
        The shape of `y_pred` without `axis`, a scalar by default.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.

    Example:
        >>> from mlapi import losses
        >>> round(float(losses.dice([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """
    target, output = matched(y_true, y_pred, "dice")
    common, targets, outputs = _sums(target, output, axis)
    return 1.0 - common * 2.0 / (targets + outputs + config.epsilon())


def tversky(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axis | None = None,
) -> Tensor:
    """`1 - tp / (tp + alpha fp + beta fn)` over `axis`.

    `tp = Σ y_true y_pred` are the true positives, `fp = Σ (1 - y_true) y_pred` the false ones, and
    `fn = Σ y_true (1 - y_pred)` the false negatives (Salehi et al., "Tversky loss function for
    image segmentation using 3D fully convolutional deep networks", 2017).

    Args:
        y_true: masks of 0 and 1 (or between), any shape.
        y_pred: probabilities, same shape.
        alpha: what false positives cost.
        beta: what false negatives cost.
        axis: over which the sums are taken, by default over everything.

    Returns:
        The shape of `y_pred` without `axis`, a scalar by default.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.

    Example:
        >>> from mlapi import losses
        >>> round(float(losses.tversky([[1.0, 0.0]], [[1.0, 1.0]], alpha=1.0, beta=0.0)), 4)
        0.5
    """
    target, output = matched(y_true, y_pred, "tversky")
    common, targets, outputs = _sums(target, output, axis)
    false = (outputs - common) * alpha + (targets - common) * beta
    return 1.0 - common / (common + false + config.epsilon())


def _sums(target: Tensor, output: Tensor, axis: Any) -> tuple[Tensor, Tensor, Tensor]:
    """What both have in common, and what each has."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    common = ops.sum(target * output, axis=axis)
    return common, ops.sum(target, axis=axis), ops.sum(output, axis=axis)


class Dice(Loss):
    """One minus the Dice coefficient of targets and predictions, for segmentation.

    `1 - 2 Σ y_true y_pred / (Σ y_true + Σ y_pred)` (Milletari et al., "V-Net: fully convolutional
    neural networks for volumetric medical image segmentation", 2016, without the squares).

    Args:
        reduction: as for `Loss`.
        name: for logs.
        axis: over which the sums are taken: with `axis=(1, 2, 3)` each image has a loss of its own,
            by default the batch has one together.
        dtype: as for `Loss`.

    Example:
        >>> from mlapi import losses
        >>> round(float(losses.Dice()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = _optional_axes(self, "axis", axis)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the loss, for every place that is left besides `axis`."""
        return dice(y_true, y_pred, self.axis)


class Tversky(Loss):
    """As `Dice`, with prices of their own for false positives and false negatives.

    `1 - tp / (tp + alpha fp + beta fn)` (Salehi et al., "Tversky loss function for image
    segmentation using 3D fully convolutional deep networks", 2017). With 0.5 for both it is the
    Dice loss.

    Args:
        alpha: what false positives cost.
        beta: what false negatives cost.
        reduction: as for `Loss`.
        name: for logs.
        axis: as for `Dice`.
        dtype: as for `Loss`.

    Raises:
        ArgumentError: `alpha` or `beta` is negative.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.Tversky(alpha=1.0, beta=0.0)
        >>> round(float(loss([[1.0, 0.0]], [[1.0, 1.0]])), 4)
        0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha = validation.non_negative(self, "alpha", alpha)
        self.beta = validation.non_negative(self, "beta", beta)
        self.axis = _optional_axes(self, "axis", axis)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the loss, for every place that is left besides `axis`."""
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)
