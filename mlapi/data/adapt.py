"""The choice between the kinds of data."""

from collections.abc import Mapping
from typing import Any

from mlapi.data import foreign
from mlapi.data.arrays import ArrayData
from mlapi.data.batches import take_column, unpack
from mlapi.data.indexed import IndexedData, PyDataset
from mlapi.data.iterables import Grouped, IterableData
from mlapi.data.leaves import inherits
from mlapi.data.rows import FetchedData, RowData
from mlapi.errors import DataError

Data = RowData | IterableData


def adapt(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
) -> Data:
    """Batches of what a user passes to `fit`, `evaluate` or `predict`.

    Args:
        x: anything that holds or yields data.
        y: targets; or the name of the column that they are, where `x` has columns.
        sample_weight: a factor for each row.
        batch_size: rows a batch, 32 by default, where `x` does not come in batches.
        shuffle: see RowData.
        class_weight: class → factor of its rows.

    Raises:
        DataError: `x` is nothing of the kind, or the parts do not fit together.
    """
    if x is None:
        raise DataError("x is None: pass arrays, or an iterable that yields (x, y).")
    if isinstance(x, (RowData, IterableData)):
        return x
    size = 32 if batch_size is None else batch_size
    source = _source(x, y if isinstance(y, str) else None, size, shuffle, class_weight)
    if source is None:
        if isinstance(y, str):
            x, y = take_column(x, y)
        return ArrayData(x, y, sample_weight, size, shuffle, class_weight)
    for what, beside in (("y", y), ("sample_weight", sample_weight)):
        if beside is not None and not (what == "y" and isinstance(y, str)):
            raise DataError(
                f"x is a {type(x).__name__}, which yields whole batches or rows: {what} must come "
                "out of it, not beside it."
            )
    return source


def adapt_validation(data: Any, y: Any = None, *, batch_size: int | None = None) -> Data:
    """Batches of what a user passes as `validation_data`.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, or anything else that holds or yields data.
        y: the targets to train on; the name of a column goes for `data` too.
        batch_size: rows a batch.
    """
    if isinstance(data, (tuple, list)):
        if not 1 <= len(data) <= 3:
            raise DataError(
                "validation_data must be (x, y), (x, y, sample_weight) or a data set; received a "
                f"{type(data).__name__} of {len(data)} parts."
            )
        return adapt(*data, batch_size=batch_size)
    return adapt(data, y if isinstance(y, str) else None, batch_size=batch_size)


def _source(
    x: Any,
    target: str | None,
    size: int,
    shuffle: bool | str,
    class_weight: Mapping[int, float] | None,
) -> Data | None:
    """Batches of data that bring their own targets; None for arrays."""
    foreign.check_is_one(x)
    if foreign.is_hub_rows(x):
        return FetchedData(foreign.hub_fetch(x), len(x), target, size, shuffle, class_weight)
    if foreign.is_hub_stream(x):  # before torch's streams: where torch is loaded it is one too
        return IterableData(foreign.HubStream(x, size), class_weight, target)
    if foreign.is_torch_stream(x):
        return IterableData(Grouped(x, size), class_weight, target)
    if foreign.is_torch_rows(x):
        if type(x).__name__ == "TensorDataset":  # whose rows need not be taken one by one
            return ArrayData(*unpack(tuple(x.tensors)), size, shuffle, class_weight)
        fetch = foreign.torch_fetch(x)
        return FetchedData(fetch, len(x), target, size, shuffle, class_weight)
    if isinstance(x, (list, tuple, Mapping)) or hasattr(x, "shape"):
        return None
    if _is_indexed(x):
        return IndexedData(x, bool(shuffle), class_weight, target)
    if hasattr(x, "__iter__"):
        return IterableData(x, class_weight, target)
    raise DataError(
        f"x is a {type(x).__name__}, which neither holds arrays nor yields batches: pass arrays, "
        "a nest of them, or an iterable that yields (x, y)."
    )


def _is_indexed(x: Any) -> bool:
    """Whether batches are asked for by number: a PyDataset, Keras's own, or one like it."""
    if isinstance(x, PyDataset) or inherits(x, "keras", "PyDataset"):
        return True
    return not hasattr(x, "__iter__") and hasattr(x, "__getitem__") and hasattr(x, "__len__")
