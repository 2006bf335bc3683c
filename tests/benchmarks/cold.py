"""Start-up, each time in a fresh process: imports, and the first steps of `fit`."""

import resource
import statistics
import subprocess
import sys
import time

from tests.benchmarks import keras_side
from tests.benchmarks.measure import Row, rows_of

TITLE = "fresh process"
_FIRST_EPOCH = """
from tests.benchmarks.{module} import Program
from tests.benchmarks.workloads import WORKLOADS, data
Program(WORKLOADS["tiny"], *data(WORKLOADS["tiny"])).epoch(32)
"""


def rows(backend: str, rounds: int, cpu_time: bool) -> list[Row]:
    """Seconds to the end of the first step, and of imports beyond that of the framework."""
    steps = {"mlapi": "mlapi_side", "by hand": f"native_{backend}"}
    imports = {"mlapi": "import mlapi; mlapi.Model"}
    if keras_side.installed():
        steps[f"Keras on {backend}"] = "keras_side"
        imports[f"Keras on {backend}"] = "import keras; keras.Model"
    programs = {f"step {name}": _FIRST_EPOCH.format(module=m) for name, m in steps.items()}
    programs["framework"] = f"import {backend}"
    programs |= {f"import {name}": f"import {backend}; {p}" for name, p in imports.items()}
    seconds = race(programs, rounds, cpu_time)

    firsts = {name: seconds[f"step {name}"] for name in steps}
    found = rows_of(firsts, title=TITLE, kind="first step", backend=backend)
    kind = f"import, beyond {backend}'s"
    added = {
        name: [a - b for a, b in zip(seconds[f"import {name}"], seconds["framework"])]
        for name in imports
    }
    own = statistics.median(added.pop("mlapi"))
    common = {"title": TITLE, "kind": kind, "backend": backend, "unit": "s", "mlapi": own}
    found.append(Row(**common, against="", theirs=None, ratio=None, aimed=True))
    for name, times in added.items():
        theirs = statistics.median(times)
        found.append(Row(**common, against=name, theirs=theirs, ratio=None, aimed=True))
    return found


def race(programs: dict[str, str], rounds: int, cpu_time: bool) -> dict[str, list[float]]:
    """Seconds of each program, of all its processor time or by the clock on the wall."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            start = _now(cpu_time)
            subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
            if turn:  # the first finds neither bytecode nor pages in the cache
                seconds[name].append(_now(cpu_time) - start)
    return seconds


def _now(cpu_time: bool) -> float:
    if not cpu_time:
        return time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
