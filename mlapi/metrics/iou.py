"""Intersection over union of predicted and true classes, from a confusion matrix."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import config, dtypes, ops, validation
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ShapeError
from mlapi.losses.base import differs, fit_weights
from mlapi.metrics.base import Metric
from mlapi.types import DTypeLike, Tensor, TensorLike

_optional_integer = validation.optional(validation.integer_axis)


def _class_ids(value: Any) -> list[int]:
    ids = [validation.as_integer(i, 0) for i in value]
    if not ids:
        raise ValueError
    return ids


_ids = validation.Check("a list of integers of at least 0", _class_ids, [-1])


class IoU(Metric):
    """Intersection over union of chosen classes: `tp / (tp + fp + fn)`, and the mean of them.

    Targets and predictions are counted in a confusion matrix, which adds up over batches. Classes
    that occur neither in targets nor in predictions are left out of the mean.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes that count.
        name: for logs.
        dtype: kept for configs. The matrix is counted in a float type, this one if it is one, so
            that weights are not rounded.
        ignore_class: a class number; what has it as its target does not count.
        sparse_y_true: whether targets are class numbers; else the place of the largest entry is.
        sparse_y_pred: whether predictions are class numbers; likewise.
        axis: of the classes, where targets or predictions have such an axis.

    Raises:
        ArgumentError: a class is out of range.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        self.num_classes = validation.positive_int(self, "num_classes", num_classes)
        self.target_class_ids = _ids(self, "target_class_ids", target_class_ids)
        if max(self.target_class_ids) >= num_classes:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": target_class_ids must be below '
                f"num_classes={num_classes}, received {target_class_ids!r}."
            )
        self.ignore_class = _optional_integer(self, "ignore_class", ignore_class)
        self.sparse_y_true = validation.boolean(self, "sparse_y_true", sparse_y_true)
        self.sparse_y_pred = validation.boolean(self, "sparse_y_pred", sparse_y_pred)
        self.axis = validation.integer_axis(self, "axis", axis)
        self._ids = None
        if self.target_class_ids != list(range(num_classes)):
            self._ids = adapter.core.convert(np.asarray(self.target_class_ids, "int32"))
        self._float = self.dtype if dtypes.is_float(self.dtype) else config.floatx()
        self.total_cm = self.add_variable(
            (num_classes, num_classes), dtype=self._float, name="total_confusion_matrix"
        )

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch; what is no class, in targets or predictions, does not count.

        Args:
            y_true: targets, as class numbers or with an axis of classes.
            y_pred: predictions, likewise.
            sample_weight: a weight per sample, or of the shape of the targets.

        Raises:
            ShapeError: the shapes do not fit.
        """
        target = self._numbers(y_true, self.sparse_y_true)
        output = self._numbers(y_pred, self.sparse_y_pred)
        self._check_sizes(target, output)
        weights = ops.ones_like(target, dtype=self._float)
        if sample_weight is not None:
            weights = weights * fit_weights(sample_weight, weights, self.name)
        target, output = ops.reshape(target, (-1,)), ops.reshape(output, (-1,))
        valid = None
        if self.sparse_y_true:
            valid = self._in_range(target)
        if self.sparse_y_pred:
            known = self._in_range(output)
            valid = known if valid is None else ops.logical_and(valid, known)
        if self.ignore_class is not None:
            kept = differs(target, self.ignore_class)
            valid = kept if valid is None else ops.logical_and(valid, kept)
        place = target * self.num_classes + output
        cells = self.num_classes**2
        if valid is not None:  # what does not count goes to a cell of its own
            place = ops.where(valid, place, cells)
        empty = ops.zeros((cells + 1,), self._float)
        weights = ops.reshape(weights, (-1,))
        counted = adapter.arrays.accumulate(empty, place, weights, "add", False)[:cells]
        self.total_cm.assign_add(ops.reshape(counted, self.total_cm.shape))

    def _numbers(self, values: Any, sparse: bool) -> Tensor:
        """Class numbers of targets or predictions."""
        if not sparse:
            values = ops.argmax(values, axis=self.axis)
        return ops.cast(values, "int32")

    def _in_range(self, numbers: Tensor) -> Any:
        return ops.equal(numbers, ops.clip(numbers, 0, self.num_classes - 1))

    def _check_sizes(self, target: Tensor, output: Tensor) -> None:
        shapes = tuple(target.shape), tuple(output.shape)
        known = shapes[0] != shapes[1] and None not in (*shapes[0], *shapes[1])
        if known and math.prod(shapes[0]) != math.prod(shapes[1]):
            raise ShapeError(
                f'{type(self).__name__} "{self.name}": class numbers of shape {shapes[0]} do not '
                f"fit predictions of shape {shapes[1]}. sparse_y_true and sparse_y_pred say "
                "whether they are class numbers or have an axis of classes."
            )

    def result(self) -> Tensor:
        """Returns the mean over the classes that count and occur, a scalar."""
        matrix = self.total_cm.value
        found = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - found
        if self._ids is not None:
            found, union = ops.take(found, self._ids), ops.take(union, self._ids)
        epsilon = config.epsilon()
        occurs = ops.cast(union > 1e-9, self._float)
        return ops.sum(found / (union + epsilon) * occurs) / (ops.sum(occurs) + epsilon)


class BinaryIoU(IoU):
    """Intersection over union of the classes 0 and 1, with predictions that a threshold divides.

    Args:
        target_class_ids: `(0,)`, `(1,)`, or both, whose mean is taken.
        threshold: at it and above a prediction is class 1.
        name: for logs.
        dtype: as for `IoU`.

    Raises:
        ArgumentError: a class is neither 0 nor 1.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
        >>> round(float(metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = validation.number(self, "threshold", threshold)

    def update_state(
        self, y_true: Any, y_pred: Any, sample_weight: TensorLike | None = None
    ) -> None:
        """Adds a batch of targets of 0 and 1, and of predictions; as for `IoU`."""
        hits = ops.cast(y_pred, self._float) >= self.threshold
        super().update_state(y_true, hits, sample_weight)


class MeanIoU(IoU):
    """Mean intersection over union of all classes. Arguments as for `IoU`.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.MeanIoU(num_classes=2)
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        count = validation.positive_int(self, "num_classes", num_classes)
        super().__init__(
            count, range(count), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )


class OneHotIoU(IoU):
    """As `IoU`, with one-hot targets, and predictions as scores unless `sparse_y_pred`.

    Arguments as for `IoU`.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 4)
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """As `MeanIoU`, with one-hot targets, and predictions as scores unless `sparse_y_pred`.

    Arguments as for `IoU`.

    Example:
        >>> from mlapi import metrics
        >>> metric = metrics.OneHotMeanIoU(num_classes=2)
        >>> round(float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 4)
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
