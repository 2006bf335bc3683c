"""Cases of `mlapi.ops.indexing`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import ALL, Case, real, scalar, truth, whole


def one_hot(x, num_classes, axis=-1, dtype="float32"):
    hot = x[..., None] == np.arange(num_classes)
    return np.moveaxis(hot, -1, axis)


def take(x, indices, axis=None):
    return np.take(x, indices, axis)


def take_along_axis(x, indices, axis=None):
    return np.take_along_axis(x, indices, axis)


def select(condlist, choicelist, default=0):
    return np.select(condlist, choicelist, default)


def block(inputs, start_indices, shape):
    return inputs[tuple(slice(a, a + n) for a, n in zip(start_indices, shape, strict=True))]


def slice_update(inputs, start_indices, updates):
    out = inputs.copy()
    places = zip(start_indices, updates.shape, strict=True)
    out[tuple(slice(a, a + n) for a, n in places)] = updates
    return out


def unravel_index(indices, shape):
    return np.unravel_index(indices % np.prod(shape), shape)


def get_item(x, key):
    return x[key]


def draw_take(draw, kind):
    (x,), kwargs = strategies.along(smallest=1)(draw, kind)
    size = x.size if kwargs["axis"] is None else x.shape[kwargs["axis"]]
    return (x, strategies.integers(draw, strategies.shape(draw, most=2), -size, size)), kwargs


def draw_take_along_axis(draw, kind):
    (x,), kwargs = strategies.along(flat=False, smallest=1)(draw, kind)
    axis = kwargs["axis"]
    sizes = list(x.shape)
    sizes[axis] = draw(st.integers(0, 4))
    return (x, strategies.integers(draw, tuple(sizes), -x.shape[axis], x.shape[axis])), kwargs


def draw_one_hot(draw, kind):
    sizes = strategies.shape(draw)
    x = strategies.integers(draw, sizes, -1, 5)
    kwargs = {"axis": strategies.axis(draw, len(sizes) + 1)}
    return (x, draw(st.integers(1, 4))), kwargs


def draw_block(draw):
    """A shape, where a block in it begins, and the block's shape."""
    sizes = strategies.shape(draw, 1)
    block = tuple(draw(st.integers(0, n)) for n in sizes)
    starts = [draw(st.integers(0, n - m)) for n, m in zip(sizes, block, strict=True)]
    return sizes, np.int32(starts), block


def draw_slice(draw, kind):
    sizes, starts, block = draw_block(draw)
    return (strategies.array(draw, kind, sizes), starts, block), {}


def draw_slice_update(draw, kind):
    sizes, starts, block = draw_block(draw)
    return (strategies.array(draw, kind, sizes), starts, strategies.array(draw, kind, block)), {}


def draw_unravel(draw, kind):
    sizes = strategies.shape(draw, 1, smallest=1)
    size = int(np.prod(sizes))
    return (strategies.integers(draw, strategies.shape(draw, most=2), -size, size), sizes), {}


def nothing(draw, sizes):
    return (), {}


def draw_key(draw, sizes):
    """Whatever NumPy takes for a key, but masks."""
    key = []
    width = draw(st.integers(1, 3))
    for size in sizes[: draw(st.integers(0, len(sizes)))]:
        bound = st.none() | st.integers(-4, 4)
        kinds = [st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, -1, -2]))]
        if size:
            numbers = st.integers(-size, size - 1)
            kinds += [numbers, st.lists(numbers, min_size=width, max_size=width)]
        if draw(st.integers(0, 4)) == 0:
            key.append(None)
        key.append(draw(st.one_of(kinds)))
    if draw(st.booleans()):
        key.insert(draw(st.integers(0, len(key))), ...)
    if ... in key and key[-1] is not ...:  # what is behind it belongs to the last axes
        key = key[: key.index(...) + 1]
    return (tuple(key),), {}


KEYS = {
    "": (slice(None), 1),
    "number": -1,
    "turned": (slice(None, None, -2), None, ..., slice(2, 0, -1)),
    "list": [2, -1, 0],
    "lists": (slice(1, None), [1, 0], ..., [0, -1]),
    "apart": ([1, 0], slice(None), [0, 1]),
    "with_number": (0, slice(None), [1, 0, 1]),
    "array": (..., np.array([[0, 1]])),
    "mask": [True, False, True],
    "nothing": (),
}


def multi_hot(inputs, num_classes, axis=-1, dtype="float32"):
    hot = np.moveaxis(np.expand_dims(inputs, -1) == np.arange(num_classes), -1, axis)
    return hot.max(1 if inputs.ndim > 1 else 0).astype(dtype)


