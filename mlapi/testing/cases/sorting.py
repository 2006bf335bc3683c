"""Cases of `mlapi.ops.sorting`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import ALL, NUMBERS, Case, distinct, real, truth, whole


def top_k(x, k, sorted=True):
    indices = np.argsort(-x.astype(float), axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, indices, -1), indices


def ranks(*shape, seed=0):
    """Whole numbers from 0 on, all different."""
    return distinct(*shape, seed=seed) * 4 + np.float32(np.prod(shape) // 2 - 0.25)


def draw_top_k(draw, kind):
    sizes = (*strategies.shape(draw, most=2), draw(st.integers(1, 5)))
    return (strategies.array(draw, kind, sizes, ranks), draw(st.integers(1, sizes[-1]))), {}


def in_top_k(targets, predictions, k):
    chosen = np.take_along_axis(predictions, targets[:, None], 1)
    return np.isfinite(chosen[:, 0]) & ((predictions > chosen).sum(1) < k)


def draw_in_top_k(draw, kind):
    batch, classes = draw(st.integers(0, 4)), draw(st.integers(1, 4))
    targets = strategies.integers(draw, (batch,), 0, classes)
    scores = strategies.array(draw, kind, (batch, classes))
    return (targets, scores, draw(st.integers(1, classes))), {}


def sort(x, axis=-1):
    return np.sort(x, axis)


def argsort(x, axis=-1):
    return np.argsort(x, axis, kind="stable")


def argpartition(x, kth, axis=-1):
    return argsort(x, axis)


def partitioned(draw, sizes):
    axis = strategies.axis(draw, len(sizes))
    return (draw(st.integers(-sizes[axis], sizes[axis] - 1)), axis), {}


def searchsorted(sorted_sequence, values, side="left"):
    return np.searchsorted(sorted_sequence, values, side)


def draw_searchsorted(draw, kind):
    known = strategies.array(draw, kind, (draw(st.integers(0, 6)),))
    if kind.startswith("float") and draw(st.booleans()):
        known = np.where(draw(st.integers(0, 1)) == known // 1 % 2, known, known.dtype.type(np.nan))
    values = np.concatenate([strategies.array(draw, kind, (3,)), known])
    return (np.sort(known), values), {"side": draw(st.sampled_from(["left", "right"]))}


def unique(x, sorted=True, return_index=False, return_inverse=False, return_counts=False,
           axis=None, size=None, fill_value=None):  # fmt: skip
    return np.unique(x, return_index, return_inverse, return_counts, axis)


def padded_unique(x, size, fill_value=None, return_counts=False):
    values, counts = np.unique(x, return_counts=True)
    count, fill = len(values), values[0] if fill_value is None else fill_value
    values, counts = values[:size], counts[:size]
    widths = (0, max(0, size - count))
    values = np.pad(values, widths, constant_values=fill)
    return (values, np.pad(counts, widths)) if return_counts else values


def draw_unique(draw, kind):
    sizes = strategies.shape(draw, 1, 3)
    axis = draw(st.none() | st.integers(-len(sizes), len(sizes) - 1)) if 0 not in sizes else None
    x = strategies.integers(draw, sizes, 0, 3).astype(kind)
    return (x,), {"axis": axis, **EVERYTHING}


def draw_isin(draw, kind):
    x, y = (strategies.integers(draw, strategies.shape(draw, most=3), 0, 5) for _ in "ab")
    return (x.astype(kind), y.astype(kind)), {"invert": draw(st.booleans())}


EVERYTHING = {"return_index": True, "return_inverse": True, "return_counts": True}
SCORES = np.float32([[0.1, 0.3, 0.2], [0.5, 0.5, 0.1], [np.nan, 0.2, 0.1], [0.2, 0.1, 0.7]])
INDEX = {"result": "int32", "grad": False}
TRUE = {"result": "bool", "grad": False}
EXACT = ("float16", "float32", "int32", "int8", "uint8")

CASES = [
    Case("sort", (distinct(3, 4),), sort, dtypes=ALL, special=True, draw=strategies.along()),
    Case("sort", (distinct(3, 4),), sort, {"axis": 0}, "first"),
    Case("sort", (distinct(3, 4),), sort, {"axis": None}, "flat"),
    Case("sort", (real(0, 3),), sort, label="empty"),
    Case("sort", (distinct(2, 1, 2, 1, 3, 2),), sort, {"axis": -2}, "rank6"),
    Case("argsort", (distinct(3, 4),), argsort, dtypes=ALL, special=True,
         draw=strategies.along(), **INDEX),
    Case("argsort", (distinct(3, 4),), argsort, {"axis": None}, "flat", **INDEX),
    Case("argsort", (np.int32([2, 1, 2, 1, 1]),), argsort, label="ties", dtypes=NUMBERS,
         result="int32"),
    Case("argpartition", (distinct(3, 4), 2), argpartition, dtypes=NUMBERS,
         draw=strategies.with_statics(partitioned, distinct, least=1, smallest=1), **INDEX),
    Case("argpartition", (distinct(3, 4), -1, None), argpartition, label="flat", **INDEX),
    Case("searchsorted", (np.float32([1, 2, 2, 5]), real(2, 3)), searchsorted, unknown=False,
         dtypes=ALL, draw=draw_searchsorted, **INDEX),
    Case("searchsorted", (np.int32([1, 2, 2, 5]), np.int32([2, 0, 6])), searchsorted,
         {"side": "right"}, "right", result="int32", unknown=False, draw=draw_searchsorted),
    Case("searchsorted", (np.float32([1, 2]), np.float32(2)), searchsorted, label="scalar",
         draw=draw_searchsorted, **INDEX),
    *(
        Case("searchsorted", (np.float32([-np.inf, 1, np.inf, np.nan, np.nan]),
             np.float32([np.nan, np.inf, -np.inf, 2])), searchsorted, {"side": side},
             f"special_{side}", draw=draw_searchsorted, **INDEX)
        for side in ("left", "right")
    ),
    Case("top_k", (ranks(3, 5), 2), top_k, dtypes=NUMBERS, draw=draw_top_k),
    Case("top_k", (distinct(2, 1, 2, 1, 3, 4), 4), top_k, label="rank6"),
    Case("in_top_k", (np.int32([1, 0, 0, 1]), SCORES, 1), in_top_k, draw=draw_in_top_k, **TRUE),
    Case("in_top_k", (np.int32([2, 1, 1, 2]), SCORES, 2), in_top_k, label="two", **TRUE),
    Case("unique", (np.float32([[3, 1, 3], [2, 1, 0]]),), unique, EVERYTHING, dtypes=EXACT,
         eager=True, grad=False, draw=draw_unique),
    Case("unique", (np.float32([np.nan, 1, np.nan, -0.0, 0]),), unique, label="special",
         eager=True, grad=False),
    Case("unique", (np.int32([[1, 0, 1], [1, 2, 1]]),), unique, {"axis": 1, **EVERYTHING}, "axis",
         eager=True),
    Case("unique", (truth(4),), unique, label="bool", eager=True),
    Case("unique", (real(0),), unique, EVERYTHING, "empty", eager=True),
    Case("unique", (whole(3, 3, high=0),), padded_unique, {"size": 12}, "size", unknown=False),
    Case("unique", (distinct(3, 3),), padded_unique,
         {"size": 4, "fill_value": -1, "return_counts": True}, "fewer", unknown=False, grad=False),
    Case("unique", (whole(9), ), padded_unique,
         {"size": 12, "fill_value": 99, "return_counts": True}, "fill", unknown=False),
    Case("isin", (whole(3, 4), whole(3)), np.isin, draw=draw_isin, dtypes=EXACT, **TRUE),
    Case("isin", (np.float32([np.nan, 1, np.inf]), np.float32([np.nan, np.inf])), np.isin,
         label="special", **TRUE),
    Case("isin", (truth(3), np.array([True])), np.isin, {"invert": True}, "bool", **TRUE),
    Case("isin", (whole(3), np.int32([])), np.isin, label="empty", **TRUE),
]  # fmt: skip
