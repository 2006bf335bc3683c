"""Random arguments: functions of `draw`, which draws from a Hypothesis strategy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mlapi.testing.case import Arguments, real, to_kind

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
    return to_kind(make(*sizes, seed=draw(st.integers(0, 2**16))), kind)


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


def with_statics(
    statics: Callable[[Draw, tuple[int, ...]], Arguments],
    make: Callable[..., np.ndarray] = real,
    *,
    least: int = 0,
    most: int = 4,
    smallest: int = 0,
) -> Callable[[Draw, str], Arguments]:
    """One tensor, followed by the static arguments that are drawn for its shape."""

    def arguments(draw: Draw, kind: str) -> Arguments:
        sizes = shape(draw, least, most, smallest)
        args, kwargs = statics(draw, sizes)
        return (array(draw, kind, sizes, make), *args), kwargs

    return arguments


def along(
    make: Callable[..., np.ndarray] = real,
    *,
    flat: bool = True,
    keepdims: bool = False,
    **sizes: int,
) -> Callable[[Draw, str], Arguments]:
    """One tensor, and one of its axes, or None if `flat`."""

    def statics(draw: Draw, sizes: tuple[int, ...]) -> Arguments:
        kwargs: dict[str, Any] = {}
        if sizes and not (flat and draw(st.booleans())):
            kwargs["axis"] = axis(draw, len(sizes))
        elif flat:
            kwargs["axis"] = None
        if keepdims:
            kwargs["keepdims"] = draw(st.booleans())
        return (), kwargs

    return with_statics(statics, make, **{"least": 0 if flat else 1, **sizes})


def integers(draw: Draw, sizes: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """Indices in [low, high)."""
    count = int(np.prod(sizes))
    found = draw(st.lists(st.integers(low, high - 1), min_size=count, max_size=count))
    return np.array(found, draw(st.sampled_from(["int32", "int8"]))).reshape(sizes)


def joined(count: int = 3) -> Callable[[Draw, str], Arguments]:
    """A list of tensors whose shapes differ along one axis only, and that axis."""

    def arguments(draw: Draw, kind: str) -> Arguments:
        sizes = shape(draw, 1)
        place = axis(draw, len(sizes))
        tensors = []
        for _ in range(draw(st.integers(1, count))):
            own = list(sizes)
            own[place] = draw(st.integers(0, 3))
            tensors.append(array(draw, kind, tuple(own)))
        return (tensors,), {"axis": place}

    return arguments
