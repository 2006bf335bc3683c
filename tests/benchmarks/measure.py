"""Times everything on one backend, in this process, and returns rows of numbers."""

import gc
import importlib
import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypedDict

import numpy as np

from tests.benchmarks.workloads import WORKLOADS, data

CHECKED_STEPS = 5


class Row(TypedDict):
    """One hand-written program against mlapi: microseconds a step, and quartiles of the ratio."""

    workload: str
    backend: str
    variant: str
    native: float
    mlapi: float
    ratio: tuple[float, float, float]


def native_module(backend: str) -> ModuleType:
    return importlib.import_module(f"tests.benchmarks.native_{backend}")


def race(
    programs: dict[str, Callable[[], Any]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each program in each round; they take turns, so that all meet the same load."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for program in programs.values():
        program()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, program in programs.items():
                start = clock()
                program()
                seconds[name].append(clock() - start)
    finally:
        gc.enable()
    return seconds


def measure_training(
    backend: str, name: str, rounds: int, variants: list[str], clock: Callable[[], float]
) -> list[Row]:
    """Rows of one workload, one for each hand-written variant."""
    from tests.benchmarks import mlapi_side

    workload = WORKLOADS[name]
    inputs, labels = data(workload)
    native = native_module(backend)
    kind = workload.recurrence
    every = native.RECURRENT[kind] if kind else native.VARIANTS
    chosen = {k: make for k, make in every.items() if not variants or k in variants}
    programs = {variant: make(workload, inputs, labels) for variant, make in chosen.items()}
    programs["mlapi"] = mlapi_side.Program(workload, inputs, labels)
    epochs = {variant: program.epoch for variant, program in programs.items()}
    check(epochs, workload.batch)
    seconds = race(epochs, rounds, clock)
    own = seconds.pop("mlapi")
    return [
        Row(
            workload=name,
            backend=backend,
            variant=variant,
            native=statistics.median(times) / workload.steps * 1e6,
            mlapi=statistics.median(own) / workload.steps * 1e6,
            ratio=quartiles([a / b for a, b in zip(own, times)]),
        )
        for variant, times in seconds.items()
    ]


def check(epochs: dict[str, Callable[[int], tuple[float, float]]], batch: int) -> None:
    """Complain unless all programs compute the same thing, before anybody times them."""
    losses = {
        variant: [epoch(batch)[0] for _ in range(CHECKED_STEPS)]
        for variant, epoch in epochs.items()
    }
    for variant, found in losses.items():
        first, later = losses["mlapi"][:1], losses["mlapi"][1:]
        np.testing.assert_allclose(found[:1], first, rtol=1e-4, err_msg=f"{variant}: first loss")
        np.testing.assert_allclose(found[1:], later, rtol=2e-2, err_msg=f"{variant}: next losses")


def measure_door(rounds: int) -> dict[str, float]:
    """Nanoseconds that mlapi's checks add to an operation on native tensors."""
    from mlapi import ops

    x = ops.convert_to_tensor(np.ones((4, 4), "float32"))
    added = {}
    for name, operands in {"relu": (x,), "exp": (x,), "add": (x, x), "matmul": (x, x)}.items():
        door = getattr(ops, name)
        seconds = race(
            {
                "door": lambda door=door, operands=operands: _repeat(door, operands),
                "native": lambda door=door, operands=operands: _repeat(door.native, operands),
            },
            rounds * _ROUNDS,
        )
        # The fastest rounds: a load on the machine changes a median by more than the door costs.
        added[name] = (min(seconds["door"]) - min(seconds["native"])) / _CALLS * 1e9
    return added


_CALLS, _ROUNDS = 200, 20


def _repeat(function: Callable, operands: tuple) -> None:
    for _ in range(_CALLS):
        function(*operands)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high
