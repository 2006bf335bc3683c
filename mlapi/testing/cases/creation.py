"""Cases of `mlapi.ops.creation` and `mlapi.ops.windows`."""

import numpy as np
from hypothesis import strategies as st
from scipy.signal import windows

from mlapi.testing import strategies
from mlapi.testing.case import ALL, FLOATS, INTEGERS, NUMBERS, Case, positive, real, scalar, whole
from mlapi.testing.cases.shape import new


def spread(reference):
    """The sequence between two tensors, in 64 bits as far as dtypes go."""

    def call(start, stop, *args, dtype=None, **kwargs):
        return reference(np.float64(start), np.float64(stop), *args, **kwargs)

    return call


def floored(start, stop, num, dtype):
    return np.linspace(start, stop, num, dtype=dtype)


def draw_spread(make):
    def draw(choose, kind):
        pair, _ = strategies.binary(make)(choose, kind)
        kwargs = {"num": choose(st.integers(0, 5)), "endpoint": choose(st.booleans())}
        rank = max(x.ndim for x in pair) + 1
        return pair, {**kwargs, "axis": strategies.axis(choose, rank)}

    return draw


def sequence(name, reference, make, kinds=NUMBERS):
    details = {"result": "float", "draw": draw_spread(make)}
    pair = make(2, 3), make(3, seed=1)
    single = make(seed=1), make(seed=2)
    return [
        Case(name, (*pair, 4), spread(reference), dtypes=kinds, **details),
        Case(name, (*pair, 4), spread(reference), {"axis": -1}, "axis", **details),
        Case(name, (*single, 5, False), spread(reference), {}, "open", **details),
        Case(name, single, spread(reference), {}, "scalar", **details),
        Case(name, (*single, 1), spread(reference), {}, "one", **details),
        Case(name, (*pair, 0), spread(reference), {}, "none", **details),
        Case(name, (make(0, 3), make(3), 2), spread(reference), {}, "empty", **details),
        Case(name, (make(2, 1, 3, 1, 2), make(2), 2, True), spread(reference), {"axis": 3}, "rank6",
             unknown=False, **details),
        Case(name, (*single, 3), spread(reference), {"dtype": "float16"}, "dtype", result="float16",
             grad=False, tolerance=1e-3),
    ]  # fmt: skip


def with_step(start, stop, num=50, endpoint=True, retstep=True, axis=0):
    return np.linspace(start, stop, num, endpoint, True, axis=axis)


def draw_matrix(least, most=4):
    def draw(choose, kind):
        sizes = strategies.shape(choose, least, most, smallest=1 if most == 2 else 0)
        return (strategies.array(choose, kind, sizes),), {"k": choose(st.integers(-4, 4))}

    return draw


def matrices(name, reference):
    draw = draw_matrix(2)
    return [
        Case(name, (real(3, 4),), reference, dtypes=ALL, draw=draw),
        Case(name, (real(3, 4),), reference, {"k": 1}, "above", draw=draw),
        Case(name, (real(2, 4, 3),), reference, {"k": -2}, "below", draw=draw),
        Case(name, (real(0, 3),), reference, label="empty", draw=draw),
        Case(name, (real(2, 1, 2, 1, 3, 4), -9), reference, label="rank6", draw=draw),
    ]


def vander(x, N=None, increasing=False):
    powers = np.arange(x.shape[0] if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1])


def draw_vander(choose, kind):
    x = strategies.array(choose, kind, (choose(st.integers(1, 3)),))
    return (x, choose(st.integers(1, 4))), {"increasing": choose(st.booleans())}


def grid(x, indexing="xy"):
    return np.meshgrid(*x, indexing=indexing)


