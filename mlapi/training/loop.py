"""The loops of `fit`, `evaluate` and `predict`: batches in, compiled step, logs out.

Logs stay on the device: `Logs` turns them into numbers when somebody reads them, so a loop
without such a reader never waits for the device.
"""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from types import FrameType
from typing import Any

import numpy as np

from mlapi import config, tree
from mlapi.backends import adapter
from mlapi.data import Data
from mlapi.errors import DataError, DivergedError
from mlapi.optimizers import Optimizer
from mlapi.training.callback_list import CallbackList
from mlapi.training.callbacks import TerminateOnNaN
from mlapi.training.history import History
from mlapi.training.interim import StepValidation, metrics_set_aside
from mlapi.training.resume import Keeper, Place, Source, keeping
from mlapi.training.tools import Around

_core = adapter.core


def fit(
    model: Any,
    data: Data,
    *,
    epochs: int,
    initial_epoch: int,
    steps_per_epoch: int | None,
    validation: Data | None,
    validation_steps: int | None,
    validation_freq: int | Sequence[int],
    callbacks: Sequence[Any] | None,
    verbose: int | str,
    validation_every: int | None = None,
    log_every: int | None = None,
    around: Around | None = None,
) -> History:
    """Train `model`; see `Trainer.fit`."""
    epochs = min(epochs, initial_epoch + (config.max_epochs() or epochs))
    steps_per_epoch = _within_limit(steps_per_epoch, data)
    validation_steps = None if validation is None else _within_limit(validation_steps, validation)
    steps = steps_per_epoch or data.steps
    paces = {"log_every": log_every, "validation_every": validation_every}
    hooks = _hooks(model, callbacks, verbose, add_history=True, epochs=epochs, steps=steps, **paces)
    interim = None
    if validation is not None and validation_every is not None:
        validate = partial(evaluate, model, validation, validation_steps, hooks=hooks)
        interim = StepValidation(validation_every, validate)
        hooks.append(interim)
    history = model.history = next(c for c in hooks.callbacks if isinstance(c, History))
    model.stop_training = False
    epoch_logs: dict[str, float] = {}
    source = Source(data, steps_per_epoch)
    with _deferred_interrupt() as check_interrupt, keeping(model, hooks, source) as keeper:
        hooks.on_train_begin()
        try:
            start = keeper.restore(initial_epoch, epochs) if keeper else Place(initial_epoch)
            epoch_logs = start.logs
            for epoch in range(start.epoch, epochs):
                if not start.step:
                    hooks.on_epoch_begin(epoch)
                model._in_epoch = True
                try:
                    logs = _train_epoch(
                        model, source, epoch, start, hooks, check_interrupt, keeper, interim, around
                    )
                finally:
                    model._in_epoch = False
                start = Place(epoch + 1)
                epoch_logs = fetch(logs)
                if interim is not None:
                    epoch_logs.update(interim.found)
                elif validation is not None and _is_due(epoch, validation_freq):
                    found = evaluate(model, validation, validation_steps, hooks=hooks)
                    epoch_logs.update({f"val_{name}": value for name, value in found.items()})
                hooks.on_epoch_end(epoch, epoch_logs)
                _check_diverged(model, epoch_logs, epoch, data, hooks)
                if keeper:
                    last = model.stop_training or epoch + 1 == epochs
                    keeper.after_epoch(epoch, epoch_logs, last)
                if model.stop_training:
                    break
            if _has_last_word(model.optimizer):
                model.optimizer.finalize_variable_values(model.trainable_variables)
        finally:
            try:
                hooks.on_train_end(epoch_logs)
            finally:
                hooks.close()
    return history


def _has_last_word(optimizer: Any) -> bool:
    """Whether it changes weights at the end, as those do that keep averages."""
    own = getattr(type(optimizer), "finalize_variable_values", None)
    return optimizer is not None and (
        optimizer.use_ema or own is not Optimizer.finalize_variable_values
    )


