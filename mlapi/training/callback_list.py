"""Calls the callbacks of a run.

Which hooks are really overridden is looked up once, when the run starts. A hook that nobody
listens to costs nothing, and the numbers of a batch stay on the device until somebody reads them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack
from typing import Any

import numpy as np

from mlapi._lazy import LazyModule
from mlapi.errors import ArgumentTypeError
from mlapi.training.callback import (
    BATCH_HOOKS,
    HOOKS,
    RUN_HOOKS,
    SHORT_NAMES,
    Callback,
    Closing,
    Values,
)
from mlapi.training.history import History
from mlapi.training.loggers import Logger, LogTo
from mlapi.training.progress import ProgressBar

# Callbacks can be made before a backend is loaded.
backends: Any = LazyModule("mlapi.backends")


class CallbackList(Callback):
    """Calls several callbacks as if they were one, in order.

    Args:
        callbacks: one callback, a list of them, or None. A `Logger` may take the place of one.
        add_history: whether a `History` is to be there, as the last.
        add_progbar: whether a `ProgressBar` is to be there, after the given ones.
        model: passed to `set_model` of each.
        **params: passed to `set_params` of each.

    Attributes:
        callbacks: all of them.

    Raises:
        ArgumentTypeError: something in `callbacks` is not a callback.

    Example:
        >>> from mlapi.callbacks import CallbackList, LambdaCallback
        >>> calls = CallbackList(LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs)))
        >>> calls.on_epoch_end(0, {"loss": 0.5})
        {'loss': 0.5}
        >>> calls.listens("on_train_batch_end")
        False
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Callback] = []
        for callback in _checked(callbacks):
            self.callbacks += callback.callbacks if type(callback) is CallbackList else [callback]
        if add_progbar and not self._has(ProgressBar):
            self.callbacks.append(ProgressBar())
        if add_history and not self._has(History):
            self.callbacks.append(History())
        if model is not None:
            self.set_model(model)
        self.set_params(params)
        self._find_listeners()

    def append(self, callback: Callback) -> None:
        """Adds one at the end; it gets the model and the parameters of the others."""
        (callback,) = _checked(callback)
        self.callbacks.append(callback)
        callback.set_params(self.params)
        if self.model is not None:
            callback.set_model(self.model)
        self._find_listeners()

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Passes the parameters on to every callback."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Passes the model on to every callback."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def listens(self, hook: str) -> bool:
        """Whether any callback overrides `hook`; nothing need be prepared if none does."""
        return hook in self.__dict__

    def close(self) -> None:
        """Gives back the terminal and what else is held; to be called however a run ends."""
        with ExitStack() as stack:  # the others are closed even if one cannot be
            for callback in self.callbacks:
                if isinstance(callback, Closing):
                    stack.callback(callback.close)

    def _has(self, kind: type) -> bool:
        return any(isinstance(callback, kind) for callback in self.callbacks)

    def _find_listeners(self) -> None:
        """Put a function over the empty method of every hook that somebody listens to."""
        for hook in HOOKS:
            self.__dict__.pop(hook, None)
            listeners = [m for c in self.callbacks if (m := _overridden(c, hook)) is not None]
            if listeners and hook in RUN_HOOKS:
                self.__dict__[hook] = _for_run(listeners)
            elif listeners:
                self.__dict__[hook] = _for_index(listeners, hook in BATCH_HOOKS)


def _checked(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    listed = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for i, callback in enumerate(listed):
        if isinstance(callback, type) and issubclass(callback, Callback):
            name = callback.__name__
            raise ArgumentTypeError(f"callbacks: {name} is a class; pass an object, {name}(…).")
        if hasattr(callback, "set_model"):
            continue
        if isinstance(callback, type) or not isinstance(callback, Logger):
            raise ArgumentTypeError(
                "callbacks must be objects of mlapi.callbacks.Callback, or loggers, received "
                f"{callback!r}. Functions can be wrapped in LambdaCallback."
            )
        listed[i] = LogTo(callback)
    return listed


def _overridden(callback: Callback, hook: str) -> Callable[..., None] | None:
    """The callback's own version of `hook`; None if it has only the empty one."""
    method = getattr(callback, hook, None)
    if getattr(method, "__func__", method) is not getattr(Callback, hook):
        return method
    return _overridden(callback, SHORT_NAMES[hook]) if hook in SHORT_NAMES else None


def _for_run(listeners: list[Callable[..., None]]) -> Callable[..., None]:
    def call(logs: Values | None = None) -> None:
        logs = {} if logs is None else logs
        for listener in listeners:
            listener(logs)

    return call


def _for_index(listeners: list[Callable[..., None]], lazily: bool) -> Callable[..., None]:
    def call(index: int, logs: Values | None = None) -> None:
        if logs is None:
            logs = {}
        elif lazily:
            logs = Logs(logs)
        for listener in listeners:
            listener(index, logs)

    return call


class Logs(MutableMapping[str, Any]):
    """The numbers of a batch, each fetched from the device when it is read.

    Args:
        values: names to scalars of any kind.

    Example:
        >>> import numpy as np
        >>> from mlapi.training.callback_list import Logs
        >>> Logs({"loss": np.float32(0.5)})["loss"]
        0.5
    """

    __slots__ = ("_values",)

    def __init__(self, values: Values) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        return value if type(value) is float else to_python(value)

    def __setitem__(self, name: str, value: Any) -> None:
        self._values = {**self._values, name: value}

    def __delitem__(self, name: str) -> None:
        self._values = {n: v for n, v in self._values.items() if n != name}

    def __contains__(self, name: object) -> bool:
        return name in self._values  # the inherited one would fetch the number

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def copy(self) -> dict[str, Any]:
        """Returns a plain dict of the numbers."""
        return dict(self)

    def __repr__(self) -> str:
        return repr(dict(self))


def to_python(value: Any) -> Any:
    """Returns a scalar of any kind as a float, other tensors as NumPy arrays."""
    core = backends.adapter.core
    if core.is_tensor(value):  # which may belong to a gradient that is being recorded
        value = core.to_numpy(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.asarray(value)
