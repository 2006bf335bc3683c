"""Settings: default float type, epsilon, image layout, limits, and which backend is chosen.

Users find them in `mlapi.config`.

A setting comes from the call that set it, else from the file `mlapi.json` in the folder
`MLAPI_HOME` (`~/.mlapi` unless that variable is set), else from the defaults below. The backend
comes from the variable `MLAPI_BACKEND` first. The file is read on first use:

    {"floatx": "float32", "epsilon": 1e-07, "image_data_format": "channels_last", "backend": "jax"}
"""

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from mlapi.errors import ArgumentError, BackendError, nearest, one_of

__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "home",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
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


def max_epochs() -> int | None:
    """Returns how many epochs `fit` may run at most, whatever it is told; None for any number."""
    return _limits["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of every `fit`, to try a program out; None lifts the limit.

    Raises:
        ArgumentError: it is neither None nor a positive int.
    """
    _limits["max_epochs"] = _checked_limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Returns how many batches `fit`, `evaluate` and `predict` may take at most, or None."""
    return _limits["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the batches of an epoch, an evaluation, a prediction; None lifts the limit.

    Raises:
        ArgumentError: it is neither None nor a positive int.
    """
    _limits["max_steps_per_epoch"] = _checked_limit("max_steps_per_epoch", max_steps_per_epoch)


_limits: dict[str, int | None] = {"max_epochs": None, "max_steps_per_epoch": None}


def _checked_limit(name: str, value: int | None) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ArgumentError(f"{name} must be an int of at least 1, or None, received {value!r}.")
    return value


def is_flash_attention_enabled() -> bool | None:
    """Returns whether attention uses flash kernels: True, False, or None for where they fit."""
    return _flags["flash_attention"]


def enable_flash_attention() -> None:
    """Asks for flash kernels wherever attention is computed."""
    _flags["flash_attention"] = True


def disable_flash_attention() -> None:
    """Keeps attention from using flash kernels."""
    _flags["flash_attention"] = False


def is_interactive_logging_enabled() -> bool:
    """Returns whether progress goes to the standard output rather than to the log."""
    return bool(_flags["interactive_logging"])


def enable_interactive_logging() -> None:
    """Shows the progress of `fit` and its kin on the standard output, as it is by default."""
    _flags["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Writes the progress as lines of the logger `mlapi`, at level INFO."""
    _flags["interactive_logging"] = False


def is_traceback_filtering_enabled() -> bool:
    """Returns whether tracebacks are printed without the library's own frames."""
    return bool(_flags["traceback_filtering"])


def enable_traceback_filtering() -> None:
    """Prints the tracebacks of uncaught errors without the library's own frames."""
    _flags["traceback_filtering"] = True
    if sys.excepthook is not _filtered_excepthook:
        _hooks.append(sys.excepthook)
        sys.excepthook = _filtered_excepthook


def disable_traceback_filtering() -> None:
    """Prints whole tracebacks, as it is by default."""
    _flags["traceback_filtering"] = False
    if sys.excepthook is _filtered_excepthook:
        sys.excepthook = _hooks.pop()


_flags: dict[str, bool | None] = {
    "flash_attention": None,
    "interactive_logging": True,
    "traceback_filtering": False,
}
_hooks: list[Callable[..., Any]] = []


def _filtered_excepthook(kind: type, error: BaseException, trace: TracebackType | None) -> None:
    package = str(Path(__file__).parent)
    kept = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(package):
            kept.append(trace)
        trace = trace.tb_next
    shown: TracebackType | None = None
    for one in reversed(kept):
        shown = TracebackType(shown, one.tb_frame, one.tb_lasti, one.tb_lineno)
    _hooks[-1](kind, error.with_traceback(shown), shown)


def is_nnx_enabled() -> bool:
    """Returns False: Variables are never those of Flax NNX."""
    return False


def enable_unsafe_deserialization() -> NoReturn:
    """Refuses, since loading never runs code out of files.

    Raises:
        ArgumentError: always; the message says what to do instead.
    """
    raise ArgumentError(
        "There is nothing unsafe to be enabled: mlapi never runs code that a file brings. Pass "
        "your own functions and classes to loading, in custom_objects={name: object}."
    )


def set_backend(backend: str) -> None:
    """Chooses the backend, in a program that has not used any tensor, layer or op yet.

    Args:
        backend: `"torch"`, `"jax"`, `"tensorflow"`, or the name of an installed adapter.

    Raises:
        BackendError: another one is loaded already; it stays until the process ends.
    """
    name = str(backend).strip().lower()
    if "mlapi.backends" in sys.modules and name != _settings.get("chosen backend"):
        raise BackendError(
            f"set_backend({backend!r}): the {_settings.get('chosen backend')} backend is loaded "
            "and cannot be replaced. Call set_backend first thing, or set MLAPI_BACKEND."
        )
    _settings["chosen backend"] = name


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
