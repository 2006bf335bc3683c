"""Where numbers go: the protocol of loggers, and files and services that follow it."""

import json
import math
import os
from collections.abc import Mapping
from importlib import import_module
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mlapi.errors import MissingLibraryError
from mlapi.training.callback import Values
from mlapi.training.recorder import Recorder, flat, learning_rates, scalars, updates_made


@runtime_checkable
class Logger(Protocol):
    """What takes the numbers of runs: any object with these three methods.

    `fit`, `evaluate` and `predict` take loggers among their callbacks. `fit` tells them

    - what it was called with, once, by `hyperparameters`;
    - the numbers of each epoch, under the names of the history, `epoch` (from 0) and
      `learning_rate`;
    - every `log_every` steps the means of the epoch so far, under names with `batch_` before;
    - `val_…` numbers of a validation between two steps, as soon as they are there;

    each at the number of updates that the optimizer has made so far. `evaluate` tells them its
    results under names with `test_` before. A logger may have `get_state` and `set_state`, too, as
    callbacks do, for runs that go on after an interruption.

    Example:
        >>> from mlapi.callbacks import Logger
        >>> class Printer:
        ...     def hyperparameters(self, values):
        ...         print(values["epochs"], "epochs")
        ...     def log(self, metrics, step):
        ...         print(step, dict(metrics))
        ...     def close(self):
        ...         print("over")
        >>> isinstance(Printer(), Logger)
        True
    """

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        """Takes what a run was started with: name → number, string, bool or None."""

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Takes numbers at a step; later steps are never smaller."""

    def close(self) -> None:
        """Is told that a run is over, however it ended. Another may follow."""


class LogTo(Recorder):
    """Tells a logger of the runs that it is a callback of.

    Args:
        logger: the Logger.

    Example:
        >>> from mlapi.callbacks import JSONLogger
        >>> from mlapi.training.loggers import LogTo
        >>> callback = LogTo(JSONLogger("run.jsonl"))
    """

    def __init__(self, logger: Logger) -> None:
        self.logger = logger
        self._found: dict[str, float] = {}

    def get_state(self) -> dict[str, Any] | None:
        """Returns the count of steps, and the state of a logger that has `get_state`."""
        state = super().get_state() or {}
        logger: Any = self.logger
        if hasattr(logger, "get_state"):
            state["logger"] = logger.get_state()
        return state

    def set_state(self, state: Any) -> None:
        """Goes on with a count of steps, and with the logger's state."""
        super().set_state(state)
        logger: Any = self.logger
        if hasattr(logger, "set_state"):
            logger.set_state(state["logger"])

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Tells what `fit` was called with."""
        super().on_train_begin(logs)
        self.logger.hyperparameters(describe_run(self.model, self.params))

    def on_train_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Tells the numbers so far if it is time, and those of a validation that was before."""
        super().on_train_batch_end(batch, logs)
        if self._found:
            found, self._found = self._found, {}
            self.logger.log(found, self.step)

    def write_batch(self, step: int, logs: Values) -> None:
        """Tells the numbers so far."""
        names = [name for name in logs if not name.startswith("val_")]
        found = {f"batch_{name}": value for name, value in scalars(logs, names).items()}
        self.logger.log(found, step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tells the numbers of the epoch."""
        self._found = {}  # they are among those of the epoch
        numbers = {"epoch": epoch, **learning_rates(self.model), **scalars(logs or {})}
        self.logger.log(numbers, self.step)

    def on_test_end(self, logs: Values | None = None) -> None:
        """Tells the results of `evaluate`; in `fit` they wait for the step to end."""
        prefix = "val_" if self._in_fit else "test_"
        found = {f"{prefix}{name}": value for name, value in scalars(logs or {}).items()}
        if self._in_fit:
            self._found = found
        else:
            self.logger.log(found, updates_made(self.model))

    def close(self) -> None:
        """Tells that the run is over."""
        self._in_fit = False
        self.logger.close()


def describe_run(model: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a run of `fit` is told by: model, optimizer with its arguments, sizes."""
    found: dict[str, Any] = {"model": model.name}
    if model.built:
        found["parameters"] = int(model.count_params())
    found.update({name: params.get(name) for name in ("epochs", "steps")})
    if isinstance(model.loss, str):
        found["loss"] = model.loss
    if model.optimizer is not None:
        found["optimizer"] = type(model.optimizer).__name__
        config = flat({"optimizer": model.optimizer.get_config()})
        plain = (bool, int, float, str, type(None))
        found.update({name: value for name, value in config.items() if isinstance(value, plain)})
    return found


class JSONLogger:
    """Writes JSON lines, each as soon as it is known.

    A line of numbers is `{"step": 100, "loss": 0.5}`, one of hyperparameters
    `{"hyperparameters": {…}}`. Numbers that JSON does not have are strings, `"nan"` and `"inf"`.
    A run that goes on from a checkpoint takes back the lines that were written after it.

    Args:
        filename: the file; its folder is made.
        append: whether to go on with an existing file, as resumed runs do, instead of starting it
            anew.

    Example:
        >>> from mlapi.callbacks import JSONLogger
        >>> log = JSONLogger("logs/run.jsonl")
        >>> log.log({"loss": 0.5}, step=1)  # the line is {"step": 1, "loss": 0.5}
        >>> log.close()
    """

    def __init__(self, filename: str | PathLike[str], append: bool = True) -> None:
        self.filename = fspath(filename)
        self.append = append
        self._file: Any = None
        self._started = False

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        """Writes them as one line."""
        self._write({"hyperparameters": dict(values)})

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Writes the step and the numbers as one line."""
        self._write({"step": step, **metrics})

    def close(self) -> None:
        """Closes the file; it is opened again when another line comes."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def get_state(self) -> dict[str, int]:
        """Returns the length of the file."""
        path = Path(self.filename)
        return {"bytes": path.stat().st_size if path.exists() else 0}

    def set_state(self, state: Mapping[str, int]) -> None:
        """Cuts the file to a length, unless it is another that is shorter."""
        self.close()
        path = Path(self.filename)
        if path.exists() and path.stat().st_size > state["bytes"]:
            os.truncate(path, state["bytes"])

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            Path(self.filename).parent.mkdir(parents=True, exist_ok=True)
            mode = "a" if self.append or self._started else "w"
            self._file = open(self.filename, mode, encoding="utf-8")  # noqa: SIM115
            self._started = True
        self._file.write(json.dumps(_in_json(line), allow_nan=False) + "\n")
        self._file.flush()


def _in_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _in_json(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_json(each) for each in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _in_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


class WandbLogger:
    """Sends numbers to Weights & Biases.

    They go to the run that is open (`wandb.init`), which stays open, or to one that is started
    for them and finished when the run of training is over.

    Args:
        **init: arguments of `wandb.init` for a run that is started, such as `project`.

    Raises:
        MissingLibraryError: at the start of a run, if the package `wandb` is not installed.

    Example:
        >>> from mlapi.callbacks import WandbLogger
        >>> logger = WandbLogger(project="digits", mode="offline")
    """

    def __init__(self, **init: Any) -> None:
        self.init = init
        self._run: Any = None

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        """Puts them into the run's config."""
        self._open().config.update(dict(values), allow_val_change=True)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Sends the numbers."""
        self._open().log(dict(metrics), step=step)

    def close(self) -> None:
        """Finishes the run, if it was started here."""
        run, self._run = self._run, None
        if run is not None:
            run.finish()

    def _open(self) -> Any:
        if self._run is None:
            wandb = _service("wandb", self)
            if wandb.run is not None:
                return wandb.run
            self._run = wandb.init(**self.init)
        return self._run


class MLflowLogger:
    """Sends numbers to MLflow.

    They go to the run that is active (`mlflow.start_run`), which stays active, or to one that is
    started for them and ended when the run of training is over.

    Args:
        **start_run: arguments of `mlflow.start_run` for a run that is started, such as `run_name`.

    Raises:
        MissingLibraryError: at the start of a run, if the package `mlflow` is not installed.

    Example:
        >>> from mlapi.callbacks import MLflowLogger
        >>> logger = MLflowLogger(run_name="digits")
    """

    def __init__(self, **start_run: Any) -> None:
        self.start_run = start_run
        self._started = False
        self._sent: dict[str, set[str]] = {}

    def hyperparameters(self, values: Mapping[str, Any]) -> None:
        """Sends those that the run does not have; MLflow refuses to change one."""
        mlflow, run = self._open()
        sent = self._sent.setdefault(run.info.run_id, set())
        new = {name: value for name, value in values.items() if name not in sent}
        sent.update(new)
        mlflow.log_params(new)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Sends the numbers."""
        mlflow, _ = self._open()
        mlflow.log_metrics(dict(metrics), step=step)

    def close(self) -> None:
        """Ends the run, if it was started here."""
        started, self._started = self._started, False
        if started:
            _service("mlflow", self).end_run()

    def _open(self) -> tuple[Any, Any]:
        mlflow = _service("mlflow", self)
        run = mlflow.active_run()
        if run is None:
            run = mlflow.start_run(**self.start_run)
            self._started = True
        return mlflow, run


def _service(package: str, owner: object) -> Any:
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingLibraryError(
            f"{type(owner).__name__} needs the package {package!r}, which is not installed: "
            f"pip install {package}"
        ) from None