def draw_grid(choose, kind):
    sizes = choose(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    x = [strategies.array(choose, kind, (size,)) for size in sizes]
    return (x, choose(st.sampled_from(["xy", "ij"]))), {}


def window(name, reference):
    def draw(choose, kind):
        extra = (choose(st.floats(0, 20)),) if name == "kaiser" else ()
        return (choose(st.integers(0, 20)), *extra), {}

    extra = (8.6,) if name == "kaiser" else ()
    return [
        Case(name, (size, *extra), reference, label=label, result="float32", grad=False, draw=draw)
        for label, size in (("", 8), ("one", 1), ("none", 0), ("odd", 7))
    ]


def empty(*args, dtype=None):
    """Only the shape and dtype are promised; ours are zeros."""
    return np.zeros_like(*args) if isinstance(args[0], np.ndarray) else np.zeros(*args)


CASES = [
    new("empty", empty, (2, 3)),
    new("empty", empty, (0,), dtype="int8"),
    new("empty_like", empty, whole(2, 3), result="int32"),
    new("empty_like", empty, whole(2, 3), dtype="float16"),
    new("identity", np.identity, 3),
    new("identity", np.identity, 0, dtype="bool"),
    new("array", np.array, whole(2, 3), result="int32"),
    new("array", np.array, whole(2, 3), dtype="float16"),
    new("tri", np.tri, 3),
    new("tri", np.tri, 2, 4, 1, label="above"),
    new("tri", np.tri, 4, 2, -2, label="below"),
    new("tri", np.tri, 3, dtype="int8"),
    *sequence("linspace", np.linspace, real),
    Case("linspace", (scalar(-3.0), scalar(3.0), 8), floored, {"dtype": "int32"},
         "floor", result="int32", grad=False),
    Case("linspace", (real(2), real(3, 1), 4, True, True), with_step, label="step",
         unknown=False),
    Case("linspace", (scalar(1.0), scalar(2.0), 1, True, True), with_step, label="no_step",
         grad=False),
    *sequence("logspace", np.logspace, real),
    Case("logspace", (scalar(0.0), scalar(5.0), 6, True, 2), np.logspace, label="base"),
    *sequence("geomspace", np.geomspace, positive, FLOATS),
    Case("geomspace", (np.float32([1e-30, -1, 2]), np.float32([1e30, -8, 2]), 4), np.geomspace,
         label="places", unknown=False, grad=False, draw=draw_spread(positive)),
    *matrices("tril", np.tril),
    *matrices("triu", np.triu),
    Case("diag", (real(3),), np.diag, dtypes=ALL, draw=draw_matrix(1, 2)),
    Case("diag", (real(3), 1), np.diag, label="above", draw=draw_matrix(1, 2)),
    Case("diag", (real(3),), np.diag, {"k": -2}, "below", draw=draw_matrix(1, 2)),
    Case("diag", (real(2, 3),), np.diag, label="matrix", unknown=False, draw=draw_matrix(1, 2)),
    Case("diag", (whole(3, 2),), np.diag, {"k": -1}, "matrix_below", unknown=False,
         draw=draw_matrix(1, 2)),
    Case("diag", (real(3, 2), 5), np.diag, label="outside", unknown=False, draw=draw_matrix(1, 2)),
    Case("diagflat", (real(2, 2),), np.diagflat, dtypes=ALL, draw=draw_matrix(0, 3)),
    Case("diagflat", (real(),), np.diagflat, {"k": 1}, "scalar", draw=draw_matrix(0, 3)),
    Case("diagflat", (real(0),), np.diagflat, label="empty", draw=draw_matrix(0, 3)),
    Case("vander", (real(3),), vander, dtypes=FLOATS, draw=draw_vander),
    Case("vander", (whole(3), 4), vander, {"increasing": True}, "whole", dtypes=INTEGERS,
         draw=draw_vander),
    Case("vander", (np.float32([0, 2]), 3), vander, label="zero", draw=draw_vander),
    Case("meshgrid_of", ([real(3), real(2, seed=1)],), grid, dtypes=ALL, draw=draw_grid),
    Case("meshgrid_of", ([real(3), real(2), real(4)], "ij"), grid, label="axes", draw=draw_grid),
    Case("meshgrid_of", ([real(), real(2, 2), whole(1)],), grid, label="flat", draw=draw_grid),
    *window("bartlett", windows.bartlett),
    *window("blackman", windows.blackman),
    *window("hamming", windows.hamming),
    *window("hanning", windows.hann),
    *window("kaiser", windows.kaiser),
]  # fmt: skip
