"""Cases of `mlapi.ops.shape`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import ALL, Case, real, whole


def case(name, reference, shape, *statics, label="", unknown=True, **kwargs):
    draw = DRAWS.get(name)
    return Case(
        name, (real(*shape), *statics), reference, kwargs, label, ALL, unknown=unknown, draw=draw
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


def squeeze(x, axis=None):
    return np.squeeze(x, axis)


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


def several(draw, rank):
    """Some of the axes, in any order and from either end."""
    axes = draw(st.permutations(range(rank)))[: draw(st.integers(0, rank))]
    return [one - rank * draw(st.booleans()) for one in axes]


def draw_reshape(draw, sizes):
    wanted = list(draw(st.permutations((*sizes, 1))))
    if 0 not in sizes and draw(st.booleans()):
        wanted[draw(st.integers(0, len(wanted) - 1))] = -1
    return (tuple(wanted),), {}


def draw_transpose(draw, sizes):
    return (draw(st.none() | st.permutations(range(len(sizes)))),), {}


def draw_moveaxis(draw, sizes):
    source = several(draw, len(sizes))
    places = draw(st.permutations(range(len(sizes))))[: len(source)]
    return (source, list(places)), {}


def draw_squeeze(draw, sizes):
    ones = [i for i, n in enumerate(sizes) if n == 1]
    return (draw(st.none() | st.just(tuple(ones)) | st.sampled_from(ones or [None])),), {}


def draw_split(draw, sizes):
    axis = strategies.axis(draw, len(sizes))
    size = sizes[axis]
    if draw(st.booleans()):
        return (draw(st.sampled_from([n for n in (1, 2, 3) if size % n == 0])), axis), {}
    return (sorted(draw(st.lists(st.integers(0, size), max_size=3))), axis), {}


def draw_repeat(draw, sizes):
    axis = draw(st.none() | st.integers(-len(sizes), len(sizes) - 1)) if sizes else None
    count = int(np.prod(sizes)) if axis is None else sizes[axis]
    if draw(st.booleans()):
        return (draw(st.integers(0, 3)), axis), {}
    return (draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)), axis), {}


def draw_pad(draw, sizes):
    mode = draw(st.sampled_from(["constant", "reflect", "symmetric"]))
    if mode == "constant":
        pair = st.tuples(st.integers(0, 3), st.integers(0, 3))
        widths = draw(st.integers(0, 3) | pair | st.tuples(*[pair] * len(sizes)))
        return (widths, mode, draw(st.sampled_from([None, 1]))), {}
    most = [n if mode == "symmetric" else n - 1 for n in sizes]
    return ([[draw(st.integers(0, n)), draw(st.integers(0, n))] for n in most], mode), {}


def draw_broadcast(draw, kind):
    sizes = strategies.shape(draw)
    return (strategies.array(draw, kind, strategies.broadcast(draw, sizes)), sizes), {}


def draw_stack(draw, kind):
    sizes = strategies.shape(draw)
    tensors = [strategies.array(draw, kind, sizes) for _ in range(draw(st.integers(1, 3)))]
    return (tensors,), {"axis": strategies.axis(draw, len(sizes) + 1)}


DRAWS = {
    "reshape": strategies.with_statics(draw_reshape),
    "ravel": strategies.unary(),
    "transpose": strategies.with_statics(draw_transpose),
    "swapaxes": strategies.with_statics(
        lambda draw, sizes: (tuple(strategies.axis(draw, len(sizes)) for _ in "ab"), {}), least=1
    ),
    "moveaxis": strategies.with_statics(draw_moveaxis),
    "expand_dims": strategies.with_statics(
        lambda draw, sizes: ((strategies.axis(draw, len(sizes) + 1),), {})
    ),
    "squeeze": strategies.with_statics(draw_squeeze),
    "broadcast_to": draw_broadcast,
    "split": strategies.with_statics(draw_split, least=1),
    "unstack": strategies.along(flat=False, smallest=1),
    "tile": strategies.with_statics(
        lambda draw, sizes: (
            (draw(st.integers(0, 3) | st.lists(st.integers(0, 2), max_size=4)),),
            {},
        )
    ),
    "repeat": strategies.with_statics(draw_repeat),
    "flip": strategies.with_statics(
        lambda draw, sizes: ((), {"axis": strategies.axes(draw, len(sizes))})
    ),
    "pad": strategies.with_statics(draw_pad, least=1, smallest=1),
}


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
         dtypes=ALL, draw=strategies.joined()),
    Case("concatenate", ([real(2, 3), real(0, 3)],), np.concatenate, label="empty"),
    Case("concatenate", ((real(2, 3), whole(1, 3)),), np.concatenate, label="dtypes",
         result="float32"),
    Case("stack", ([real(2, 3), real(2, 3, seed=1)],), np.stack, {"axis": 1}, dtypes=ALL,
         draw=draw_stack),
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
