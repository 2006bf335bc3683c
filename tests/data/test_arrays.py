"""Batches of arrays: views, orders, what is read and what is not."""

import h5py
import numpy as np
import pytest

from mlapi import host_random
from mlapi.data import ArrayData, FetchedData, IndexedData, IterableData, adapt
from tests.data import sources
from tests.data.sources import SIZE, X, Y

LARGE = 2**22  # rows of 64-bit numbers that are narrowed a batch at a time


def rows_of(data, start: int = 0) -> np.ndarray:
    return np.concatenate([batch[0] for batch in data.batches(start)])


def test_batches_in_order_are_views() -> None:
    for x, y, weight in ArrayData(X, Y, batch_size=6):
        assert np.shares_memory(x, X)
        assert np.shares_memory(y, Y)
        assert weight is None
    assert len(x) == 2


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_large_arrays_are_narrowed_by_batch(dtype: str) -> None:
    x = np.arange(LARGE, dtype=dtype).reshape(-1, 2)
    for shuffle in (False, True, "batch"):
        data = ArrayData(x, batch_size=2**10, shuffle=shuffle)
        found = rows_of(data)
        assert found.dtype == dtype.replace("64", "32")
        assert np.array_equal(np.sort(found[:, 0]), x[:, 0])
        assert shuffle or np.array_equal(found, x)
    first, last = ArrayData(x, batch_size=2**10).split(0.5)
    assert np.array_equal(np.concatenate([rows_of(first), rows_of(last)]), x)


def test_integers_that_need_64_bits_keep_them() -> None:
    for x in (np.array([1, 2**40]), np.full(LARGE, 2**40)):
        (batch,) = (b for b, _, _ in ArrayData(x, batch_size=LARGE))
        assert batch.dtype == "int64"
        assert batch[-1] == 2**40


def test_same_state_same_order() -> None:
    data = ArrayData(np.arange(23), batch_size=4, shuffle=True)
    host_random.set_seed(3)
    epochs = [rows_of(data) for _ in range(3)]
    assert len({tuple(e) for e in epochs}) == 3
    assert all(sorted(e) == list(range(23)) for e in epochs)
    host_random.set_seed(3)
    assert all(np.array_equal(rows_of(data), e) for e in epochs)


def test_batches_stay_together() -> None:
    data = ArrayData(np.arange(23), batch_size=4, shuffle="batch")
    batches = [tuple(b) for b, _, _ in data]
    assert batches != (again := [tuple(b) for b, _, _ in data])
    whole = {tuple(range(i, i + 4)) for i in range(0, 20, 4)}
    assert set(batches[:-1]) == set(again[:-1]) == whole
    assert batches[-1] == (20, 21, 22)


class Recorded(sources.Rows):
    """Notes which rows are read."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __getitem__(self, index: int):
        self.read.append(index)
        return super().__getitem__(index)


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
@pytest.mark.parametrize(
    "make",
    [
        lambda shuffle: ArrayData(X, Y, batch_size=SIZE, shuffle=shuffle),
        lambda shuffle: adapt(Recorded(), batch_size=SIZE, shuffle=shuffle),
        lambda shuffle: IndexedData(sources.Batches(), shuffle),
        lambda shuffle: IndexedData(sources.Batches(workers=2), shuffle),
        lambda shuffle: IterableData(sources.Loader()),
    ],
    ids=["arrays", "rows", "PyDataset", "threads", "iterable"],
)
def test_epoch_from_a_batch_on(make, shuffle) -> None:
    state = host_random.state()
    whole = rows_of(make(shuffle))
    for start in (1, 3, 4):
        host_random.restore(state)
        data = make(shuffle)
        rest = [x for x, _, _ in data.batches(start)]
        assert np.array_equal(np.concatenate([*rest, X[:0]]), whole[start * SIZE :])
        after = host_random.state()["counter"] - state["counter"]
        assert after == (bool(shuffle) and type(data) is not IterableData)


def test_earlier_rows_are_not_read() -> None:
    rows = Recorded()
    assert np.array_equal(rows_of(adapt(rows, batch_size=SIZE), start=3), X[15:])
    assert rows.read == list(range(15, 20))


def test_a_source_that_keeps_its_place_is_asked_for_it() -> None:
    first = adapt(sources.HubStream(), "label", batch_size=SIZE)
    batches = first.batches()
    next(batches), next(batches)
    state = first.state_dict()
    second = adapt(sources.HubStream(), "label", batch_size=SIZE)
    second.load_state_dict(state)
    rest = [x["x"] for x, _, _ in second.batches(2)]
    np.testing.assert_array_equal(np.concatenate(rest), X[10:])
    assert len(list(second)) == 4
    assert IterableData(sources.Loader()).state_dict() is None


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_files_are_read_a_batch_at_a_time(shuffle, tmp_path, monkeypatch) -> None:
    """In the order in which rows lie, which h5py insists on, whatever the order of the epoch."""
    np.save(tmp_path / "x.npy", X)
    memory = np.load(tmp_path / "x.npy", mmap_mode="r")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=X.astype("float64"))
        read: list[int] = []
        original = h5py.Dataset.__getitem__

        def counted(self, rows):
            read.append(len(range(*rows.indices(20))) if isinstance(rows, slice) else len(rows))
            return original(self, rows)

        monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
        for source in (stored, memory):
            state = host_random.state()
            expected = rows_of(ArrayData(X, batch_size=SIZE, shuffle=shuffle))
            host_random.restore(state)
            found = rows_of(ArrayData(source, batch_size=SIZE, shuffle=shuffle))
            assert found.dtype == "float32"
            assert type(found) is np.ndarray
            assert np.array_equal(found, expected)
        assert read == [SIZE] * 4
        first, last = ArrayData(stored, batch_size=SIZE, shuffle=shuffle).split(0.25)
        assert np.array_equal(rows_of(last), X[15:])
        assert np.array_equal(np.sort(rows_of(first), 0), np.sort(X[:15], 0))


@pytest.mark.parametrize("length", [TypeError, NotImplementedError, 2**63 - 1])
def test_data_without_an_end_have_no_number_of_steps(length) -> None:
    class Endless(sources.Loader):
        def __len__(self) -> int:
            if isinstance(length, int):
                return length
            raise length

    assert IterableData(Endless()).steps is None


def test_number_of_steps() -> None:
    assert ArrayData(X, batch_size=6).steps == 4
    assert adapt(sources.Rows(), batch_size=6).steps == 4
    assert adapt(sources.Batches()).steps == 4
    assert adapt(iter(sources.Loader())).steps is None
    assert isinstance(adapt(sources.HubTable()), FetchedData)


def test_class_weights_multiply_those_of_samples() -> None:
    labels = np.array([0, 2, 9, -1])
    found = [
        ArrayData(np.zeros((4, 1)), y, weight, class_weight={0: 2.0, 2: 3.0}).whole()[2]
        for y, weight in (
            (labels, None),
            (labels[:, None], np.full(4, 0.5)),
            (np.eye(10)[labels], np.full((4, 1), 0.5)),
            (np.stack([labels, labels])[..., None].swapaxes(0, 1), np.full((4, 2), 2.0)),
        )
    ]
    np.testing.assert_array_equal(found[0], [2, 3, 1, 1])
    np.testing.assert_array_equal(found[1], [1, 1.5, 0.5, 0.5])
    np.testing.assert_array_equal(found[2], [[1], [1.5], [0.5], [0.5]])
    np.testing.assert_array_equal(found[3], [[4, 4], [6, 6], [2, 2], [2, 2]])
