"""How a run of `fit` is written down between two batches, and how another goes on from there.

`keeping` gives the loop a `Keeper` if a `BackupAndRestore` is among the callbacks. The loop tells
it where it is; the keeper takes a snapshot when one is due, and hands it to a `Writer`.
"""

import copy
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mlapi import host_random
from mlapi.backends import adapter
from mlapi.data import IterableData
from mlapi.errors import ArgumentError, DataError, LoadError
from mlapi.saving import snapshots
from mlapi.state import Variable, collect
from mlapi.training import randomness
from mlapi.training.backup import BackupAndRestore
from mlapi.training.callback_list import CallbackList
from mlapi.training.writer import Writer

_VERSION = 1


class Source:
    """The batches of epoch after epoch, and how far into the data they have come.

    Args:
        data: what the batches come from.
        steps: batches an epoch, which goes on where the last one stopped; None if each epoch is
            one pass over the data.
    """

    def __init__(self, data: Any, steps: int | None) -> None:
        self.data = data
        self.steps = steps
        self.notes = False
        """Whether to note the randomness at the start of a pass."""
        self._began: dict[str, Any] | None = None
        self._own: Any = None
        self._taken = 0
        self._batches: Iterator[Any] | None = None

    def epoch(self, start: int = 0) -> Iterator[Any]:
        """The batches of an epoch, from number `start` on."""
        if self.steps is not None:
            return islice(self._endless(), self.steps - start)
        if not start:
            self._batches = None
        elif self._batches is None:  # the pass was at its end, which had been noticed
            return iter(())
        return self._rest()

    def _endless(self) -> Iterator[Any]:
        while True:
            # An iterator that an earlier epoch left may be at its very end: only a fresh one
            # that yields nothing means that there is nothing.
            fresh, came = self._batches is None, False
            for batch in self._rest():
                came = True
                yield batch
            if fresh and not came:
                return

    def _rest(self) -> Iterator[Any]:
        if self._batches is None:
            if self.notes:
                self._began, self._own = randomness.state(), self._own_state()
            self._taken = 0
            self._batches = iter(self.data.batches())
        for batch in self._batches:
            self._taken += 1
            yield batch
        self._batches = None

    def place(self) -> dict[str, Any]:
        """Where in the data the batch is that was taken last, for `go_to`."""
        place = {"taken": self._taken, "steps": self.data.steps}
        if self._batches is None:
            return {**place, "began": None, "own": self._own_state()}
        return {**place, "began": self._began, "own": self._own}

    def go_to(self, place: dict[str, Any]) -> Any:
        """Go on behind a batch that another process took last; returns any batch.

        Random generators are elsewhere afterwards.

        Raises:
            DataError: there are fewer batches now.
        """
        began, taken, own = place["began"], place["taken"], place["own"]
        indexed = not isinstance(self.data, IterableData)
        look = next(iter(self.data.batches()), None) if indexed or began is None else None
        if own is not None:
            self.data._source.set_state(own)
        if began is None:
            return look
        self._began, self._taken, self._own = began, taken, own
        if indexed:
            self._batches = self._from(taken)
            return look
        # What an iterable does between two batches may draw random numbers.
        randomness.restore(began)
        self._batches = iter(self.data.batches())
        for number in range(taken):
            batch = next(self._batches, _NOTHING)
            if batch is _NOTHING:
                raise DataError(
                    f"The checkpoint was written after {taken} batches of the data, of which only "
                    f"{number} came now. Pass the same data again."
                )
            look = batch if number == 0 else look
        return look

    def _own_state(self) -> Any:
        """What an iterable of the user's says that it needs to start a pass again."""
        ask = getattr(getattr(self.data, "_source", None), "get_state", None)
        return copy.deepcopy(ask()) if callable(ask) else None

    def _from(self, start: int) -> Iterator[Any]:
        """The rest of a pass, whose order follows from the host's generator at its start."""
        assert self._began is not None
        now = host_random.state()
        host_random.restore(self._began["host"], restart=False)
        batches = self.data.batches(start)
        first = next(batches, _NOTHING)
        host_random.restore(now, restart=False)
        if first is not _NOTHING:
            yield first
            yield from batches


_NOTHING = object()


@dataclass
class Place:
    """Where a run is: after `step` batches of `epoch`, with what was logged last."""

    epoch: int
    step: int = 0
    logs: Any = field(default_factory=dict)


