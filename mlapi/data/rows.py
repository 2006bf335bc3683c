"""Batches of rows that can be asked for by number, in order or in a new order each epoch."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from mlapi import host_random
from mlapi.data.ahead import paced
from mlapi.data.batches import as_batch
from mlapi.data.weights import ClassWeights
from mlapi.errors import ArgumentError, DataError

Batch = tuple[Any, Any, Any]
Rows = slice | np.ndarray

_MANY_ROWS = 2**20  # whose order is kept in 32 bits a row


class RowData:
    """What data of a known number of rows have in common.

    Args:
        length: number of rows.
        batch_size: rows a batch; the last batch may be smaller.
        shuffle: False; True for a new order each epoch, drawn on the host, the same on every
            backend; `"batch"` for a new order of batches whose rows stay together, for data
            that are slow to read in any other way.
        class_weight: class → weight, multiplied into the sample weights.

    Raises:
        ArgumentError: an argument has a value that makes no sense.
        DataError: there are no rows.
    """

    def __init__(
        self,
        length: int,
        batch_size: int = 32,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)):
            raise ArgumentError(f"batch_size must be an int of 1 or more, received {batch_size!r}.")
        if batch_size < 1:
            raise ArgumentError(f"batch_size must be an int of 1 or more, received {batch_size!r}.")
        if isinstance(shuffle, str) and shuffle != "batch":
            raise ArgumentError(f'shuffle must be True, False or "batch", received {shuffle!r}.')
        self.length = length
        self.batch_size = int(batch_size)
        self.shuffle = shuffle if isinstance(shuffle, str) else bool(shuffle)
        self._weigh = ClassWeights(class_weight) if class_weight else None

    @property
    def steps(self) -> int:
        """Number of batches in an epoch."""
        return -(-self.length // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """The batches of one epoch, each `(x, y, sample_weight)`."""
        return self.batches()

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """One epoch from batch number `start` on; earlier rows are not read.

        The order is drawn now: it follows from the state of the host's generator alone.
        """
        if self.shuffle == "batch":
            produced = self._blocks(start)
        elif self.shuffle:
            produced = self._shuffled(start)
        else:
            produced = self._in_order(start)
        return produced if self._weigh is None else map(self._weigh, produced)

    def split(self, fraction: float) -> "tuple[RowData, RowData]":
        """The first rows, and the last `fraction` of them, which are not shuffled."""
        if not 0 < fraction < 1:
            raise ArgumentError(f"validation_split must be between 0 and 1, received {fraction!r}.")
        cut = int(self.length * (1 - fraction))
        if cut in (0, self.length):
            raise DataError(
                f"validation_split={fraction} of {self.length} rows leaves "
                f"{cut} to train on and {self.length - cut} to validate on; "
                "both must be at least 1."
            )
        last = self._part(cut, self.length)
        last.shuffle = False
        last._weigh = None
        return self._part(0, cut), last

    def _part(self, first: int, end: int) -> "RowData":
        raise NotImplementedError

    def _reader(self, shuffled: bool) -> Callable[[Any], Batch]:
        """What returns the batch of rows: of a slice, or of an array of numbers if `shuffled`."""
        raise NotImplementedError

    def _in_order(self, start: int) -> Iterator[Batch]:
        read, size, length = self._reader(False), self.batch_size, self.length
        return (read(slice(at, at + size)) for at in range(start * size, length, size))

    def _shuffled(self, start: int) -> Iterator[Batch]:
        read, size, length = self._reader(True), self.batch_size, self.length
        numbers: Any = np.arange(length, dtype=np.int32) if length > _MANY_ROWS else length
        order = host_random.generator().permutation(numbers)
        return (read(order[at : at + size]) for at in range(start * size, length, size))

    def _blocks(self, start: int) -> Iterator[Batch]:
        """Whole batches in a new order, then the one that is smaller."""
        read, size = self._reader(False), self.batch_size
        full = self.length // size
        order = host_random.generator().permutation(full).tolist()
        order += [full] * (self.steps - full)
        return (read(slice(at * size, at * size + size)) for at in order[start:])


class FetchedData(RowData):
    """Batches of a source that makes any rows when asked.

    Args:
        fetch: list of row numbers → `x`, `(x, y)` or `(x, y, sample_weight)`.
        length: number of rows.
        target: the column that is `y`, where `x` is a dict.
        batch_size, shuffle, class_weight: as in RowData.
    """

    may_read_ahead = True  # what the rows draw at random is then drawn before its time

    def __init__(
        self,
        fetch: Callable[[list[int]], Any],
        length: int,
        target: str | None = None,
        batch_size: int = 32,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        super().__init__(length, batch_size, shuffle, class_weight)
        if not length:
            raise DataError("the data are empty: the data set has no rows.")
        self._fetch, self._target, self._first = fetch, target, 0

    def batches(self, start: int = 0) -> Iterator[Batch]:
        batches = super().batches(start)
        return paced(batches) if self.may_read_ahead else batches

    def _reader(self, shuffled: bool) -> Callable[[Any], Batch]:
        first, end = self._first, self._first + self.length

        def read(rows: Rows) -> Batch:
            if isinstance(rows, slice):
                numbers = list(range(first + rows.start, min(first + rows.stop, end)))
            else:
                numbers = (rows + first).tolist()
            return as_batch(self._fetch(numbers), self._target)

        return read

    def _part(self, first: int, end: int) -> "FetchedData":
        part = object.__new__(FetchedData)
        part.__dict__.update(self.__dict__)
        part._first, part.length = self._first + first, end - first
        return part


def collate(rows: list[Any]) -> Any:
    """One batch of rows: in place of every number or array, those of all rows, stacked.

    Example:
        >>> collate([(1, {"a": [1, 2]}), (2, {"a": [3, 4]})])
        (array([1, 2]), {'a': array([[1, 2],
               [3, 4]])})
    """
    first = rows[0]
    if isinstance(first, Mapping):
        return {name: collate([row[name] for row in rows]) for name in first}
    if isinstance(first, tuple):
        columns = [collate([row[i] for row in rows]) for i in range(len(first))]
        return type(first)(*columns) if hasattr(first, "_fields") else tuple(columns)
    return stack(rows)


def stack(values: list[Any]) -> np.ndarray:
    """An array of the arrays, tensors or numbers of several rows, which have one shape."""
    arrays = [plain(value) for value in values]
    try:
        return np.stack(arrays)
    except ValueError:
        shapes = sorted({a.shape for a in arrays})
        raise DataError(
            f"the rows of a batch have different shapes: {', '.join(map(str, shapes[:4]))}. "
            "Pad or crop them in the data set, or take batch_size=1."
        ) from None


def plain(value: Any) -> np.ndarray:
    """A row's array or tensor, or a number, as an array."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
