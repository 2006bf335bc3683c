"""Axes counted from the front."""

from collections.abc import Iterable


def place(axis: int, rank: int) -> int:
    """The axis without its sign; IndexError if there is none, where `%` would find another."""
    if not -rank <= axis < rank:
        raise IndexError(f"axis {axis} of {rank}")
    return axis % rank


def places(axes: int | Iterable[int], rank: int) -> list[int]:
    """As `place`, of one or several."""
    return [place(axis, rank) for axis in ((axes,) if isinstance(axes, int) else axes)]
