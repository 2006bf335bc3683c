"""What callbacks that record a run have in common: when to write, and at which step."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mlapi.training.callback import Closing, Values
from mlapi.training.every import Every


class Recorder(Closing):
    """Base of the callbacks that write the numbers of batches every so many steps.

    A step is an update of the weights. They are counted from what the optimizer has made before,
    so that the steps of a second `fit`, or of a run that is resumed, follow those of the first.

    Attributes:
        step: updates so far.
    """

    _every = Every(None)
    _first = 0
    _in_fit = False

    @property
    def step(self) -> int:
        return self._first + self._every.count

    def steps_apart(self) -> int | None:
        """Returns how many steps apart batches are written, None for not at all."""
        return self.params.get("log_every")

    def write_batch(self, step: int, logs: Values) -> None:
        """Writes the numbers of a batch."""

    def get_state(self) -> dict[str, Any] | None:
        """Returns the count of steps."""
        return {"first": self._first, "count": self._every.count, "last": self._every.last}

    def set_state(self, state: Any) -> None:
        """Goes on with a count of steps."""
        self._first = state["first"]
        self._every.count, self._every.last = state["count"], state["last"]

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Finds out where the count of steps stands."""
        self._first = updates_made(self.model)
        self._every = Every(self.steps_apart())
        self._in_fit = True

    def on_train_end(self, logs: Values | None = None) -> None:
        """Notes that evaluations are no longer those of a run."""
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Notes that batches count from 0 again."""
        self._every.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Writes the numbers so far, if it is time; otherwise none of them leaves the device."""
        if self._every.passes(batch):
            self.write_batch(self.step, logs or {})


def updates_made(model: Any) -> int:
    """Returns how often the model's optimizer has changed it; 0 without one."""
    optimizer = getattr(model, "optimizer", None)
    return 0 if optimizer is None else int(optimizer.iterations)


def learning_rates(model: Any) -> dict[str, float]:
    """Returns the learning rate by name; several, with the optimizers' names, of several."""
    optimizer = getattr(model, "optimizer", None)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner is None:
        return {}
    if hasattr(inner, "optimizers"):
        return {f"learning_rate_{o.name}": float(o.learning_rate) for o in inner.optimizers}
    return {"learning_rate": float(inner.learning_rate)}


def scalars(logs: Values, names: Iterable[str] | None = None) -> dict[str, float]:
    """Returns the numbers among `logs`, by name."""
    chosen = {name: logs[name] for name in (logs if names is None else names)}
    return {name: float(value) for name, value in chosen.items() if np.ndim(value) == 0}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns a nest of dicts as one, with names such as `"optimizer.learning_rate"`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = value
    return found
