"""Saves the model while it is trained."""

import string
import warnings
from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from mlapi.errors import ArgumentError, nearest
from mlapi.training.callback import Values
from mlapi.training.monitoring import Monitor, say
from mlapi.validation import boolean, number, optional, positive_int

_WEIGHTS_SUFFIXES = (".weights.h5", ".safetensors")
_MODEL_SUFFIXES = (".keras", ".h5", ".hdf5")

_optional_number = optional(number)


class Saver(Monitor):
    """Base of the callbacks that save the model: when they do."""

    writes = True
    _state_names = ("best", "_epochs", "_batches", "_last_batch", "_epoch")

    def __init__(
        self,
        monitor: str,
        verbose: int,
        save_best_only: bool,
        save_weights_only: bool,
        mode: str,
        save_freq: str | int,
        initial_value_threshold: float | None,
    ) -> None:
        super().__init__(monitor, mode)
        self.verbose = verbose
        self.save_best_only = boolean(self, "save_best_only", save_best_only)
        self.save_weights_only = boolean(self, "save_weights_only", save_weights_only)
        self.initial_value_threshold = _optional_number(
            self, "initial_value_threshold", initial_value_threshold
        )
        self.best = self.initial_value_threshold
        self.save_freq = save_freq
        self._epochs_apart = 1
        if save_freq != "epoch":
            positive_int(self, "save_freq", save_freq)
            # On the object alone: other checkpoints need not be called after each batch.
            self.on_train_batch_end: Callable[..., None] = self._count_batch
        self._epochs = self._batches = self._epoch = 0
        self._last_batch = -1

    def set_model(self, model: Any) -> None:
        """Receives the model; the best value of another model is forgotten."""
        if model is not self.model:
            self.best = self.initial_value_threshold
        super().set_model(model)

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Starts to count anew."""
        self._epochs = self._batches = 0
        self._last_batch = -1
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Notes the number of the epoch, for the names of files."""
        self._epoch = epoch
        self._last_batch = -1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves, if it is time and the epoch was good enough."""
        self._epochs += 1
        if self.save_freq == "epoch" and self._epochs >= self._epochs_apart:
            self._epochs = 0
            self._save(epoch, None, logs or {})

    def _count_batch(self, batch: int, logs: Values | None = None) -> None:
        # Several batches may have passed since the last call.
        self._batches += batch - self._last_batch
        self._last_batch = batch
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._epoch, batch, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Values) -> None:
        verdict = "saved"
        if self.save_best_only:
            value = self.get_monitor_value(logs)
            if value is None or not self.is_better(value, self.best):
                if self.verbose and value is not None:
                    say(f"Epoch {epoch + 1}: {self.monitor} {value:.5g} is not better.")
                return
            before = "" if self.best is None else f", before it was {self.best:.5g}"
            verdict = f"{self.monitor} is {value:.5g}{before}; saved"
            self.best = value
        path = self._write(epoch, batch, logs)
        if self.verbose:
            say(f"Epoch {epoch + 1}: {verdict} {path}.")

    def _write(self, epoch: int, batch: int | None, logs: Values) -> str:
        """Saves, and returns where."""
        raise NotImplementedError(f"{type(self).__name__} must implement _write().")


class ModelCheckpoint(Saver):
    """Saves the model, or its weights, at the end of epochs or every so many batches.

    Args:
        filepath: where to, with the number of the epoch (from 1), that of the batch and any number
            of the logs in braces: `"weights.{epoch:02d}-{val_accuracy:.2f}.keras"`. The ending
            says what is saved: `.keras`, `.h5` and `.hdf5` hold the whole model,
            `.weights.h5` and `.safetensors` its weights. Folders are made.
        monitor: name of the number that `save_best_only` goes by.
        verbose: 1 to say so each time.
        save_best_only: whether to save only when the watched number is the best so far.
        save_weights_only: whether `.h5` and `.hdf5` are to hold weights only.
        mode: `"min"` if less is better, `"max"` if more is, `"auto"` to go by the name.
        save_freq: `"epoch"`, or a number of batches. With `save_best_only` and a `val_…` number it
            must be a multiple of `fit`'s `validation_every`: only weights that were evaluated
            can be the best.
        initial_value_threshold: value that the first to be saved has to improve on.
        period: deprecated, save every so many epochs.

    Attributes:
        best: best value so far. It is kept from one `fit` of a model to the next, so that a good
            file is not replaced by a worse one.

    Raises:
        ArgumentError: the file's ending is none of these, or the braces name what the logs
            do not have.

    Example:
        >>> from mlapi.callbacks import ModelCheckpoint
        >>> keep = ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)
    """

    def __init__(
        self,
        filepath: str | PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        period: int | None = None,
    ) -> None:
        super().__init__(
            monitor,
            verbose,
            save_best_only,
            save_weights_only,
            mode,
            save_freq,
            initial_value_threshold,
        )
        self.filepath = fspath(filepath)
        self._fields = _fields(self.filepath)
        self._check_suffix()
        if period is not None:
            warnings.warn(
                "ModelCheckpoint: period is deprecated; save_freq='epoch' saves after every "
                "epoch, and an integer after so many batches.",
                DeprecationWarning,
                stacklevel=2,
            )
            self._epochs_apart = positive_int(self, "period", period)

    def _write(self, epoch: int, batch: int | None, logs: Values) -> str:
        path = self._path(epoch, batch, logs)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only or path.endswith(_WEIGHTS_SUFFIXES):
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        return path

    def _path(self, epoch: int, batch: int | None, logs: Values) -> str:
        values: dict[str, Any] = {"epoch": epoch + 1}
        if batch is not None:
            values["batch"] = batch + 1
        for field in self._fields - values.keys():
            name = self.find_name(field, logs)
            if name is None:
                known = sorted([*values.keys() & {"epoch", "batch"}, *logs])
                raise ArgumentError(
                    f"ModelCheckpoint: the file name {self.filepath!r} asks for {field!r}, which "
                    f"is none of {', '.join(known)}.{nearest(field, known)}"
                )
            values[field] = logs[name]
        return self.filepath.format(**values)

    def _check_suffix(self) -> None:
        name = self.filepath
        if self.save_weights_only and name.endswith(".keras"):
            raise ArgumentError(
                f"ModelCheckpoint: {name!r} would hold the whole model, and save_weights_only=True "
                "asks for weights. End the name in .weights.h5 or .safetensors."
            )
        if not name.endswith((*_WEIGHTS_SUFFIXES, *_MODEL_SUFFIXES)):
            raise ArgumentError(
                f"ModelCheckpoint: the name {name!r} must end in "
                f"{', '.join(_MODEL_SUFFIXES)} (the model) or {', '.join(_WEIGHTS_SUFFIXES)} "
                "(its weights)."
            )


def _fields(template: str) -> set[str]:
    """The names in the braces of `template`."""
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ArgumentError(f"ModelCheckpoint: the file name {template!r}: {error}.") from None
    for name in fields:
        if not name.isidentifier():
            raise ArgumentError(
                f"ModelCheckpoint: the file name {template!r} has {{{name}}}; braces must hold a "
                "name, such as {epoch:02d} or {val_loss:.2f}."
            )
    return fields
