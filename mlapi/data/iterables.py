"""Batches from whatever yields them, and the choice between the kinds of data."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from mlapi import tree
from mlapi.data.arrays import ArrayData, to_array
from mlapi.data.batches import unpack
from mlapi.errors import DataError


class IterableData:
    """Batches that an iterable yields: `x`, `(x, y)` or `(x, y, sample_weight)`.

    Args:
        source: a generator, or an object that can be iterated anew for every epoch. One with
            `__getitem__` and `__len__` alone is read by index.
        class_weight: class → weight, multiplied into the sample weights.
    """

    def __init__(self, source: Any, class_weight: Mapping[int, float] | None = None) -> None:
        self._source = source
        self._class_weight = class_weight
        # A generator cannot start again: epochs go on where the last one stopped.
        self._running = source if isinstance(source, Iterator) else None
        self.batch_size = None

    @property
    def steps(self) -> int | None:
        try:
            return len(self._source)
        except TypeError:
            return None

    def __iter__(self) -> Iterator[Any]:
        return self.batches()

    def batches(self, start: int = 0) -> Iterator[Any]:
        """The batches of one epoch; those before number `start` are taken and dropped."""
        return islice(self._all(), start, None)

    def _all(self) -> Iterator[Any]:
        if self._running is not None:
            batches: Iterable = self._running
        elif hasattr(self._source, "__iter__"):
            batches = self._source
        else:
            batches = (self._source[i] for i in range(len(self._source)))
        for batch in batches:
            x, y, weight = tree.map_structure(_leaf, unpack(batch))
            if self._class_weight:
                weight = class_weights(self._class_weight, y, weight)
            yield x, y, weight
        if hasattr(self._source, "on_epoch_end"):
            self._source.on_epoch_end()


def _leaf(x: Any) -> Any:
    return None if x is None else to_array(x, "a batch")


def adapt(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool = False,
    class_weight: Mapping[int, float] | None = None,
) -> ArrayData | IterableData:
    """Batches of what a user passes to `fit`, `evaluate` or `predict`."""
    if x is None:
        raise DataError("x is None: pass arrays, or an iterable that yields (x, y).")
    if _yields_batches(x):
        if y is not None or sample_weight is not None:
            raise DataError(
                f"x is a {type(x).__name__}, which yields whole batches: y and sample_weight must "
                "come out of it, not beside it."
            )
        return IterableData(x, class_weight)
    if class_weight:
        y = to_array(y, "y")
        sample_weight = class_weights(class_weight, y, to_array(sample_weight, "sample_weight"))
    size = 32 if batch_size is None else batch_size
    return ArrayData(x, y, sample_weight, size, bool(shuffle))


def _yields_batches(x: Any) -> bool:
    if x is None or isinstance(x, (np.ndarray, list, tuple, dict)) or hasattr(x, "shape"):
        return False
    return hasattr(x, "__iter__") or hasattr(x, "__next__") or hasattr(x, "__getitem__")


def class_weights(
    weights: Mapping[int, float], y: Any, sample_weight: np.ndarray | None
) -> np.ndarray:
    """One weight a row: that of its class, times the sample weight."""
    if not isinstance(y, np.ndarray):
        raise DataError("class_weight needs a single target array y.")
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y), -1)[:, 0]
    labels = labels.astype(np.int64)
    highest = max(int(labels.max(initial=0)), *(int(k) for k in weights))
    table = np.ones(highest + 1, np.float32)
    for label, weight in weights.items():
        table[int(label)] = weight
    found = table[labels]
    if sample_weight is None:
        return found
    return found.reshape(found.shape + (1,) * (sample_weight.ndim - found.ndim)) * sample_weight
