"""What loggers and servers are told of runs, and when numbers leave the device for it."""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType, SimpleNamespace
from urllib.parse import parse_qs

import numpy as np
import pytest

import mlapi
from mlapi import callbacks, layers
from mlapi.backends import adapter
from mlapi.callbacks import Callback, JSONLogger, Logger, MLflowLogger, RemoteMonitor, WandbLogger
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.training import callback_list

X = np.linspace(-1, 1, 24, dtype="float32").reshape(12, 2)
Y = X.sum(axis=1, keepdims=True)


def make_model():
    model = mlapi.Sequential([mlapi.Input((2,)), layers.Dense(1)], name="model")
    model.compile(mlapi.optimizers.SGD(0.01), "mse")
    return model


def fit(*listeners, model=None, epochs=2, **kwargs):
    """Three batches an epoch."""
    kwargs = {"batch_size": 4, "verbose": 0, "epochs": epochs, **kwargs}
    return (model or make_model()).fit(X, Y, callbacks=list(listeners), **kwargs)


class Notes:
    """A logger of a user's own: three methods, and nothing inherited."""

    def __init__(self):
        self.values, self.lines, self.closed = [], [], 0

    def hyperparameters(self, values):
        self.values.append(dict(values))

    def log(self, metrics, step):
        self.lines.append((step, dict(metrics)))

    def close(self):
        self.closed += 1


class Seen(Callback):
    """The numbers of every batch."""

    def __init__(self):
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))


# --- the protocol ----------------------------------------------------------------------------


def test_a_logger_gets_the_numbers_of_epochs():
    notes = Notes()
    assert isinstance(notes, Logger)
    history = fit(notes, validation_data=(X, Y)).history
    assert notes.lines == [
        (
            3 * (i + 1),
            {
                "epoch": i,
                "learning_rate": float(np.float32(0.01)),
                "loss": history["loss"][i],
                "val_loss": history["val_loss"][i],
            },
        )
        for i in range(2)
    ]
    assert notes.closed == 1


def test_a_logger_gets_batches_and_validation_between_them():
    notes, seen = Notes(), Seen()
    history = fit(notes, seen, validation_data=(X, Y), log_every=2, validation_every=4).history
    # The validation after step 4 comes in the midst of the second epoch.
    assert [(step, sorted(found)) for step, found in notes.lines] == [
        (2, ["batch_loss"]),
        (3, ["epoch", "learning_rate", "loss"]),
        (4, ["batch_loss"]),
        (4, ["val_loss"]),
        (6, ["batch_loss"]),
        (6, ["epoch", "learning_rate", "loss", "val_loss"]),
    ]
    told = [found["batch_loss"] for _, found in notes.lines if "batch_loss" in found]
    assert told == [seen.batches[i]["loss"] for i in (1, 3, 5)]
    assert notes.lines[3][1]["val_loss"] == history["val_loss"][0]


def test_a_logger_gets_what_the_run_was_started_with():
    notes = Notes()
    fit(notes, epochs=1)
    (values,) = notes.values
    expected = {
        "model": "model", "parameters": 3, "epochs": 1, "steps": 3, "loss": "mse",
        "optimizer": "SGD", "optimizer.nesterov": False, "optimizer.clipnorm": None,
    }  # fmt: skip
    assert {name: values[name] for name in expected} == expected
    assert values["optimizer.learning_rate"] == pytest.approx(0.01)


def test_steps_go_on_in_the_next_fit_and_an_evaluation_has_its_own_names():
    model, notes = make_model(), Notes()
    fit(notes, model=model, epochs=1)
    fit(notes, model=model, epochs=1)
    loss = model.evaluate(X, Y, verbose=0, callbacks=[notes])
    assert [step for step, _ in notes.lines] == [3, 6, 6]
    assert notes.lines[-1][1] == {"test_loss": loss}
    assert notes.closed == 3


