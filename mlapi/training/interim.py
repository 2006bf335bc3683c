"""Validation between two batches of training."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mlapi import ops
from mlapi.errors import ArgumentError
from mlapi.training.callback import Callback
from mlapi.training.every import Every
from mlapi.validation import optional, positive_int

_optional_count = optional(positive_int)


@contextmanager
def metrics_set_aside(model: Any) -> Iterator[None]:
    """Puts the state of the metrics back at the end; it never leaves the device."""
    variables = model.metrics_variables
    # Copies, since a compiled step may take the memory of what it is given.
    before = [ops.copy(variable.value) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


class StepValidation(Callback):
    """Validation every so many steps of training, whatever the epochs.

    It is among the callbacks for its state's sake; the loop calls it before them.

    Args:
        steps: how many batches apart.
        evaluate: function that evaluates and returns name → number.
    """

    def __init__(self, steps: int, evaluate: Callable[[], dict[str, float]]) -> None:
        self._every = Every(steps)
        self._evaluate = evaluate
        self.found: dict[str, float] = {}

    def get_state(self) -> dict[str, Any] | None:
        """Returns the count of steps and the numbers of the epoch."""
        return {"count": self._every.count, "last": self._every.last, "found": self.found}

    def set_state(self, state: Any) -> None:
        """Goes on from what `get_state` returned."""
        self._every.count, self._every.last = state["count"], state["last"]
        self.found = state["found"]

    def begin_epoch(self) -> None:
        """Forgets the numbers of the epoch before."""
        self._every.begin_epoch()
        self.found = {}

    def after_step(self, step: int, logs: Any) -> Any:
        """Evaluates if it is time; returns the logs, with `val_…` numbers then."""
        if not self._every.passes(step):
            return logs
        self.found = {f"val_{name}": value for name, value in self._evaluate().items()}
        return {**logs, **self.found}


def check_paces(
    validation_every: int | None, log_every: int | None, validation_freq: Any, validation: Any
) -> None:
    """Refuses arguments of `fit` that are no numbers of steps, or that contradict each other.

    Raises:
        ArgumentError: one is below 1, or there is nothing to evaluate, or epochs to do it in.
    """
    _optional_count("fit", "log_every", log_every)
    if _optional_count("fit", "validation_every", validation_every) is None:
        return
    if validation is None:
        raise ArgumentError(
            f"fit: validation_every={validation_every} asks for evaluations, but there are no data "
            "for them. Pass validation_data or validation_split."
        )
    if validation_freq != 1:
        raise ArgumentError(
            f"fit: validation_every={validation_every} evaluates by steps, "
            f"validation_freq={validation_freq!r} by epochs. Pass one of them."
        )
