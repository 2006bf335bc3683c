"""Losses for scores with a margin: hinges."""

from mlapi import ops
from mlapi.losses.base import ElementwiseLoss, Loss, matched
from mlapi.types import DTypeLike, Tensor, TensorLike


def hinge_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`max(0, 1 - y_true y_pred)` element by element; targets of only 0 and 1 become ±1."""
    y_true, y_pred = matched(y_true, y_pred, "hinge")
    bits = ops.all(ops.logical_or(y_true == 0.0, y_true == 1.0))
    signs = ops.where(bits, y_true * 2.0 - 1.0, y_true)
    return ops.relu(1.0 - signs * y_pred)


def squared_hinge_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """The square of `hinge_error`."""
    return ops.square(hinge_error(y_true, y_pred))


def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `max(0, 1 - y_true y_pred)`.

    Targets are -1 or 1; where all are 0 or 1, 0 counts as -1.
    """
    return ops.mean(hinge_error(y_true, y_pred), axis=-1)


def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Mean over the last axis of `max(0, 1 - y_true y_pred)²`; targets as for `hinge`."""
    return ops.mean(squared_hinge_error(y_true, y_pred), axis=-1)


def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`max(0, 1 + highest score of a wrong class - score of the right one)`, one-hot targets."""
    y_true, y_pred = matched(y_true, y_pred, "categorical_hinge")
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.relu(wrong - right + 1.0)


class Hinge(ElementwiseLoss):
    """Mean of `max(0, 1 - y_true y_pred)` with targets ±1 (or 0 and 1).

    Arguments as for `MeanSquaredError`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return hinge_error(y_true, y_pred)


class SquaredHinge(ElementwiseLoss):
    """Mean of `max(0, 1 - y_true y_pred)²`. Arguments as for `MeanSquaredError`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the error of every element."""
        return squared_hinge_error(y_true, y_pred)


class CategoricalHinge(Loss):
    """Hinge of the right class's score against the best wrong one's, with one-hot targets.

    Arguments as for `MeanSquaredError`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the loss of every sample."""
        return categorical_hinge(y_true, y_pred)
