"""Cases of `mlapi.ops.elementwise` and `mlapi.ops.logical`."""

import numpy as np
from scipy import special

from mlapi.testing import strategies
from mlapi.testing.case import (
    ALL,
    FLOATS,
    INTEGERS,
    NUMBERS,
    Case,
    positive,
    real,
    scalar,
    truth,
    whole,
)

SHAPES = {"": (2, 3), "scalar": (), "empty": (0, 3), "rank6": (2, 1, 2, 1, 3, 1)}
PAIRS = {
    "": ((2, 3), (2, 3)),
    "broadcast": ((2, 3), (3,)),
    "scalar": ((), (2, 3)),
    "empty": ((0, 3), (1, 3)),
    "rank6": ((2, 1, 2, 1, 3, 1), (1, 2, 1, 3)),
}


def unary(name, reference, make=real, special=True, **details):
    details = {"draw": strategies.unary(make), "special": special, **details}
    return [
        Case(name, (make(*shape),), reference, label=label, **details)
        for label, shape in SHAPES.items()
    ]


def binary(name, reference, make=real, special=True, **details):
    details = {"draw": strategies.binary(make), "special": special, **details}
    return [
        Case(name, (make(*one), make(*other, seed=1)), reference, label=label, **details)
        for label, (one, other) in PAIRS.items()
    ]


def clip(x, x_min, x_max):
    return np.minimum(np.maximum(x, x_min), x_max)


def cast(x, dtype):
    return x.astype(dtype)


def special_values(name, reference):
    x = np.array([1.0, np.nan, np.inf, -np.inf, 0.0], "float32")
    return [
        Case(name, (x,), reference, result="bool", grad=False, label="special"),
        *unary(name, reference, dtypes=ALL, result="bool", grad=False),
    ]


def compare(name, reference):
    return [
        *binary(name, reference, make=whole, dtypes=ALL, result="bool"),
        Case(name, (np.array([np.nan, 1.0], "float32"), np.float32([1.0, 1.0])), reference,
             result="bool", grad=False, label="nan"),
    ]  # fmt: skip


def logic(name, reference):
    return binary(name, reference, make=truth, dtypes=ALL, result="bool")


def choose(condition, x1=None, x2=None):
    return np.where(condition) if x1 is None else np.where(condition, x1, x2)


def divide_no_nan(x1, x2):
    return np.where(x2 == 0, 0, x1 / x2)


NEAR = (
    np.float32([1, 1, 1, np.inf, np.inf, -np.inf, np.nan, 0, 1, np.inf]),
    np.float32([1.000001, 1.1, 3, np.inf, -np.inf, 1, np.nan, 1e-9, np.inf, 1]),
)

