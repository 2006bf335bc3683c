"""Cases of `mlapi.ops.indexing`."""

import numpy as np

from mlapi.testing.case import ALL, FLOATS, NUMBERS, Case, distinct, real, scalar, whole


def one_hot(x, num_classes, axis=-1, dtype="float32"):
    hot = x[..., None] == np.arange(num_classes)
    return np.moveaxis(hot, -1, axis)


def take(x, indices, axis=None):
    return np.take(x, indices, axis)


def take_along_axis(x, indices, axis=None):
    return np.take_along_axis(x, indices, axis)


def top_k(x, k):
    indices = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, indices, -1), indices


def in_top_k(targets, predictions, k):
    chosen = np.take_along_axis(predictions, targets[:, None], 1)
    return np.isfinite(chosen[:, 0]) & ((predictions > chosen).sum(1) < k)


def sort(x, axis=-1):
    return np.sort(x, axis)


def argsort(x, axis=-1):
    return np.argsort(x, axis, kind="stable")


def segment_sum(data, segment_ids, num_segments=None):
    count = segment_ids.max() + 1 if num_segments is None else num_segments
    out = np.zeros((count, *data.shape[1:]), data.dtype)
    np.add.at(out, segment_ids, data)
    return out


def scatter(indices, values, shape):
    out = np.zeros(shape, values.dtype)
    np.add.at(out, tuple(np.moveaxis(indices, -1, 0)), values)
    return out


def block(inputs, start_indices, shape):
    return inputs[tuple(slice(a, a + n) for a, n in zip(start_indices, shape, strict=True))]


def slice_update(inputs, start_indices, updates):
    out = inputs.copy()
    places = zip(start_indices, updates.shape, strict=True)
    out[tuple(slice(a, a + n) for a, n in places)] = updates
    return out


SCORES = np.float32([[0.1, 0.3, 0.2], [0.5, 0.5, 0.1], [np.nan, 0.2, 0.1], [0.2, 0.1, 0.7]])

CASES = [
    Case("take", (real(3, 4), whole(5, low=-4, high=4)), take, {"axis": 1}),
    Case("take", (real(3, 4), whole(2, 2, low=-12, high=12)), take, label="flat", unknown=False),
    Case("take", (real(3, 4), whole(2, 3, low=0, high=3)), take, {"axis": 0}, "rank2",
         unknown=False),
    Case("take", (real(3, 4), scalar(-1)), take, {"axis": -1}, "scalar"),
    Case("take", (real(2, 1, 2, 1, 3, 4), np.int32([3, 0])), take, {"axis": 5}, "rank6"),
    Case("take", (whole(3, 4), np.uint8([2, 0])), take, {"axis": 1}, "uint8"),
    Case("take_along_axis", (real(3, 4), whole(3, 2, low=-4, high=4)), take_along_axis,
         {"axis": 1}),
    Case("take_along_axis", (real(3, 4), whole(2, 4, low=0, high=3)), take_along_axis,
         {"axis": 0}, "first", unknown=False),
    Case("take_along_axis", (real(3, 4), whole(1, 2, low=0, high=4)), take_along_axis,
         {"axis": -1}, "broadcast", unknown=False),
    Case("take_along_axis", (real(6), whole(4, low=0, high=6)), take_along_axis, {}, "flat",
         unknown=False),
    Case("one_hot", (whole(2, 3, low=0, high=4), 4), one_hot, result="float32"),
    Case("one_hot", (np.int32([-1, 0, 4, 1]), 3), one_hot, label="outside", result="float32"),
    Case("one_hot", (whole(2, 3, low=0, high=4), 4), one_hot, {"axis": 1, "dtype": "int8"},
         "axis", result="int8"),
    Case("one_hot", (np.array(2, "uint8"), 4), one_hot, label="scalar", result="float32"),
    Case("sort", (distinct(3, 4),), sort, dtypes=NUMBERS),
    Case("sort", (distinct(3, 4),), sort, {"axis": 0}, "first"),
    Case("sort", (distinct(3, 4),), sort, {"axis": None}, "flat"),
    Case("sort", (real(0, 3),), sort, label="empty"),
    Case("sort", (distinct(2, 1, 2, 1, 3, 2),), sort, {"axis": -2}, "rank6"),
    Case("argsort", (distinct(3, 4),), argsort, result="int32", grad=False),
    Case("argsort", (distinct(3, 4),), argsort, {"axis": None}, "flat", result="int32",
         grad=False),
    Case("argsort", (np.int32([2, 1, 2, 1, 1]),), argsort, label="ties", dtypes=NUMBERS,
         result="int32"),
    Case("searchsorted", (np.float32([1, 2, 2, 5]), real(2, 3)), np.searchsorted, result="int32",
         grad=False, unknown=False),
    Case("searchsorted", (np.int32([1, 2, 2, 5]), np.int32([2, 0, 6])), np.searchsorted,
         {"side": "right"}, "right", result="int32", unknown=False),
    Case("segment_sum", (real(5, 2), np.int32([0, 2, 0, 3, 2]), 4), segment_sum, dtypes=FLOATS,
         unknown=False),
    Case("segment_sum", (real(4), np.int32([0, 0, 1, 1]), 3), segment_sum, {}, "sorted",
         unknown=False),
    Case("scatter", (np.int32([[1], [3], [1]]), real(3, 2), (4, 2)), scatter, unknown=False),
    Case("scatter", (np.int32([[0, 1], [2, 0]]), whole(2), (3, 2)), scatter, label="pairs",
         unknown=False),
    Case("slice", (real(3, 4), np.int32([1, 0]), (2, 3)), block, dtypes=ALL, unknown=False),
    Case("slice", (real(2, 1, 2, 1, 3, 4), np.int32([0, 0, 1, 0, 0, 2]), (2, 1, 1, 1, 3, 2)),
         block, label="rank6", unknown=False),
    Case("slice_update", (real(3, 4), np.int32([1, 0]), real(2, 3, seed=1)), slice_update,
         unknown=False),
    Case("slice_update", (whole(5), np.int32([2]), whole(2, seed=1)), slice_update, label="whole",
         unknown=False),
    Case("top_k", (distinct(3, 5), 2), top_k),
    Case("top_k", (distinct(2, 1, 2, 1, 3, 4), 4), top_k, label="rank6"),
    Case("in_top_k", (np.int32([1, 0, 0, 1]), SCORES, 1), in_top_k, result="bool", grad=False),
    Case("in_top_k", (np.int32([2, 1, 1, 2]), SCORES, 2), in_top_k, label="two", result="bool",
         grad=False),
]  # fmt: skip