class Keeper:
    """Writes checkpoints of a run, and reads them."""

    def __init__(
        self,
        model: Any,
        hooks: CallbackList,
        source: Source,
        backup: BackupAndRestore,
    ) -> None:
        self._model, self._hooks, self._source, self._backup = model, hooks, source, backup
        self._folder = backup.folder
        self._place = Place(0)
        self._written: Place | None = None
        self._folder.mkdir(parents=True, exist_ok=True)
        snapshots.remove_unfinished(self._folder)
        source.notes = True
        self._writer: Writer | None = None

    # --- what the loop calls ------------------------------------------------------------------

    def restore(self, initial_epoch: int, epochs: int) -> Place:
        """Where to begin, with everything as it was there."""
        place = self._place = Place(initial_epoch)
        path, record, arrays = self._newest() if self._backup._restores else (None, {}, {})
        self._writer = Writer(self._folder, path)
        if path is not None:
            place = self._place = self._go_on(path, record, arrays)
            if not place.step and self._model.stop_training:
                place.epoch = max(place.epoch, epochs)
        elif self._backup._must_restore:
            raise LoadError(
                f"{self._folder} holds no checkpoint to go on from; resume='auto' starts anew then."
            )
        self._backup.started()
        return Place(place.epoch, place.step, place.logs)

    def after_batch(self, epoch: int, step: int, logs: Any) -> None:
        """After a batch and its callbacks."""
        more = step + 1 - (self._place.step if self._place.epoch == epoch else 0)
        self._place = Place(epoch, step + 1, logs)
        if self._writer is not None:
            self._writer.check()
        if self._backup.is_due(more, ended=False):
            self.save()

    def after_epoch(self, epoch: int, logs: dict[str, Any], last: bool) -> None:
        """After an epoch and its callbacks."""
        self._place = Place(epoch + 1, 0, logs)
        keep = last and not self._backup.delete_checkpoint
        if self._backup.is_due(0, ended=True) or keep:
            self.save()

    def save(self) -> None:
        """Have a checkpoint written of the place that the run is at."""
        assert self._writer is not None
        if self._written is not self._place:
            self._writer.submit(self._snapshot())
            self._written = self._place

    def end(self, well: bool) -> None:
        """After the last hook: wait for the writer, and clean up after a run that ended well."""
        if self._writer is None:
            return
        remove = well and self._backup.delete_checkpoint
        try:
            self._writer.finish(drop=remove)
        finally:
            self._writer.close()
        if remove:
            for path in snapshots.checkpoints(self._folder):
                path.unlink(missing_ok=True)
            if not any(self._folder.iterdir()):
                self._folder.rmdir()

    # --- writing ------------------------------------------------------------------------------

    def _snapshot(self) -> tuple[str, dict[str, np.ndarray]]:
        variables = _variables(self._model)
        arrays: dict[str, np.ndarray] = {}
        place = self._place
        record = {
            "version": _VERSION,
            "epoch": place.epoch,
            "step": place.step,
            "logs": dict(place.logs),
            "stopped": bool(self._model.stop_training),
            "backend": adapter.NAME,
            "random": randomness.state(),
            "source": self._source.place(),
            "variables": [variable.path for variable in variables],
        }
        frozen = snapshots.freeze(record, arrays, "the state of training")
        frozen["callbacks"] = [
            [name, snapshots.freeze(callback.get_state(), arrays, f"{name}.get_state()")]
            for name, callback in self._callbacks()
        ]
        arrays |= {f"variables/{i}": variable.numpy() for i, variable in enumerate(variables)}
        return json.dumps(frozen), arrays

    def _callbacks(self) -> Iterator[tuple[str, Any]]:
        for callback in self._hooks.callbacks:
            if hasattr(callback, "get_state"):
                yield type(callback).__name__, callback

    # --- reading ------------------------------------------------------------------------------

    def _newest(self) -> tuple[Path | None, Any, dict[str, np.ndarray]]:
        """The newest checkpoint that is whole; None if there is none at all."""
        damaged: list[str] = []
        for path in snapshots.checkpoints(self._folder):
            try:
                record, arrays = snapshots.read(path)
            except LoadError as error:
                damaged.append(str(error))
                continue
            if damaged:
                warnings.warn(f"{' '.join(damaged)} Training goes on from {path}.", stacklevel=6)
            return path, record, arrays
        if damaged:
            raise LoadError(
                f"No checkpoint in {self._folder} can be read. {' '.join(damaged)} Remove them to "
                "start anew."
            )
        return None, {}, {}

    def _go_on(self, path: Path, record: Any, arrays: dict[str, np.ndarray]) -> Place:
        if not isinstance(record, dict) or record.get("version") != _VERSION:
            raise LoadError(f"{path} was written by another version of mlapi.")
        values = [arrays[f"variables/{i}"] for i in range(len(record["variables"]))]
        state = snapshots.thaw(record, arrays)
        place = Place(state["epoch"], state["step"], state["logs"])
        self._warn_of_changes(path, state)
        look = self._source.go_to(state["source"])
        variables = self._ready(look, values, record["variables"], path)
        if place.step:  # the epoch has begun; what its beginning changes, the checkpoint has
            self._hooks.on_epoch_begin(place.epoch)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        self._restore_callbacks(state["callbacks"])
        randomness.restore(state["random"])
        self._model.stop_training = state["stopped"]
        return place

    def _ready(
        self, batch: Any, values: list[np.ndarray], paths: list[str], path: Path
    ) -> list[Variable]:
        """The variables for the values, all of which the model may not have before a step."""
        if batch is None:
            raise DataError("the data are empty: not one batch came.")
        function = self._model._function("train", batch)
        variables = _variables(self._model)
        if _fit(variables, values):
            return variables
        # A step of the user's own may make some at its first call, an optimizer's slots say.
        before = [(variable, variable.numpy()) for variable in variables]
        function(batch)
        variables = _variables(self._model)
        if not _fit(variables, values):
            for variable, value in before:
                variable.assign(value)
            raise LoadError(_difference(variables, values, paths, path))
        return variables

    def _restore_callbacks(self, states: list[Any]) -> None:
        """Each state goes to the callback of the same class, the second to the second of it."""
        count: Counter[str] = Counter()
        waiting = {}
        for name, state in states:
            if state is not None:
                waiting[name, count[name]] = state
            count[name] += 1
        count.clear()
        for name, callback in self._callbacks():
            state = waiting.pop((name, count[name]), None)
            count[name] += 1
            if state is not None:
                callback.set_state(state)
        if waiting:
            names = ", ".join(sorted({name for name, _ in waiting}))
            warnings.warn(
                f"The checkpoint has states of callbacks that are not there now: {names}.",
                stacklevel=7,
            )

    def _warn_of_changes(self, path: Path, state: dict[str, Any]) -> None:
        before, now = state["source"]["steps"], self._source.data.steps
        changes = []
        if before != now:
            changes.append(f"with {before} batches in a pass over the data, there are {now} now")
        if state["backend"] != adapter.NAME:
            changes.append(f"on {state['backend']}, whose random numbers are others")
        if changes:
            warnings.warn(
                f"{path} was written {' and '.join(changes)}: training goes on, but not as it "
                "would have.",
                stacklevel=7,
            )


