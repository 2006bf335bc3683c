"""Runs cut short, to try something out: one batch, some batches, the same few over again."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mlapi.data import Data, IterableData, RowData
from mlapi.errors import ArgumentError
from mlapi.training.callback_list import CallbackList
from mlapi.validation import positive, positive_int


class FirstBatches:
    """The first batches of every pass over some data.

    Args:
        data: what they come from.
        limit: how many, or which part of all as a float from 0 to 1; at least one comes.

    Raises:
        ArgumentError: a part of data whose number of batches is not known.
    """

    def __init__(self, data: Data, limit: int | float) -> None:
        if isinstance(limit, float):
            if data.steps is None:
                raise ArgumentError(
                    f"fit: limit_batches={limit} asks for a part of data that do not say how many "
                    "batches they have. Pass a number of batches."
                )
            limit = max(1, int(data.steps * limit))
        self._data, self._limit = data, limit

    @property
    def steps(self) -> int:
        """Number of batches in a pass, as far as it is known."""
        return min(self._limit, self._data.steps or self._limit)

    def __iter__(self) -> Iterator[Any]:
        return self.batches()

    def batches(self, start: int = 0) -> Iterator[Any]:
        """One pass from batch number `start` on."""
        return islice(self._data.batches(start), max(self._limit - start, 0))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


def first_only(data: Data, count: int) -> Data:
    """The first batches of some data, unshuffled: the same ones in every epoch."""
    if isinstance(data, RowData):
        first = data._part(0, min(data.length, count * data.batch_size))
        first.shuffle = False
        return first
    return IterableData(list(islice(data.batches(), count)))


def shortened(
    data: Data,
    validation: Data | None,
    fast_dev_run: bool | int,
    overfit_batches: int | None,
    limit_batches: int | float | None,
) -> tuple[Any, Any]:
    """The data to train on and to validate on, as these arguments of `fit` restrict them.

    Raises:
        ArgumentError: two of the arguments are given, or one makes no sense.
    """
    given = {
        "fast_dev_run": fast_dev_run or None,
        "overfit_batches": overfit_batches,
        "limit_batches": limit_batches,
    }
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) > 1:
        raise ArgumentError(f"fit: {asked[0]} and {asked[1]} exclude one another; pass one.")
    if overfit_batches is not None:
        data = first_only(data, positive_int("fit", "overfit_batches", overfit_batches))
        return data, validation if validation is not None else data
    limit = int(fast_dev_run) or limit_batches
    if limit is None:
        return data, validation
    if not isinstance(limit, float):
        limit = positive_int("fit", asked[0], limit)
    elif positive("fit", "limit_batches", limit) > 1:
        raise ArgumentError(
            "fit: limit_batches must be an int, or a part of the data from 0 to 1, received "
            f"{limit}."
        )
    if validation is not None:
        return FirstBatches(data, limit), FirstBatches(validation, limit)
    return FirstBatches(data, limit), None


def check_fast_dev_run(value: Any) -> bool | int:
    """The argument `fast_dev_run` of `fit`, checked."""
    return value if isinstance(value, bool) else positive_int("fit", "fast_dev_run", value)


def without_writers(callbacks: Any) -> list[Any]:
    """The callbacks but those that write files or talk to other programs."""
    listed = CallbackList(callbacks).callbacks
    return [callback for callback in listed if not getattr(callback, "writes", False)]
