"""Weights of classes, as weights of rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlapi.data.leaves import to_array
from mlapi.errors import ArgumentError, DataError


class ClassWeights:
    """Multiplies into the sample weights of a batch those of its rows' classes.

    Args:
        weights: class → weight; classes that are not in it weigh 1.

    Raises:
        ArgumentError: a class is not a whole number of 0 or more.
    """

    def __init__(self, weights: Mapping[int, float]) -> None:
        if not isinstance(weights, Mapping) or not all(_is_class(k) for k in weights):
            raise ArgumentError(
                "class_weight must be a dict of class number → weight, such as {0: 1.0, 1: 5.0}; "
                f"received {weights!r}."
            )
        # One entry more than there are classes: that of all others.
        self._table = np.ones(max(map(int, weights)) + 2, np.float32)
        for label, weight in weights.items():
            self._table[int(label)] = weight

    def __call__(self, batch: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        x, y, weight = batch
        return x, y, self.of(y, weight)

    def of(self, y: Any, sample_weight: Any) -> np.ndarray:
        """One weight a row: that of its class, times the sample weight."""
        if y is None or isinstance(y, (dict, list, tuple)):
            raise DataError(
                "class_weight needs a single target array y, but the data have "
                f"{'none' if y is None else f'a {type(y).__name__} of them'}. "
                "Pass sample_weight, for each output."
            )
        y = to_array(y, "y")
        if y.ndim > 1:
            y = y.argmax(-1) if y.shape[-1] > 1 else y[..., 0]
        labels = y.astype(np.int64)
        others = len(self._table) - 1
        found = self._table[np.where((labels >= 0) & (labels < others), labels, others)]
        if sample_weight is None:
            return found
        given = to_array(sample_weight, "sample_weight")
        rank = max(found.ndim, given.ndim)
        return _to_rank(found, rank) * _to_rank(given, rank)


def _is_class(label: Any) -> bool:
    whole = isinstance(label, (int, float, np.number)) and not isinstance(label, bool)
    return whole and bool(label >= 0 and label == int(label))


def _to_rank(array: np.ndarray, rank: int) -> np.ndarray:
    return array.reshape(array.shape + (1,) * (rank - array.ndim))
