"""Data sets for the tests, in a module of their own that worker processes can import."""

import os
import random
import threading
import time

import numpy as np

from mlapi.utils import PyDataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype("float32")
SIZE = 5


class Batches(PyDataset):
    """The rows of X and Y, in batches of five."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int):
        rows = slice(SIZE * index, SIZE * index + SIZE)
        return X[rows], Y[rows]


class Dying(Batches):
    """Its process ends at batch 2."""

    def __getitem__(self, index: int):
        if index == 2:
            os._exit(7)
        return super().__getitem__(index)


class Failing(Batches):
    """Raises at batch 2."""

    def __getitem__(self, index: int):
        if index == 2:
            self.read_file()
        return super().__getitem__(index)

    def read_file(self) -> None:
        raise FileNotFoundError("no such picture")


class Unpicklable(Batches):
    """Cannot be sent to another process."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.lock = threading.Lock()


class Changing(Batches):
    """Numbers that follow from what `on_epoch_end` did, from the process, and from the seed."""

    epoch = 0

    def __getitem__(self, index: int):
        numbers = [self.epoch, index, os.getpid(), random.random(), np.random.random()]  # noqa: NPY002
        return np.array([numbers])

    def on_epoch_begin(self) -> None:
        self.begun = True

    def on_epoch_end(self) -> None:
        self.epoch += 1


class Waiting(Batches):
    """Takes its time, and notes in which thread; the earlier batches take longest."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.threads: list[threading.Thread] = []

    def __getitem__(self, index: int):
        self.threads.append(threading.current_thread())
        time.sleep(0.02 * (4 - index))
        return super().__getitem__(index)


def pretend(module: str, name: str, bases: tuple = (), **members) -> type:
    """A class of the name and module of one in a package that need not be installed."""
    return type(name, bases, {"__module__": module, **members})


class Table:
    """What frames of pandas and polars have in common, for `pretend`."""

    def __init__(self, columns: dict) -> None:
        self.data = {name: np.asarray(values) for name, values in columns.items()}
        self.columns = list(self.data)
        self.shape = (len(next(iter(self.data.values()))), len(self.data))

    def __getitem__(self, name: str) -> np.ndarray:
        return self.data[name]

    def to_numpy(self) -> np.ndarray:
        kinds = {column.dtype for column in self.data.values()}
        dtype = object if len(kinds) > 1 else None
        return np.stack([column.astype(dtype or column.dtype) for column in self.data.values()], 1)


def without(table: Table, name: str) -> Table:
    return type(table)({n: c for n, c in table.data.items() if n != name})


PandasFrame = pretend(
    "pandas.core.frame", "DataFrame", (Table,), drop=lambda self, *, columns: without(self, columns)
)
PolarsFrame = pretend(
    "polars.dataframe.frame", "DataFrame", (Table,), drop=lambda self, name: without(self, name)
)
Series = pretend(
    "pandas.core.series",
    "Series",
    __init__=lambda self, values: self.__dict__.update(values=values, shape=values.shape),
    to_numpy=lambda self: self.values,
)

TorchDataset = pretend("torch.utils.data.dataset", "Dataset")
TorchStream = pretend("torch.utils.data.dataset", "IterableDataset", (TorchDataset,))


class Rows(TorchDataset):
    """A map-style data set of torch."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int):
        if not 0 <= index < 20:
            raise IndexError(index)
        return X[index], Y[index]


class RowsTogether(Rows):
    """One that returns several rows at once."""

    def __getitems__(self, indices: list[int]) -> list:
        return [self[index] for index in indices]


class Stream(TorchStream):
    """An iterable data set of torch, which yields rows."""

    def __iter__(self):
        return iter(zip(X, Y))


class HubColumns:
    """What a table of Hugging Face's `datasets` does with row numbers."""

    shape = (20, 3)

    def __init__(self, formatted: bool = False) -> None:
        self.formatted = formatted

    def __len__(self) -> int:
        return 20

    def __getitem__(self, rows):
        names = [f"row {i}" for i in range(20)]
        x, y = X[rows], Y[rows]
        if self.formatted:
            return {"x": x, "name": np.array(names)[rows], "label": y}
        names = names[rows] if isinstance(rows, slice) else [names[i] for i in rows]
        return {"x": x.tolist(), "name": names, "label": y.tolist()}


class HubRows(HubColumns):
    """A stream of Hugging Face's `datasets`."""

    at = 0

    def iter(self, batch_size: int):
        while self.at < 20:
            rows = slice(self.at, self.at + batch_size)
            self.at += batch_size
            yield super().__getitem__(rows)
        self.at = 0

    def state_dict(self) -> dict:
        return {"at": self.at}

    def load_state_dict(self, state: dict) -> None:
        self.at = state["at"]


HubTable = pretend("datasets.arrow_dataset", "Dataset", (HubColumns,))
HubStream = pretend("datasets.iterable_dataset", "IterableDataset", (HubRows, TorchStream))
HubSplits = pretend("datasets.dataset_dict", "DatasetDict", (dict,))


class Loader:
    """Batches anew for each epoch: a DataLoader, a tf.data.Dataset, a loader of Grain."""

    def __iter__(self):
        return (Batches()[i] for i in range(4))
