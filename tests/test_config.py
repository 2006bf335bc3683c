"""Settings: defaults, setters, the config file, the choice of the backend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlapi import config
from mlapi.errors import ArgumentError


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
