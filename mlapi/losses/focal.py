"""Cross-entropies that give hard samples more weight (focal), or less (generalized)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import config, ops, validation
from mlapi.backends import adapter
from mlapi.losses.base import ElementwiseLoss, Loss, dtype_name, float_tensor, matched
from mlapi.losses.classification import (
    check_labels,
    class_numbers,
    class_scores,
    smoothed_bits,
    smoothed_classes,
)
from mlapi.types import DTypeLike, Tensor, TensorLike

_native_types = adapter.core.native_types

# A positive number next to 0 in a dtype, for roots and their slopes.
_TINY = {"float16": 2.0**-24}


def _numbers(value: Any) -> float | list[float]:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.ndim > 1:
        raise TypeError
    if not (array.size and np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError
    return array.tolist()


def _strictly_between(q: Any) -> float:
    q = validation.number.convert(q)
    if not 0 < q < 1:
        raise ValueError
    return q


_class_weights = validation.Check(
    "a number of at least 0, or a list of one for each class", _numbers, -1.0
)
_between = validation.Check("a number between 0 and 1, neither included", _strictly_between, 1.0)


def binary_focal_error(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Binary focal cross-entropy element by element."""
    target, output = matched(y_true, y_pred, "binary_focal_crossentropy")
    target = smoothed_bits(target, label_smoothing)
    error = ops.binary_crossentropy(target, output, from_logits=from_logits)
    if gamma:
        if from_logits:
            zero, one = ops.sigmoid(output), ops.sigmoid(-output)
        else:
            zero, one = output, 1.0 - output
        error = error * _power(target * one + (1.0 - target) * zero, gamma)
    if apply_class_balancing:
        error = error * (target * (2.0 * alpha - 1.0) + (1.0 - alpha))
    return error


def _power(wrong: Tensor, gamma: float) -> Tensor:
    """`wrong ** gamma`, whose slope at 0 is finite."""
    if gamma < 1:
        wrong = ops.maximum(wrong, max(config.epsilon() ** 2, _TINY.get(dtype_name(wrong), 0.0)))
    return wrong**gamma


def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Mean over `axis` of the binary cross-entropy times `(1 - p)^gamma`.

    `p` is the probability given to the right one of the two classes, so what is already sure
    counts little (Lin et al., "Focal loss for dense object detection", 2018).

    Args:
        y_true: targets from 0 to 1, shape `(batch, d0, …, dN)`.
        y_pred: probabilities, or logits, same shape.
        apply_class_balancing: whether class 1 is weighted by `alpha`, class 0 by `1 - alpha`.
        alpha: see there.
        gamma: the higher, the less easy samples count; 0 is plain cross-entropy.
        from_logits: whether `y_pred` has not been through a sigmoid yet.
        label_smoothing: from 0 to 1: how far targets are drawn towards 0.5.
        axis: over which the mean is taken.

    Returns:
        The shape of `y_pred` without `axis`.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.binary_focal_crossentropy([[1.0, 1.0]], [[0.5, 0.5]])
        >>> [round(float(x), 4) for x in loss]
        [0.1733]
    """
    error = binary_focal_error(
        y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits, label_smoothing
    )
    return ops.mean(error, axis=axis)


def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Sum over the classes of `-alpha (1 - p)^gamma y_true log(p)`.

    Well-classified samples count little (Lin et al., "Focal loss for dense object detection",
    2018).

    Args:
        y_true: one-hot targets, or probabilities, shape `(batch, …, classes)`.
        y_pred: probabilities `p` (they are normalised to sum 1), or logits, same shape.
        alpha: weight of all classes, or a list with that of each.
        gamma: the higher, the less easy samples count; 0 is plain cross-entropy.
        from_logits: whether `y_pred` has not been through a softmax yet.
        label_smoothing: from 0 to 1: the share of the target spread evenly over all classes.
        axis: of the classes.

    Returns:
        The shape of `y_pred` without `axis`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]], alpha=1.0)
        >>> [round(float(x), 4) for x in loss]
        [0.1733]
    """
    target, output = matched(y_true, y_pred, "categorical_focal_crossentropy")
    target = smoothed_classes(target, label_smoothing, axis)
    if from_logits:
        log_p = ops.log_softmax(output, axis=axis)
        wrong = -ops.expm1(log_p) if gamma else None
    else:
        epsilon = config.epsilon()
        p = output / ops.sum(output, axis=axis, keepdims=True)
        p = ops.clip(p, epsilon, 1.0 - epsilon)
        log_p = ops.log(p)
        wrong = 1.0 - p
    error = target * log_p
    if gamma and wrong is not None:
        error = error * _power(wrong, gamma)
    if isinstance(alpha, int | float):
        return ops.sum(error, axis=axis) * -alpha
    weights: Any = alpha
    if type(weights) not in _native_types:
        weights = ops.cast(np.asarray(weights, float), dtype_name(error))
    after = (len(output.shape) - axis - 1) % len(output.shape)
    if after:
        weights = ops.reshape(weights, (-1, *[1] * after))
    return -ops.sum(error * weights, axis=axis)


