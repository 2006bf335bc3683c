"""Settings: default float type, epsilon, image layout, and which backend is chosen.

A setting comes from the call that set it, else from the file `mlapi.json` in the folder
`MLAPI_HOME` (`~/.mlapi` unless that variable is set), else from the defaults below. The backend
comes from the variable `MLAPI_BACKEND` first. The file is read on first use:

    {"floatx": "float32", "epsilon": 1e-07, "image_data_format": "channels_last", "backend": "jax"}
"""

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from mlapi.errors import ArgumentError, BackendError, nearest, one_of

__all__ = [
    "backend",
    "epsilon",
    "floatx",
    "home",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]

_FLOATX = ("float16", "bfloat16", "float32", "float64")
_IMAGE_DATA_FORMATS = ("channels_last", "channels_first")
_BUILT_IN = {"jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}
_DEFAULTS: Mapping[str, str | float] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "backend": "",
}

_settings: dict[str, str | float] = {}


def home() -> Path:
    """Returns the folder for the config file, downloads and caches."""
    return Path(os.environ.get("MLAPI_HOME") or Path.home() / ".mlapi")


def floatx() -> str:
    """Returns the default float type, `"float32"` unless changed."""
    return str(_get("floatx"))


def set_floatx(value: str) -> None:
    """Sets the default float type: `"float16"`, `"bfloat16"`, `"float32"` or `"float64"`.

    Raises:
        ArgumentError: `value` is another name.
    """
    _set("floatx", value)


def epsilon() -> float:
    """Returns the small number that guards divisions and logarithms, `1e-7` unless changed."""
    return float(_get("epsilon"))


def set_epsilon(value: float) -> None:
    """Sets the small number that guards divisions and logarithms.

    Raises:
        ArgumentError: `value` is not a positive number.
    """
    _set("epsilon", value)


def image_data_format() -> str:
    """Returns where images have their channels: `"channels_last"` or `"channels_first"`."""
    return str(_get("image_data_format"))


def set_image_data_format(data_format: str) -> None:
    """Sets where images have their channels.

    Raises:
        ArgumentError: `data_format` is neither `"channels_last"` nor `"channels_first"`.
    """
    _set("image_data_format", data_format)


def backend() -> str:
    """Returns the name of the chosen backend, without loading it.

    It is the variable `MLAPI_BACKEND`, else `backend` in the config file, else the first
    installed of jax, torch and tensorflow; in the last case a line on stderr says which.

    Raises:
        BackendError: nothing is chosen and none of the three is installed.
    """
    if "chosen backend" not in _settings:
        _settings["chosen backend"] = _choose_backend()
    return str(_settings["chosen backend"])


def _choose_backend() -> str:
    named = os.environ.get("MLAPI_BACKEND") or str(_get("backend"))
    if named:
        return named.strip().lower()
    for name, package in _BUILT_IN.items():
        if importlib.util.find_spec(package) is not None:
            sys.stderr.write(
                f"mlapi: using the {name} backend (set MLAPI_BACKEND to choose another).\n"
            )
            return name
    raise BackendError(
        "mlapi needs one of jax, torch and tensorflow, and none is installed. "
        'Install one: pip install "mlapi[jax]" (or mlapi[torch], mlapi[tensorflow]).'
    )


def _get(key: str) -> str | float:
    if key not in _settings:
        for name, value in {**_DEFAULTS, **_read_file()}.items():
            _settings.setdefault(name, value)
    return _settings[key]


def _set(key: str, value: str | float) -> None:
    _get(key)
    _settings[key] = _checked(key, value)


def _checked(key: str, value: object) -> str | float:
    """Returns `value` if the setting `key` can have it."""
    if key == "epsilon":
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ArgumentError(f"epsilon must be a positive number, received {value!r}.")
        return float(value)
    if key == "floatx":
        return one_of("floatx", str(value), _FLOATX)
    if key == "image_data_format":
        return one_of("image_data_format", str(value), _IMAGE_DATA_FORMATS)
    return str(value)


def _read_file() -> dict[str, str | float]:
    path = home() / "mlapi.json"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    try:
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ArgumentError(f"expected an object, found {type(content).__name__}.")
        for key in content:
            if key not in _DEFAULTS:
                hint = nearest(key, _DEFAULTS)
                known = ", ".join(_DEFAULTS)
                raise ArgumentError(f"unknown setting {key!r}.{hint} Known: {known}.")
        return {key: _checked(key, value) for key, value in content.items()}
    except ValueError as error:
        raise ArgumentError(f"The config file {path} cannot be used: {error}") from None
