"""Traces on jax."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import jax


@contextmanager
def profiler(folder: str | PathLike[str]) -> Iterator[None]:
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        with jax.profiler.trace(place, create_perfetto_trace=True):
            yield
        # In a folder with the date, whose siblings are in formats of other programs.
        (written,) = Path(place).rglob("perfetto_trace.json.gz")
        shutil.copyfile(written, Path(folder) / "trace.json.gz")
