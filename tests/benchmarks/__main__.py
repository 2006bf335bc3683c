"""mlapi against hand-written loops, and Keras where it is installed: `python -m tests.benchmarks`.

`nox -s bench` installs everything and runs it. Every backend runs in a process of its own, in which
mlapi and the others take turns, round after round; a ratio is the median over the rounds. Programs
are timed only after their first losses were found equal. Times are of a step, a batch or a call.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import (
    buildings,
    cold,
    goals,
    keras_side,
    measure,
    memory,
    optimizers,
)
from tests.benchmarks.contest import KINDS, Contest
from tests.benchmarks.measure import Row
from tests.benchmarks.workloads import WORKLOADS

BACKENDS = ("torch", "jax", "tensorflow")
OTHERS = ("build", "adam", "cold", "memory", "door")
QUICK_ROUNDS = 3
MOST_PROCESSES = 5  # rounds of what starts a process each time
ROOT = Path(__file__).parents[2]


def main() -> None:
    options = parse()
    if options.worker:
        for result in work(options):  # what is known so far, should the next part fail
            Path(options.json).write_text(json.dumps(result), encoding="utf-8")
        return
    results = [run_backend(backend, options) for backend in options.backend or BACKENDS]
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(report(results, options))
    failed = [result["backend"] for result in results if result["failed"]]
    if failed:
        sys.exit(f"The table is not complete: {', '.join(failed)} failed, see above.")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    names = [*WORKLOADS, *OTHERS]
    parser.add_argument("--backend", action="append", choices=BACKENDS, help="default: all")
    several: dict[str, Any] = {"action": "extend", "nargs": "+", "help": "default: all"}
    parser.add_argument("--workload", choices=names, **several)
    parser.add_argument("--kind", choices=KINDS, **several)
    parser.add_argument("--variant", action="append", default=[], help="hand-written ones to run")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    parser.add_argument("--threads", type=int, default=1, help="of all the mathematics")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="of the process, instead of the clock's: on a machine that has other work to do",
    )
    parser.add_argument("--json", metavar="FILE", help="write all numbers there too")
    parser.add_argument("--table", action="store_true", help="print the table and nothing else")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.kind = options.kind or list(KINDS)
    options.workload = options.workload or names
    if options.quick:
        options.rounds = QUICK_ROUNDS
    return options


def run_backend(backend: str, options: argparse.Namespace) -> dict[str, Any]:
    """Everything asked for on one backend, in a process that limits its threads from the start."""
    environment = {
        **os.environ,
        "MLAPI_BACKEND": backend,
        "KERAS_BACKEND": backend,
        "OMP_NUM_THREADS": str(options.threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
    }
    # A user's imports find bytecode.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "result.json"
        command = [sys.executable, "-m", "tests.benchmarks", "--worker", "--json", str(target)]
        command += ["--backend", backend]
        command += ["--rounds", str(options.rounds), "--threads", str(options.threads)]
        command += ["--cpu-time"] * options.cpu_time
        command += ["--kind", *options.kind, "--workload", *options.workload]
        for name in options.variant:
            command += ["--variant", name]
        done = subprocess.run(command, check=False, env=environment, cwd=ROOT)
        result = json.loads(target.read_text(encoding="utf-8"))
        return {**result, "failed": done.returncode != 0}


def work(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Inside the process of one backend: its result, each time that a part of it was added."""
    (backend,) = options.backend
    if hasattr(os, "sched_setaffinity"):  # the only limit that jax knows
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-options.threads :])
    clock = time.process_time if options.cpu_time else time.perf_counter
    processes = min(options.rounds, MOST_PROCESSES)
    parts: dict[str, Callable[[], list[Row]]] = {
        "cold": lambda: cold.rows(backend, processes, options.cpu_time),
        "memory": lambda: memory.rows(backend, min(processes, QUICK_ROUNDS)),
        "adam": lambda: optimizers.rows_of_adam(backend, options.rounds, clock),
        "build": lambda: buildings.rows(backend, processes, clock),
    }
    measure.native_module(backend).limit_threads(options.threads)
    result: dict[str, Any] = {"backend": backend, "rows": [], "machine": describe_machine(backend)}
    yield result
    for name in options.workload:
        print(f"{backend}: {name}", file=sys.stderr, flush=True)
        if name in WORKLOADS:
            contest = Contest(backend, name, options.kind, options.variant)
            result["rows"] += contest.rows(options.rounds, clock)
        elif name == "door":
            result["door"] = measure.measure_door(options.rounds)
        else:
            result["rows"] += parts[name]()
        yield result


def describe_machine(backend: str) -> str:
    from importlib.metadata import packages_distributions, version

    (distribution, *_) = packages_distributions()[backend]
    names = [distribution, *["keras"] * keras_side.installed()]
    return ", ".join(f"{name} {version(name)}" for name in names)


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """Markdown: the table, a line about the machine, and the cost of an op."""
    rows = [row for result in results for row in result["rows"]]
    lines = [*goals.table(rows), ""] if rows else []
    versions = ", ".join(result["machine"] for result in results)
    clock = "processor time" if options.cpu_time else "wall-clock time"
    lines.append(
        f"{clock.capitalize()}, {options.threads} thread(s), {options.rounds} rounds, Python "
        f"{platform.python_version()}, {versions}, {processor()}."
    )
    if options.table:
        return "\n".join(lines)
    for result in results:
        if "door" in result:
            told = ", ".join(f"{name} {value:,.0f} ns" for name, value in result["door"].items())
            lines.append(f"- {result['backend']}, added to an op's call: {told}")
    return "\n".join(lines)


def processor() -> str:
    """The processor's name where the system tells, else its architecture."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


if __name__ == "__main__":
    main()
