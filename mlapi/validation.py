"""Checks of constructor arguments, each of them a value.

One object holds the test, the sentence for the error message, and a value that must be refused,
so that a common test can try it:

    self.units = positive_int(self, "units", units)
    ArgumentError: Dense: units must be an integer of at least 1, received 0.

Checks return the value in its plain form: a NumPy integer becomes an int, a list a tuple.
"""

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from mlapi import settings
from mlapi.errors import ArgumentError, ArgumentTypeError, nearest


class Check:
    """A constraint on one argument, called as `check(owner, name, value)`.

    Args:
        sentence: what the value must be, as it follows "must be".
        convert: returns the value in its plain form. It raises TypeError for a wrong type and
            ValueError for a wrong value; the messages of both are dropped.
        bad: a value that the check refuses.
    """

    __slots__ = ("bad", "convert", "sentence")

    def __init__(self, sentence: str, convert: Callable[[Any], Any], bad: Any) -> None:
        self.sentence = sentence
        self.convert = convert
        self.bad = bad

    def __call__(self, owner: object, name: str, value: Any) -> Any:
        """Returns `value` in its plain form.

        Raises:
            ArgumentError: the value is out of range, or none of the choices.
            ArgumentTypeError: it has another type than those that can be right.
        """
        try:
            return self.convert(value)
        except TypeError:
            error = ArgumentTypeError
        except ValueError:
            error = ArgumentError
        raise error(self._complain(owner, name, value)) from None

    def _complain(self, owner: object, name: str, value: Any) -> str:
        where = owner if isinstance(owner, str) else type(owner).__name__
        label = getattr(owner, "name", None)
        if label:
            where += f' "{label}"'
        return f"{where}: {name} must be {self.sentence}, received {value!r}.{self.hint(value)}"

    def hint(self, value: Any) -> str:
        """What the user may have meant, as a sentence after a space, or nothing."""
        return ""


class Choice(Check):
    """One of some strings; the nearest of them is named when it is another."""

    __slots__ = ("choices",)

    def __init__(self, *choices: str) -> None:
        self.choices = choices
        listed = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        super().__init__(listed, self._pick, "unheard-of")

    def _pick(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if value.lower() not in self.choices:
            raise ValueError
        return value.lower()

    def hint(self, value: Any) -> str:
        """The nearest choice."""
        return nearest(value, self.choices) if isinstance(value, str) else ""


def as_integer(value: Any, least: float = -math.inf) -> int:
    """Returns `value` as an int; raises what `Check.convert` is to raise."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError
    if value < least:
        raise ValueError
    return int(value)


def _axes(value: Any) -> int | tuple[int, ...]:
    if not isinstance(value, (list, tuple)):
        return as_integer(value)
    if not value:
        raise ValueError
    return tuple(as_integer(axis) for axis in value)


def _number(value: Any, accept: Callable[[float], bool]) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError
    if not accept(float(value)):
        raise ValueError
    return value if isinstance(value, int) else float(value)


def _boolean(value: Any) -> bool:
    # NumPy's booleans, and the integers 0 and 1 that old configs hold.
    if value in (False, True):
        return bool(value)
    raise TypeError


positive_int = Check("an integer of at least 1", lambda v: as_integer(v, 1), 0)
non_negative_int = Check("an integer of at least 0", lambda v: as_integer(v, 0), -1)
positive = Check("a number above 0", lambda v: _number(v, lambda n: 0 < n < math.inf), 0.0)
non_negative = Check(
    "a number of at least 0", lambda v: _number(v, lambda n: 0 <= n < math.inf), -1.0
)
fraction = Check("a number from 0 to 1", lambda v: _number(v, lambda n: 0 <= n <= 1), 1.5)
below_one = Check(
    "a number of at least 0 and below 1", lambda v: _number(v, lambda n: 0 <= n < 1), 1.0
)
number = Check("a number", lambda v: _number(v, math.isfinite), "much")
integer_axis = Check("an integer", as_integer, 1.5)
integer_axes = Check("an integer or a list of integers", _axes, 1.5)
boolean = Check("True or False", _boolean, "maybe")


def _noise_shape(value: Any) -> tuple[int | None, ...] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return tuple(None if size is None else as_integer(size, 1) for size in value)


noise_shape = Check(
    "a list of sizes of at least 1, with None for those of the input, or None", _noise_shape, (0,)
)
seed = Check("an integer, or None", lambda v: None if v is None else as_integer(v), "odd")


class _Optional(Check):
    __slots__ = ("check",)

    def __init__(self, check: Check) -> None:
        self.check = check
        super().__init__(f"{check.sentence}, or None", self._unless_none, check.bad)

    def _unless_none(self, value: Any) -> Any:
        return None if value is None else self.check.convert(value)

    def hint(self, value: Any) -> str:
        return self.check.hint(value)


def optional(check: Check) -> Check:
    """The same check, which also lets None pass."""
    return _Optional(check)


_data_format = Choice("channels_last", "channels_first")


def data_format(owner: object, value: str | None) -> str:
    """Returns `"channels_last"` or `"channels_first"`; None stands for the configured one."""
    if value is None:
        return settings.image_data_format()
    return _data_format(owner, "data_format", value)


def ints(count: int, least: int = 1) -> Check:
    """A tuple of `count` integers of at least `least`; one integer stands for that many."""

    def convert(value: Any) -> tuple[int, ...]:
        if isinstance(value, (list, tuple)):
            if len(value) != count:
                raise ValueError
            return tuple(as_integer(item, least) for item in value)
        return (as_integer(value, least),) * count

    many = "an integer" if count == 1 else f"an integer or {count} integers"
    return Check(f"{many} of at least {least}", convert, (least - 1,) * count)


def checked_axes(owner: object, axes: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Returns `axes` counted from the front, in the order given.

    Raises:
        ArgumentError: one of them is not an axis of a tensor of this rank, or is there twice.
    """
    listed = (axes,) if isinstance(axes, int) else axes
    front = tuple(axis + rank if axis < 0 else axis for axis in listed)
    if any(not 0 <= axis < rank for axis in front) or len(set(front)) < len(front):
        label = getattr(owner, "name", None)
        where = type(owner).__name__ + (f' "{label}"' if label else "")
        raise ArgumentError(
            f"{where}: axis={axes!r} does not fit an input of rank {rank}. "
            f"Choose from {-rank} to {rank - 1}, each axis once."
        )
    return front
