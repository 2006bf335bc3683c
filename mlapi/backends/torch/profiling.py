"""Traces on torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import torch


@contextmanager
def profiler(folder: str | PathLike[str]) -> Iterator[None]:
    Path(folder).mkdir(parents=True, exist_ok=True)
    with torch.profiler.profile() as profile:
        yield
    profile.export_chrome_trace(str(Path(folder) / "trace.json.gz"))
