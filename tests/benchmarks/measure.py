"""Times everything on one backend, in this process, and returns rows of numbers."""

import gc
import importlib
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from types import ModuleType
from typing import Any, TypedDict

import numpy as np

from tests.benchmarks import fitted, keras_side
from tests.benchmarks.workloads import WORKLOADS, data

KINDS = ("fit", "predict", "evaluate", "train_on_batch", "call")
CHECKED_STEPS = 5
CALLED = "tiny"  # the workload whose model is called on one sample

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
            ratio=quartiles([a / b for a, b in zip(seconds[own], seconds[name])]),
            aimed=name == fastest or is_keras(name),
        )
        for name in others
    ]


def is_keras(against: str) -> bool:
    return against.startswith("Keras")


def measure_workload(
    backend: str, name: str, kinds: list[str], rounds: int, variants: list[str], clock: Clock
) -> list[Row]:
    """Rows of one workload, for each kind one for each hand-written variant and Keras."""
    from tests.benchmarks import mlapi_side

    workload = WORKLOADS[name]
    inputs, labels = data(workload)
    native = native_module(backend)
    recurrence = workload.recurrence
    every = native.RECURRENT[recurrence] if recurrence else native.VARIANTS
    makers = {k: make for k, make in every.items() if not variants or k in variants}
    if keras_side.installed():
        makers[f"Keras on {backend}"] = keras_side.Program
    ways = mlapi_side.of_backend(backend, name) if "fit" in kinds else {}
    makers |= {f"mlapi, {kind}": make for kind, (_, make) in ways.items()}
    makers["mlapi"] = mlapi_side.Program
    programs = {variant: make(workload, inputs, labels) for variant, make in makers.items()}

    def taking_part(kind: str) -> dict[str, Any]:
        return {
            variant: program
            for variant, program in programs.items()
            if kind in native.ONLY.get(variant, KINDS)
            and (kind == "fit" or variant.removeprefix("mlapi, ") not in ways)
        }

    if "predict" in kinds:
        check_predictions(taking_part("predict"))
    if "evaluate" in kinds:
        check_losses(taking_part("evaluate"), "evaluate")
    check_training(taking_part("fit"), workload.batch)
    if "train_on_batch" in kinds:
        check_losses(taking_part("train_on_batch"), "train_on_batch")

    rows: list[Row] = []
    common: dict[str, Any] = {"title": workload.title, "backend": backend}
    if "fit" in kinds:
        timed = {variant: p.epoch for variant, p in taking_part("fit").items()}
        common["per"] = workload.steps
        seconds = race(timed, rounds, clock)
        rows += rows_of(seconds, kind="fit", **common)
        for kind, (against, _) in ways.items():
            seen = {variant: s for variant, s in seconds.items() if not is_keras(variant)}
            found = rows_of(seen, kind=kind, own=f"mlapi, {kind}", only=against, **common)
            rows += [row for row in found if row["aimed"]]
    for kind in ("predict", "evaluate"):
        if kind in kinds:
            timed = {variant: getattr(p, kind) for variant, p in taking_part(kind).items()}
            rows += rows_of(
                race(timed, rounds, clock), kind=kind, **common | {"per": workload.steps}
            )
    short = {
        "train_on_batch": lambda p: p.train_on_batch,
        "call": lambda p: p.caller(),
    }
    for kind, choose in short.items():
        if kind in kinds and (kind != "call" or name == CALLED):
            calls = 200 if name == CALLED else 4
            timed = {
                variant: repeated(choose(p), calls) for variant, p in taking_part(kind).items()
            }
            with native.calling() if kind == "call" else nullcontext():
                seconds = race(timed, rounds, clock)
            rows += rows_of(seconds, kind=kind, **common | {"per": calls})
    return rows


def repeated(call: Callable[[], Any], count: int) -> Callable[[], None]:
    """The call so many times; what an asynchronous device still computes belongs to it."""

    def run() -> None:
        result = None
        for _ in range(count):
            result = call()
        if hasattr(result, "block_until_ready"):
            result.block_until_ready()

    return run


def check_predictions(programs: dict[str, Any]) -> None:
    """Complain unless all programs predict the same from the first weights."""
    wanted = programs["mlapi"].predict()
    for variant, program in programs.items():
        np.testing.assert_allclose(
            program.predict(), wanted, rtol=1e-3, atol=1e-4, err_msg=f"{variant}: predictions"
        )


def check_losses(programs: dict[str, Any], kind: str) -> None:
    """Complain unless all find the same losses: after some steps, nearly the same."""
    for program in programs.values():
        if isinstance(program, fitted.Program):
            program.reset()
    found = {variant: getattr(program, kind)()[0] for variant, program in programs.items()}
    rtol = 1e-4 if kind == "evaluate" else 2e-2
    for variant, loss in found.items():
        np.testing.assert_allclose(loss, found["mlapi"], rtol=rtol, err_msg=f"{variant}: {kind}")


def check_training(programs: dict[str, Any], batch: int) -> None:
    """Complain unless all programs learn the same thing, before anybody times them."""
    losses = {
        variant: [program.epoch(batch)[0] for _ in range(CHECKED_STEPS)]
        for variant, program in programs.items()
    }
    first, later = losses["mlapi"][:1], losses["mlapi"][1:]
    for variant, found in losses.items():
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
