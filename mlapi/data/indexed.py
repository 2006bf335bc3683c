"""Batches that are made when they are asked for by number."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from mlapi import host_random
from mlapi.data.ahead import paced, read_ahead
from mlapi.data.iterables import ENDLESS, IterableData, call_hook
from mlapi.data.rows import Batch
from mlapi.data.workers import Workers
from mlapi.validation import non_negative_int, positive_int


class PyDataset:
    """Base class of data sets that make any batch when asked for it by number.

    A subclass has `__len__`, the number of batches, and `__getitem__(index)`, which returns the
    batch: `x`, `(x, y)` or `(x, y, sample_weight)`. It may have `on_epoch_begin` and
    `on_epoch_end`, called before and after every epoch. Only `fit`, `evaluate` and `predict` use
    workers; `fit(shuffle=True)` asks for the batches in a new order each epoch.

    Args:
        workers: how many threads, or processes, make batches at the same time; with one thread
            or none they are made where training runs.
        use_multiprocessing: whether they are processes. They are started fresh, never forked,
            and are sent the data set at the start of every epoch, so that it must be one
            that can be pickled, of a class that can be imported. The global generators of
            Python's `random`, of NumPy and of torch are seeded there for each batch.
        max_queue_size: how many batches are made ahead.

    Raises:
        ArgumentError: a number is negative, or `max_queue_size` is 0.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...
        ...     def __getitem__(self, index):
        ...         x = np.arange(4.0) + 4 * index
        ...         return x, x**2
        >>> Squares().num_batches
        3
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = non_negative_int(self, "workers", workers)
        self.use_multiprocessing = bool(use_multiprocessing)
        self.max_queue_size = positive_int(self, "max_queue_size", max_queue_size)

    def __getitem__(self, index: int) -> Any:
        """The batch of this number."""
        raise NotImplementedError(f"{type(self).__name__} must have a method __getitem__(index).")

    @property
    def num_batches(self) -> int | None:
        """How many batches an epoch has; None for data without end."""
        length = getattr(self, "__len__", None)
        return None if length is None else length()

    def on_epoch_begin(self) -> None:
        """Called before every epoch, in the main process."""

    def on_epoch_end(self) -> None:
        """Called after every epoch, in the main process."""

    def __iter__(self) -> Iterator[Any]:
        """The batches in order, made here and now."""
        number = self.num_batches
        return (self[index] for index in (count() if number is None else range(number)))


class IndexedData(IterableData):
    """Batches of a PyDataset, or of anything else with `__getitem__` and `__len__`.

    Args:
        source: the data set.
        shuffle: whether batches come in a new order each epoch, drawn on the host.
        class_weight, target: as in IterableData.
    """

    def __init__(
        self,
        source: Any,
        shuffle: bool = False,
        class_weight: Mapping[int, float] | None = None,
        target: str | None = None,
    ) -> None:
        super().__init__(source, class_weight, target)
        self.shuffle = shuffle
        self._workers: Workers | None = None

    @property
    def steps(self) -> int | None:
        if not hasattr(self._source, "num_batches"):
            return super().steps
        number = self._source.num_batches
        return None if number is None or number >= ENDLESS else number

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """One epoch from batch number `start` on; earlier batches are not made."""
        call_hook(self._source, "on_epoch_begin")
        number = self.steps
        if number is None:
            order: Iterable[int] = count(start)
        elif self.shuffle:
            order = host_random.generator().permutation(number).tolist()[start:]
        else:
            order = range(start, number)
        return self._finished(self._made(order))

    def _made(self, order: Iterable[int]) -> Iterator[Any]:
        source = self._source
        workers = getattr(source, "workers", 1)
        depth = getattr(source, "max_queue_size", 10)
        if getattr(source, "use_multiprocessing", False):
            if self._workers is None or self._workers.closed:
                self._workers = Workers(max(workers, 1))
            return read_ahead(self._workers.epoch(source, order, depth), depth)
        if workers > 1:
            return _in_threads(source, order, workers, depth)
        return paced(map(source.__getitem__, order), depth)


def _in_threads(
    source: Sequence[Any], order: Iterable[int], workers: int, depth: int
) -> Iterator[Any]:
    """The batches in order, of which up to `depth` are made or being made."""
    pool = ThreadPoolExecutor(workers, "mlapi data")
    waiting: deque = deque()
    indices = iter(order)
    try:
        for index in indices:
            waiting.append(pool.submit(source.__getitem__, index))
            if len(waiting) >= max(depth, workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
