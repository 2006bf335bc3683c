"""Cases of `mlapi.ops.nan`: the tables of those without `nan`, with NaN among the elements."""

import numpy as np

from mlapi.testing.case import FLOATS, INTEGERS, NUMBERS, Case, distinct, real, whole
from mlapi.testing.cases.reduction import cumulative, index, reductions
from mlapi.testing.cases.statistics import quantiles


def holed(*shape, seed=0):
    """Numbers, a third of them NaN, no two others close."""
    x = distinct(*shape, seed=seed)
    return np.where(np.random.default_rng([seed, 1, *shape]).random(shape) < 0.3, np.nan, x)


def nan_argument(name, fill):
    find = getattr(np, name)

    def reference(x, axis=None, keepdims=False):
        found = find(np.where(np.isnan(x), fill, x), axis, keepdims=keepdims)
        return np.where(np.isnan(x).all(axis, keepdims=keepdims), -1, found)

    return reference


NONE = np.float32([[np.nan, np.nan], [1, np.nan]])


def passing(name, make=holed, **details):
    """Reductions of numbers with NaN, and of numbers without, which have slopes everywhere."""
    function = getattr(np, name)
    details = {"result": "float", **details}
    return [
        *reductions(name, function, make=make, dtypes=FLOATS, empty=False, grad=False, **details),
        Case(name, (distinct(3, 4),), function, {"axis": 1}, "slope", NUMBERS, **details),
        Case(name, (np.float32([[1, np.nan, 4], [2, 1, np.nan]]),), function, {"axis": 1}, "some"),
        Case(name, (NONE,), function, {"axis": 1}, "nothing", grad=False),
        Case(name, (whole(3, 4),), function, label="whole", dtypes=INTEGERS, **details),
    ]


CASES = [
    *passing("nansum", result="sum"),
    *passing("nanprod", result="sum"),
    *passing("nanmax", result="same"),
    *passing("nanmin", result="same"),
    *passing("nanmean"),
    *passing("nanvar"),
    *passing("nanstd"),
    *passing("nanmedian"),
    *(
        Case(name, (real(0, 3),), getattr(np, name), {"axis": 0}, "empty")
        for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanmedian")
    ),
    *index("nanargmax", nan_argument("argmax", -np.inf)),
    *index("nanargmin", nan_argument("argmin", np.inf)),
    *(
        Case(name, (np.concatenate([NONE, NONE[:, ::-1]]),), reference, {"axis": 1}, "nothing",
             result="int32", grad=False)
        for name, reference in (
            ("nanargmax", nan_argument("argmax", -np.inf)),
            ("nanargmin", nan_argument("argmin", np.inf)),
        )
    ),
    *cumulative("nancumsum", np.nancumsum),
    *cumulative("nancumprod", np.nancumprod),
    *quantiles("nanquantile", np.nanquantile, 1),
    *quantiles("nanpercentile", np.nanpercentile, 100),
    Case("nanquantile", (np.float32([[1, np.nan, 4], [2, 1, np.nan]]), [0.2, 0.7]),
         np.nanquantile, {"axis": 1}, "some"),
]  # fmt: skip