def categorical_generalized_cross_entropy(
    y_true: TensorLike, y_pred: TensorLike, q: float
) -> Tensor:
    """`(1 - p^q) / q`, where `p` is the probability given to the right class.

    Between cross-entropy (`q` towards 0) and absolute error (`q` towards 1), so that wrong labels
    pull less (Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks
    with noisy labels", 2018).

    Args:
        y_true: class numbers, shape of `y_pred` without the last axis, or with size 1 there.
        y_pred: probabilities, shape `(batch, …, classes)`.
        q: between 0 and 1.

    Returns:
        The shape of `y_pred` without its last axis.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)
        >>> [float(x) for x in loss]
        [1.0]
    """
    output = float_tensor(y_pred)
    numbers = class_numbers(y_true, output, -1, "categorical_generalized_cross_entropy")
    p = class_scores(output, numbers)
    power = ops.maximum(p, _TINY.get(dtype_name(p), 1e-30)) ** q
    return (1.0 - ops.where(p > 0.0, power, 0.0)) / q


class BinaryFocalCrossentropy(ElementwiseLoss):
    """Binary cross-entropy in which samples that are already right count little.

    Every element's cross-entropy is multiplied by `(1 - p)^gamma`, `p` being the probability given
    to the right one of the two classes (Lin et al., "Focal loss for dense object detection", 2018).

    Args:
        apply_class_balancing: whether class 1 is weighted by `alpha`, class 0 by `1 - alpha`.
        alpha: see there, from 0 to 1.
        gamma: the higher, the less easy samples count; 0 is plain cross-entropy.
        from_logits: whether predictions have not been through a sigmoid yet.
        label_smoothing: from 0 to 1: how far targets are drawn towards 0.5.
        axis: over which the mean of a sample is taken.
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.BinaryFocalCrossentropy(gamma=2.0)
        >>> round(float(loss([[1.0], [0.0]], [[0.5], [0.5]])), 4)
        0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = validation.boolean(
            self, "apply_class_balancing", apply_class_balancing
        )
        self.alpha = validation.fraction(self, "alpha", alpha)
        self.gamma = validation.non_negative(self, "gamma", gamma)
        self.from_logits = validation.boolean(self, "from_logits", from_logits)
        self.label_smoothing = validation.fraction(self, "label_smoothing", label_smoothing)
        self.axis = validation.integer_axis(self, "axis", axis)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the focal cross-entropy of every element."""
        return binary_focal_error(
            y_true,
            y_pred,
            self.apply_class_balancing,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
        )


class CategoricalFocalCrossentropy(Loss):
    """Cross-entropy with one-hot targets in which samples that are already right count little.

    `-Σ alpha (1 - p)^gamma y_true log(p)` over the classes (Lin et al., "Focal loss for dense
    object detection", 2018).

    Args:
        alpha: weight of all classes, or a list with that of each.
        gamma: the higher, the less easy samples count; 0 is plain cross-entropy.
        from_logits: whether predictions have not been through a softmax yet.
        label_smoothing: from 0 to 1: the share of the target spread evenly over all classes.
        axis: of the classes.
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.CategoricalFocalCrossentropy(alpha=1.0)
        >>> round(float(loss([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.1733
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha = _class_weights(self, "alpha", alpha)
        self._weights: Any = self.alpha
        if isinstance(self.alpha, list):
            self._weights = adapter.core.convert(np.asarray(self.alpha, self.dtype))
        self.gamma = validation.non_negative(self, "gamma", gamma)
        self.from_logits = validation.boolean(self, "from_logits", from_logits)
        self.label_smoothing = validation.fraction(self, "label_smoothing", label_smoothing)
        self.axis = validation.integer_axis(self, "axis", axis)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the focal cross-entropy of every sample."""
        return categorical_focal_crossentropy(
            y_true,
            y_pred,
            self._weights,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )


class CategoricalGeneralizedCrossEntropy(Loss):
    """A cross-entropy that wrong labels harm less, with class numbers as targets.

    `(1 - p^q) / q`, where `p` is the probability given to the right class (Zhang and Sabuncu,
    "Generalized cross entropy loss for training deep neural networks with noisy labels", 2018).

    Args:
        q: between 0 (then like cross-entropy) and 1 (then like absolute error).
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.

    Raises:
        ArgumentError: `q` is not between 0 and 1.

    Example:
        >>> from mlapi import losses
        >>> float(losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
        1.0
    """

    integer_targets = True

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.q = _between(self, "q", q)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the loss of every sample."""
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Sequence[int | None]) -> None:
        """Checks that the class numbers are within range."""
        check_labels(y_true, y_pred_shape[-1])
