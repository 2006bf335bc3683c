"""Callbacks that change the learning rate from epoch to epoch."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.training.callback import Callback, Values
from mlapi.training.monitoring import Monitor, say
from mlapi.validation import non_negative, non_negative_int, number


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    The logs of every epoch get it as `"learning_rate"`.

    Args:
        schedule: function of `(epoch, learning_rate)` or of `(epoch)` alone, with `epoch` from 0,
            that returns the new learning rate.
        verbose: 1 to say so each time.

    Raises:
        ArgumentError: `schedule` returned no number.

    Example:
        >>> from mlapi.callbacks import LearningRateScheduler
        >>> halve = LearningRateScheduler(lambda epoch, lr: lr / 2 if epoch % 10 == 9 else lr)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ArgumentTypeError(
                "LearningRateScheduler: schedule must be a function of (epoch, learning_rate), "
                f"received {schedule!r}."
            )
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _accepts_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Asks the schedule, and sets what it says."""
        rate = read_learning_rate(self)
        value = self.schedule(epoch, rate) if self._takes_rate else self.schedule(epoch)
        try:
            rate = float(value)
        except (TypeError, ValueError):
            raise ArgumentError(
                f"LearningRateScheduler: schedule must return a number, returned {value!r} for "
                f"epoch {epoch}."
            ) from None
        self.model.optimizer.learning_rate = rate
        if self.verbose:
            say(f"Epoch {epoch + 1}: the learning rate is {rate:.4g}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Adds the learning rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = read_learning_rate(self)


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a number has stopped to improve.

    The logs of every epoch get it as `"learning_rate"`.

    Args:
        monitor: name of the number in the logs.
        factor: what the learning rate is multiplied by, from 0 to below 1.
        patience: epochs without improvement after which that happens.
        verbose: 1 to say so when it happens.
        mode: `"min"` if less is better, `"max"` if more is, `"auto"` to go by the name.
        min_delta: smallest change that counts as an improvement.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: the learning rate is not made smaller than this.

    Example:
        >>> from mlapi.callbacks import ReduceLROnPlateau
        >>> reduce = ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2, min_lr=1e-5)
    """

    _state_names = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor = number(self, "factor", factor)
        if not 0 <= self.factor < 1:
            raise ArgumentError(
                f"ReduceLROnPlateau: factor must be from 0 to below 1, received {factor!r}."
            )
        self.patience = non_negative_int(self, "patience", patience)
        self.verbose = verbose
        self.cooldown = non_negative_int(self, "cooldown", cooldown)
        self.min_lr = non_negative(self, "min_lr", min_lr)
        self.on_train_begin()

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Forgets an earlier run."""
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Returns whether the last reduction is too recent for another."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compares the epoch with the best so far, and lowers the rate if it is time."""
        rate = read_learning_rate(self)
        value = self.get_monitor_value(logs)
        if logs is not None:
            logs["learning_rate"] = rate
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            # Optimizers keep the rate as a float32, which may lie a little above min_lr.
            if self.wait >= self.patience and rate > np.float32(self.min_lr):
                self._reduce(epoch, rate)

    def _reduce(self, epoch: int, rate: float) -> None:
        lower = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = lower
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            say(f"Epoch {epoch + 1}: the learning rate is now {lower:.4g}.")


def read_learning_rate(callback: Callback) -> float:
    """Returns the learning rate of the model that `callback` was given.

    Raises:
        ArgumentError: the model has no optimizer of its own.
    """
    optimizer = getattr(callback.model, "optimizer", None)
    if optimizer is None:
        raise ArgumentError(
            f"{type(callback).__name__} changes model.optimizer, and this model has none. "
            "Pass an optimizer to compile."
        )
    return float(optimizer.learning_rate)


def _accepts_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a function without a signature, as some in C
        return True
    return True
