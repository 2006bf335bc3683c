"""Cases of `mlapi.ops.shape`."""

import numpy as np

from mlapi.testing.case import ALL, Case, real, whole


def case(name, reference, shape, *statics, label="", unknown=True, **kwargs):
    return Case(
        name, (real(*shape), *statics), reference, kwargs, label, dtypes=ALL, unknown=unknown
    )


def without_dtype(reference):
    def call(*args, dtype=None):
        return reference(*args)

    return call


def new(name, reference, *args, dtype=None, result="float32", label=""):
    """A new tensor, of the dtype that is asked for or the `result` by default."""
    asked = {} if dtype is None else {"dtype": dtype}
    label = label or dtype or ""
    return Case(
        name, args, without_dtype(reference), asked, label, result=dtype or result, grad=False
    )


def flip(x, axis=None):
    return np.flip(x, tuple(axis) if isinstance(axis, list) else axis)


def pad(x, pad_width, mode="constant", constant_values=None):
    if mode == "constant":
        return np.pad(x, pad_width, mode, constant_values=constant_values or 0)
    return np.pad(x, pad_width, mode)


def repeat(x, repeats, axis=None):
    return np.repeat(x, repeats, axis)


def split(x, indices_or_sections, axis=0):
    return np.split(x, indices_or_sections, axis)


def unstack(x, num=None, axis=0):
    return list(np.moveaxis(x, axis, 0))


def reshape(x, newshape):
    return np.reshape(x, newshape)


def swapaxes(x, axis1, axis2):
    return np.swapaxes(x, axis1, axis2)


def eye(N, M=None, k=0):
    return np.eye(N, M, k)


CASES = [
    new("zeros", np.zeros, (2, 3)),
    new("zeros", np.zeros, (0, 2), dtype="bool"),
    new("ones", np.ones, (2, 3)),
    new("ones", np.ones, (), dtype="int8"),
    new("full", np.full, (2, 3), 0.5),
    new("full", np.full, (2, 3), np.float32([1, 2, 3]), dtype="int32"),
    new("zeros_like", np.zeros_like, whole(2, 3), result="int32"),
    new("zeros_like", np.zeros_like, whole(2, 3), dtype="float16"),
    new("ones_like", np.ones_like, whole(2, 3), result="int32"),
    new("ones_like", np.ones_like, real(2, 3), dtype="int8"),
    new("full_like", np.full_like, real(2, 3), 0.5),
    new("full_like", np.full_like, whole(2, 3), 7, dtype="float32"),
    new("arange", np.arange, 5, result="int32"),
    new("arange", np.arange, 1, 7, 2, result="int32", label="step"),
    new("arange", np.arange, 4, -1, -2, result="int32", label="down"),
    new("arange", np.arange, 0.0, 1.0, 0.25, label="fractions"),
    new("arange", np.arange, 3, dtype="bfloat16"),
    new("eye", eye, 3),
    new("eye", eye, 2, 4, 1, label="above"),
    new("eye", eye, 3, 2, -1, label="below"),
    new("eye", eye, 2, dtype="int32"),
    case("reshape", reshape, (2, 3), (3, -1), unknown=False),
    case("reshape", reshape, (2, 3), -1, label="flat"),
    case("reshape", reshape, (0, 3), (3, 0), label="empty", unknown=False),
    case("reshape", reshape, (), (1, 1), label="scalar"),
    case("ravel", np.ravel, (2, 1, 2, 1, 3, 1)),
    case("transpose", np.transpose, (2, 3, 4)),
    case("transpose", np.transpose, (2, 3, 4), (0, -1, 1), label="axes"),
    case("transpose", np.transpose, (2, 1, 2, 1, 3, 4), [5, 3, 1, 0, 2, 4], label="rank6"),
    case("transpose", np.transpose, (), label="scalar"),
    case("swapaxes", swapaxes, (2, 3, 4), 0, -1),
    case("swapaxes", swapaxes, (2, 3, 4), label="names", axis1=1, axis2=2),
    case("moveaxis", np.moveaxis, (2, 3, 4), -1, 0),
    case("moveaxis", np.moveaxis, (2, 3, 4, 1), (0, 1), (-1, -2), label="axes"),
    case("moveaxis", np.moveaxis, (2, 3, 4), [2, 0], [0, 1], label="lists"),
    case("expand_dims", np.expand_dims, (2, 3), -1),
    case("expand_dims", np.expand_dims, (2, 3), (0, 2, -1), label="axes"),
    case("expand_dims", np.expand_dims, (), 0, label="scalar"),
    case("squeeze", np.squeeze, (1, 3, 1), unknown=False),
    case("squeeze", np.squeeze, (2, 3, 1), -1, label="axis"),
    case("squeeze", np.squeeze, (2, 1, 3, 1), (1, 3), label="axes"),
    case("broadcast_to", np.broadcast_to, (3, 1), (2, 3, 4), unknown=False),
    case("broadcast_to", np.broadcast_to, (), (2, 3), label="scalar"),
    Case("concatenate", ([real(2, 3), real(2, 1, seed=1)],), np.concatenate, {"axis": -1},
         dtypes=ALL),
    Case("concatenate", ([real(2, 3), real(0, 3)],), np.concatenate, label="empty"),
    Case("concatenate", ((real(2, 3), whole(1, 3)),), np.concatenate, label="dtypes",
         result="float32"),
    Case("stack", ([real(2, 3), real(2, 3, seed=1)],), np.stack, {"axis": 1}, dtypes=ALL),
    Case("stack", ([real(), real(seed=1)],), np.stack, label="scalars"),
    case("split", split, (2, 6), 3, 1),
    case("split", split, (2, 6), [1, 4], -1, label="indices"),
    case("split", split, (2, 1, 2, 1, 3, 4), 2, label="rank6", axis=5),
    case("unstack", unstack, (3, 2), unknown=False),
    case("unstack", unstack, (2, 3), label="axis", axis=-1),
    case("tile", np.tile, (2, 3), 2),
    case("tile", np.tile, (2, 3), (2, 1), label="each"),
    case("tile", np.tile, (3,), (2, 1, 2), label="more_axes"),
    case("repeat", repeat, (2, 3), 2),
    case("repeat", repeat, (2, 3), 2, label="axis", axis=-1),
    case("repeat", repeat, (2, 3), [1, 0, 2], 1, label="each"),
    case("flip", flip, (2, 3)),
    case("flip", flip, (2, 3), label="axis", axis=-1),
    case("flip", flip, (2, 3, 4), label="axes", axis=[0, 2]),
    case("flip", flip, (), label="scalar"),
    case("pad", pad, (2, 3), 1),
    case("pad", pad, (2, 3), ((0, 1), (2, 0)), label="each"),
    case("pad", pad, (2, 3), ((0, 1), (2, 0)), label="value", constant_values=1),
    case("pad", pad, (3, 4), ((2, 1), (0, 3)), "reflect", label="reflect", unknown=False),
    case("pad", pad, (3, 4), ((2, 1), (0, 3)), label="symmetric", mode="symmetric", unknown=False),
    case("pad", pad, (2, 1, 2, 1, 3, 2), (1, 0), label="rank6"),
]  # fmt: skip