CASES = [
    *binary("add", np.add, dtypes=ALL),
    *binary("subtract", np.subtract, dtypes=NUMBERS),
    *binary("multiply", np.multiply, dtypes=ALL),
    *binary("divide", np.divide, make=positive, dtypes=NUMBERS, result="float"),
    *binary("true_divide", np.divide, make=positive, dtypes=NUMBERS, result="float"),
    *binary("floor_divide", np.floor_divide, make=positive, dtypes=FLOATS, grad=False),
    Case("floor_divide", (whole(9), scalar(3)), np.floor_divide, label="whole", dtypes=INTEGERS),
    Case("floor_divide", (whole(9), scalar(-3)), np.floor_divide, label="negative"),
    *binary("arctan2", np.arctan2, dtypes=NUMBERS, result="float"),
    *binary("mod", np.mod, make=positive, dtypes=FLOATS, grad=False),
    Case("mod", (whole(9), scalar(3)), np.mod, label="whole", dtypes=INTEGERS),
    Case("mod", (real(9), scalar(-1.3)), np.mod, label="negative"),
    *binary("power", np.power, make=positive, dtypes=FLOATS),
    Case("power", (whole(5, low=0, high=4), whole(5, low=0, high=4, seed=1)), np.power,
         label="whole", dtypes=INTEGERS),
    *binary("fmod", np.fmod, make=positive, dtypes=FLOATS, grad=False),
    Case("fmod", (whole(9), scalar(3)), np.fmod, label="whole", dtypes=INTEGERS),
    Case("fmod", (real(9), scalar(-1.3)), np.fmod, label="negative"),
    *binary("divide_no_nan", divide_no_nan, dtypes=NUMBERS, result="float"),
    Case("divide_no_nan", (np.float32([0, 1, np.nan, 4]), np.float32([0, 0, 0, 2])),
         divide_no_nan, label="zeros", grad=False),
    *unary("negative", np.negative, dtypes=NUMBERS),
    *unary("absolute", np.abs, dtypes=ALL),
    *unary("abs", np.abs, dtypes=ALL),
    *unary("fabs", np.fabs, dtypes=ALL, result="float"),
    *binary("heaviside", np.heaviside, dtypes=ALL, result="float"),
    Case("heaviside", (np.float32([0, -0.0, np.nan, 1]), real(4)), np.heaviside, label="zeros",
         grad=False),
    *unary("sign", np.sign, dtypes=NUMBERS),
    Case("sign", (np.float32([0.0, np.nan]),), np.sign, label="special", grad=False),
    *unary("square", np.square, dtypes=NUMBERS),
    *unary("sqrt", np.sqrt, make=positive, dtypes=ALL, result="float"),
    *unary("rsqrt", lambda x: 1 / np.sqrt(x), make=positive, dtypes=NUMBERS, result="float"),
    *unary("reciprocal", lambda x: 1 / x, make=positive, dtypes=NUMBERS, result="float"),
    *unary("cbrt", np.cbrt, dtypes=ALL, result="float"),
    *unary("exp", np.exp, dtypes=ALL, result="float"),
    *unary("expm1", np.expm1, dtypes=ALL, result="float"),
    Case("expm1", (np.float32([1e-6, -1e-6]),), np.expm1, label="small"),
    *unary("log", np.log, make=positive, dtypes=NUMBERS, result="float"),
    Case("log", (np.float32([0.0, -1.0]),), np.log, label="special", grad=False),
    *unary("log1p", np.log1p, make=positive, dtypes=ALL, result="float"),
    Case("log1p", (np.float32([1e-6, -1e-6]),), np.log1p, label="small"),
    *unary("sin", np.sin, dtypes=ALL, result="float"),
    *unary("cos", np.cos, dtypes=ALL, result="float"),
    *unary("tanh", np.tanh, dtypes=ALL, result="float"),
    *unary("erf", special.erf, dtypes=ALL, result="float"),
    *binary("fmax", np.fmax, dtypes=ALL),
    *binary("fmin", np.fmin, dtypes=ALL),
    *binary("maximum", np.maximum, dtypes=ALL),
    *binary("minimum", np.minimum, dtypes=ALL),
    Case("maximum", (np.float32([np.nan, 1]), np.float32([1, np.nan])), np.maximum, label="nan",
         grad=False),
    Case("clip", (real(3, 4), scalar(-0.6), scalar(1.1)), clip, dtypes=FLOATS),
    Case("clip", (real(3, 4), -real(4) ** 2, real(4) ** 2), clip, label="broadcast"),
    Case("clip", (whole(7), scalar(-2), scalar(3)), clip, label="whole",
         dtypes=("int8", "int16", "int32")),
    *unary("floor", np.floor, dtypes=ALL, result="float", grad=False),
    *unary("ceil", np.ceil, dtypes=ALL, result="float", grad=False),
    *unary("trunc", np.trunc, dtypes=ALL, grad=False),
    *unary("round", np.round, dtypes=NUMBERS, grad=False),
    Case("round", (np.float32([0.5, 1.5, 2.5, -0.5]),), np.round, label="halves", grad=False),
    Case("round", (np.float32([0.126, 1.994]),), np.round, {"decimals": 2}, label="decimals",
         grad=False),
    *unary("copy", np.copy, dtypes=ALL),
    Case("cast", (real(2, 3), "int32"), cast, label="truncates", result="int32", grad=False),
    Case("cast", (real(2, 3), "bool"), cast, label="truth", result="bool", grad=False),
    Case("cast", (whole(2, 3), "float16"), cast, label="float", result="float16", dtypes=ALL),
    *compare("equal", np.equal),
    *compare("not_equal", np.not_equal),
    *compare("less", np.less),
    *compare("less_equal", np.less_equal),
    *compare("greater", np.greater),
    *compare("greater_equal", np.greater_equal),
    *logic("logical_and", np.logical_and),
    *logic("logical_or", np.logical_or),
    *logic("logical_xor", np.logical_xor),
    *unary("logical_not", np.logical_not, make=truth, dtypes=ALL, result="bool"),
    *special_values("isposinf", np.isposinf),
    *special_values("isneginf", np.isneginf),
    *compare("isclose", np.isclose),
    Case("isclose", NEAR, np.isclose, label="near", result="bool", grad=False),
    Case("isclose", NEAR, np.isclose, {"rtol": 0.0, "atol": 2.0, "equal_nan": True}, "tolerances",
         result="bool", grad=False),
    Case("allclose", NEAR, np.allclose, label="near", result="bool", grad=False),
    Case("allclose", (real(3), real(2, 3)), np.allclose, {"atol": 9.0}, result="bool",
         dtypes=NUMBERS, grad=False, draw=strategies.binary()),
    Case("allclose", (real(0), real(3, 1)), np.allclose, label="empty", result="bool",
         grad=False),
    *special_values("isnan", np.isnan),
    *special_values("isinf", np.isinf),
    *special_values("isfinite", np.isfinite),
    Case("where", (truth(2, 3), real(2, 3), real(3, seed=1)), choose, dtypes=FLOATS),
    Case("where", (truth(3), whole(2, 3), whole(2, 1)), choose, label="whole", dtypes=INTEGERS),
    Case("where", (truth(3, 1, 4, 1, 2, 1), real(2), real(1, 4, 1, 1, 2)), choose, label="rank6"),
]  # fmt: skip
