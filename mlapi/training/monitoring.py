"""What callbacks that watch a number have in common, and the first of them, `EarlyStopping`."""

import math
import sys
import warnings
from typing import Any

from mlapi.errors import ArgumentError, ArgumentTypeError, nearest
from mlapi.training.callback import Callback, Values
from mlapi.validation import Choice, boolean, non_negative_int, number, optional

# Parts of names that tell whether less or more is better; the first list is asked first.
_LESS_IS_BETTER = (
    "loss", "error", "mse", "mae", "mape", "msle", "crossentropy", "hinge", "divergence", "poisson",
    "log_cosh", "logcosh", "perplexity", "false_positives", "false_negatives",
)  # fmt: skip
_MORE_IS_BETTER = (
    "acc", "auc", "precision", "recall", "sensitivity", "specificity", "f1", "fbeta", "iou", "io_u",
    "r2", "correlation", "similarity", "true_positives", "true_negatives", "score",
)  # fmt: skip

_mode = Choice("auto", "min", "max")
_check_at = Choice("epoch", "validation")
_optional_number = optional(number)


class Monitor(Callback):
    """Base of the callbacks that watch a number at the end of an epoch.

    Args:
        monitor: name of the number in the logs.
        mode: `"min"`, `"max"`, or `"auto"`, which goes by the name.
        min_delta: smallest change that counts as better.

    Attributes:
        best: best value so far, None before the first.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if not isinstance(monitor, str):
            raise ArgumentTypeError(
                f"{type(self).__name__}: monitor must be the name of a number in the logs, such "
                f"as 'val_loss', received {monitor!r}."
            )
        self.monitor = monitor
        self.mode = _mode(self, "mode", mode)
        self.min_delta = abs(number(self, "min_delta", min_delta))
        self.best: float | None = None
        self._said: set[str] = set()

    def get_monitor_value(self, logs: Values | None) -> float | None:
        """Returns the watched number; None, with one warning, if it is not in `logs`."""
        name = self.find_name(self.monitor, logs or {})
        if name is None or logs is None:
            self._warn_once(UserWarning, self._absence(logs or {}))
            return None
        return float(logs[name])

    def find_name(self, name: str, logs: Values) -> str | None:
        """Returns `name` as `logs` spell it, for which acc is accuracy; None if it is missing."""
        if name in logs:
            return name
        prefix, rest = ("val_", name[4:]) if name.startswith("val_") else ("", name)
        other = prefix + {"acc": "accuracy", "accuracy": "acc"}.get(rest, rest)
        if other not in logs:
            return None
        if rest == "acc":
            message = f"{type(self).__name__}: acc is deprecated as a name; write {other!r}."
            self._warn_once(DeprecationWarning, message)
        return other

    def is_better(self, value: float, than: float | None) -> bool:
        """Whether `value` improves on another by more than `min_delta`; nan never does."""
        if than is None:
            return not math.isnan(value)
        gain = value - than if self._more_is_better() else than - value
        return gain > self.min_delta

    def _more_is_better(self) -> bool:
        if self.mode == "auto":
            name = self.monitor.lower()
            if any(part in name for part in _LESS_IS_BETTER):
                self.mode = "min"
            elif any(part in name for part in _MORE_IS_BETTER):
                self.mode = "max"
            else:
                raise ArgumentError(
                    f"{type(self).__name__}: the name {self.monitor!r} does not tell whether less "
                    "or more is better. Pass mode='min' or mode='max'."
                )
        return self.mode == "max"

    def _absence(self, logs: Values) -> str:
        hint = nearest(self.monitor, logs)
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            hint = " Pass validation_data or validation_split to fit."
        there = ", ".join(sorted(logs)) or "nothing"
        return (
            f"{type(self).__name__} watches {self.monitor!r}, which is not in the logs ({there})."
            f"{hint} It waits until it is."
        )

    def _warn_once(self, category: type[Warning], message: str) -> None:
        if category.__name__ not in self._said:
            self._said.add(category.__name__)
            warnings.warn(message, category, stacklevel=2)


def say(text: str) -> None:
    """Writes a line for the user; a progress bar stays below it."""
    sys.stdout.write(text + "\n")


class EarlyStopping(Monitor):
    """Ends training when a number has stopped to improve.

    Args:
        monitor: name of the number in the logs, such as `"val_loss"`.
        min_delta: smallest change that counts as an improvement.
        patience: epochs without improvement after which training ends.
        verbose: 1 to say so when it happens.
        mode: `"min"` if less is better, `"max"` if more is, `"auto"` to go by the name.
        baseline: value that an epoch has to improve on, too, to count as improved.
        restore_best_weights: whether the model gets the weights of the best epoch when training
            ends, for whatever reason.
        start_from_epoch: epochs to let pass before watching.
        check_at: `"epoch"`, or `"validation"` to look after every evaluation in `fit`, those in
            the midst of epochs (`validation_every`) included. Then `patience` counts evaluations,
            and `monitor` is a `val_…` number of them.

    Attributes:
        best: best value of the run, None before the first.
        best_epoch: number of its epoch, from 0.
        stopped_epoch: number of the epoch that was the last, 0 if training went to its end.

    Raises:
        ArgumentError: an argument is out of range, or a number that evaluations do not give is to
            be looked at after them.

    Example:
        >>> from mlapi.callbacks import EarlyStopping
        >>> stop = EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    """

    _state_names = (
        "best", "best_weights", "best_epoch", "stopped_epoch", "wait",
        "_epoch", "_checks", "_stopped",
    )  # fmt: skip

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
        check_at: str = "epoch",
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = non_negative_int(self, "patience", patience)
        self.verbose = verbose
        self.baseline = _optional_number(self, "baseline", baseline)
        self.restore_best_weights = boolean(self, "restore_best_weights", restore_best_weights)
        self.start_from_epoch = non_negative_int(self, "start_from_epoch", start_from_epoch)
        self.check_at = _check_at(self, "check_at", check_at)
        if self.check_at == "validation" and not monitor.startswith("val_"):
            raise ArgumentError(
                f"EarlyStopping: check_at='validation' looks at the numbers of evaluations, whose "
                f"names start with 'val_', and monitor is {monitor!r}."
            )
        self._reset()
        self._in_fit = False

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Forgets an earlier run."""
        self._reset()
        self._in_fit = True

    def _reset(self) -> None:
        self.best = None
        self.best_weights: list[Any] | None = None
        self.best_epoch = self.stopped_epoch = self.wait = 0
        self._epoch = self._checks = 0
        self._stopped = False

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Notes the number of the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compares the epoch with the best so far."""
        if self.check_at == "epoch":
            self._check(epoch, logs, first=epoch == 0)

    def on_test_end(self, logs: Values | None = None) -> None:
        """Compares an evaluation in `fit` with the best so far, with `check_at="validation"`."""
        if self.check_at == "validation" and self._in_fit:
            found = {f"val_{name}": value for name, value in (logs or {}).items()}
            self._check(self._epoch, found, first=self._checks == 0)
            self._checks += 1

    def _check(self, epoch: int, logs: Values | None, first: bool) -> None:
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        # The very first has nothing to be compared with.
        if self.wait >= max(self.patience, 1) and not first:
            self.stopped_epoch = epoch
            self._stopped = True
            self.model.stop_training = True

    def on_train_end(self, logs: Values | None = None) -> None:
        """Puts the best weights back, if that was asked for."""
        self._in_fit = False
        if self._stopped and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: stopped early.")
        if self.best_weights is not None:
            if self.verbose:
                say(f"Restored the weights of the best epoch, {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