def test_a_logger_is_closed_when_a_run_breaks_off():
    class Breaks(Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("broken")

    notes = Notes()
    with pytest.raises(RuntimeError, match="broken"):
        fit(Breaks(), notes)
    assert notes.closed == 1


def test_the_class_of_a_logger_is_no_logger():
    with pytest.raises(ArgumentTypeError, match="or loggers"):
        fit(Notes)


# --- files -----------------------------------------------------------------------------------


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_json_lines_hold_the_history_and_are_appended_to(tmp_path):
    path, model = tmp_path / "logs" / "run.jsonl", make_model()
    lengths = []

    class Watch(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            lengths.append(len(read(path)))  # flushed: what is told is there at once

    history = fit(JSONLogger(path), Watch(), model=model).history
    fit(JSONLogger(path), model=model, epochs=3, initial_epoch=2)
    lines = read(path)
    assert lengths == [1, 2]
    assert ["hyperparameters" in line for line in lines] == [True, False, False, True, False]
    assert [(line["step"], line["epoch"]) for line in lines if "step" in line] == [
        (3, 0), (6, 1), (9, 2)
    ]  # fmt: skip
    assert [line["loss"] for line in lines[1:3]] == history["loss"]
    fit(JSONLogger(path, append=False), model=model, epochs=1)
    assert len(read(path)) == 2


def test_json_lines_are_json_whatever_the_numbers(tmp_path):
    path = tmp_path / "run.jsonl"
    log = JSONLogger(path)
    values = {"a": float("nan"), "b": -np.inf, "c": np.float32(0.5), "d": np.arange(2), "e": None}
    log.log(values, step=np.int64(1))
    log.close()
    log.log({"a": 1.0}, step=2)
    log.close()

    def refuse(name):
        raise ValueError(name)

    first, second = (json.loads(x, parse_constant=refuse) for x in path.read_text().splitlines())
    assert first == {"step": 1, "a": "nan", "b": "-inf", "c": 0.5, "d": [0, 1], "e": None}
    assert second == {"step": 2, "a": 1.0}


class Ends(Callback):
    """Ends a run in the midst of its second epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if len(self.model.history.epoch) == 1 and batch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("save_freq", ["epoch", 1])
def test_a_run_that_goes_on_logs_what_one_at_a_stretch_does(save_freq, tmp_path):
    def run(name, *more):
        mlapi.utils.set_random_seed(1)
        listeners = [
            JSONLogger(tmp_path / name),
            callbacks.EarlyStopping(
                "val_loss", min_delta=10.0, mode="min", patience=2, check_at="validation"
            ),
            callbacks.BackupAndRestore(tmp_path / f"backup-{name}", save_freq=save_freq),
        ]
        options = {"validation_data": (X, Y), "validation_every": 2, "log_every": 1}
        return fit(*listeners, *more, epochs=4, **options).history

    expected = run("whole")
    assert len(expected["loss"]) == 2  # stopped after the third validation, at step 6
    with pytest.raises(KeyboardInterrupt):
        run("parts", Ends())
    assert run("parts") == expected
    whole, parts = (
        [line for line in read(tmp_path / name) if "step" in line] for name in ("whole", "parts")
    )
    assert parts == whole


# --- services --------------------------------------------------------------------------------


class Run:
    """A run of Weights & Biases, as far as it is used."""

    def __init__(self, **init):
        self.init, self.logged, self.finished = init, [], False
        self.values = {}
        self.config = SimpleNamespace(update=self._update)

    def _update(self, values, allow_val_change):
        assert allow_val_change
        self.values.update(values)

    def log(self, metrics, step):
        self.logged.append((step, metrics))

    def finish(self):
        self.finished = True


@pytest.fixture
def wandb(monkeypatch):
    module, module.runs = ModuleType("wandb"), []

    def init(**arguments):
        module.runs.append(Run(**arguments))
        return module.runs[-1]

    module.run, module.init = None, init
    monkeypatch.setitem(sys.modules, "wandb", module)
    return module


def test_wandb_gets_a_run_for_each_run_of_training(wandb):
    logger = WandbLogger(project="digits")
    history = fit(logger).history
    (run,) = wandb.runs
    assert run.init == {"project": "digits"}
    assert run.values["epochs"] == 2
    assert [(step, found["loss"]) for step, found in run.logged] == [
        (3, history["loss"][0]), (6, history["loss"][1])
    ]  # fmt: skip
    assert run.finished
    fit(logger)
    assert len(wandb.runs) == 2


def test_a_run_that_is_open_in_wandb_is_used_and_left_open(wandb):
    wandb.run = Run()
    fit(WandbLogger())
    assert wandb.runs == []
    assert len(wandb.run.logged) == 2
    assert not wandb.run.finished


@pytest.fixture
def mlflow(monkeypatch):
    """MLflow as far as it is used: parameters of a run cannot be changed."""
    module = ModuleType("mlflow")
    module.active, module.params, module.metrics, module.started = None, {}, [], []

    def start_run(**arguments):
        module.started.append(arguments)
        module.active = SimpleNamespace(info=SimpleNamespace(run_id=str(len(module.started))))
        return module.active

    def log_params(values):
        run = module.params.setdefault(module.active.info.run_id, {})
        assert all(run.get(name, value) == value for name, value in values.items())
        run.update(values)

    def end_run():
        module.active = None

    module.start_run, module.log_params, module.end_run = start_run, log_params, end_run
    module.active_run = lambda: module.active
    module.log_metrics = lambda metrics, step: module.metrics.append((step, metrics))
    monkeypatch.setitem(sys.modules, "mlflow", module)
    return module


def test_mlflow_gets_a_run_for_each_run_of_training(mlflow):
    logger = MLflowLogger(run_name="digits")
    history = fit(logger).history
    assert mlflow.active is None
    fit(logger, epochs=1)
    assert mlflow.started == [{"run_name": "digits"}] * 2
    assert [values["epochs"] for values in mlflow.params.values()] == [2, 1]
    assert [(step, found["loss"]) for step, found in mlflow.metrics[:2]] == [
        (3, history["loss"][0]), (6, history["loss"][1])
    ]  # fmt: skip


def test_a_run_that_is_active_in_mlflow_keeps_its_parameters(mlflow):
    mlflow.start_run()
    logger = MLflowLogger()
    fit(logger, epochs=1)
    fit(logger, epochs=2)
    assert mlflow.active is not None
    assert mlflow.params["1"]["epochs"] == 1


@pytest.mark.parametrize(("kind", "package"), [(WandbLogger, "wandb"), (MLflowLogger, "mlflow")])
def test_a_package_that_is_missing_is_named(kind, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"pip install {package}"):
        fit(kind())


# --- a server --------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posted.append((self.path, self.headers, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.posted = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("send_as_json", [False, True])
def test_a_server_gets_the_numbers_of_epochs(send_as_json, server):
    root = f"http://127.0.0.1:{server.server_port}"
    monitor = RemoteMonitor(root, headers={"X-Run": "7"}, send_as_json=send_as_json)
    history = fit(monitor).history
    for epoch, (path, headers, body) in enumerate(server.posted):
        assert path == "/publish/epoch/end/"
        assert headers["X-Run"] == "7"
        if send_as_json:
            assert headers["Content-Type"] == "application/json"
        else:
            (body,) = parse_qs(body, strict_parsing=True)["data"]
        assert json.loads(body) == {"epoch": epoch, "loss": history["loss"][epoch]}
    assert len(server.posted) == 2


def test_a_server_that_does_not_answer_stops_nothing():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and nobody listens
        root = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.warns(UserWarning, match="was not reached"):
            history = fit(RemoteMonitor(root))
    assert history.epoch == [0, 1]


def test_the_server_must_be_one_of_the_web():
    with pytest.raises(ArgumentError, match="http:// or https://"):
        RemoteMonitor("localhost:9000")


# --- what leaves the device ------------------------------------------------------------------


class Fetches:
    """Counts the tensors that leave the device, whichever way."""

    def __init__(self, monkeypatch):
        self.count = 0
        for place, name in ((adapter.core, "to_numpy"), (callback_list, "to_python")):
            monkeypatch.setattr(place, name, self._counted(getattr(place, name)))

    def _counted(self, function):
        def run(value):
            self.count += 1
            return function(value)

        return run


class Looks(Callback):
    """Is told of every batch, and reads the loss of some."""

    def __init__(self, fetches, read=()):
        self.fetches, self.read = fetches, read
        self.counts, self.kept = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.counts.append(self.fetches.count)

    def on_train_batch_end(self, batch, logs=None):
        self.kept.append(logs)
        if batch in self.read:
            float(logs["loss"])
        self.counts.append(self.fetches.count)


@pytest.mark.parametrize("read", [(), (1,)])
def test_a_callback_that_reads_nothing_makes_no_batch_wait(read, monkeypatch, tmp_path):
    model = make_model()
    fit(model=model, epochs=1)  # compiled
    fetches = Fetches(monkeypatch)
    looks = Looks(fetches, read)
    others = [
        callbacks.TensorBoard(tmp_path),
        JSONLogger(tmp_path / "run.jsonl"),
        callbacks.ModelCheckpoint(tmp_path / "a.keras", save_freq=100),
    ]
    fit(looks, *others, model=model, epochs=1)
    start = looks.counts[0]
    assert looks.counts[2] == start
    assert (looks.counts[-1] > start) == bool(read)


def test_the_loop_itself_fetches_at_the_end_of_an_epoch_only(monkeypatch):
    class Scalar:
        fetched = 0

        def __float__(self):
            self.fetched += 1
            return 0.25

    scalar, model = Scalar(), make_model()
    monkeypatch.setattr(model, "_function", lambda kind, batch: lambda batch: {"loss": scalar})
    counts = []

    class Count(Callback):
        def on_train_batch_end(self, batch, logs=None):
            counts.append((scalar.fetched, "loss" in logs))

    history = fit(Count(), model=model, epochs=2)
    assert [fetched for fetched, _ in counts] == [0, 0, 0, 1, 1, 1]
    assert history.history == {"loss": [0.25, 0.25]}
