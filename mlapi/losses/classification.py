"""Losses for classes: cross-entropies and divergence."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import config, ops, validation
from mlapi.backends import adapter
from mlapi.errors import DataError, ShapeError
from mlapi.losses.base import (
    FLOATS,
    INTEGERS,
    ElementwiseLoss,
    Loss,
    differs,
    float_tensor,
    matched,
    same_shape,
)
from mlapi.losses.means import (
    mean_binary_crossentropy,
    mean_categorical_crossentropy,
    mean_sparse_categorical_crossentropy,
)
from mlapi.op import op
from mlapi.types import DTypeLike, Tensor, TensorLike

_native_types = adapter.core.native_types
_dtype_of = adapter.core.dtype_of
_optional_integer = validation.optional(validation.integer_axis)


def binary_error(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Binary cross-entropy element by element."""
    y_true, y_pred = _binary(y_true, y_pred, label_smoothing)
    return ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)


def _binary(y_true: Any, y_pred: Any, label_smoothing: float) -> tuple[Tensor, Tensor]:
    y_true, y_pred = matched(y_true, y_pred, "binary_crossentropy")
    return smoothed_bits(y_true, label_smoothing), y_pred


def smoothed_bits(y_true: Tensor, label_smoothing: float) -> Tensor:
    """Returns targets of 0 and 1, drawn towards 0.5."""
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing


def binary_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Mean over `axis` of `-y_true log(y_pred) - (1 - y_true) log(1 - y_pred)`.

    Args:
        y_true: targets from 0 to 1, shape `(batch, d0, …, dN)`.
        y_pred: probabilities, or logits, same shape.
        from_logits: whether `y_pred` has not been through a sigmoid yet.
        label_smoothing: from 0 to 1: how far targets are drawn towards 0.5.
        axis: over which the mean is taken.

    Returns:
        The shape of `y_pred` without `axis`.

    Raises:
        ShapeError: the shapes differ in more than a last axis of size 1.
    """
    return ops.mean(binary_error(y_true, y_pred, from_logits, label_smoothing), axis=axis)


def categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross-entropy `-Σ y_true log(y_pred)` over the classes, with targets as probabilities.

    Args:
        y_true: one-hot targets, or probabilities, shape `(batch, …, classes)`.
        y_pred: probabilities (they are normalised to sum 1), or logits, same shape.
        from_logits: whether `y_pred` has not been through a softmax yet.
        label_smoothing: from 0 to 1: the share of the target spread evenly over all classes.
        axis: of the classes.

    Returns:
        The shape of `y_pred` without `axis`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        >>> [round(float(x), 4) for x in loss]
        [0.6931]
    """
    y_true, y_pred = _categorical(y_true, y_pred, label_smoothing, axis)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def _categorical(
    y_true: Any, y_pred: Any, label_smoothing: float, axis: int
) -> tuple[Tensor, Tensor]:
    y_true, y_pred = matched(y_true, y_pred, "categorical_crossentropy")
    return smoothed_classes(y_true, label_smoothing, axis), y_pred


def smoothed_classes(y_true: Tensor, label_smoothing: float, axis: int) -> Tensor:
    """Returns one-hot targets with a share of them spread evenly over all classes."""
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[axis]


def sparse_categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """Cross-entropy `-log(y_pred[y_true])`, with targets as class numbers.

    Args:
        y_true: class numbers, shape of `y_pred` without `axis`, or with size 1 there.
        y_pred: probabilities (they are normalised to sum 1), or logits.
        from_logits: whether `y_pred` has not been through a softmax yet.
        ignore_class: a class number whose samples get loss 0.
        axis: of the classes.

    Returns:
        The shape of `y_pred` without `axis`.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        >>> [round(float(x), 4) for x in loss]
        [0.6931]
    """
    output: Any = y_pred
    if type(output) not in _native_types or _dtype_of(output) not in FLOATS:
        output = float_tensor(output)
    target = class_numbers(y_true, output, axis, "sparse_categorical_crossentropy")
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    valid = differs(target, ignore_class)
    target = ops.where(valid, target, 0)
    values = ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    return ops.where(valid, values, 0.0)


def class_numbers(y_true: Any, y_pred: Tensor, axis: int, where: str) -> Tensor:
    """Returns `y_true` as integers in the shape of `y_pred` without `axis`.

    Raises:
        ShapeError: it has another shape.
    """
    if type(y_true) in _native_types and _dtype_of(y_true) in INTEGERS:
        if axis == -1 and y_true.shape == y_pred.shape[:-1]:
            return y_true
    else:
        y_true = ops.cast(y_true, "int32")
    expected, received = list(y_pred.shape), tuple(y_true.shape)
    if len(received) == len(expected) and received[axis] == 1:
        y_true = ops.squeeze(y_true, axis)
    del expected[axis]
    if not same_shape(y_true.shape, expected):
        one_hot = received == tuple(y_pred.shape)
        raise ShapeError(
            f"{where}: y_true has shape {received} but y_pred {tuple(y_pred.shape)}. "
            f"Class numbers must have the shape {tuple(expected)}."
            + (" For one-hot targets use the loss or metric without 'sparse'." if one_hot else "")
        )
    return y_true


