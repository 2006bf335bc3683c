"""Cases of `mlapi.ops.statistics`."""

import numpy as np
from hypothesis import strategies as st

from mlapi.testing import strategies
from mlapi.testing.case import ALL, FLOATS, NUMBERS, Case, distinct, real, scalar, truth, whole
from mlapi.testing.cases.reduction import reductions


def quantiles(name, function, scale, make=distinct):
    """Over several axes, with one and with several fractions, by every method."""

    def reference(x, q, axis=None, method="linear", keepdims=False):
        axis = tuple(axis) if isinstance(axis, list) else axis
        if np.size(x) == 0:
            return np.full(np.shape(q) + np.mean(x, axis, keepdims=keepdims).shape, np.nan)
        return function(x, q, axis, method=method, keepdims=keepdims)

    def draw(draw, kind):
        (x,), kwargs = strategies.reduction(make)(draw, kind)
        # Eighths, of which no product with a size is rounded.
        fraction = st.integers(0, 8).map(lambda n: n * scale / 8)
        q = draw(fraction | st.lists(fraction, min_size=1, max_size=3))
        method = draw(st.sampled_from(["linear", "lower", "higher", "midpoint", "nearest"]))
        return (x, q), {**kwargs, "method": method}

    details = {"dtypes": NUMBERS, "result": "float"}
    several = [0.1 * scale, 0.75 * scale]
    return [
        Case(name, (make(3, 4), 0.3 * scale), reference, draw=draw, special=True, **details),
        Case(name, (make(3, 4, 2), several), reference, {"axis": -2}, "several"),
        Case(name, (make(3, 4, 2), several), reference, {"axis": (0, 2), "keepdims": True}, "axes"),
        Case(name, (make(3, 4, 2), 0.4 * scale), reference, {"axis": [-1, 0]}, "list"),
        Case(name, (make(2, 1, 2, 1, 3, 2), 0.4 * scale), reference, {"axis": 4}, "rank6"),
        Case(name, (make(), 0.3 * scale), reference, label="scalar"),
        Case(name, (make(0, 3), 0.5 * scale), reference, {"axis": 0}, "empty", grad=False),
        *(
            Case(name, (make(2, 6), several), reference, {"axis": 1, "method": method}, method)
            for method in ("lower", "higher", "midpoint", "nearest")
        ),
    ]


def average(x, axis=None, weights=None):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return np.average(x, axis, weights)


def draw_average(draw, kind):
    sizes = strategies.shape(draw, smallest=1)
    axis = strategies.axes(draw, len(sizes))
    x = strategies.array(draw, kind, sizes)
    if axis == () or axis == []:
        axis = None
    if draw(st.booleans()):
        return (x,), {"axis": axis}
    if axis is not None and draw(st.booleans()):
        axes = [axis] if isinstance(axis, int) else axis
        sizes = tuple(sizes[one] for one in axes)
    return (x,), {
        "axis": axis,
        "weights": np.asarray(np.abs(strategies.array(draw, kind, sizes)) + 1),
    }


def corrcoef(x):
    with np.errstate(all="ignore"):
        return np.corrcoef(x)


def draw_correlate(draw, kind):
    sizes = [draw(st.integers(1, 5)) for _ in "ab"]
    mode = draw(st.sampled_from(["valid", "same", "full"]))
    return tuple(strategies.array(draw, kind, (n,)) for n in sizes), {"mode": mode}


def trapezoid(y, x=None, dx=1.0, axis=-1):
    return np.trapezoid(y, x, dx, axis)


def draw_trapezoid(draw, kind):
    sizes = strategies.shape(draw, 1, smallest=1)
    axis = strategies.axis(draw, len(sizes))
    y = strategies.array(draw, kind, sizes)
    if draw(st.booleans()):
        return (y,), {"dx": 0.5, "axis": axis}
    sizes = sizes if draw(st.booleans()) else (sizes[axis],)
    return (y,), {"x": strategies.array(draw, kind, sizes), "axis": axis}


def diff(a, n=1, axis=-1):
    return np.diff(a, n, axis)


def draw_diff(draw, sizes):
    return (draw(st.integers(0, 4)), strategies.axis(draw, len(sizes))), {}


def draw_digitize(draw, kind):
    edges = np.sort(strategies.array(draw, kind, (draw(st.integers(0, 5)),)))
    return (strategies.array(draw, kind, strategies.shape(draw)), edges), {}


def bincount(x, weights=None, minlength=0):
    if x.ndim == 1:
        return np.bincount(x, weights, minlength)
    length = max(minlength, x.max() + 1)
    weights = [None] * len(x) if weights is None else weights
    return np.stack([np.bincount(r, w, length) for r, w in zip(x, weights, strict=True)])


def draw_bincount(draw, kind):
    sizes = draw(st.sampled_from([(0,), (1,), (5,), (2, 3)]))
    x = strategies.integers(draw, sizes, 0, 6)
    return (x,), {"minlength": draw(st.sampled_from([0, 3, 9]))}


def histogram(x, bins=10, range=None):
    return np.histogram(x[~np.isnan(x)] if x.dtype.kind == "f" else x, bins, range)


