"""Cases of `mlapi.ops.products`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, NUMBERS, Case, real, whole

PRODUCTS = {
    "": ((2, 3), (3, 4)),
    "batch": ((2, 2, 3), (2, 3, 4)),
    "broadcast": ((2, 1, 2, 3), (3, 3, 4)),
    "row": ((3,), (3, 4)),
    "column": ((2, 3), (3,)),
    "vectors": ((3,), (3,)),
    "row_batch": ((3,), (2, 3, 4)),
    "empty": ((0, 3), (3, 4)),
    "nothing": ((2, 0), (0, 3)),
}
DOTS = {
    "": ((2, 3), (3, 4)),
    "vectors": ((3,), (3,)),
    "column": ((2, 2, 3), (3,)),
    "ranks": ((2, 3), (2, 3, 4)),
    "scalar": ((), (2, 3)),
}


INNERS = {
    "": ((2, 3), (4, 3)),
    "vectors": ((3,), (3,)),
    "ranks": ((2, 3), (3,)),
    "scalar": ((), (2, 3)),
}


def product(name, reference, table, **details):
    return [
        Case(name, (real(*one), real(*other, seed=1)), reference, label=label, unknown=not label,
             dtypes=FLOATS, **details)
        for label, (one, other) in table.items()
    ]  # fmt: skip


def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Of two vectors in a plane too, for which NumPy warns."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = np.moveaxis(x1, axisa, -1), np.moveaxis(x2, axisb, -1)
    plane = x1.shape[-1] == x2.shape[-1] == 2
    x1, x2 = (np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, 3 - x.shape[-1])]) for x in (x1, x2))
    found = np.cross(x1, x2)
    return found[..., 2] if plane else np.moveaxis(found, -1, axisc)


def draw_cross(draw, kind):
    whole = strategies.shape(draw, most=3)
    args = [
        strategies.array(draw, kind, (*sizes, draw(st.sampled_from([2, 3]))))
        for sizes in (whole, strategies.broadcast(draw, whole))
    ]
    return tuple(args if draw(st.booleans()) else args[::-1]), {}


def draw_kron(draw, kind):
    sizes = (strategies.shape(draw, most=3) for _ in "ab")
    return tuple(strategies.array(draw, kind, one) for one in sizes), {}


def einsum(operands, subscripts):
    return np.einsum(subscripts, *operands)


CASES = [
    *product("matmul", np.matmul, PRODUCTS),
    Case("matmul", (whole(2, 3), whole(3, 4)), np.matmul, label="whole",
         dtypes=("int8", "int16", "int32")),
    *product("dot", np.dot, DOTS),
    Case("dot", (whole(3), whole(3)), np.dot, label="whole"),
    Case("tensordot", (real(2, 3, 4), real(3, 4, 2)), np.tensordot),
    Case("tensordot", (real(2, 3), real(3, 2)), np.tensordot, {"axes": 1}, "one"),
    Case("tensordot", (real(2), real(3)), np.tensordot, {"axes": 0}, "none"),
    Case("tensordot", (real(2, 3, 4), real(4, 5, 3)), np.tensordot, {"axes": ([1, 2], [2, 0])},
         "lists"),
    Case("tensordot", (real(2, 3), real(4, 3)), np.tensordot, {"axes": (-1, -1)}, "negative"),
    Case("tensordot", (whole(2, 3), whole(3, 2)), np.tensordot, {"axes": 1}, "whole"),
    Case("einsum_of", ([real(2, 3), real(3, 4)], "ij,jk->ik"), einsum, dtypes=FLOATS),
    Case("einsum_of", ([real(2, 3, 4), real(4, 2)], "...j,jk->...k"), einsum, label="ellipsis"),
    Case("einsum_of", ([real(2, 3), real(3), real(2)], "ij,j,i->"), einsum, label="three",
         unknown=False),
    Case("einsum_of", ([real(2, 3, 4)], "abc->cab"), einsum, label="one"),
    Case("einsum_of", ([whole(2, 3), whole(3, 2)], "ij,jk->ik"), einsum, label="whole"),
    *product("inner", np.inner, INNERS),
    Case("inner", (whole(3), whole(3)), np.inner, label="whole"),
    Case("vdot", (real(2, 3), real(3, 2, seed=1)), np.vdot, dtypes=FLOATS, unknown=False),
    Case("vdot", (whole(2, 3), whole(2, 3)), np.vdot, label="whole"),
    Case("vdot", (np.complex64([1j, 2]), np.complex64([1 + 1j, 1])), np.vdot, label="complex",
         grad=False),
    Case("kron", (real(2, 3), real(2, 2)), np.kron, dtypes=NUMBERS, draw=draw_kron),
    Case("kron", (real(3), real(2, 1, 2)), np.kron, label="ranks"),
    Case("kron", (real(), real(2)), np.kron, label="scalar"),
    Case("cross", (real(4, 3), real(4, 3, seed=1)), cross, dtypes=NUMBERS, draw=draw_cross),
    Case("cross", (real(3, 4), real(4, 3, seed=1)), cross, {"axisa": 0, "axisc": 0}, "axes",
         unknown=False),
    Case("cross", (real(2, 4), real(2, 4, seed=1)), cross, {"axis": 0}, "plane", unknown=False),
    Case("cross", (real(4, 2), real(3)), cross, label="first_in_plane"),
    Case("cross", (real(1, 3), real(4, 2)), cross, label="second_in_plane", unknown=False),
    Case("dense", (real(2, 3), real(3, 4), real(4)), lambda x, k, b: x @ k + b, dtypes=FLOATS),
    Case("dense", (real(2, 3), real(3, 4)), np.matmul, label="without_bias"),
    Case("dense", (real(2, 2, 5, 3), real(3, 4), real(4)), lambda x, k, b: x @ k + b,
         label="rank4"),
    Case("dense", (real(0, 5, 3), real(3, 4), real(4)), lambda x, k, b: x @ k + b, label="empty"),
    Case("outer", (real(3), real(2)), np.outer, dtypes=NUMBERS),
    Case("outer", (real(2, 2), real()), np.outer, label="ranks"),
]  # fmt: skip
