"""Settings: defaults, setters, the config file, the choice of the backend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mlapi
from mlapi import config
from mlapi.errors import ArgumentError, BackendError


@pytest.fixture(autouse=True)
def _restored():
    before = config.floatx(), config.epsilon(), config.image_data_format()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_image_data_format(before[2])


def in_fresh_process(expression: str, home: Path, **environment: str | None) -> str:
    """Prints `expression`, with a home of its own and without the surrounding choice."""
    variables = {**os.environ, "MLAPI_HOME": str(home), "MLAPI_BACKEND": None, **environment}
    program = f"from mlapi import config; print({expression})"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
    )
    return (run.stdout + run.stderr).strip()


def write(home: Path, content: object) -> None:
    (home / "mlapi.json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_setters() -> None:
    config.set_floatx("float16")
    config.set_epsilon(1e-3)
    config.set_image_data_format("channels_first")
    assert config.floatx() == "float16"
    assert config.epsilon() == 1e-3
    assert config.image_data_format() == "channels_first"


@pytest.mark.parametrize(
    ("setter", "value", "message"),
    [
        (config.set_floatx, "float31", "Unknown floatx 'float31'. Did you mean 'float32'?"),
        (config.set_epsilon, 0, "epsilon must be a positive number, received 0"),
        (config.set_epsilon, "1", "epsilon must be a positive number, received '1'"),
        (config.set_image_data_format, "channel_last", "Did you mean 'channels_last'?"),
    ],
)
def test_wrong_values_are_refused(setter, value: object, message: str) -> None:
    before = config.floatx(), config.epsilon(), config.image_data_format()
    with pytest.raises(ArgumentError) as caught:
        setter(value)
    assert message in str(caught.value)
    assert before == (config.floatx(), config.epsilon(), config.image_data_format())


SETTINGS = "config.floatx(), config.epsilon(), config.image_data_format()"


def test_defaults(tmp_path: Path) -> None:
    assert in_fresh_process(SETTINGS, tmp_path) == "float32 1e-07 channels_last"


def test_file(tmp_path: Path) -> None:
    write(tmp_path, {"floatx": "float64", "epsilon": 0.5, "backend": "torch"})
    assert in_fresh_process(SETTINGS, tmp_path) == "float64 0.5 channels_last"
    assert in_fresh_process("config.backend()", tmp_path) == "torch"


def test_setting_one_value_keeps_the_others_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"floatx": "float64", "epsilon": 0.5})
    changed = "(config.set_floatx('float16'), config.floatx(), config.epsilon())[1:]"
    assert in_fresh_process(changed, tmp_path) == "('float16', 0.5)"


def test_variable_goes_before_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"backend": "torch"})
    assert in_fresh_process("config.backend()", tmp_path, MLAPI_BACKEND="JAX") == "jax"


def test_without_a_choice_an_installed_backend_is_taken_and_named(tmp_path: Path) -> None:
    lines = in_fresh_process("config.backend()", tmp_path).splitlines()
    assert lines[0] in ("jax", "torch", "tensorflow")
    assert lines[1] == f"mlapi: using the {lines[0]} backend (set MLAPI_BACKEND to choose another)."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "mlapi.json cannot be used"),
        ([1], "expected an object, found list"),
        ({"floatX": "float32"}, "unknown setting 'floatX'. Did you mean 'floatx'?"),
        ({"epsilon": -1}, "epsilon must be a positive number"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: object, message: str) -> None:
    write(tmp_path, content)
    error = in_fresh_process("config.floatx()", tmp_path)
    assert message in error
    assert str(tmp_path / "mlapi.json") in error
    assert "ArgumentError" in error


def test_limits() -> None:
    x = np.zeros((12, 2), "float32")
    model = mlapi.Sequential([mlapi.Input((2,)), mlapi.layers.Dense(1)])
    model.compile("sgd", "mse")
    seen = []
    note = mlapi.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(batch),
        on_epoch_begin=lambda epoch, logs: seen.append("epoch"),
    )
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    try:
        model.fit(x, x[:, :1], batch_size=2, epochs=5, callbacks=[note], verbose=0)
        assert seen == ["epoch", 0, 1, 2, "epoch", 0, 1, 2]
        assert model.predict(x, batch_size=2, verbose=0).shape == (6, 1)
        assert model.predict(x, verbose=0).shape == (12, 1)
    finally:
        config.set_max_epochs(None)
        config.set_max_steps_per_epoch(None)
    assert config.max_epochs() is config.max_steps_per_epoch() is None
    with pytest.raises(ArgumentError, match="max_epochs must be an int of at least 1"):
        config.set_max_epochs(0)


def test_a_backend_in_use_stays(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot be replaced"):
        config.set_backend("another")
    config.set_backend(config.backend())
    program = f"(config.set_backend(' {config.backend().upper()}'), config.backend())"
    assert in_fresh_process(program, tmp_path, MLAPI_BACKEND="another") == str(
        (None, config.backend())
    )


def test_files_never_run_code() -> None:
    with pytest.raises(ArgumentError, match="custom_objects"):
        config.enable_unsafe_deserialization()


def test_tracebacks_without_the_library(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from mlapi import config, layers\n"
        "config.enable_traceback_filtering()\n"
        "assert config.is_traceback_filtering_enabled()\n"
        "layers.Dense(-1)\n"
    )
    run = subprocess.run([sys.executable, program], capture_output=True, text=True)
    assert "layers.Dense(-1)" in run.stderr
    assert "units must be an integer" in run.stderr
    assert "validation.py" not in run.stderr
