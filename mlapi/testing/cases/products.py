"""Cases of `mlapi.ops.linalg`."""

import numpy as np

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


def product(name, reference, table, **details):
    return [
        Case(name, (real(*one), real(*other, seed=1)), reference, label=label, unknown=not label,
             dtypes=FLOATS, **details)
        for label, (one, other) in table.items()
    ]  # fmt: skip


def norm(x, ord=None, axis=None, keepdims=False):
    return np.linalg.norm(x, ord, tuple(axis) if isinstance(axis, list) else axis, keepdims)


def norms(label, shape, **kwargs):
    return Case("norm", (real(*shape),), norm, kwargs, label)


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
    Case("outer", (real(3), real(2)), np.outer, dtypes=NUMBERS),
    Case("outer", (real(2, 2), real()), np.outer, label="ranks"),
    Case("norm", (real(2, 3),), norm, dtypes=("bfloat16", "float32", "int32"), result="float"),
    norms("all", (2, 3, 4), keepdims=True),
    norms("axis", (2, 3), axis=-1),
    norms("axes", (2, 3, 4), axis=[0, 2], keepdims=True),
    *(
        norms(f"vector_{ord}", (2, 3), ord=ord, axis=1, keepdims=True)
        for ord in (1, 2, 3, 2.5, np.inf, -np.inf)
    ),
    Case("norm", (real(2, 3),), norm, {"ord": 0, "axis": 1}, "vector_0", grad=False),
    *(norms(f"matrix_{ord}", (3, 4), ord=ord) for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf)),
    norms("matrix_axes", (3, 2, 4), ord="nuc", axis=(0, 2), keepdims=True),
    norms("matrix_swapped", (3, 2, 4), ord=1, axis=(2, 0)),
]  # fmt: skip
