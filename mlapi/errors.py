"""The errors that mlapi raises for its users.

    MlapiError                       catches all of them
    ├── ArgumentError    ValueError  an argument has a value that makes no sense there
    │   └── ShapeError               … because of its shape
    ├── ArgumentTypeError TypeError  an argument has a type that makes no sense there
    │   └── DTypeError               … because of its dtype
    ├── NotBuiltError    ValueError  weights were asked for before the shapes are known
    ├── DataError        ValueError  the data of a user: empty, labels out of range, lengths differ
    ├── DivergedError    ValueError  training produced a loss that is not a number
    ├── LoadError        ValueError  a file, or a config out of one, was refused
    ├── SaveError        OSError     a file could not be written
    ├── MissingLibraryError ImportError an optional library is not installed
    └── BackendError     ImportError no backend, an unknown one, or one that is not installed

Every message says what is wrong, where (the path of the layer, the name of the argument), what
was received, and how to mend it. Helpers here run on the way to an error only.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


class MlapiError(Exception):
    """Base of all errors that mlapi raises on purpose."""


class ArgumentError(MlapiError, ValueError):
    """An argument has a value that makes no sense there."""


class ShapeError(ArgumentError):
    """A tensor or array has a shape that does not fit."""


class ArgumentTypeError(MlapiError, TypeError):
    """An argument has a type that makes no sense there."""


class DTypeError(ArgumentTypeError):
    """A dtype is unknown, or not one that the operation can take."""


class NotBuiltError(MlapiError, ValueError):
    """Weights were asked for before the shapes of the inputs are known."""


class DataError(MlapiError, ValueError):
    """Data passed to training, evaluation or prediction cannot be used."""


class DivergedError(MlapiError, ValueError):
    """Training produced a loss that is not a number.

    Attributes:
        phase: of errors of `fit(detect_nan=True)`: where the first number came up that is not
            finite: `"data"`, `"weights"`, `"forward"`, `"loss"`, `"gradient"` or `"update"`.
        layer: path of the layer where it was, if it was in one.
        op: name of the operation whose result it is, if it is known.
        batch: number of the batch.
    """

    phase: str | None = None
    layer: str | None = None
    op: str | None = None
    batch: int | None = None


class LoadError(MlapiError, ValueError):
    """A file, or a config that came out of one, was refused."""


class SaveError(MlapiError, OSError):
    """A file could not be written; files that were there before are as they were."""


class MissingLibraryError(MlapiError, ImportError):
    """A library that is needed for this, and for nothing else, is not installed."""


class BackendError(MlapiError, ImportError):
    """No backend, an unknown one, or one that is not installed."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Returns `" Did you mean 'x'?"` for the closest of `choices`, or `""` if none is close.

    Letter case and underscores are overlooked: `"adamW"` is close to `"adamw"`, and
    `"GlorotUniform"` to `"glorot_uniform"`.
    """
    import difflib

    # Of two spellings of one name, the later in the dict stays: that in the style of `name`.
    choices = sorted(choices, key=lambda choice: choice.islower() == str(name).islower())
    plain = {choice.lower().replace("_", ""): choice for choice in choices}
    match = difflib.get_close_matches(str(name).lower().replace("_", ""), plain, n=1, cutoff=0.6)
    return f" Did you mean {plain[match[0]]!r}?" if match else ""


def choose(what: str, name: str, choices: Mapping[str, T]) -> T:
    """Returns `choices[name]`.

    Raises:
        ArgumentError: `name` is none of them; the message names the nearest and lists all.

    Example:
        >>> choose("padding", "same", {"same": 1, "valid": 0})
        1
    """
    if isinstance(name, str) and name in choices:
        return choices[name]
    raise ArgumentError(_unknown(what, name, choices))


def one_of(what: str, value: T, choices: Collection[T]) -> T:
    """Returns `value` if it is one of `choices`.

    Raises:
        ArgumentError: it is not; the message names the nearest and lists all.
    """
    if value in choices:
        return value
    raise ArgumentError(_unknown(what, value, choices))


def not_in_state(path: str) -> ArgumentError:
    """What to raise where a compiled function assigns to a Variable that it was not told of."""
    return ArgumentError(
        f"the compiled function assigns to Variable {path!r}, which is not in the `state` given "
        "to mlapi.jit; add it, or the layer that owns it."
    )


def not_scalar(shape: Iterable[int | None]) -> ShapeError:
    """What to raise where a gradient of something with axes was asked for."""
    return ShapeError(
        f"A gradient needs a function that returns a scalar; its value has shape {tuple(shape)}. "
        "Reduce it, with mlapi.ops.mean for instance."
    )


def _unknown(what: str, value: object, choices: Iterable[object]) -> str:
    hint = nearest(value, map(str, choices)) if isinstance(value, str) else ""
    return f"Unknown {what} {value!r}.{hint} Choose one of {', '.join(map(repr, choices))}."
