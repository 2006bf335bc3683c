"""The callback that makes `fit` write checkpoints, and go on from them."""

import time
from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from mlapi.errors import ArgumentError
from mlapi.training.callback import Callback
from mlapi.validation import boolean, optional, positive, positive_int

_optional_positive = optional(positive)

# Minutes between the checkpoints of `fit(checkpoint_dir=…)` in epochs that take long.
_MINUTES = 10


class BackupAndRestore(Callback):
    """Makes `fit` go on where an interrupted run of the same program stopped, to the same bits.

    A checkpoint holds all Variables of the model, the optimizer and the metrics, the states of
    random generators and of the callbacks, and the place in the data. `fit` writes it when all
    callbacks have been called, by a thread beside the training, so that a file is there whole or
    not at all. The last two stay: if the newest is damaged, the one before is taken, with a
    warning. `docs/resume.md` tells what else must be the same.

    Args:
        backup_dir: folder for the checkpoints of one run; it is made.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: kept for programs written for Keras: two are kept in any case.
        delete_checkpoint: whether they are removed when training comes to its end. An
            interrupted run, be it by an error, leaves them.
        minutes: additionally save whenever so many minutes have passed, between two batches.

    Raises:
        ArgumentError: `backup_dir` is empty, or `save_freq` neither `"epoch"` nor at least 1.
        LoadError: from `fit`: no checkpoint in the folder can be read, or they are of
            another model.
        SaveError: from `fit`: a checkpoint could not be written; those before it are intact.

    Example:
        >>> from mlapi.callbacks import BackupAndRestore
        >>> backup = BackupAndRestore("backup", save_freq=1000, minutes=10)
    """

    writes = True

    def __init__(
        self,
        backup_dir: str | PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        *,
        minutes: float | None = None,
    ) -> None:
        self.backup_dir = fspath(backup_dir)
        if not self.backup_dir:
            raise ArgumentError("BackupAndRestore: backup_dir must be a folder, received ''.")
        self.save_freq = save_freq
        if save_freq != "epoch":
            positive_int(self, "save_freq", save_freq)
        self.double_checkpoint = boolean(self, "double_checkpoint", double_checkpoint)
        self.delete_checkpoint = boolean(self, "delete_checkpoint", delete_checkpoint)
        self.minutes = _optional_positive(self, "minutes", minutes)
        self._restores = True
        self._must_restore = False

    @property
    def folder(self) -> Path:
        """The folder of the checkpoints."""
        return Path(self.backup_dir)

    def started(self) -> None:
        """Counts batches and minutes from now on."""
        self._batches = 0
        self._next = time.monotonic() + 60 * (self.minutes or 0)

    def is_due(self, batches: int, ended: bool) -> bool:
        """Whether to save after `batches` more batches, after which the epoch may have ended."""
        self._batches += batches
        if self.save_freq == "epoch":
            due = ended
        else:
            due = self._batches >= int(self.save_freq)
        if not due and self.minutes is not None:
            due = time.monotonic() >= self._next
        if due:
            self.started()
        return due


def with_backup(
    callbacks: Any, resume: str | bool | None, checkpoint_dir: str | PathLike[str] | None
) -> Any:
    """The callbacks of a `fit`, and one more for what these of its arguments ask for."""
    if resume not in (None, False, True, "auto"):
        raise ArgumentError(f"resume must be None, 'auto' or True, received {resume!r}.")
    if checkpoint_dir is None and not resume:
        return callbacks
    if not isinstance(callbacks, Iterable):
        callbacks = [] if callbacks is None else [callbacks]
    given = list(callbacks)
    if checkpoint_dir is not None:
        backup = BackupAndRestore(checkpoint_dir, delete_checkpoint=False, minutes=_MINUTES)
        given.append(backup)
    else:
        found = [callback for callback in given if isinstance(callback, BackupAndRestore)]
        if not found:
            raise ArgumentError(
                f"resume={resume!r} needs the folder of the checkpoints: pass checkpoint_dir."
            )
        backup = found[0]
    backup._restores = bool(resume)
    backup._must_restore = resume is True
    return given
