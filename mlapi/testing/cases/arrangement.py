"""Cases of `mlapi.ops.arrangement`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import ALL, Case, real, whole


def case(name, reference, shape, *statics, label="", unknown=True, result="same", **kwargs):
    return Case(name, (real(*shape), *statics), reference, kwargs, label, ALL, result,
                unknown=unknown, draw=DRAWS.get(name))  # fmt: skip


def append(x1, x2, axis=None):
    return np.append(x1, x2, axis)


def draw_append(draw, kind):
    (tensors,), kwargs = strategies.joined()(draw, kind)
    if draw(st.booleans()):
        kwargs = {"axis": None}
    return (tensors[0], tensors[-1]), kwargs


def draw_stacked(axis_of):
    """Tensors that differ along the axis that NumPy's function joins."""

    def arguments(draw, kind):
        sizes = strategies.shape(draw)
        axis = axis_of(len(sizes))
        tensors = []
        for _ in range(draw(st.integers(1, 3))):
            own = list(sizes)
            if axis is not None:
                own[axis] = draw(st.integers(0, 3))
            tensors.append(strategies.array(draw, kind, tuple(own)))
        return (tensors,), {}

    return arguments


def array_split(x, indices_or_sections, axis=0):
    return np.array_split(x, indices_or_sections, axis)


def draw_array_split(draw, sizes):
    return (draw(st.integers(1, 5)), strategies.axis(draw, len(sizes))), {}


def cuts(axis, least):
    def statics(draw, sizes):
        size = sizes[axis if len(sizes) > 1 else 0]
        return (sorted(draw(st.lists(st.integers(0, size), max_size=3))),), {}

    return strategies.with_statics(statics, least=least)


def roll(x, shift, axis=None):
    return np.roll(x, shift, axis)


def draw_roll(draw, sizes):
    by = st.integers(-5, 5)
    if not sizes or draw(st.booleans()):
        return (draw(by),), {}
    axes = [strategies.axis(draw, len(sizes)) for _ in range(draw(st.integers(1, 3)))]
    shift = draw(by | st.lists(by, min_size=len(axes), max_size=len(axes)))
    return (shift, axes if draw(st.booleans()) else axes[0]), {}


def rot90(array, k=1, axes=(0, 1)):
    return np.rot90(array, k, axes)


def two_axes(draw, rank):
    first, second = draw(st.permutations(range(rank)))[:2]
    return first - rank * draw(st.booleans()), second


def draw_diagonal(draw, sizes):
    return (draw(st.integers(-4, 4)), *two_axes(draw, len(sizes))), {}


def trace(x, *args, **kwargs):
    return np.trace(x, *args, **kwargs, dtype="int32" if x.dtype.kind in "biu" else x.dtype)


DRAWS = {
    "array_split": strategies.with_statics(draw_array_split, least=1),
    "hsplit": cuts(1, 1),
    "vsplit": cuts(0, 2),
    "dsplit": cuts(2, 3),
    "fliplr": strategies.with_statics(lambda draw, sizes: ((), {}), least=2),
    "flipud": strategies.with_statics(lambda draw, sizes: ((), {}), least=1),
    "roll": strategies.with_statics(draw_roll),
    "rot90": strategies.with_statics(
        lambda draw, sizes: ((draw(st.integers(-5, 5)), two_axes(draw, len(sizes))), {}), least=2
    ),
    "diagonal": strategies.with_statics(draw_diagonal, least=2),
    "trace": strategies.with_statics(draw_diagonal, least=2),
}
ROWS = [real(2, 3), real(2, 3, seed=1)]

CASES = [
    Case("append", (real(2, 3), real(4)), append, dtypes=ALL, draw=draw_append, unknown=False),
    Case("append", (real(2, 3), whole(1, 3)), append, {"axis": -2}, "axis", result="float32",
         unknown=False),
    Case("hstack", (ROWS,), np.hstack, dtypes=ALL,
         draw=draw_stacked(lambda rank: min(1, rank - 1) if rank else None)),
    Case("hstack", ([real(2), real(3)],), np.hstack, label="vectors"),
    Case("hstack", ([real(), real(seed=1)],), np.hstack, label="scalars"),
    Case("vstack", (ROWS,), np.vstack, dtypes=ALL,
         draw=draw_stacked(lambda rank: 0 if rank > 1 else None)),
    Case("vstack", ([real(3), real(2, 3)],), np.vstack, label="ranks", unknown=False),
    Case("dstack", (ROWS,), np.dstack, dtypes=ALL,
         draw=draw_stacked(lambda rank: 2 if rank > 2 else None)),
    Case("dstack", ([real(2), real(1, 2, 2)],), np.dstack, label="ranks", unknown=False),
    case("array_split", array_split, (5, 2), 3),
    case("array_split", array_split, (2, 5), [1, 3], label="indices", axis=-1),
    case("hsplit", np.hsplit, (2, 4), 2),
    case("hsplit", np.hsplit, (4,), [1], label="vector"),
    case("vsplit", np.vsplit, (4, 2), 2),
    case("dsplit", np.dsplit, (2, 3, 4), [1, 2]),
    case("fliplr", np.fliplr, (2, 3)),
    case("flipud", np.flipud, (2, 3)),
    case("roll", roll, (2, 3), 1),
    case("roll", roll, (2, 3), (1, -2), (0, 1), label="each"),
    case("roll", roll, (3, 4), (1, 2), axis=-1, label="twice"),
    case("roll", roll, (0, 3), 2, label="empty"),
    case("roll", roll, (2, 1, 2, 1, 3, 2), 2, label="rank6", axis=4),
    case("rot90", rot90, (2, 3)),
    *(case("rot90", rot90, (2, 3, 4), k, (-1, 0), label=f"turns_{k}") for k in (0, 2, -1)),
    case("diagonal", np.diagonal, (5, 4)),
    case("diagonal", np.diagonal, (4, 5, 2), label="axes", offset=-1, axis1=-1, axis2=1),
    case("diagonal", np.diagonal, (3, 4), 4, label="empty"),
    case("trace", trace, (5, 4), result="sum"),
    case("trace", trace, (3, 4, 2), label="axes", offset=1, axis1=1, axis2=-1, result="sum"),
]  # fmt: skip