def _train_epoch(
    model: Any,
    source: Source,
    epoch: int,
    start: Place,
    hooks: CallbackList,
    check_interrupt: Any,
    keeper: Keeper | None,
    interim: StepValidation | None,
    around: Around | None,
) -> Any:
    """An epoch, or its rest; the last batch's logs, which hold the epoch's running means."""
    if not start.step:
        model.reset_metrics()
        if interim is not None:
            interim.begin_epoch()
    begin, end = _batch_hooks(hooks, "train")
    logs = start.logs if start.step else None
    batches = () if start.step and model.stop_training else source.epoch(start.step)
    for first, step, function, batch in _executions(model, "train", batches, start.step):
        if first == start.step:
            model._check_labels(source.data)
        if begin is not None:
            begin(first, None)
        logs = function(batch) if around is None else around(function, batch, epoch, first)
        if interim is not None:
            logs = interim.after_step(step, logs)
        if end is not None:
            end(step, logs)
        if keeper:
            keeper.after_batch(epoch, step, logs)
        check_interrupt(keeper)
        if model.stop_training:
            break
    if logs is None:
        raise DataError(
            "the data are empty: not one batch came. A generator that has run out cannot start "
            "again; pass an object that can be iterated anew, or more data."
        )
    return logs


def evaluate(
    model: Any,
    data: Data,
    steps: int | None = None,
    callbacks: Sequence[Any] | None = None,
    verbose: int | str = 0,
    hooks: CallbackList | None = None,
) -> dict[str, float]:
    """Loss and metrics over all batches; see `Trainer.evaluate`."""
    own = hooks is None
    if hooks is None:
        steps = _within_limit(steps, data)
        hooks = _hooks(model, callbacks, verbose, steps=steps or data.steps)
    with ExitStack() as stack:
        if own:
            stack.callback(hooks.close)
        if model._in_epoch:  # whose means go on afterwards
            stack.enter_context(metrics_set_aside(model))
        model.reset_metrics()
        hooks.on_test_begin()
        begin, end = _batch_hooks(hooks, "test")
        logs = None
        for first, step, function, batch in _executions(model, "test", islice(data, steps)):
            if not first:
                model._check_labels(data)
            if begin is not None:
                begin(first, None)
            logs = function(batch)
            if end is not None:
                end(step, logs)
        if logs is None:
            raise DataError("the data to evaluate on are empty: not one batch came.")
        found = fetch(logs)
        hooks.on_test_end(found)
        return found


def predict(
    model: Any,
    data: Data,
    steps: int | None,
    callbacks: Sequence[Any] | None,
    verbose: int | str,
) -> Any:
    """The outputs of all batches, on the host; see `Trainer.predict`."""
    steps = _within_limit(steps, data)
    hooks = _hooks(model, callbacks, verbose, steps=steps or data.steps)
    total = getattr(data, "length", None) if steps is None else None
    collected = Collected(total)
    function = None
    try:
        hooks.on_predict_begin()
        begin, end = _batch_hooks(hooks, "predict")
        for step, batch in enumerate(islice(data, steps)):
            if function is None:
                function = model._function("predict", batch)
            if begin is not None:
                begin(step, None)
            outputs = function(batch)
            collected.add(outputs)
            if end is not None:
                end(step, {"outputs": outputs})
        hooks.on_predict_end()
    finally:
        hooks.close()
    return collected.result()


class Collected:
    """Batches of outputs, copied to the host as they come, each while the next is computed."""

    def __init__(self, total: int | None) -> None:
        self._total: Any = total
        self._at = 0
        self._whole: Any = None
        self._parts: list[Any] = []
        self._pending: Any = None

    def add(self, outputs: Any) -> None:
        if self._pending is not None:
            self._copy(self._pending)
        self._pending = outputs

    def _copy(self, outputs: Any) -> None:
        arrays = tree.map_structure(_core.to_numpy, outputs)
        if self._total is None:
            self._parts.append(tree.map_structure(np.array, arrays))
            return
        if self._whole is None:
            self._whole = tree.map_structure(
                lambda a: np.empty((self._total, *a.shape[1:]), a.dtype), arrays
            )
        rows = len(tree.flatten(arrays)[0])
        for whole, part in zip(tree.flatten(self._whole), tree.flatten(arrays), strict=True):
            whole[self._at : self._at + rows] = part
        self._at += rows

    def result(self) -> Any:
        if self._pending is not None:
            self._copy(self._pending)
        if self._total is not None:
            return self._whole
        if not self._parts:
            raise DataError("the data to predict on are empty: not one batch came.")
        return tree.map_structure(lambda *parts: np.concatenate(parts), *self._parts)


