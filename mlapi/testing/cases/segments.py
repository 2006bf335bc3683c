"""Cases of `mlapi.ops.segments`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, INTEGERS, Case, distinct, real, whole

AT = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def start(how, kind):
    if how in ("add", "mul"):
        return 0 if how == "add" else 1
    limits = np.iinfo(kind) if kind.kind in "iu" else None
    least, most = (limits.min, limits.max) if limits else (-np.inf, np.inf)
    return least if how == "max" else most


def segments(name, how):
    def reference(data, segment_ids, num_segments=None, sorted=False):
        count = num_segments
        if count is None:
            count = segment_ids.max() + 1 if segment_ids.size else 0
        out = np.full((count, *data.shape[1:]), start(how, data.dtype), data.dtype)
        with np.errstate(all="ignore"):
            AT[how].at(out, segment_ids, data)
        return out

    def draw(draw, kind):
        sizes = strategies.shape(draw, 1, 3)
        count = draw(st.integers(1, 4))
        ids = strategies.integers(draw, sizes[:1], 0, count)
        return (strategies.array(draw, kind, sizes, distinct), ids, count), {}

    ids = np.int32([0, 2, 0, 3, 2])
    return [
        Case(name, (distinct(5, 2), ids, 5), reference, dtypes=(*FLOATS, *INTEGERS), draw=draw,
             unknown=False, grad=False),
        Case(name, (distinct(5), np.int32([0, 0, 1, 2, 2]), 3, True), reference, label="sorted",
             draw=draw, unknown=False),
        Case(name, (np.float32([np.nan, 1, 1, np.nan]), np.int32([0, 0, 1, 1]), 2), reference,
             label="nan", draw=draw, grad=False),
        Case(name, (whole(0, 3), np.int32([]), 2), reference, label="empty", unknown=False),
    ]  # fmt: skip


def draw_zeros(draw, kind):
    rows = strategies.integers(draw, (6,), -1, 3).astype(kind)
    return (rows, strategies.integers(draw, (6,), 0, 3), 3), {}


def scatter(indices, values, shape):
    return scatter_update(np.zeros(shape, values.dtype), indices, values, "add")


def draw_scatter(draw, kind):
    sizes = strategies.shape(draw, 1, smallest=1)
    depth = draw(st.integers(1, len(sizes)))
    rows = draw(st.sampled_from([(), (0,), (4,), (2, 3)]))
    columns = [strategies.integers(draw, rows, 0, n).astype("int32") for n in sizes[:depth]]
    values = strategies.array(draw, kind, (*rows, *sizes[depth:]))
    return (np.stack(columns, -1), values, sizes), {}


def scatter_update(inputs, indices, updates, reduction=None):
    out = inputs.copy()
    places = tuple(np.moveaxis(indices, -1, 0))
    if reduction is None:
        out[places] = updates
    else:
        AT[reduction].at(out, places, updates)
    return out


def draw_scatter_update(draw, kind):
    (indices, values, sizes), _ = draw_scatter(draw, kind)
    how = draw(st.sampled_from(["add", "max", "min", "mul"]))
    return (strategies.array(draw, kind, sizes), indices, values, how), {}


CASES = [
    *segments("segment_sum", "add"),
    *segments("segment_prod", "mul"),
    Case("segment_prod", (np.float32([0, 2, 3, 0, 0, 5]), np.int32([0, 0, 1, 2, 2, 1]), 3),
         segments("segment_prod", "mul")[0].reference, label="zeros", draw=draw_zeros),
    *segments("segment_max", "max"),
    *segments("segment_min", "min"),
    Case("scatter", (np.int32([[1], [3], [1]]), real(3, 2), (4, 2)), scatter, unknown=False,
         draw=draw_scatter, dtypes=("float16", "float32", "int32")),
    Case("scatter", (np.int32([[0, 1], [2, 0]]), whole(2), (3, 2)), scatter, label="pairs",
         unknown=False, draw=draw_scatter),
    Case("scatter_update", (distinct(4, 2), np.int32([[1], [3], [-1]]), distinct(3, 2, seed=1)),
         scatter_update, {"reduction": "max"}, unknown=False, draw=draw_scatter_update,
         dtypes=("float16", "float32", "int32")),
    *(
        Case("scatter_update", (distinct(4, 3), np.int32([[[1, 1], [3, -1]]]), distinct(1, 2)),
             scatter_update, {"reduction": how}, f"{how}", unknown=False,
             draw=draw_scatter_update)
        for how in (None, "add", "mul", "min")
    ),
]  # fmt: skip
