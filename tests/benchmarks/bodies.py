"""What an op costs that is written in other ops, against the framework's best spelling of it.

`python -m tests.benchmarks.bodies --write` measures all backends and writes `docs/op-bodies.md`.
Both sides must give the same result; then they take turns. They are compiled the way `mlapi.jit`
compiles: on torch, where that is a choice, by TorchInductor, for the ops that are slower without.
"""

import argparse
import importlib
import json
import math
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests.benchmarks.body_arguments import arguments_for
from tests.benchmarks.measure import race

BACKENDS = ("torch", "jax", "tensorflow")
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "op-bodies.md"
COMPILE_ABOVE = 1.5  # ratios on torch without a compiler, which takes seconds
SUSPECT, TRIES = 1.3, 4  # ratios above are measured again, since other load may be the reason
LEAST = 2e-3  # seconds of calls in a round
HEAD = """\
# Ops written in other ops

These ops have a body, in `mlapi.ops`, that runs on every backend or on those that have a figure
here; [](api/op-support.md) shows all ops. A figure is the time of the op over that of the best
spelling in the framework itself: its own function, or a few lines by hand where it has none but
people would write them. Compiled, it should be 2 at most. Some spellings do what the op promises
beyond the framework's quickest function: `segment_max` and `segment_min` of tensorflow keep NaN,
its `in_top_k` looks at no score but the target's for being finite, its `histogram` leaves out what
is outside and NaN, `lstsq` of torch takes the driver `gelsd`, by singular values, and `empty_like`
makes zeros. `cross` on jax gave anything from 0.6 to 2.5 in ten runs of the same code.

- **jax** and **tensorflow**: both sides compiled by `jax.jit` and `tf.function`.
- **torch**: both sides run one operation after another; and compiled by TorchInductor, as with
  `jit_compile=True`. Compilation takes seconds, so it is measured where the first figure is above
  {limit}; a dot stands for not measured.
- *own kernel*: the adapter of this backend has its own version, which is not of concern here.
- *constant*: no tensor goes in. Compiled, the result is a constant on both sides.
- *(eager)*: the shape of the result depends on values, so that neither side is compiled.
- A dash: the framework has no such function, and no way that anybody would call its own.

Smallest CPU times of {rounds} rounds or more, on one thread of {machine}. Where both sides take
only microseconds, as with views, the figures are about calls rather than kernels. Before they are
timed, both sides must give the same results; the exceptions are `UNCHECKED` in the spellings, in
`tests/benchmarks`. Made by `python -m tests.benchmarks.bodies --write`.

| op | torch | torch, compiled | jax | tensorflow |
|---|--:|--:|--:|--:|
"""