@op(dtype=None)
def class_scores(y_pred: TensorLike, numbers: TensorLike) -> Tensor:
    """The entry of `y_pred` along the last axis that each class number stands for."""
    return ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(numbers, -1), axis=-1), -1)


def check_labels(y: np.ndarray, num_classes: int | None, ignore_class: int | None = None) -> None:
    """Checks on the host that class numbers lie in `[0, num_classes)`.

    On an accelerator an index out of range reads as garbage or ends the process.

    Raises:
        DataError: some do not; the message says which, and how many classes there are.
    """
    if num_classes is None or y.size == 0 or y.dtype.kind not in "iuf":
        return
    low, high = y.min(), y.max()
    if low >= 0 and high < num_classes:
        return
    bad = ~((y >= 0) & (y < num_classes))
    if ignore_class is not None:
        bad &= y != ignore_class
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"The targets hold {y[first]!s} at index {first}, but the output has {num_classes} "
            f"classes, so class numbers must be 0 to {num_classes - 1}. "
            f"Found numbers from {low!s} to {high!s}. Give the last layer more units, or "
            "renumber the classes."
        )


def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Kullback-Leibler divergence `Σ y_true log(y_true / y_pred)` over the last axis.

    Both are clipped to `[config.epsilon(), 1]`. Shapes are as for `categorical_crossentropy`.
    """
    target, output = matched(y_true, y_pred, "kl_divergence")
    p = ops.clip(target, config.epsilon(), 1.0)
    q = ops.clip(output, config.epsilon(), 1.0)
    return ops.sum(p * ops.log(p / q), axis=-1)


class BinaryCrossentropy(ElementwiseLoss):
    """Binary cross-entropy, for targets that are each 0 or 1 (or between).

    Args:
        from_logits: whether predictions have not been through a sigmoid yet.
        label_smoothing: from 0 to 1: how far targets are drawn towards 0.5.
        axis: over which the mean of a sample is taken.
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.

    Example:
        >>> from mlapi import losses
        >>> round(float(losses.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])), 4)
        0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = validation.boolean(self, "from_logits", from_logits)
        self.label_smoothing = validation.fraction(self, "label_smoothing", label_smoothing)
        self.axis = validation.integer_axis(self, "axis", axis)

    def error(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the cross-entropy of every element."""
        return binary_error(y_true, y_pred, self.from_logits, self.label_smoothing)

    def _mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = _binary(y_true, y_pred, self.label_smoothing)
        return mean_binary_crossentropy(y_true, y_pred, self.from_logits)


class CategoricalCrossentropy(Loss):
    """Cross-entropy between one-hot targets (or probabilities) and predictions.

    Args:
        from_logits: whether predictions have not been through a softmax yet.
        label_smoothing: from 0 to 1: the share of the target spread evenly over all classes.
        axis: of the classes.
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.

    Example:
        >>> from mlapi import losses
        >>> round(float(losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = validation.boolean(self, "from_logits", from_logits)
        self.label_smoothing = validation.fraction(self, "label_smoothing", label_smoothing)
        self.axis = validation.integer_axis(self, "axis", axis)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the cross-entropy of every sample."""
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )

    def _mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = _categorical(y_true, y_pred, self.label_smoothing, self.axis)
        return mean_categorical_crossentropy(y_true, y_pred, self.from_logits, self.axis)


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy between targets as class numbers and predictions.

    Args:
        from_logits: whether predictions have not been through a softmax yet.
        ignore_class: a class number whose samples do not count: neither in the loss nor in what
            it is divided by.
        reduction: as for `Loss`.
        axis: of the classes.
        name: for logs.
        dtype: as for `Loss`.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> round(float(loss([0, 1], [[1.0, 1.0], [2.0, 2.0]])), 4)
        0.6931
    """

    integer_targets = True

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = validation.boolean(self, "from_logits", from_logits)
        self.ignore_class = _optional_integer(self, "ignore_class", ignore_class)
        self.axis = validation.integer_axis(self, "axis", axis)
        self.selective = ignore_class is not None

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the cross-entropy of every sample."""
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def _mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true = class_numbers(y_true, y_pred, self.axis, self.name)
        return mean_sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.axis, self.ignore_class
        )

    def valid(self, y_true: Any, y_pred: Any, values: Tensor) -> Tensor:
        """Returns which samples are not of the ignored class."""
        return not_ignored(y_true, y_pred, self)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Sequence[int | None]) -> None:
        """Checks that the class numbers are within range."""
        check_labels(y_true, y_pred_shape[self.axis], self.ignore_class)


def not_ignored(y_true: TensorLike, y_pred: Tensor, options: Any) -> Any:
    """Returns which samples are not of `options.ignore_class`."""
    numbers = class_numbers(y_true, y_pred, options.axis, options.name)
    return differs(numbers, options.ignore_class)


class KLDivergence(Loss):
    """Kullback-Leibler divergence `Σ y_true log(y_true / y_pred)` over the last axis.

    Args:
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the loss of every sample."""
        return kl_divergence(y_true, y_pred)
