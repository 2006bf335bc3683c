"""Batches from arrays that are already in memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlapi import config, host_random, tree
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, DataError

_core = adapter.core


def to_array(x: Any, what: str) -> np.ndarray | None:
    """NumPy's view of anything array-like: arrays, tensors of any framework, frames, lists."""
    if x is None or isinstance(x, np.ndarray):
        array = x
    elif _core.is_tensor(x):
        array = _core.to_numpy(x)
    elif hasattr(x, "detach"):  # a torch tensor on another backend
        array = x.detach().cpu().numpy()
    elif hasattr(x, "to_numpy"):  # pandas, polars
        array = x.to_numpy()
    else:
        try:
            array = np.asarray(x)
        except ValueError as error:
            raise DataError(f"{what} is a nest of different lengths: {error}") from None
    if array is None:
        return None
    if array.dtype.kind == "f" and array.dtype.itemsize > 4:
        array = array.astype(config.floatx())
    elif array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise DataError(
            f"{what} holds {array.dtype}, which is no number; "
            f"received {type(x).__name__} of shape {array.shape}."
        )
    elif array.dtype.name == "int64":
        array = _narrow(array)
    if array.ndim == 0:
        raise DataError(f"{what} must have a batch axis; received the single number {array}.")
    return array


def _narrow(array: np.ndarray) -> np.ndarray:
    """64-bit integers that fit become 32 bits wide, as integers are elsewhere."""
    if array.size and (array.max() > 2**31 - 1 or array.min() < -(2**31)):
        return array
    return array.astype(np.int32)


class ArrayData:
    """Batches of a nest of arrays, all of one length.

    Args:
        x, y, sample_weight: nests of arrays.
        batch_size: rows a batch; the last batch may be smaller.
        shuffle: a new order each epoch, drawn on the host, the same on every backend.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int = 32,
        shuffle: bool = False,
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ArgumentError(f"batch_size must be an int of 1 or more, received {batch_size!r}.")
        parts = []
        for what, nest in (("x", x), ("y", y), ("sample_weight", sample_weight)):
            # A list of numbers or of rows is one array; a list of arrays is several inputs.
            if isinstance(nest, (list, tuple)) and not any(hasattr(n, "shape") for n in nest):
                nest = np.asarray(nest) if nest and not isinstance(nest[0], dict) else nest
            parts.append(tree.map_structure(lambda a, w=what: to_array(a, w), nest))
        self.parts = tuple(parts)
        self._flat = [a for a in tree.flatten(self.parts) if a is not None]
        if not self._flat:
            raise DataError("x is None: there is nothing to train on.")
        lengths = {len(a) for a in self._flat}
        if len(lengths) > 1:
            raise DataError(
                "x, y and sample_weight must have the same length; received "
                + ", ".join(str(a.shape) for a in self._flat)
                + "."
            )
        self.length = lengths.pop()
        if self.length == 0:
            raise DataError(f"the data are empty: x has shape {self._flat[0].shape}, with no rows.")
        self.batch_size = batch_size
        self.shuffle = shuffle

    @property
    def steps(self) -> int:
        return -(-self.length // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch, each `(x, y, sample_weight)`."""
        return self.batches()

    def batches(self, start: int = 0) -> Iterator[Any]:
        """The batches of one epoch from number `start` on, in the order of the whole."""
        size, length = self.batch_size, self.length
        x, y, weight = self.parts
        order = host_random.generator().permutation(length) if self.shuffle else None
        plain = all(a is None or isinstance(a, np.ndarray) for a in self.parts)
        for first in range(start * size, length, size):
            batch = slice(first, first + size)
            rows = None if order is None else order[batch]

            def part(a: Any, batch: slice = batch, rows: np.ndarray | None = rows) -> Any:
                if a is None:
                    return None
                return a[batch] if rows is None else a.take(rows, 0)

            if plain:
                yield part(x), part(y), part(weight)
            else:
                yield tree.map_structure(part, self.parts)


def split(arrays: tuple, fraction: float) -> tuple[tuple, tuple]:
    """The first part and the last `fraction` of a nest of arrays, without shuffling."""
    if not 0 < fraction < 1:
        raise ArgumentError(f"validation_split must be between 0 and 1, received {fraction!r}.")
    flat = [a for a in tree.flatten(arrays) if a is not None]
    length = len(flat[0])
    cut = int(length * (1 - fraction))
    if cut in (0, length):
        raise DataError(
            f"validation_split={fraction} of {length} rows leaves "
            f"{cut} to train on and {length - cut} to validate on; both must be at least 1."
        )
    first = tree.map_structure(lambda a: None if a is None else a[:cut], arrays)
    last = tree.map_structure(lambda a: None if a is None else a[cut:], arrays)
    return first, last
