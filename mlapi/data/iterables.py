"""Batches from whatever yields them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from mlapi.data.ahead import paced
from mlapi.data.batches import as_batch
from mlapi.data.rows import Batch, collate
from mlapi.data.weights import ClassWeights
from mlapi.errors import ArgumentError

ENDLESS = 2**62  # what some loaders give as the length of data that never end


class IterableData:
    """Batches that an iterable yields: `x`, `(x, y)` or `(x, y, sample_weight)`.

    Args:
        source: a generator, or an object that can be iterated anew for every epoch. If it has
            `state_dict` and `load_state_dict`, they save and restore its place.
        class_weight: class → weight, multiplied into the sample weights.
        target: the column that is `y`, where `x` is a dict.
    """

    batch_size = None

    may_read_ahead = True  # what the source draws at random is then drawn before its time

    def __init__(
        self,
        source: Any,
        class_weight: Mapping[int, float] | None = None,
        target: str | None = None,
    ) -> None:
        self._source = source
        self._weigh = ClassWeights(class_weight) if class_weight else None
        self._target = target
        self._is_restored = False

    @property
    def steps(self) -> int | None:
        """Number of batches in an epoch, None where it is not known."""
        try:
            length = len(self._source)
        except (TypeError, NotImplementedError, OverflowError):
            return None
        return length if 0 <= length < ENDLESS else None

    def __iter__(self) -> Iterator[Batch]:
        """The batches of one epoch, each `(x, y, sample_weight)`."""
        return self.batches()

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """One epoch from batch number `start` on.

        Earlier batches are read and dropped, unless `load_state_dict` has set the source to where
        it was. A generator goes on where it stopped.
        """
        skipped = 0 if self._is_restored else start
        self._is_restored = False
        return self._finished(self._read(skipped))

    def state_dict(self) -> Any:
        """Where the source is, in its own words, or None if it does not tell."""
        return self._source.state_dict() if self._keeps_state() else None

    def load_state_dict(self, state: Any) -> None:
        """Sets the source to where it was; the next epoch goes on from there."""
        self._source.load_state_dict(state)
        self._is_restored = True

    def split(self, fraction: float) -> Any:
        """Data of batches cannot be split by rows."""
        raise ArgumentError(
            "validation_split needs data whose rows can be counted, such as arrays; received a "
            f"{type(self._source).__name__}, which yields batches. Pass validation_data."
        )

    def _keeps_state(self) -> bool:
        return hasattr(self._source, "state_dict") and hasattr(self._source, "load_state_dict")

    def _read(self, start: int) -> Iterator[Any]:
        source = self._source
        runs_out = isinstance(source, Iterator)  # others may go on reading it, as may later epochs
        batches = source if runs_out else iter(source)
        # The state of a source would be that of what was read ahead.
        if self.may_read_ahead and not self._keeps_state():
            batches = paced(batches, shared=runs_out)
        return islice(batches, start, None) if start else batches

    def _finished(self, batches: Iterator[Any]) -> Iterator[Batch]:
        target, weigh = self._target, self._weigh
        for raw in batches:
            batch = as_batch(raw, target)
            yield batch if weigh is None else weigh(batch)
        call_hook(self._source, "on_epoch_end")


def call_hook(source: Any, name: str) -> None:
    """Calls a method that the source may have or not."""
    method = getattr(source, name, None)
    if callable(method):
        method()


class Grouped:
    """Batches of an iterable that yields single rows.

    Args:
        source: yields rows, the same nest of numbers or arrays each.
        size: rows a batch; the last batch may be smaller.
    """

    def __init__(self, source: Iterable[Any], size: int) -> None:
        self._source, self._size = source, size

    def __len__(self) -> int:
        rows = len(self._source)  # type: ignore[arg-type]
        return (rows + self._size - 1) // self._size

    def __iter__(self) -> Iterator[Any]:
        rows = iter(self._source)
        while taken := list(islice(rows, self._size)):
            yield collate(taken)
