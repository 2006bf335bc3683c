"""Batches of arrays: slices of them, or rows gathered from them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mlapi import tree
from mlapi.data.leaves import is_small, map_arrays, narrow_dtype, narrowed, package_of, to_array
from mlapi.data.rows import Batch, RowData, Rows
from mlapi.errors import DataError


class ArrayData(RowData):
    """Batches of a nest of arrays, all of one length.

    A batch of arrays in order is a view of them. Arrays of 64 bits that are large are narrowed a
    batch at a time, and files (`h5py.Dataset`, `numpy.memmap`) are read a batch at a time.

    Args:
        x, y, sample_weight: nests of arrays, tensors, frames, lists.
        batch_size, shuffle, class_weight: as in RowData.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int = 32,
        shuffle: bool | str = False,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        self.parts = tuple(
            map_arrays(lambda a, w=what: _leaf(a, w), nest)
            for what, nest in (("x", x), ("y", y), ("sample_weight", sample_weight))
        )
        flat = [a for a in tree.flatten(self.parts) if a is not None]
        if not flat:
            raise DataError("x is None: there is nothing to train on.")
        lengths = {len(a) for a in flat}
        if len(lengths) > 1:
            raise DataError(
                "x, y and sample_weight must have the same length; received "
                + ", ".join(str(a.shape) for a in flat)
                + "."
            )
        super().__init__(lengths.pop(), batch_size, shuffle, class_weight)
        if self.length == 0:
            raise DataError(f"the data are empty: x has shape {flat[0].shape}, with no rows.")

    def whole(self) -> Batch:
        """All rows as one batch."""
        batch = self._reader(False)(slice(0, self.length))
        return batch if self._weigh is None else self._weigh(batch)

    def _reader(self, shuffled: bool) -> Callable[[Any], Batch]:
        x, y, weight = self.parts
        if isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and weight is None:
            # The usual case, without the calls in between.
            if shuffled:
                return lambda rows: (x.take(rows, 0), y.take(rows, 0), None)
            return lambda rows: (x[rows], y[rows], None)
        x, y, weight = (_reader_of(part, shuffled) for part in self.parts)
        return lambda rows: (x(rows), y(rows), weight(rows))

    def _part(self, first: int, end: int) -> "ArrayData":
        part = object.__new__(ArrayData)
        part.__dict__.update(self.__dict__)
        rows = slice(first, end)
        part.parts = tree.map_structure(lambda a: None if a is None else a[rows], self.parts)
        part.length = end - first
        return part


class Stored:
    """An array that is read, or narrowed, only a batch at a time.

    Args:
        source: `numpy.ndarray`, `numpy.memmap` or `h5py.Dataset`.
        dtype: what batches are cast to, None where each batch decides that for itself.
        in_file: whether rows are better read in the order in which they lie.
        first, end: the rows that are meant.
    """

    def __init__(
        self, source: Any, dtype: np.dtype | None, in_file: bool, first: int, end: int
    ) -> None:
        self._source, self._dtype, self._in_file = source, dtype, in_file
        self._first, self._end = first, end
        self.shape = (end - first, *source.shape[1:])
        self.dtype = dtype or source.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> "Stored":
        first, end, _ = rows.indices(len(self))
        at = self._first
        return Stored(self._source, self._dtype, self._in_file, at + first, at + end)

    def read(self, rows: Rows) -> np.ndarray:
        """The rows of a slice without step, or of different numbers in any order."""
        if isinstance(rows, slice):
            first, end, _ = rows.indices(len(self))
            found = np.asarray(self._source[self._first + first : self._first + end])
        elif self._in_file:
            order = np.argsort(rows)
            in_order = np.asarray(self._source[rows[order] + self._first])
            found = np.empty_like(in_order)
            found[order] = in_order
        else:
            found = self._source.take(rows + self._first, 0)
        return narrowed(found) if self._dtype is None else found.astype(self._dtype)


def _leaf(x: Any, what: str) -> Any:
    if x is None or isinstance(x, Stored):
        return x
    if package_of(x) == "h5py" or isinstance(x, np.memmap):
        if x.dtype.kind not in "fiub":
            raise DataError(f"{what} holds {x.dtype}, which is no number; it is stored in a file.")
        if not x.shape:
            raise DataError(f"{what} must have a batch axis; it is a single number in a file.")
        return Stored(x, None, True, 0, x.shape[0])
    array = to_array(x, what)
    if is_small(array):
        return narrowed(array)
    dtype = narrow_dtype(array)
    return array if dtype is None else Stored(array, dtype, False, 0, len(array))


def _reader_of(part: Any, shuffled: bool) -> Callable[[Any], Any]:
    """What returns rows of a nest of arrays, in its structure."""
    if part is None:
        return _nothing
    if isinstance(part, Stored):
        return part.read
    if isinstance(part, np.ndarray):
        return (lambda rows: part.take(rows, 0)) if shuffled else part.__getitem__
    if isinstance(part, dict):
        named = [(name, _reader_of(child, shuffled)) for name, child in part.items()]
        return lambda rows: {name: read(rows) for name, read in named}
    readers = [_reader_of(child, shuffled) for child in part]
    if isinstance(part, list):
        return lambda rows: [read(rows) for read in readers]
    kind: Any = type(part)
    if hasattr(part, "_fields"):
        return lambda rows: kind(*[read(rows) for read in readers])
    return lambda rows: tuple([read(rows) for read in readers])


def _nothing(rows: Any) -> None:
    return None
