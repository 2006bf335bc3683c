"""Cases of `mlapi.ops.trigonometry` and `mlapi.ops.exponential`, but for the oldest ones."""

import numpy as np
from scipy import special

from mlapi.testing.case import ALL, FLOATS, NUMBERS, Case, positive, real
from mlapi.testing.cases.elementwise import binary, unary


def inside(*shape, seed=0):
    """Numbers in (-1, 1)."""
    return real(*shape, seed=seed) * np.float32(0.49)


def above_one(*shape, seed=0):
    return positive(*shape, seed=seed) + np.float32(1)


def function(name, reference, make=real, **details):
    return unary(name, reference, make, **{"dtypes": ALL, "result": "float", **details})


def pair(name, reference, **details):
    return binary(name, reference, **{"dtypes": ALL, "result": "float", **details})


def at(name, reference, *xs, tolerance=1e-5):
    """Single places at which something could go wrong."""
    arrays = tuple(np.float32(x) for x in xs)
    return Case(name, arrays, reference, label="places", grad=False, tolerance=tolerance)


HUGE = [3e38, 3e38, 1e30, -1e30, 1e-30, 0.0, np.inf, -np.inf, np.nan]
OTHER = [1.0, -3e37, 1e30, 1e30, 1e-30, 0.0, np.nan, 1.0, 1.0]

CASES = [
    *function("tan", np.tan, dtypes=(*FLOATS, "int8", "bool")),
    *function("arcsin", np.arcsin, inside),
    *function("arccos", np.arccos, inside),
    *function("arctan", np.arctan),
    *function("sinh", np.sinh),
    *function("cosh", np.cosh),
    *function("arcsinh", np.arcsinh),
    *function("arccosh", np.arccosh, above_one, dtypes=NUMBERS),
    *function("arctanh", np.arctanh, inside, dtypes=FLOATS),
    *function("sinc", np.sinc),
    *function("deg2rad", np.deg2rad),
    *function("rad2deg", np.rad2deg),
    *pair("hypot", np.hypot),
    at("hypot", np.hypot, HUGE, OTHER),
    *function("exp2", np.exp2),
    *function("log2", np.log2, positive, dtypes=NUMBERS),
    *function("log10", np.log10, positive, dtypes=NUMBERS),
    *pair("logaddexp", np.logaddexp),
    at("logaddexp", np.logaddexp, HUGE, OTHER),
    Case("logaddexp", (real(3), real(3)), np.logaddexp, label="ties"),
    *pair("logaddexp2", np.logaddexp2),
    at("logaddexp2", np.logaddexp2, [*HUGE[2:], 1e4], [*OTHER[2:], 1e4]),
    *function("erfc", special.erfc),
    at("erfc", special.erfc, [5.0, 9.0, -9.0], tolerance=1e-16),
    *function("erfinv", special.erfinv, inside, dtypes=FLOATS),
    at("erfinv", special.erfinv, [-1.0, 1.0, 1.5, 0.99999], tolerance=1e-4),
    *function("i0", special.i0),
    at("i0", special.i0, [-20.0, 50.0, 0.0, 99.0]),
]
