"""All callbacks, and the short ones among them."""

import csv
import io
import math
import os
from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from mlapi.errors import ArgumentError, ArgumentTypeError, DivergedError, nearest
from mlapi.training.averages import SwapEMAWeights
from mlapi.training.backup import BackupAndRestore
from mlapi.training.callback import HOOKS, SHORT_NAMES, Callback, Values
from mlapi.training.callback_list import CallbackList
from mlapi.training.checkpoint import ModelCheckpoint
from mlapi.training.history import History
from mlapi.training.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from mlapi.training.loggers import JSONLogger, Logger, MLflowLogger, WandbLogger
from mlapi.training.monitoring import EarlyStopping, say
from mlapi.training.orbax import OrbaxCheckpoint
from mlapi.training.progress import ProgressBar
from mlapi.training.remote import RemoteMonitor
from mlapi.training.tensorboard import TensorBoard

ProgbarLogger = ProgressBar

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "JSONLogger",
    "LambdaCallback",
    "LearningRateScheduler",
    "Logger",
    "MLflowLogger",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "WandbLogger",
]


class LambdaCallback(Callback):
    """Calls plain functions at the hooks that they are named for.

    Args:
        on_epoch_begin: function of `(epoch, logs)`.
        on_epoch_end: function of `(epoch, logs)`.
        on_train_begin: function of `(logs)`.
        on_train_end: function of `(logs)`.
        on_train_batch_begin: function of `(batch, logs)`.
        on_train_batch_end: function of `(batch, logs)`.
        **kwargs: functions for the other hooks of `Callback`, by their names.

    Raises:
        ArgumentTypeError: there is no such hook, or something is not a function.

    Example:
        >>> from mlapi.callbacks import LambdaCallback
        >>> losses = []
        >>> record = LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Any], object] | None = None,
        on_epoch_end: Callable[[int, Any], object] | None = None,
        on_train_begin: Callable[[Any], object] | None = None,
        on_train_end: Callable[[Any], object] | None = None,
        on_train_batch_begin: Callable[[int, Any], object] | None = None,
        on_train_batch_end: Callable[[int, Any], object] | None = None,
        **kwargs: Callable[..., object] | None,
    ) -> None:
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        hooks = (*HOOKS, *SHORT_NAMES.values())
        for name, function in functions.items():
            if name not in hooks:
                raise ArgumentTypeError(
                    f"LambdaCallback: there is no hook {name!r}.{nearest(name, hooks)}"
                )
            if function is not None:
                if not callable(function):
                    raise ArgumentTypeError(
                        f"LambdaCallback: {name} must be a function, received {function!r}."
                    )
                setattr(self, name, function)


class CSVLogger(Callback):
    """Writes the numbers of each epoch to a CSV file, a line as soon as the epoch ends.

    The first column, `epoch`, counts from 0; the others are in alphabetical order. Numbers that
    first come later, such as those of a validation every other epoch, get columns at the end.

    Args:
        filename: the file; its folder is made.
        separator: one character between the columns.
        append: whether to go on with an existing file instead of starting it anew.

    Example:
        >>> from mlapi.callbacks import CSVLogger
        >>> log = CSVLogger("training.csv", append=True)
    """

    def __init__(
        self, filename: str | PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        if not isinstance(separator, str) or len(separator) != 1:
            raise ArgumentError(
                f"CSVLogger: separator must be one character, received {separator!r}."
            )
        self.filename = fspath(filename)
        self.separator = separator
        self.append = append
        self._columns: list[str] = []

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Starts the file, or reads the columns of an existing one."""
        path = Path(self.filename)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._columns = []
        if self.append and path.exists():
            self._columns = self._read()[0]
        else:
            path.write_text("", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Appends a line."""
        row = {"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}}
        new = sorted(row.keys() - set(self._columns) - {"epoch"})
        if new or not self._columns:
            rows = self._read()[1]
            self._columns = [*(self._columns or ["epoch"]), *new]
            self._replace(rows)
        with open(self.filename, "a", newline="", encoding="utf-8") as file:
            self._writer(file).writerow(row)

    def get_state(self) -> dict[str, Any]:
        """Returns the text of the file: lines of epochs that are trained again must not stay."""
        return {"columns": self._columns, "text": Path(self.filename).read_bytes().decode()}

    def set_state(self, state: Any) -> None:
        """Puts the file back."""
        self._columns = state["columns"]
        Path(self.filename).write_bytes(state["text"].encode())

    def _writer(self, file: Any) -> "csv.DictWriter[str]":
        return csv.DictWriter(file, self._columns, restval="NA", delimiter=self.separator)

    def _read(self) -> tuple[list[str], list[dict[str, str]]]:
        with open(self.filename, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, delimiter=self.separator)
            rows = list(reader)
            return list(reader.fieldnames or []), rows

    def _replace(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO(newline="")
        writer = self._writer(text)
        writer.writeheader()
        writer.writerows(rows)
        unfinished = Path(f"{self.filename}.new")
        unfinished.write_text(text.getvalue(), encoding="utf-8", newline="")
        os.replace(unfinished, self.filename)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


class TerminateOnNaN(Callback):
    """Ends training when the loss is no longer a finite number.

    The loss of a batch is looked at when the next batch has been sent off, so that an
    accelerator never has to wait; training ends one batch later than it could.

    Args:
        raise_error: whether to raise an error instead of ending training quietly.

    Raises:
        DivergedError: the loss is nan or infinite, and `raise_error` is true.

    Example:
        >>> from mlapi.callbacks import TerminateOnNaN
        >>> stop = TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error
        self._last: tuple[int, Values] | None = None

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Forgets the last batch of the epoch before."""
        self._last = None

    def on_train_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Looks at the loss of the batch before."""
        before, self._last = self._last, (batch, logs or {})
        if before is not None:
            self._check(before[1], f"batch {before[0]}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Looks at the loss of the epoch."""
        if not self.model.stop_training:
            self._check(logs or {}, f"epoch {epoch + 1}")

    def _check(self, logs: Values, where: str) -> None:
        loss = logs.get("loss")
        if loss is None or math.isfinite(loss):
            return
        message = f"The loss is {loss} after {where}."
        if self.raise_error:
            raise DivergedError(f"{message} A smaller learning rate or clipnorm=1.0 may help.")
        say(f"{message} Training ends.")
        self.model.stop_training = True
