"""Batches made by threads and by processes: order, seeds, errors, and the end of it all."""

import gc
import multiprocessing
import threading

import numpy as np
import pytest

import mlapi
from mlapi import host_random, layers
from mlapi.data import IndexedData
from mlapi.errors import ArgumentError, ArgumentTypeError, DataError
from tests.data import sources
from tests.data.sources import X, Y


def processes(kind: type, workers: int = 2):
    return kind(workers=workers, use_multiprocessing=True, max_queue_size=2 * workers - 1)


def linear() -> mlapi.Model:
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    return model


def test_processes_train_as_arrays_do() -> None:
    expected = linear().fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0).history
    data = processes(sources.Batches)
    assert linear().fit(data, epochs=2, shuffle=False, verbose=0).history == expected
    gc.collect()
    assert not [p for p in multiprocessing.active_children() if p.name.startswith("mlapi data")]


def test_epochs_in_processes() -> None:
    """They see what `on_epoch_end` did, share the work, and draw by seed and batch alone."""

    def run(workers: int) -> np.ndarray:
        host_random.set_seed(5)
        source = processes(sources.Changing, workers)
        data = IndexedData(source, shuffle=True)
        epochs = np.stack([np.concatenate([x for x, _, _ in data]) for _ in range(2)])
        assert source.begun
        assert source.epoch == 2
        return epochs

    found = run(2)
    assert found[:, :, 0].tolist() == [[0] * 4, [1] * 4]
    assert sorted(found[0, :, 1]) == [0, 1, 2, 3]
    assert len(set(found[:, :, 2].ravel())) == 2  # the same processes in both epochs
    assert len(set(found[:, :, 3].ravel())) == len(set(found[:, :, 4].ravel())) == 8
    np.testing.assert_array_equal(np.delete(run(1), 2, 2), np.delete(found, 2, 2))


def test_death_of_a_process_is_an_error() -> None:
    data = IndexedData(processes(sources.Dying))
    with pytest.raises(DataError, match=r"process 1 of 2 ended with exit code 7 while .* batch 2"):
        list(data)
    assert data._workers.closed
    model = linear()
    with pytest.raises(DataError, match="worker process"):
        model.fit(processes(sources.Dying, 1), shuffle=False, verbose=0)
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_error_in_a_process_keeps_its_traceback() -> None:
    data = IndexedData(processes(sources.Failing, 1))
    with pytest.raises(FileNotFoundError, match="no such picture") as caught:
        list(data)
    (note,) = caught.value.__notes__
    assert "worker process, at batch 2" in note
    assert "in read_file" in note


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(TypeError, match="lock") as caught:
        next(iter(IndexedData(processes(sources.Unpicklable, 1))))
    assert "one that can be pickled" in caught.value.__notes__[0]


def test_threads_keep_the_order() -> None:
    source = sources.Waiting(workers=4)
    found = np.concatenate([x for x, _, _ in IndexedData(source)])
    np.testing.assert_array_equal(found, X)
    assert len(set(source.threads)) == 4
    assert threading.main_thread() not in source.threads


@pytest.mark.parametrize("workers", [1, 2])
def test_error_in_a_thread_keeps_its_traceback(workers: int) -> None:
    model = linear()
    with pytest.raises(FileNotFoundError) as caught:
        model.fit(sources.Failing(workers=workers), shuffle=False, verbose=0)
    assert "read_file" in [entry.name for entry in caught.traceback]
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_batches_of_a_data_set_come_in_a_new_order() -> None:
    data = IndexedData(sources.Batches(), shuffle=True)
    orders = [[int(np.where(x[0] == X)[0][0]) // 5 for x, _, _ in data] for _ in range(6)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(map(tuple, orders))) > 1


def test_data_set_without_an_end() -> None:
    class Endless(mlapi.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index: int):
            return X[index % 4 * 5 :][:5], Y[index % 4 * 5 :][:5]

    expected = linear().fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0).history
    assert linear().fit(Endless(), steps_per_epoch=4, epochs=2, verbose=0).history == expected


def test_arguments() -> None:
    assert mlapi.utils.Sequence is mlapi.utils.PyDataset
    with pytest.raises(ArgumentError, match="max_queue_size must be an integer of at least 1"):
        sources.Batches(max_queue_size=0)
    with pytest.raises(ArgumentTypeError, match="workers must be an integer"):
        sources.Batches(workers="2")
    with pytest.raises(NotImplementedError, match="must have a method __getitem__"):
        mlapi.utils.PyDataset()[0]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in sources.Batches()]), X)
