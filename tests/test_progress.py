"""What is seen of a run: on a terminal, in a file, and not at all."""

import io
import logging
import re
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.callbacks import CallbackList, History, LambdaCallback
from mlapi.training import progress

X = np.linspace(-1, 1, 24, dtype="float32").reshape(12, 2)
Y = X.sum(axis=1, keepdims=True)


def make_model():
    model = mlapi.Sequential([mlapi.Input((2,)), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return model


def numbers(line):
    """Name → text of the numbers in a plain line."""
    return dict(re.findall(r"(\w+): (\S+)", line))


def as_shown(logs):
    return {name: f"{value:.4f}" for name, value in logs.items()}


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    """Standard output that says it is a terminal, and keeps what is written."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def text(self):
        """What was written, without control sequences."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())

    def lines(self):
        """The lines at the end of bars: those that stay."""
        return [line.rstrip() for line in re.split(r"[\r\n]", self.text()) if line.strip()]


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "perf_counter", clock)
    return clock


@pytest.fixture
def open_terminal(monkeypatch):
    """A function that puts a terminal in the place of the standard output."""

    def put(columns=120, kind="xterm"):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("TERM", kind)
        monkeypatch.setenv("COLUMNS", str(columns))
        return terminal

    return put


class Loss:
    """A scalar that counts how often it is fetched."""

    fetched = 0

    def __float__(self):
        self.fetched += 1
        return 0.5


def run_epoch(calls, clock, epoch=0, steps=100, seconds=0.01, logs=None):
    calls.on_epoch_begin(epoch)
    for step in range(steps):
        clock.now += seconds
        calls.on_train_batch_end(step, logs or {"loss": 0.5})
    calls.on_epoch_end(epoch, {"loss": 0.25, "accuracy": 0.75})


# --- plain lines -----------------------------------------------------------------------------


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_a_file_gets_one_line_an_epoch_with_the_numbers_of_the_history(verbose, capsys):
    history = make_model().fit(
        X, Y, batch_size=4, epochs=3, verbose=verbose, validation_data=(X, Y)
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" - ")[0] for line in lines] == ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]
    for epoch, line in enumerate(lines):
        assert " - 3/3 - " in line
        logs = {name: values[epoch] for name, values in history.history.items()}
        assert numbers(line) == as_shown(logs)


def test_evaluation_shows_what_it_returns(capsys):
    found = make_model().evaluate(X, Y, batch_size=5, verbose=2, return_dict=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Evaluate - 3/3 - ")
    assert numbers(line) == as_shown(found)


def test_prediction_shows_its_steps(capsys):
    make_model().predict(X, batch_size=4, verbose=1)
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"Predict - 3/3 - \S+s - \S+s/step", line)


