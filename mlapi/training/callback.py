"""The base class of all callbacks: what may happen between the steps of a run."""

from collections.abc import Mapping
from typing import Any

# A run is a call of `fit`, `evaluate` or `predict`.
RUN_HOOKS = tuple(
    f"on_{run}_{end}" for run in ("train", "test", "predict") for end in ("begin", "end")
)
BATCH_HOOKS = tuple(
    f"on_{run}_batch_{end}" for run in ("train", "test", "predict") for end in ("begin", "end")
)
HOOKS = (*RUN_HOOKS, "on_epoch_begin", "on_epoch_end", *BATCH_HOOKS)
# The short names mean the batches of training.
SHORT_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}

Values = Mapping[str, Any]


class Callback:
    """Base class of all callbacks; override the hooks that you need.

    `epoch` and `batch` count from 0, batches anew in each epoch. `logs` maps names to numbers: at
    the end of an epoch a dict that the callbacks after this one and the history see too, at the
    end of a batch a mapping whose numbers leave the device when they are read. Set
    `self.model.stop_training = True` to end training.

    Attributes:
        model: the model that is being run.
        params: dict with `epochs`, `steps` (of an epoch; None if unknown) and `verbose`.
        writes: whether it writes files, or reports to another program; such a callback is left
            out by `fit(fast_dev_run=True)`.

    Example:
        >>> from mlapi.callbacks import Callback
        >>> class StopWhenGood(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         if logs["loss"] < 0.1:
        ...             self.model.stop_training = True
    """

    model: Any = None
    params: Mapping[str, Any] = {}
    writes: bool = False
    # Attributes that a run which goes on after an interruption needs.
    _state_names: tuple[str, ...] = ()

    def get_state(self) -> dict[str, Any] | None:
        """Returns what an interrupted run needs to go on from, None for nothing.

        Numbers, text, None and arrays, in dicts with text as keys and in lists. `fit` calls it
        when it writes a checkpoint.
        """
        return {name: getattr(self, name) for name in self._state_names} or None

    def set_state(self, state: Any) -> None:
        """Receives what `get_state` returned, after `on_train_begin`; tuples come as lists."""
        for name in self._state_names:
            setattr(self, name, state[name])

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Receives `epochs`, `steps` and `verbose` before a run starts."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receives the model before a run starts."""
        self.model = model

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Called when `fit` starts."""

    def on_train_end(self, logs: Values | None = None) -> None:
        """Called when `fit` ends; `logs` are those of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Called before an epoch of training."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called after an epoch and its validation; what is put into `logs` is recorded."""

    def on_batch_begin(self, batch: int, logs: Values | None = None) -> None:
        """Short name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Short name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Values | None = None) -> None:
        """Called before a batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Called after a batch of training; `logs` are the means of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Values | None = None) -> None:
        """Called when an evaluation starts, the validation of an epoch included."""

    def on_test_end(self, logs: Values | None = None) -> None:
        """Called when an evaluation ends."""

    def on_test_batch_begin(self, batch: int, logs: Values | None = None) -> None:
        """Called before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Called after a batch of evaluation; `logs` are the means so far."""

    def on_predict_begin(self, logs: Values | None = None) -> None:
        """Called when `predict` starts."""

    def on_predict_end(self, logs: Values | None = None) -> None:
        """Called when `predict` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Values | None = None) -> None:
        """Called before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Called after a batch of prediction."""


class Closing(Callback):
    """Base of the callbacks that hold something until a run ends, however it ends."""

    def close(self) -> None:
        """Gives back what is held; does nothing if that has been done."""