def _within_limit(steps: int | None, data: Data) -> int | None:
    """How many batches to take; `config.set_max_steps_per_epoch` has the last word."""
    most = config.max_steps_per_epoch()
    return steps if most is None else min(most, steps or data.steps or most)


def fetch(logs: Any) -> dict[str, float]:
    """Scalars on the host, by name."""
    return {name: _number(value) for name, value in (logs or {}).items()}


def _number(value: Any) -> Any:
    if isinstance(value, (int, float)):
        return value
    array = np.asarray(_core.to_numpy(value) if _core.is_tensor(value) else value)
    return float(array) if array.ndim == 0 else array


def _hooks(
    model: Any,
    callbacks: Sequence[Any] | CallbackList | None,
    verbose: int | str,
    add_history: bool = False,
    **params: Any,
) -> CallbackList:
    verbose = 1 if verbose == "auto" else int(verbose)
    return CallbackList(
        callbacks,
        add_history=add_history,
        add_progbar=verbose > 0,
        model=model,
        verbose=verbose,
        **params,
    )


def _executions(
    model: Any, kind: str, batches: Iterable[Any], start: int = 0
) -> Iterator[tuple[int, int, Callable, Any]]:
    """Numbers of the first and the last batch of each execution, the function, its argument."""
    size = model.steps_per_execution
    function = None
    if size == 1:
        for step, batch in enumerate(batches, start):
            if function is None:
                function = model._function(kind, batch)
            yield step, step, function, batch
        return
    batches = iter(batches)
    while group := list(islice(batches, size)):
        if function is None:
            function = model._function(kind, group[0])
        last = start + len(group) - 1
        if len(group) == size and len({_shapes(batch) for batch in group}) == 1:
            yield start, last, model._function(kind, group[0], several=True), group
        else:  # what is left, which is not worth a compilation
            yield start, last, lambda group, one=function: [one(b) for b in group][-1], group
        start = last + 1


def _shapes(batch: Any) -> tuple[Any, ...]:
    return tuple(getattr(x, "shape", None) for x in tree.flatten(batch))


BatchHook = Callable[[int, Any], None]


def _batch_hooks(hooks: CallbackList, run: str) -> tuple[BatchHook | None, BatchHook | None]:
    """The functions to call before and after an execution, None where nobody listens."""
    names = (f"on_{run}_batch_{when}" for when in ("begin", "end"))
    begin, end = (getattr(hooks, name) if hooks.listens(name) else None for name in names)
    return begin, end


@contextmanager
def _deferred_interrupt() -> Iterator[Any]:
    """Ctrl-C takes effect between two steps, when all state is whole; a second one at once."""
    asked = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def check(keeper: Keeper | None) -> None:
        if asked:
            if keeper:
                keeper.save()
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    previous = signal.getsignal(signal.SIGINT)
    if previous is not signal.default_int_handler:  # somebody else handles it
        yield check
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, previous)


def _is_due(epoch: int, frequency: int | Sequence[int]) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _check_diverged(
    model: Any, logs: dict[str, float], epoch: int, data: Any, hooks: CallbackList
) -> None:
    """A loss that is not a number ends training, unless a callback sees to it."""
    if not np.isnan(logs.get("loss", 0.0)):
        return
    if any(isinstance(callback, TerminateOnNaN) for callback in hooks.callbacks):
        return
    arrays = [a for a in tree.flatten(getattr(data, "parts", ())) if isinstance(a, np.ndarray)]
    if any(a.dtype.kind == "f" and np.isnan(a).any() for a in arrays):
        cause = "The data contain NaN: clean them (numpy.isnan finds where)."
    else:
        cause = (
            "Lower the learning rate, clip gradients (clipnorm=1.0), or check the scale of the "
            "inputs. The TerminateOnNaN callback stops training without this error."
        )
    raise DivergedError(
        f'Model "{model.name}": the loss of epoch {epoch + 1} is NaN. {cause} '
        "The history so far is in model.history."
    )
