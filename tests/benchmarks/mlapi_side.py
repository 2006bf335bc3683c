"""The same training by mlapi's `fit`."""

from functools import partial
from typing import Any

import mlapi
from tests.benchmarks import fitted

API = mlapi
Program = partial(fitted.Program, mlapi)


def of_backend(backend: str, name: str) -> dict[str, tuple[str, Any]]:
    """Ways of fitting a workload beside the usual one: kind → hand-written variant, program.

    The variant is the one that they are compared with, or "" for the fastest of all.
    """
    ways: dict[str, tuple[str, Any]] = {}
    if backend == "torch" and name != "gru":
        ways["fit, jit_compile=True"] = ("torch eager", partial(Program, jit_compile=True))
    if backend != "torch" and name == "tiny":
        ways["fit, steps_per_execution=20"] = ("", partial(Program, steps_per_execution=20))
    return ways
