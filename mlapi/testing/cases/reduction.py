"""Cases of `mlapi.ops.reduction`."""

import numpy as np
from scipy import special

from mlapi.testing import strategies
from mlapi.testing.case import ALL, FLOATS, NUMBERS, Case, distinct, positive, real, truth, whole

AXES = {
    "": ((2, 3, 4), {}),
    "axis": ((2, 3, 4), {"axis": 1}),
    "axes": ((2, 3, 4), {"axis": (0, -1)}),
    "list": ((2, 3, 4), {"axis": [2, 0], "keepdims": True}),
    "negative": ((2, 3, 4), {"axis": -2, "keepdims": True}),
    "keepdims": ((2, 3), {"keepdims": True}),
    "no_axis": ((2, 3), {"axis": ()}),
    "scalar": ((), {}),
    "rank6": ((2, 1, 2, 1, 3, 2), {"axis": (1, 3, 5)}),
}


def reductions(name, reference, make=real, empty=True, **details):
    """Cases over all kinds of axes; `empty` unless there is nothing sensible to say of nothing."""

    def with_tuple(x, axis=None, **kwargs):
        return reference(x, axis=tuple(axis) if isinstance(axis, list) else axis, **kwargs)

    draw = strategies.reduction(make, smallest=0 if empty else 1, keepdims=name != "count_nonzero")
    details = {"draw": draw, "special": True, **details}
    cases = [
        Case(name, (make(*shape),), with_tuple, kwargs, label=label, **details)
        for label, (shape, kwargs) in AXES.items()
        if "keepdims" not in kwargs or name != "count_nonzero"
    ]
    if empty:
        cases.append(Case(name, (make(0, 3),), with_tuple, {"axis": 0}, label="empty", **details))
        cases.append(Case(name, (make(2, 0, 3),), with_tuple, {"axis": 2}, "beside", **details))
    return cases


def logsumexp(x, axis=None, keepdims=False):
    return special.logsumexp(x, axis, keepdims=keepdims) if x.ndim else x


def index(name, reference, make=distinct):
    shapes = {
        "": ((3, 4), {}),
        "axis": ((3, 4), {"axis": 0}),
        "negative": ((3, 4), {"axis": -1, "keepdims": True}),
        "keepdims": ((2, 3), {"keepdims": True}),
        "rank6": ((2, 1, 2, 1, 3, 2), {"axis": 4}),
        "scalar": ((), {}),
    }
    ties = np.array([[1, 3, 3], [2, 2, 1]], "int32")
    details = {"result": "int32", "grad": False, "special": True}
    details["draw"] = strategies.along(make, keepdims=True, smallest=1)
    return [
        *(
            Case(name, (make(*shape),), reference, kwargs, label, NUMBERS, **details)
            for label, (shape, kwargs) in shapes.items()
        ),
        Case(name, (ties,), reference, {"axis": 1}, label="ties", dtypes=NUMBERS, **details),
        Case(name, (truth(3, 4),), reference, {"axis": 1}, label="bool", **details),
    ]


def cumulative(name, function, make=real):
    def reference(x, axis=None, dtype=None):
        found = function(x, axis=axis)
        return found.astype(x.dtype) if x.dtype.kind in "iu" and dtype is None else found

    details = {"draw": strategies.along(make), "special": True, "dtypes": NUMBERS}
    return [
        Case(name, (make(3, 4),), reference, **details),
        Case(name, (make(3, 4),), reference, {"axis": -1}, "axis", **details),
        Case(name, (truth(6),), function, {"axis": 0}, "bool", result="int32"),
        Case(name, (whole(6),), reference, {"axis": 0, "dtype": "float32"}, "dtype",
             result="float32"),
        Case(name, (make(2, 1, 2, 1, 3, 1),), reference, {"axis": 4}, "rank6"),
        Case(name, (make(),), reference, label="scalar"),
        Case(name, (make(0, 3),), reference, {"axis": 0}, "empty"),
    ]  # fmt: skip


CASES = [
    *reductions("sum", np.sum, dtypes=ALL, result="sum"),
    *reductions("prod", np.prod, dtypes=ALL, result="sum"),
    Case("prod", (whole(3, low=1, high=3),), lambda x, dtype: np.prod(x), {"dtype": "float32"},
         label="dtype", result="float32"),
    *reductions("mean", np.mean, dtypes=ALL, result="float", empty=False),
    *reductions("var", np.var, dtypes=NUMBERS, result="float", empty=False, grad=False),
    Case("var", (distinct(3, 4),), np.var, {"axis": (1,)}, label="slope"),
    *reductions("std", np.std, dtypes=NUMBERS, result="float", empty=False, grad=False),
    Case("std", (distinct(3, 4),), np.std, {"axis": 1}, label="slope"),
    *reductions("max", np.max, make=distinct, dtypes=ALL, empty=False),
    *reductions("min", np.min, make=distinct, dtypes=ALL, empty=False),
    Case("max", (real(2, 3),), np.max, {"axis": 1, "initial": 0.7}, label="initial"),
    Case("min", (real(2, 3),), np.min, {"axis": 1, "initial": 0.1}, label="initial"),
    Case("max", (real(0, 3),), np.max, {"axis": 0, "initial": 0.5}, label="empty"),
    Case("min", (real(0, 3),), np.min, {"initial": 0.5}, label="empty"),
    *reductions("amax", np.max, make=distinct, dtypes=ALL, empty=False),
    *reductions("amin", np.min, make=distinct, dtypes=ALL, empty=False),
    *reductions("any", np.any, make=truth, dtypes=ALL, result="bool"),
    *reductions("all", np.all, make=truth, dtypes=ALL, result="bool"),
    *reductions("count_nonzero", np.count_nonzero, make=whole, dtypes=ALL, result="int32"),
    *index("argmax", np.argmax),
    *index("argmin", np.argmin),
    *reductions("logsumexp", logsumexp, dtypes=NUMBERS, result="float", empty=False),
    Case("logsumexp", (np.float32([1000, 999]),), special.logsumexp, label="large"),
    *cumulative("cumsum", np.cumsum),
    *cumulative("cumprod", np.cumprod),
    Case("sum", (positive(3, 4),), np.sum, {"axis": 0}, label="positive", dtypes=FLOATS),
]  # fmt: skip
