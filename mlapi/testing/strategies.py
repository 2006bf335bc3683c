"""Random arguments: functions of `draw`, which draws from a Hypothesis strategy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mlapi import dtypes
from mlapi.testing.case import Arguments, real

Draw = Callable[[Any], Any]


def shape(draw: Draw, least: int = 0, most: int = 4, smallest: int = 0) -> tuple[int, ...]:
    """A shape of `least` to `most` axes, of sizes from `smallest` to 3."""
    return tuple(draw(st.lists(st.integers(smallest, 3), min_size=least, max_size=most)))


def axis(draw: Draw, rank: int) -> int:
    """One of the axes, counted from either end."""
    return draw(st.integers(-rank, rank - 1))


def axes(draw: Draw, rank: int) -> Any:
    """None, one axis, or a tuple or list of several."""
    if rank == 0:
        return None
    several = st.lists(st.integers(0, rank - 1), unique=True, max_size=rank)
    signed = several.map(lambda xs: tuple(x - rank if i % 2 else x for i, x in enumerate(xs)))
    return draw(st.none() | st.integers(-rank, rank - 1) | signed | signed.map(list))


def broadcast(draw: Draw, whole: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to `whole`: some sizes 1, some leading axes left out."""
    sizes = [draw(st.sampled_from((n, n, 1))) for n in whole]
    return tuple(sizes[draw(st.integers(0, len(sizes))) :])


def array(
    draw: Draw, kind: str, sizes: tuple[int, ...], make: Callable[..., np.ndarray] = real
) -> np.ndarray:
    """Values from one of the makers in `mlapi.testing.case`, of dtype `kind`."""
    x = make(*sizes, seed=draw(st.integers(0, 2**16)))
    if kind == "bool":
        return np.asarray(x > 0)
    x = np.asarray(np.abs(x)) if kind.startswith("u") else x  # without the sign rather than wrapped around
    return x.astype(dtypes.numpy_dtype(kind))


def unary(make: Callable[..., np.ndarray] = real) -> Callable[[Draw, str], Arguments]:
    """One tensor of any shape."""
    return lambda draw, kind: ((array(draw, kind, shape(draw), make),), {})


def binary(make: Callable[..., np.ndarray] = real) -> Callable[[Draw, str], Arguments]:
    """Two tensors that broadcast against one another."""

    def arguments(draw: Draw, kind: str) -> Arguments:
        whole = shape(draw)
        first, second = draw(
            st.sampled_from([(whole, broadcast(draw, whole)), (broadcast(draw, whole), whole)])
        )
        return (array(draw, kind, first, make), array(draw, kind, second, make)), {}

    return arguments


def reduction(
    make: Callable[..., np.ndarray] = real, *, smallest: int = 1, keepdims: bool = True
) -> Callable[[Draw, str], Arguments]:
    """One tensor, with the axes to be reduced and whether they stay."""

    def arguments(draw: Draw, kind: str) -> Arguments:
        sizes = shape(draw, smallest=smallest)
        kwargs = {"axis": axes(draw, len(sizes))}
        if keepdims:
            kwargs["keepdims"] = draw(st.booleans())
        return (array(draw, kind, sizes, make),), kwargs

    return arguments