def draw_histogram(draw, kind):
    x = strategies.array(draw, kind, strategies.shape(draw, most=2))
    edges = st.just([-1.0, 0.0, 0.5, 3.0])
    if draw(st.booleans()):
        return (x, draw(edges)), {}
    return (x, draw(st.sampled_from([1, 3, 7]))), {"range": (-1.03, 1.51)}


COUNTED = {"result": "int32", "grad": False}

CASES = [
    *reductions("median", np.median, make=distinct, dtypes=NUMBERS, result="float", empty=False),
    Case("median", (real(0, 3),), np.median, {"axis": 0}, "empty"),
    *quantiles("quantile", np.quantile, 1),
    *quantiles("percentile", np.percentile, 100),
    Case("quantile", (distinct(3, 4), np.float32([0.25, 0.5])), np.quantile, {"axis": 0}, "tensor",
         unknown=False, grad=False),
    Case("quantile", (np.float32([[1, np.nan], [1, 2]]), 0.5), np.quantile, {"axis": 1}, "nan",
         grad=False),
    Case("average", (real(3, 4),), average, dtypes=ALL, result="float", draw=draw_average),
    Case("average", (real(3, 4),), average, {"axis": -1, "weights": np.float32([1, 2, 0, 1])},
         "vector"),
    Case("average", (real(3, 4),), average, {"axis": 0, "weights": np.abs(real(3, 4))}, "weights"),
    Case("average", (real(2, 3, 4),), average,
         {"axis": [2, 0], "weights": np.abs(real(4, 2))}, "swapped", unknown=False),
    Case("average", (real(),), average, label="scalar"),
    *reductions("ptp", np.ptp, make=distinct, dtypes=NUMBERS, empty=False),
    Case("corrcoef", (real(3, 5),), corrcoef, dtypes=NUMBERS, result="float",
         draw=lambda draw, kind: ((strategies.array(draw, kind, (2, 4), distinct),), {})),
    Case("corrcoef", (real(5),), corrcoef, label="row", grad=False),
    Case("corrcoef", (np.float32([[1, 2], [3, 3]]),), corrcoef, label="constant", grad=False),
    Case("correlate", (real(6), real(3, seed=1)), np.correlate, dtypes=NUMBERS,
         draw=draw_correlate),
    Case("correlate", (real(2), real(5)), np.correlate, {"mode": "same"}, "shorter"),
    Case("correlate", (real(4), real(2)), np.correlate, {"mode": "full"}, "full"),
    Case("correlate", (whole(4, low=-10**6, high=10**6), whole(3)), np.correlate,
         {"mode": "same"}, "whole"),
    Case("trapezoid", (real(3, 4),), trapezoid, dtypes=NUMBERS, result="float",
         draw=draw_trapezoid),
    Case("trapezoid", (real(3, 4), distinct(3)), trapezoid, {"axis": 0}, "places", unknown=False),
    Case("trapezoid", (real(3, 4), distinct(3, 4)), trapezoid, {"axis": -2}, "all_places"),
    Case("trapezoid", (real(2, 1, 2, 1, 3, 2),), trapezoid, {"axis": 4, "dx": 0.5}, "rank6"),
    Case("diff", (real(3, 4),), diff, dtypes=NUMBERS,
         draw=strategies.with_statics(draw_diff, least=1)),
    Case("diff", (real(3, 4),), diff, {"n": 2, "axis": 0}, "twice"),
    Case("diff", (truth(6),), diff, label="bool", result="bool"),
    Case("diff", (real(1, 2),), diff, {"axis": 0}, "empty", unknown=False),
    Case("diff", (real(2, 1, 2, 1, 3, 2),), diff, {"axis": 4}, "rank6"),
    Case("digitize", (real(3, 4), np.float32([0, 0, 1, 2])), np.digitize, dtypes=NUMBERS,
         draw=draw_digitize, **COUNTED),
    Case("digitize", (np.float32([np.nan, np.inf, -np.inf]), np.float32([0, 1])), np.digitize,
         label="special", draw=draw_digitize, **COUNTED),
    Case("digitize", (scalar(2), np.int32([1, 2, 3])), np.digitize, label="scalar",
         draw=draw_digitize, **COUNTED),
    Case("bincount", (np.int32([1, 5, 1, 0]),), bincount, draw=draw_bincount, eager=True,
         **COUNTED),
    Case("bincount", (np.uint8([1, 5, 1, 0]), real(4)), bincount, {"minlength": 8}, "weights",
         result="float32", eager=True),
    Case("bincount", (whole(3, 4, low=0), real(3, 4)), bincount, label="batch", result="float32",
         eager=True),
    Case("histogram", (real(5, 6),), histogram, dtypes=FLOATS, draw=draw_histogram, **COUNTED),
    Case("histogram", (whole(20),), histogram, {"bins": 4}, "whole", **COUNTED),
    Case("histogram", (real(20), [-1.0, 0.0, 0.5, 3.0]), histogram, label="edges", **COUNTED),
    Case("histogram", (real(20), 4), histogram, {"range": (-0.53, 1.51)}, "range", **COUNTED),
    Case("histogram", (np.float32([2, np.nan, 3, 2]), 2), histogram, {"range": (2, 3)}, "nan",
         **COUNTED),
    Case("histogram", (np.float32([2, 2]), 3), histogram, label="constant", **COUNTED),
    Case("histogram", (real(0), 3), histogram, label="empty", **COUNTED),
]  # fmt: skip