def test_nothing_is_seen_at_verbose_0(capsys):
    model = make_model()
    model.fit(X, Y, epochs=2, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_nothing_is_loaded_for_plain_lines():
    program = (
        "import sys\n"
        "from mlapi.callbacks import CallbackList\n"
        "calls = CallbackList(add_progbar=True, epochs=1, steps=1, verbose=2)\n"
        "calls.on_train_begin(); calls.on_epoch_begin(0); calls.on_epoch_end(0, {'loss': 1.0})\n"
        "sys.exit(bool({'rich', 'torch', 'jax', 'tensorflow'} & set(sys.modules)))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_time_per_step_leaves_out_the_first_step(clock, capsys):
    calls = CallbackList(add_progbar=True, epochs=1, steps=11, verbose=2)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    clock.now += 60.0  # the first step compiles
    calls.on_train_batch_end(0, {"loss": 0.5})
    for step in range(1, 11):
        clock.now += 0.02
        calls.on_train_batch_end(step, {"loss": 0.5})
    calls.on_test_begin()
    clock.now += 30.0  # nor does validation count
    calls.on_test_end({"loss": 0.5})
    calls.on_epoch_end(0, {"loss": 0.5})
    assert capsys.readouterr().out == "Epoch 1/1 - 11/11 - 90s - 20ms/step - loss: 0.5000\n"


def test_time_per_step_leaves_out_validation_between_steps(clock, capsys):
    calls = CallbackList(add_progbar=True, epochs=1, steps=11, verbose=2)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    for step in range(11):
        clock.now += 0.02
        if step == 5:
            calls.on_test_begin()
            clock.now += 30.0
            calls.on_test_end({"loss": 0.5})
        calls.on_train_batch_end(step, {"loss": 0.5})
    calls.on_epoch_end(0, {"loss": 0.5})
    assert capsys.readouterr().out == "Epoch 1/1 - 11/11 - 30s - 20ms/step - loss: 0.5000\n"


def test_a_file_gets_lines_between_if_asked_for(capsys):
    seen = []
    keep = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    history = make_model().fit(X, Y, batch_size=4, epochs=3, log_every=2, callbacks=[keep])
    lines = capsys.readouterr().out.splitlines()
    # Nine steps: the sixth ends the second epoch, whose line it has.
    assert [line.split(" - ")[:2] for line in lines] == [
        ["Epoch 1/3", "2/3"],
        ["Epoch 1/3", "3/3"],
        ["Epoch 2/3", "1/3"],
        ["Epoch 2/3", "3/3"],
        ["Epoch 3/3", "2/3"],
        ["Epoch 3/3", "3/3"],
    ]
    last = {name: values[-1] for name, values in history.history.items()}
    expected = [seen[1], seen[2], seen[3], seen[5], seen[7], last]
    assert [numbers(line) for line in lines] == [as_shown(logs) for logs in expected]


def test_a_terminal_gets_no_lines_between(open_terminal):
    terminal = open_terminal()
    make_model().fit(X, Y, batch_size=4, epochs=2, log_every=1)
    assert terminal.text().count("3/3") == 2


def test_the_number_of_steps_is_learnt_from_the_first_epoch(clock, capsys):
    calls = CallbackList(add_progbar=True, epochs=2, steps=None, verbose=2)
    calls.on_train_begin()
    run_epoch(calls, clock, 0, steps=7)
    run_epoch(calls, clock, 1, steps=7)
    first, second = capsys.readouterr().out.splitlines()
    assert " - 7 steps - " in first
    assert " - 7/7 - " in second


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.0000"),
        (0.12344, "0.1234"),
        (0.00012344, "1.234e-04"),
        (-1234.5, "-1234.5000"),
        (1.5e9, "1.500e+09"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_shown_to_what_matters(value, shown, capsys):
    calls = CallbackList(add_progbar=True, epochs=1, steps=1, verbose=2)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    calls.on_epoch_end(0, {"loss": value})
    assert numbers(capsys.readouterr().out) == {"loss": shown}


# --- the bar ---------------------------------------------------------------------------------


def test_a_terminal_keeps_the_numbers_of_the_history(open_terminal):
    terminal = open_terminal()
    history = make_model().fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y))
    kept = [line for line in terminal.lines() if "val_loss" in line]
    assert len(kept) == 2
    for epoch, line in enumerate(kept):
        logs = {name: values[epoch] for name, values in history.history.items()}
        assert line.startswith(f"Epoch {epoch + 1}/2 ")
        assert "3/3" in line
        assert dict(re.findall(r"(\w+) (-?\d\.\d{4})", line)) == as_shown(logs)


def test_frames_are_few_and_numbers_are_fetched_for_frames_only(clock, open_terminal):
    terminal = open_terminal()
    loss = Loss()
    calls = CallbackList(add_progbar=True, epochs=1, steps=1000, verbose=1)
    calls.on_train_begin()
    run_epoch(calls, clock, steps=1000, seconds=0.001, logs={"loss": loss})
    calls.on_train_end()
    assert 5 <= loss.fetched <= 12  # one second, ten frames
    assert "loss 0.5000" in terminal.text()


def test_the_bar_tells_the_time_that_is_left(clock, open_terminal):
    terminal = open_terminal()
    calls = CallbackList(add_progbar=True, epochs=1, steps=100, verbose=1)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    for step in range(21):
        clock.now += 1.0
        calls.on_train_batch_end(step, {"loss": 0.5})
    assert " 21/100  1:19 left  1.0s/step  loss 0.5000" in terminal.lines()[-1]
    calls.on_train_end()


def test_the_bar_tells_of_validation(clock, open_terminal):
    terminal = open_terminal()
    calls = CallbackList(add_progbar=True, epochs=1, steps=2, verbose=1)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    calls.on_test_begin()
    clock.now += 1.0
    calls.on_test_batch_end(6, {"loss": 0.5})
    assert "validating 7" in terminal.lines()[-1]
    calls.on_train_end()


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_lines_fit_the_terminal(columns, clock, open_terminal):
    terminal = open_terminal(columns)
    calls = CallbackList(add_progbar=True, epochs=1, steps=100, verbose=1)
    calls.on_train_begin()
    run_epoch(calls, clock, logs={"loss": 0.5, "accuracy": 0.25})
    calls.on_train_end()
    assert max(map(len, terminal.lines())) < columns
    assert "accuracy 0.7500" in terminal.text()


def test_what_callbacks_print_does_not_break_the_bar(clock, open_terminal):
    terminal = open_terminal()
    calls = CallbackList(add_progbar=True, epochs=1, steps=10, verbose=1)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    clock.now += 1.0
    calls.on_train_batch_end(0, {"loss": 0.5})
    print("a word from a callback")
    calls.on_epoch_end(0, {"loss": 0.25})
    calls.on_train_end()
    assert "a word from a callback" in terminal.lines()


def test_the_terminal_is_given_back_after_an_error(open_terminal):
    terminal = open_terminal()

    class Broken(mlapi.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        make_model().fit(X, Y, callbacks=[Broken()])
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert terminal.getvalue().count(hidden) == terminal.getvalue().count(shown) > 0
    assert sys.stdout is terminal
    assert "Epoch 1/1" in terminal.lines()[-1]  # where it broke off


def test_an_evaluation_inside_fit_may_show_itself(open_terminal):
    terminal = open_terminal()

    class Inner(mlapi.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["own"] = self.model.evaluate(X, Y, verbose=1, return_dict=True)["loss"]

    history = make_model().fit(X, Y, epochs=2, callbacks=[Inner()])
    assert terminal.text().count("Evaluate") == 2
    assert len(history.history["own"]) == 2


def test_a_dumb_terminal_gets_lines(open_terminal):
    terminal = open_terminal(kind="dumb")
    make_model().fit(X, Y, batch_size=12, epochs=1)
    assert "\x1b" not in terminal.getvalue()
    assert terminal.getvalue().startswith("Epoch 1/1 - 1/1 - ")


def test_an_output_that_only_writes_gets_lines(monkeypatch):
    written = []
    copy = SimpleNamespace(write=written.append, flush=lambda: None)
    monkeypatch.setattr(sys, "stdout", copy)
    make_model().evaluate(X, Y, batch_size=12)
    assert "".join(written).startswith("Evaluate - 1/1 - ")


# --- notebooks -------------------------------------------------------------------------------


class Outputs:
    """The outputs of a cell, as IPython's `display` makes and changes them."""

    def __init__(self):
        self.versions = []

    def display(self, data, raw, display_id):
        assert (raw, display_id) == (True, True)
        self.versions.append([data["text/plain"]])
        return SimpleNamespace(update=self._change(self.versions[-1]))

    def _change(self, output):
        return lambda data, raw: output.append(data["text/plain"])

    def final(self):
        return [output[-1] for output in self.versions]


@pytest.fixture
def open_notebook(monkeypatch):
    """A function that puts the outputs of a cell in the place of the standard output."""

    def put():
        outputs = Outputs()
        stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
        module = ModuleType("IPython.display")
        module.display = outputs.display
        monkeypatch.setitem(sys.modules, "IPython.display", module)
        return outputs

    return put


def test_a_notebook_gets_one_changing_output_an_epoch(open_notebook):
    outputs = open_notebook()
    history = make_model().fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y))
    assert sys.stdout.getvalue() == ""
    assert len(outputs.final()) == 2
    for epoch, line in enumerate(outputs.final()):
        logs = {name: values[epoch] for name, values in history.history.items()}
        assert line.startswith(f"Epoch {epoch + 1}/2 ━━━")
        assert dict(re.findall(r"(\w+) (-?\d\.\d{4})", line)) == as_shown(logs)


def test_a_notebook_is_changed_ten_times_a_second_at_most(clock, open_notebook):
    outputs = open_notebook()
    calls = CallbackList(add_progbar=True, epochs=1, steps=1000, verbose=1)
    calls.on_train_begin()
    run_epoch(calls, clock, steps=1000, seconds=0.001)
    (versions,) = outputs.versions
    assert 5 <= len(versions) <= 13
    assert " 401/1000 " in "".join(versions)


def test_a_notebook_may_ask_for_lines(open_notebook):
    outputs = open_notebook()
    make_model().fit(X, Y, batch_size=4, epochs=2, verbose=2)
    assert outputs.versions == []
    assert sys.stdout.getvalue().count("\n") == 2


# --- the list and the log --------------------------------------------------------------------


def test_a_list_may_have_a_bar_and_a_history_of_its_own(capsys):
    calls = CallbackList(add_history=True, add_progbar=True, epochs=1, steps=1, verbose=2)
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    calls.on_epoch_end(0, {"loss": 0.5})
    (history,) = [c for c in calls.callbacks if isinstance(c, History)]
    assert history.history == {"loss": [0.5]}
    assert "loss: 0.5000" in capsys.readouterr().out


def test_progress_in_the_log(caplog, capsys):
    mlapi.config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, "mlapi"):
            history = make_model().fit(X, Y, epochs=2, verbose=1)
    finally:
        mlapi.config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert [numbers(line)["loss"] for line in caplog.messages] == [
        as_shown({"loss": loss})["loss"] for loss in history.history["loss"]
    ]
