"""What an op costs that is written in other ops, against the framework's best spelling of it.

`python -m tests.benchmarks.bodies --write` measures all backends and writes `docs/op-bodies.md`.
Both sides are compiled the way `mlapi.jit` compiles (on torch: not at all), and take turns.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.measure import race

BACKENDS = ("torch", "jax", "tensorflow")
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "op-bodies.md"
SIDE = 512  # of the square that element-wise ops get
HEAD = """\
# Ops written in other ops

These have one body for all backends, or for those that are in the table. The figure is the time of
the op over that of the framework's own spelling, both compiled as `mlapi.jit` does it (on torch:
run one by one), on {machine}; a dash stands where the framework has no function for it. Made by
`python -m tests.benchmarks.bodies --write`.

| op | torch | jax | tensorflow |
|---|--:|--:|--:|
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bodies", description=__doc__)
    parser.add_argument("names", nargs="*", help="ops; by default all that have a body")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="write the page of the docs")
    parser.add_argument("--worker", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        Path(options.worker).write_text(json.dumps(measure(options.names, options.rounds)))
        return
    found = {backend: run_backend(backend, options) for backend in BACKENDS}
    lines = HEAD.format(machine="one thread of a two-core machine")
    for name in sorted(set().union(*found.values())):
        cells = [_cell(found[backend], name) for backend in BACKENDS]
        lines += f"| `{name}` | {' | '.join(cells)} |\n"
    print(lines)
    if options.write:
        PAGE.write_text(lines, encoding="utf-8")


def _cell(found: dict[str, float | None], name: str) -> str:
    if name not in found:
        return "own kernel"
    ratio = found[name]
    return "–" if ratio is None else f"{ratio:.2f}"


def run_backend(backend: str, options: argparse.Namespace) -> dict[str, float | None]:
    target = Path(os.environ.get("TMPDIR", "/tmp")) / f"mlapi-bodies-{backend}.json"
    environment = {
        **os.environ,
        "MLAPI_BACKEND": backend,
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "TF_NUM_INTRAOP_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.benchmarks.bodies", *options.names]
    command += ["--rounds", str(options.rounds), "--worker", str(target)]
    subprocess.run(command, env=environment, cwd=ROOT, check=True)
    return json.loads(target.read_text())


def measure(names: list[str], rounds: int) -> dict[str, float | None]:
    """For each op without a kernel of this backend: the ratio of times, or None."""
    from mlapi.config import backend
    from mlapi.op import registry
    from mlapi.testing.cases import CASES

    spellings = importlib.import_module(f"tests.benchmarks.spellings_{backend()}")
    found: dict[str, float | None] = {}
    for name, op in sorted(registry.items()):
        has_body = op.native.__module__.startswith("mlapi.ops")
        if not has_body or (names and name not in names):
            continue
        spelling = spellings.BEST.get(name)
        if spelling is None:
            found[name] = None
        else:
            case = next(case for case in CASES if case.op == name)
            found[name] = _ratio(name, op, spelling, case, spellings.compile, rounds)
    return found


def _ratio(
    name: str, op: Callable, spelling: Callable, case: Any, compile: Callable, rounds: int
) -> float | None:
    import mlapi
    from mlapi import ops
    from mlapi.testing.case import arrays_of, with_arrays

    arrays = _large(name, arrays_of(case))
    tensors = [ops.convert_to_tensor(x) for x in arrays]

    def call(function: Callable) -> Callable:
        def run(*given: Any) -> Any:
            args, kwargs = with_arrays(case, list(given))
            return function(*args, **kwargs)

        return run

    ours, theirs = mlapi.jit(call(op), []), compile(call(spelling))
    adapter = importlib.import_module("mlapi.backends").adapter

    def finished(function: Callable) -> Callable[[], None]:
        def run() -> None:
            for _ in range(5):
                out = function(*tensors)
            adapter.core.to_numpy(out[0] if isinstance(out, list | tuple) else out)

        return run

    seconds = race({"ours": finished(ours), "theirs": finished(theirs)}, rounds)
    return min(seconds["ours"]) / min(seconds["theirs"])


def _large(name: str, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """As many numbers as make a kernel's work worth more than its call."""
    shapes = {x.shape for x in arrays}
    rank = arrays[0].ndim
    if name in PRODUCTS or len(shapes) > 1 or rank not in LARGE:
        return [np.array(x) for x in arrays]
    return [np.resize(x, LARGE[rank]) for x in arrays]


LARGE = {1: (2**18,), 2: (512, 512), 3: (64, 64, 64), 4: (8, 64, 64, 12)}
# Their work grows faster than the number of elements, or their shape has a meaning.
PRODUCTS = {"kron", "vdot", "view_as_complex", "vander", "bincount", "segment_sum", "diagflat",
            "cholesky", "cholesky_inverse", "det", "inv", "logdet", "slogdet", "svd", "qr", "pinv",
            "matrix_rank", "lstsq", "solve", "solve_triangular", "cross", "fold", "corrcoef",
            "hsv_to_rgb", "rgb_to_hsv", "rgb_to_grayscale"}  # fmt: skip


if __name__ == "__main__":
    main()