@contextmanager
def keeping(model: Any, hooks: CallbackList, source: Source) -> Iterator[Keeper | None]:
    """A `Keeper` for the run inside, if a callback asks for one."""
    backups = [callback for callback in hooks.callbacks if isinstance(callback, BackupAndRestore)]
    if not backups:
        yield None
        return
    if len(backups) > 1:
        raise ArgumentError(
            "fit goes on from one folder of checkpoints, and was given several: leave one "
            "BackupAndRestore, or checkpoint_dir."
        )
    keeper = Keeper(model, hooks, source, backups[0])
    try:
        yield keeper
    except BaseException as error:
        try:
            keeper.end(well=False)
        except OSError as other:
            error.add_note(str(other))
        raise
    keeper.end(well=True)


def _variables(model: Any) -> list[Variable]:
    return collect([model, *model.metrics, *model._optimizers()])


def _fit(variables: list[Variable], values: list[np.ndarray]) -> bool:
    return [(v.shape, v.dtype) for v in variables] == [(a.shape, a.dtype.name) for a in values]


def _difference(
    variables: list[Variable], values: list[np.ndarray], paths: list[str], path: Path
) -> str:
    lines = [f"{path} is a checkpoint of another model, optimizer or metrics."]
    if len(variables) != len(values):
        lines.append(f"  variables: {len(values)} in the file, {len(variables)} now")
    for variable, value, name in zip(variables, values, paths, strict=False):
        if (variable.shape, variable.dtype) != (value.shape, value.dtype.name):
            lines.append(f"  in the file: {name}, {value.dtype.name} {value.shape}")
            lines.append(f"  now:         {variable.path}, {variable.dtype} {variable.shape}")
            break
    lines.append("Choose another folder, or make the model as it was.")
    return "\n".join(lines)
