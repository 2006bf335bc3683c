"""Checkpoints in the format of Orbax, JAX's library for them, written on any backend."""

from __future__ import annotations

import importlib
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from mlapi._lazy import LazyModule
from mlapi.errors import ArgumentError, LoadError, MissingLibraryError, NotBuiltError
from mlapi.training.callback import Values
from mlapi.training.checkpoint import Saver
from mlapi.validation import boolean, optional, positive_int

# Callbacks can be made before a backend is loaded.
naming: Any = LazyModule("mlapi.saving.naming")
weights: Any = LazyModule("mlapi.saving.weights")

_optional_positive_int = optional(positive_int)


class OrbaxCheckpoint(Saver):
    """Saves weights and the optimizer's state with Orbax, at the end of epochs or every so often.

    It needs the package `orbax-checkpoint`, which brings JAX along and gets NumPy arrays from
    here: any backend may save, and any may `restore`. To go on with an interrupted `fit` use
    `BackupAndRestore`, which keeps more than these.

    A checkpoint has the number of its epoch, from 0, or that of its batch; numbers go on behind
    those that the folder has already. It holds `weights`, by the names that they have in
    safetensors files, `optimizer`, by their place in `optimizer.variables`, and the `epoch`.
    Arrays without elements are left out, which Orbax cannot store.

    Args:
        directory: folder of the checkpoints; it is made.
        monitor: name of the number that `save_best_only` goes by.
        verbose: 1 to say so each time.
        save_best_only: whether to save only when the watched number is the best so far.
        mode: `"min"` if less is better, `"max"` if more is, `"auto"` to go by the name.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: value that the first to be saved has to improve on.
        max_to_keep: how many checkpoints stay, the newest; None for all.
        save_on_background: whether Orbax writes beside the training.
        save_weights_only: whether the optimizer's state is left out.

    Attributes:
        best: best value so far.

    Raises:
        MissingLibraryError: `orbax-checkpoint` is not installed.

    Example:
        >>> from mlapi.callbacks import OrbaxCheckpoint
        >>> try:
        ...     keep = OrbaxCheckpoint("checkpoints", max_to_keep=3)
        ... except ImportError as error:
        ...     pass  # pip install orbax-checkpoint
    """

    _state_names = (*Saver._state_names, "_total")

    def __init__(
        self,
        directory: str | PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
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
        self.directory = fspath(directory)
        if not self.directory:
            raise ArgumentError("OrbaxCheckpoint: directory must be a folder, received ''.")
        self.max_to_keep = _optional_positive_int(self, "max_to_keep", max_to_keep)
        self.save_on_background = boolean(self, "save_on_background", save_on_background)
        self._library = _orbax()
        self._manager: Any = None
        self._offset: int | None = None
        self._total = 0

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Opens the folder."""
        super().on_train_begin(logs)
        self._offset, self._total = None, 0
        self._open()

    def on_train_end(self, logs: Values | None = None) -> None:
        """Waits until all is written, and closes the folder."""
        manager, self._manager = self._manager, None
        if manager is not None:
            manager.wait_until_finished()
            manager.close()

    def wait_until_finished(self) -> None:
        """Waits until what is being written is there, and raises what went wrong meanwhile."""
        if self._manager is not None:
            self._manager.wait_until_finished()

    def is_multihost_enabled(self) -> bool:
        """Returns whether several processes save one checkpoint together."""
        return self._library.multihost.process_count() > 1

    def is_primary_host(self) -> bool:
        """Returns whether this process is the one that speaks for all."""
        return self._library.multihost.process_index() == 0

    def restore(self, model: Any, step: int | None = None) -> int:
        """Gives a model the weights of a checkpoint, and its optimizer the state, if it is there.

        Args:
            model: built as the one that was saved.
            step: number of the checkpoint; the last by default.

        Returns:
            The number of the epoch in which it was saved, from 0.

        Raises:
            LoadError: there is none, or it is of another model; then nothing is assigned.
        """
        self.wait_until_finished()
        if not model.built:
            raise NotBuiltError(f'Model "{model.name}" has no weights yet: build it first.')
        if model.optimizer is not None and not self.save_weights_only:
            model.optimizer.build(model.trainable_variables)
        wanted = self._variables(model)
        where = f"{self.directory}"
        manager = self._open()
        try:
            step = manager.latest_step() if step is None else step
            if step is None:
                raise LoadError(f"{where} holds no checkpoint.")
            target = _nest({place: variable.numpy() for place, variable in wanted.items()})
            target["epoch"] = np.zeros((), np.int32)
            arguments = self._library.args.StandardRestore(target)
            found = manager.restore(step, args=arguments)
        except LoadError:
            raise
        except Exception as error:  # Orbax and what it rests on raise all kinds
            raise LoadError(f"{where}: checkpoint {step} cannot be restored: {error}") from error
        finally:
            self.on_train_end()
        pairs = [(v, np.asarray(found[part][name])) for (part, name), v in wanted.items()]
        weights.assign(pairs, where)
        return int(found["epoch"])

    def _open(self) -> Any:
        if self._manager is None:
            options = self._library.CheckpointManagerOptions(
                max_to_keep=self.max_to_keep,
                enable_async_checkpointing=self.save_on_background,
            )
            folder = Path(self.directory).absolute()
            self._manager = self._library.CheckpointManager(folder, options=options)
        return self._manager

    def _count_batch(self, batch: int, logs: Values | None = None) -> None:
        self._total += batch - self._last_batch
        super()._count_batch(batch, logs)

    def _write(self, epoch: int, batch: int | None, logs: Values) -> str:
        step = epoch if batch is None else self._total
        if self._offset is None:  # Orbax would pass over numbers that are not above the last
            last = self._manager.latest_step()
            self._offset = 0 if last is None else max(0, last + 1 - step)
        tree = _nest({place: v.numpy() for place, v in self._variables(self.model).items()})
        tree["epoch"] = np.asarray(epoch, np.int32)
        step += self._offset
        self._manager.save(step, args=self._library.args.StandardSave(tree))
        return f"checkpoint {step} in {self.directory}"

    def _variables(self, model: Any) -> dict[tuple[str, str], Any]:
        found = {("weights", name): v for name, v in naming.dotted_weights(model).items()}
        if model.optimizer is not None and not self.save_weights_only:
            slots = model.optimizer.variables
            found |= {("optimizer", str(i)): variable for i, variable in enumerate(slots)}
        return {place: variable for place, variable in found.items() if 0 not in variable.shape}


def _nest(arrays: dict[tuple[str, str], Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for (part, name), array in arrays.items():
        tree.setdefault(part, {})[name] = array
    return tree


def _orbax() -> Any:
    try:
        return importlib.import_module("orbax.checkpoint")
    except ImportError as error:
        raise MissingLibraryError(
            f"OrbaxCheckpoint needs Orbax, which cannot be imported: {error}. "
            "Install it: pip install orbax-checkpoint"
        ) from error