CASES = [
    Case("take", (real(3, 4), whole(5, low=-4, high=4)), take, {"axis": 1}, draw=draw_take,
         dtypes=ALL),
    Case("take", (real(3, 4), whole(2, 2, low=-12, high=12)), take, label="flat", unknown=False),
    Case("take", (real(3, 4), whole(2, 3, low=0, high=3)), take, {"axis": 0}, "rank2",
         unknown=False),
    Case("take", (real(3, 4), scalar(-1)), take, {"axis": -1}, "scalar"),
    Case("take", (real(2, 1, 2, 1, 3, 4), np.int32([3, 0])), take, {"axis": 5}, "rank6"),
    Case("take", (whole(3, 4), np.uint8([2, 0])), take, {"axis": 1}, "uint8"),
    Case("take_along_axis", (real(3, 4), whole(3, 2, low=-4, high=4)), take_along_axis,
         {"axis": 1}, draw=draw_take_along_axis, dtypes=ALL),
    Case("take_along_axis", (real(3, 4), whole(2, 4, low=0, high=3)), take_along_axis,
         {"axis": 0}, "first", unknown=False),
    Case("take_along_axis", (real(3, 4), whole(1, 2, low=0, high=4)), take_along_axis,
         {"axis": -1}, "broadcast", unknown=False),
    Case("take_along_axis", (real(6), whole(4, low=0, high=6)), take_along_axis, {}, "flat",
         unknown=False),
    Case("one_hot", (whole(2, 3, low=0, high=4), 4), one_hot, result="float32",
         draw=draw_one_hot),
    Case("one_hot", (np.int32([-1, 0, 4, 1]), 3), one_hot, label="outside", result="float32"),
    *(Case("one_hot", (whole(3, low=0, high=4), 4), one_hot, {"dtype": dtype}, label=dtype,
           result=dtype) for dtype in ("bool", "int32")),
    Case("one_hot", (whole(2, 3, low=0, high=4), 4), one_hot, {"axis": 1, "dtype": "int8"},
         "axis", result="int8"),
    Case("one_hot", (np.array(2, "uint8"), 4), one_hot, label="scalar", result="float32"),
    Case("slice", (real(3, 4), np.int32([1, 0]), (2, 3)), block, dtypes=ALL, unknown=False,
         draw=draw_slice),
    Case("slice", (real(2, 1, 2, 1, 3, 4), np.int32([0, 0, 1, 0, 0, 2]), (2, 1, 1, 1, 3, 2)),
         block, label="rank6", unknown=False, draw=draw_slice),
    Case("slice_update", (real(3, 4), np.int32([1, 0]), real(2, 3, seed=1)), slice_update,
         unknown=False, draw=draw_slice_update, dtypes=ALL),
    Case("slice_update", (whole(5), np.int32([2]), whole(2, seed=1)), slice_update, label="whole",
         unknown=False, draw=draw_slice_update),
    Case("nonzero", (np.float32([[0, np.nan, -0.0], [2, 0, 1]]),), np.nonzero, result="int32",
         grad=False, eager=True, dtypes=("float16", "int8"),
         draw=strategies.with_statics(nothing, whole, least=1)),
    Case("nonzero", (truth(4),), np.nonzero, label="bool", result="int32", eager=True),
    Case("unravel_index", (whole(3, 2, low=-24, high=24), (2, 3, 4)), unravel_index,
         result="int32", draw=draw_unravel),
    Case("unravel_index", (scalar(5), (6,)), unravel_index, label="scalar",
         result="int32"),
    *(
        Case("get_item", (real(3, 4, 2), key), get_item, label=label, dtypes=ALL,
             unknown=label in ("", "apart"), eager=label == "mask",
             draw=strategies.with_statics(draw_key))
        for label, key in KEYS.items()
    ),
    Case("select", ([truth(2, 3), truth(3)], [real(2, 3), real(3, seed=1)]), select,
         {"default": 7}, unknown=False, dtypes=("float16", "float32", "int8")),
    Case("select", ([truth(2, 3)], [whole(2, 3)], real(2, 1)), select, label="tensor",
         result="float32"),
    Case("select", ([truth(2, 3)], [truth(2, 3)]), select, label="bool", result="int32"),
    Case("multi_hot", (np.int32([[0, 2], [1, 1]]), 3), multi_hot, result="float32", grad=False),
    Case("multi_hot", (np.int32([0, 4]), 5), multi_hot, {"dtype": "int8"}, "one", result="int8"),
    Case("multi_hot", (np.int64([[[0, 5]], [[3, -1]]]), 4), multi_hot, {"axis": 2}, "axis",
         result="float32"),
]  # fmt: skip
