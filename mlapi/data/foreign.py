"""Data sets of other packages that yield rows: of torch, and of Hugging Face."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mlapi.data.leaves import inherits
from mlapi.data.rows import collate, stack
from mlapi.errors import DataError

_TORCH = "torch.utils.data"


def is_torch_rows(x: object) -> bool:
    """A torch data set whose rows are asked for by number."""
    return inherits(x, _TORCH, "Dataset") and not inherits(x, _TORCH, "IterableDataset")


def is_torch_stream(x: object) -> bool:
    """A torch data set that yields one row after the other."""
    return inherits(x, _TORCH, "IterableDataset")


def is_hub_rows(x: object) -> bool:
    """A table of Hugging Face's `datasets`."""
    return inherits(x, "datasets", "Dataset")


def is_hub_stream(x: object) -> bool:
    """A table of Hugging Face's `datasets` that is read from its beginning."""
    return inherits(x, "datasets", "IterableDataset")


def check_is_one(x: object) -> None:
    """Refuses a dict of data sets, as `datasets.load_dataset` returns without a split.

    Raises:
        DataError: it is one.
    """
    if inherits(x, "datasets", "DatasetDict", "IterableDatasetDict"):
        splits = ", ".join(map(repr, x))  # type: ignore[call-overload]
        raise DataError(f"x is a {type(x).__name__}; pass one of its splits: {splits}.")


def torch_fetch(source: Any) -> Callable[[list[int]], Any]:
    """Row numbers → batch of a torch data set."""
    together = getattr(source, "__getitems__", None)  # which few of them have
    if together is not None:
        return lambda rows: collate(together(rows))
    return lambda rows: collate([source[row] for row in rows])


def hub_fetch(source: Any) -> Callable[[list[int]], Any]:
    """Row numbers → dict of the columns that hold numbers."""

    def fetch(rows: list[int]) -> dict[str, Any]:
        # Rows that follow one another are read without a list of their numbers.
        in_a_row = rows[-1] - rows[0] == len(rows) - 1 and rows == sorted(rows)
        return _numbers(source[rows[0] : rows[-1] + 1] if in_a_row else source[rows])

    return fetch


class HubStream:
    """Batches of a Hugging Face stream, with the stream's way of saving its place."""

    def __init__(self, source: Any, size: int) -> None:
        self._source, self._size = source, size
        for name in ("state_dict", "load_state_dict"):
            if hasattr(source, name):
                setattr(self, name, getattr(source, name))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(_numbers, self._source.iter(batch_size=self._size))


def _numbers(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns of a batch that hold numbers: names, texts and the like are left out."""
    return {
        name: column if hasattr(column, "dtype") else _stacked(column)
        for name, column in columns.items()
        if _are_numbers(column)
    }


def _are_numbers(column: Any) -> bool:
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype.kind in "fiub"
    if dtype is not None:
        return "string" not in str(dtype)
    return not isinstance(column[0], (str, bytes, dict, type(None)))


def _stacked(column: list[Any]) -> np.ndarray:
    return np.asarray(column) if isinstance(column[0], (int, float)) else stack(column)
