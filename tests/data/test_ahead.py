"""Reading ahead: what comes is what the source yields, errors included, and threads end."""

import itertools
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.data import ahead
from mlapi.data.ahead import paced, read_ahead
from tests.data.sources import X, Y


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "mlapi reads ahead"]


def slow(number: int, seen: list | None = None, fail_at: int | None = None):
    """Numbers, each after a wait; notes the thread that asks."""
    for i in range(number):
        time.sleep(0.004)
        if seen is not None:
            seen.append(threading.current_thread())
        if i == fail_at:
            raise OSError(f"broken at {i}")
        yield i


def test_a_source_that_waits_is_read_by_a_thread() -> None:
    seen: list[threading.Thread] = []
    assert list(paced(slow(20, seen))) == list(range(20))
    assert seen[0] is threading.main_thread()
    assert seen[-1] is not threading.main_thread()
    assert not threads()


def test_a_source_that_computes_is_not(monkeypatch) -> None:
    """By its own account it is slow too, but all of the time is the processor's."""
    clock = itertools.count(step=0.01)
    timer = SimpleNamespace(perf_counter=lambda: next(clock), thread_time=lambda: next(clock))
    monkeypatch.setattr(ahead, "time", timer)

    def numbers():
        for i in range(200):
            assert threading.current_thread() is threading.main_thread()
            yield i

    assert list(paced(numbers())) == list(range(200))


@pytest.mark.parametrize("read", [paced, lambda source: read_ahead(source, 2)])
def test_error_comes_after_what_came_before_it(read) -> None:
    came: list[int] = []
    with pytest.raises(OSError, match="broken at 9") as caught:
        came.extend(read(slow(20, fail_at=9)))
    assert came == list(range(9))
    assert "slow" in [entry.name for entry in caught.traceback]
    assert not threads()


def test_closing_stops_the_thread() -> None:
    ended = threading.Event()

    def source():
        try:
            yield from slow(10**6)
        finally:
            ended.set()

    batches = read_ahead(source(), 3)
    assert [next(batches), next(batches)] == [0, 1]
    assert threads()
    batches.close()
    assert not threads()
    assert ended.wait(5)


def test_no_more_than_the_depth_is_read() -> None:
    taken = []
    batches = read_ahead((taken.append(i) or i for i in range(100)), 3)
    assert next(batches) == 0
    time.sleep(0.05)
    assert len(taken) == 4
    batches.close()


def test_what_was_read_ahead_of_a_generator_is_not_lost() -> None:
    source = slow(30)
    came: list[int] = []
    while len(came) < 30:
        batches = paced(source, depth=4, shared=True)
        for _ in range(7):
            came.extend(item for item in [next(batches, None)] if item is not None)
        batches.close()
    assert came == list(range(30))


def after_a_wait(i: int) -> int:
    time.sleep(0.004)
    return i


def test_what_cannot_be_found_again_is_not_read_ahead() -> None:
    """An object like `map` cannot have a note attached to it on what was read."""
    source = map(after_a_wait, range(12))
    first = paced(source, shared=True)
    assert [next(first) for _ in range(6)] == list(range(6))
    first.close()
    assert list(paced(source, shared=True)) == list(range(6, 12))


def linear() -> mlapi.Model:
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    return model


def test_training_on_a_slow_generator() -> None:
    def stream(fail_at: int | None = None):
        while True:
            for i in slow(4, fail_at=fail_at):
                yield X[i * 5 : i * 5 + 5], Y[i * 5 : i * 5 + 5]

    options = {"epochs": 3, "steps_per_epoch": 4, "verbose": 0}
    expected = linear().fit(X, Y, batch_size=5, shuffle=False, **options).history
    assert linear().fit(stream(), **options).history == expected
    model, source = linear(), stream()
    parts = [model.fit(source, **options | {"epochs": 1}).history["loss"][0] for _ in range(3)]
    assert parts == expected["loss"]
    with pytest.raises(OSError, match="broken at 2"):
        model.fit(stream(fail_at=2), **options)
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()
