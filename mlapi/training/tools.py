"""What `fit` can put around its steps: a look for NaN, a profiler."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from os import PathLike
from typing import Any, TypeAlias

from mlapi.backends import adapter
from mlapi.training.divergence import Detector

# Called with the function of a step, its argument, and the numbers of epoch and batch.
Around: TypeAlias = Callable[[Callable[[Any], Any], Any, int, int], Any]

SKIPPED = 2
TRACED = 5


class Profiler:
    """Traces some steps, when the first ones have compiled what there is to compile.

    Args:
        folder: where `trace.json.gz` goes.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self._folder = folder
        self._steps = 0
        self._trace: AbstractContextManager[None] | None = None

    def run(self, function: Callable, batch: Any, epoch: int, number: int) -> Any:
        """Returns what `function(batch)` does."""
        if self._steps == SKIPPED:
            adapter.core.synchronize()
            trace = self._trace = adapter.transforms.profiler(self._folder)
            trace.__enter__()
        self._steps += 1
        out = function(batch)
        if self._steps == SKIPPED + TRACED:
            self.close()
        return out

    def close(self) -> None:
        """Writes the trace, if it has not been written."""
        if self._trace is not None:
            trace, self._trace = self._trace, None
            adapter.core.synchronize()
            trace.__exit__(None, None, None)

    def check(self) -> None:
        """Warns if the run was too short for a trace."""
        if self._steps <= SKIPPED:
            warnings.warn(
                f"fit(profile={str(self._folder)!r}) traces the steps after the first {SKIPPED}, "
                f"but there were {self._steps}: nothing is written.",
                stacklevel=4,
            )


@contextmanager
def around_steps(
    model: Any, detect_nan: bool, profile: str | PathLike[str] | None
) -> Iterator[Around | None]:
    """What is to run around each step, None for nothing."""
    detector = Detector(model) if detect_nan else None
    if profile is None:
        yield None if detector is None else detector.run
        return
    profiler = Profiler(profile)
    try:
        if detector is None:
            yield profiler.run
        else:
            yield _nested(profiler.run, detector.run)
    finally:
        profiler.close()
    profiler.check()


def _nested(outer: Around, inner: Around) -> Around:
    def run(function: Callable, batch: Any, epoch: int, number: int) -> Any:
        return outer(lambda given: inner(function, given, epoch, number), batch, epoch, number)

    return run