Row = dict[str, Any]  # "eager" and "compiled" ratios, or a "word"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bodies", description=__doc__)
    parser.add_argument("names", nargs="*", help="ops; by default all that have a body")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="write the page of the docs")
    parser.add_argument("--worker", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        Path(options.worker).write_text(json.dumps(measure(options.names, options.rounds)))
        return
    found = {backend: run_backend(backend, options) for backend in options.backends}
    page = render(found, options.rounds)
    print(page)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")


def render(found: dict[str, dict[str, Row]], rounds: int) -> str:
    """The page: a line for each op, with what was found for each backend."""
    page = HEAD.format(machine="a two-core machine", limit=COMPILE_ABOVE, rounds=rounds)
    for name in sorted(set().union(*found.values())):
        rows = [found.get(backend, {}).get(name) for backend in BACKENDS]
        page += f"| `{name}` | {' | '.join([*_torch_cells(rows[0]), *map(_cell, rows[1:])])} |\n"
    return page


def _torch_cells(row: Row | None) -> tuple[str, str]:
    if row is None or "word" in row:
        return _cell(row), _cell(row)
    if row.get("dynamic"):
        return f"{row['eager']:.2f}", "(eager)"
    compiled = row.get("compiled")
    return f"{row['eager']:.2f}", "·" if compiled is None else f"{compiled:.2f}"


def _cell(row: Row | None) -> str:
    if row is None:
        return "own kernel"
    if "word" in row:
        return row["word"]
    return f"{row['eager']:.2f} (eager)" if row.get("dynamic") else f"{row['compiled']:.2f}"


def run_backend(backend: str, options: argparse.Namespace) -> dict[str, Row]:
    target = Path(os.environ.get("TMPDIR", "/tmp")) / f"mlapi-bodies-{backend}.json"
    environment = {
        **os.environ,
        "MLAPI_BACKEND": backend,
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.benchmarks.bodies", *options.names]
    command += ["--rounds", str(options.rounds), "--worker", str(target)]
    subprocess.run(command, env=environment, cwd=ROOT, check=True)
    return json.loads(target.read_text())


def measure(names: list[str], rounds: int) -> dict[str, Row]:
    """A row for each op without a kernel of this backend."""
    from mlapi.config import backend
    from mlapi.op import registry
    from mlapi.testing.cases import CASES

    spellings = importlib.import_module(f"tests.benchmarks.spellings_{backend()}")
    found: dict[str, Row] = {}
    for name, op in sorted(registry.items()):
        if not op.native.__module__.startswith("mlapi.ops") or (names and name not in names):
            continue
        start = time.perf_counter()
        if not op.tensors:
            found[name] = {"word": "constant"}
        elif name not in spellings.BEST:
            found[name] = {"word": "–"}
        else:
            case = next(case for case in CASES if case.op == name)
            try:
                found[name] = _row(op, case, spellings, rounds)
            except Exception as error:  # noqa: BLE001  # of one op, which the page then shows
                found[name] = {"word": f"failed: {type(error).__name__}", "error": str(error)}
        took = time.perf_counter() - start
        print(f"{backend()} {name} {found[name]} in {took:.1f} s", file=sys.stderr, flush=True)
    return found


def _row(op: Callable, case: Any, spellings: ModuleType, rounds: int) -> Row:
    import mlapi
    from mlapi.testing.case import arrays_of, with_arrays

    args, kwargs = arguments_for(case)
    given = type(case)(case.op, args, case.reference, kwargs)
    tensors = [mlapi.ops.convert_to_tensor(x) for x in arrays_of(given)]

    def call(function: Callable) -> Callable:
        def run(*tensors: Any) -> Any:
            args, kwargs = with_arrays(given, list(tensors))
            return function(*args, **kwargs)

        return run

    def ratio(compile: Callable) -> float:
        programs = [compile(call(function)) for function in (op, spellings.BEST[case.op])]
        if case.op not in spellings.UNCHECKED:
            _compare(case.op, *(program(*tensors) for program in programs))
        return _ratio(*(_waiting(program, tensors, spellings.wait) for program in programs), rounds)

    if case.eager:
        return {"eager": ratio(lambda function: function), "dynamic": True}
    row: Row = {}
    if spellings.EAGER:
        row["eager"] = ratio(lambda function: function)
        if row["eager"] <= COMPILE_ABOVE:
            return row
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return row | {
            "compiled": ratio(lambda function: mlapi.jit(function, [], jit_compile=spellings.EAGER))
        }


def _waiting(program: Callable, tensors: list[Any], wait: Callable) -> Callable[[], None]:
    return lambda: wait(program(*tensors))


def _compare(name: str, ours: Any, theirs: Any) -> None:
    from mlapi import tree
    from mlapi.backends import adapter

    pairs = zip(tree.flatten(ours), tree.flatten(theirs), strict=True)
    for one, other in pairs:
        one, other = (np.asarray(adapter.core.to_numpy(x)) for x in (one, other))
        np.testing.assert_allclose(one, other, 1e-2, 1e-3, err_msg=name)


def _ratio(ours: Callable[[], None], theirs: Callable[[], None], rounds: int) -> float:
    """Of the times of single calls; a round has as many as take long enough for the clock."""
    theirs()
    start = time.perf_counter()
    theirs()
    count = max(1, int(LEAST / (time.perf_counter() - start)))

    def repeated(program: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                program()

        return run

    programs = {"ours": repeated(ours), "theirs": repeated(theirs)}
    best = dict.fromkeys(programs, math.inf)
    for _ in range(TRIES):
        for name, seconds in race(programs, rounds, time.process_time).items():
            best[name] = min(best[name], *seconds)
        if best["ours"] <= SUSPECT * best["theirs"]:
            break
    return best["ours"] / best["theirs"]


if __name__ == "__main__":
    main()
