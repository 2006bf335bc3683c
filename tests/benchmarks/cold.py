"""Start-up, each time in a fresh process: importing mlapi, and the first `fit`."""

import statistics
import subprocess
import sys
import time

_FIRST_EPOCH = """
from tests.benchmarks.{module} import Program
from tests.benchmarks.workloads import WORKLOADS, data
Program(WORKLOADS["tiny"], *data(WORKLOADS["tiny"])).epoch(32)
"""


def measure(backend: str, rounds: int) -> dict[str, float]:
    """Seconds: `import mlapi`, the first native epoch, the first `fit`, and what fit adds."""
    programs = {
        "nothing": "pass",
        "import": "import mlapi",
        "native": _FIRST_EPOCH.format(module=f"native_{backend}"),
        "mlapi": _FIRST_EPOCH.format(module="mlapi_side"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
            if turn:  # the first finds neither bytecode nor pages in the cache
                seconds[name].append(time.perf_counter() - start)

    def difference(name: str, other: str) -> float:
        return statistics.median(a - b for a, b in zip(seconds[name], seconds[other]))

    return {
        "import mlapi": difference("import", "nothing"),
        "first native epoch": statistics.median(seconds["native"]),
        "first fit": statistics.median(seconds["mlapi"]),
        "added by mlapi": difference("mlapi", "native"),
    }
