"""Times everything on one backend, in this process, and returns rows of numbers."""

import gc
import importlib
import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypedDict

import numpy as np

Clock = Callable[[], float]


class Row(TypedDict):
    """One other program against mlapi."""

    title: str
    kind: str
    backend: str
    against: str
    theirs: float | None
    mlapi: float
    ratio: tuple[float, float, float] | None  # quartiles over the rounds
    unit: str  # seconds, "s", or "MB"
    aimed: bool  # whether a goal speaks of this row: of those written by hand, the fastest


def native_module(backend: str) -> ModuleType:
    return importlib.import_module(f"tests.benchmarks.native_{backend}")


def race(
    programs: dict[str, Callable[[], Any]],
    rounds: int,
    clock: Clock = time.perf_counter,
    between: Callable[[], Any] | None = None,
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
                if between:
                    between()
    finally:
        gc.enable()
    return seconds


def rows_of(
    seconds: dict[str, list[float]],
    *,
    title: str,
    kind: str,
    backend: str,
    own: str = "mlapi",
    only: str = "",
    per: int = 1,
    unit: str = "s",
) -> list[Row]:
    """Rows of the program `own` against each other one, or against the `only` one.

    Args:
        seconds: of each program in each round; those of mlapi begin with that word.
        per: how many steps were timed together.
    """
    medians = {name: statistics.median(times) / per for name, times in seconds.items()}
    others = [name for name in seconds if not name.startswith("mlapi") and only in ("", name)]
    by_hand = [name for name in others if not is_keras(name)]
    fastest = min(by_hand, key=medians.__getitem__, default=None)
    common = {"title": title, "kind": kind, "backend": backend, "unit": unit}
    if not others:
        return [Row(**common, against="", theirs=None, mlapi=medians[own], ratio=None, aimed=False)]
    return [
        Row(
            **common,
            against=name,
            theirs=medians[name],
            mlapi=medians[own],
            ratio=ratios(seconds[own], seconds[name]) if unit == "s" else None,
            aimed=name == fastest or is_keras(name),
        )
        for name in others
    ]


def ratios(own: list[float], others: list[float]) -> tuple[float, float, float]:
    """Quartiles over the rounds."""
    return quartiles([a / b for a, b in zip(own, others)])


def is_keras(against: str) -> bool:
    return against.startswith("Keras")


def repeated(call: Callable[[], Any], count: int) -> Callable[[], None]:
    """The call so many times; what an asynchronous device still computes belongs to it."""

    def run() -> None:
        result = None
        for _ in range(count):
            result = call()
        if hasattr(result, "block_until_ready"):
            result.block_until_ready()

    return run


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
