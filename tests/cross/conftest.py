"""Programs run in a process of their own, because a process has one backend."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BACKENDS = ("torch", "jax", "tensorflow")

CHILD = """
import json, runpy, sys
import numpy as np
path, name, arguments, target = sys.argv[1:]
result = runpy.run_path(path)[name](*json.loads(arguments))
np.savez(target, **(result or {}))
"""

Program = Callable[..., Mapping[str, Any] | None]
Results = dict[str, np.ndarray]


@pytest.fixture
def run_on(tmp_path: Path) -> Callable[..., Results]:
    """Run a test file's top-level function on a named backend.

    `run_on("jax", train, str(folder), 3)` calls `train(str(folder), 3)`: the arguments must fit
    into JSON, and what it returns, a dictionary of numbers and arrays, comes back as NumPy arrays.
    """

    def run(backend: str, program: Program, *arguments: object) -> Results:
        target = tmp_path / f"{program.__name__}-{backend}.npz"
        source = program.__code__.co_filename
        command = [sys.executable, "-c", CHILD, source, program.__name__, json.dumps(arguments)]
        environment = {**os.environ, "MLAPI_BACKEND": backend}
        child = subprocess.run(
            [*command, str(target)], env=environment, capture_output=True, text=True
        )
        if child.returncode:
            pytest.fail(f"{program.__name__} on {backend}:\n{child.stderr[-5000:]}", pytrace=False)
        with np.load(target) as arrays:
            return dict(arrays)

    return run


@pytest.fixture
def run_everywhere(run_on: Callable[..., Results]) -> Callable[..., dict[str, Results]]:
    """`run_on` for all backends: a dictionary from the backend's name to its results."""

    def run(program: Program, *arguments: object) -> dict[str, Results]:
        return {backend: run_on(backend, program, *arguments) for backend in BACKENDS}

    return run
