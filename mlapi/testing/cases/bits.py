"""Cases of `mlapi.ops.bits`, `mlapi.ops.representation` and `mlapi.ops.complexes`."""

import numpy as np
from hypothesis import strategies as st

from mlapi import dtypes
from mlapi.testing import strategies
from mlapi.testing.case import ALL, FLOATS, INTEGERS, NUMBERS, Case, real, truth, whole
from mlapi.testing.cases.elementwise import binary, unary


def shift_counts(*shape, seed=0):
    return np.abs(whole(*shape, seed=seed))


def integers(name, reference, special=True, **details):
    details = {"dtypes": INTEGERS, **details}
    return binary(name, reference, make=whole, special=special, **details)


def logic(name, reference):
    x, y = truth(2, 3), truth(3, seed=1)
    return [
        *integers(name, reference, dtypes=(*INTEGERS, "bool")),
        Case(name, (x, y), reference, label="truth"),
    ]


def shifted(name, reference):
    counts = np.int32([0, 1, 5, 31, 32, 100, -1])
    values = np.int32([[3], [-3], [2**30]])

    def draw(choose, kind):
        (x, _), _ = strategies.binary(whole)(choose, kind)
        bits = 8 * np.dtype(kind).itemsize
        count = choose(st.integers(0, bits))
        return (x, np.array(count, kind)), {}

    details = {"dtypes": INTEGERS, "draw": draw}
    unsigned = np.uint8([255, 255, 255]), np.uint8([1, 8, 200])
    return [
        Case(name, (whole(2, 3), shift_counts(3)), reference, **details),
        Case(name, (values, counts), reference, label="places", unknown=False, **details),
        Case(name, unsigned, reference, label="unsigned", **details),
        Case(name, (whole(2, 1, 2, 1, 3, 1), shift_counts(2, 1, 1)), reference, label="rank6",
             **details),
    ]  # fmt: skip


def float_view(x, dtype=None):
    return x.astype("float32").view(dtype)


def view(x, dtype=None):
    return x.copy() if dtype is None else np.array(x, order="C").view(dtype)


def draw_view(target):
    def draw(choose, kind):
        sizes = (*strategies.shape(choose), 4 * choose(st.integers(0, 2)))
        return (strategies.array(choose, kind, sizes, whole), target), {}

    return draw


def following(kind):
    """NumPy's in this dtype, which has to be taken bit by bit."""

    def reference(x1, x2):
        native = dtypes.numpy_dtype(kind)
        return np.nextafter(x1.astype(native), x2.astype(native))

    return reference


def steps(kind):
    native = dtypes.numpy_dtype(kind)
    x = np.array([0.0, -0.0, 1.0, -1.0, 1.0, 2.0, 0.0, np.inf, np.nan, 1.0], native)
    y = np.array([1.0, -1.0, 2.0, 2.0, 1.0, -9.0, 0.0, 0.0, 1.0, np.nan], native)
    return Case("nextafter", (x, y), following(kind),
                label=f"places_{kind}", grad=False, tolerance=0)  # fmt: skip


def saturated(x, dtype):
    if np.dtype(dtype).kind == "f":
        limit = np.finfo(dtype)
        return np.clip(x, limit.min, limit.max)
    limit = np.iinfo(dtype)
    return np.clip(np.nan_to_num(np.trunc(x), posinf=2.0**60, neginf=-(2.0**60)), limit.min,
                   limit.max).astype(dtype)  # fmt: skip


def draw_saturated(target):
    def draw(choose, kind):
        (x,), _ = strategies.unary()(choose, kind)
        if dtypes.is_float(kind):
            factor = choose(st.sampled_from([1.0, 100.0, 70000.0]))
            x = np.asarray(x.astype("float64") * factor).astype(dtypes.numpy_dtype(kind))
        return (x, target), {}

    return draw


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    limit = np.finfo("float32")
    posinf = float(limit.max) if posinf is None else posinf
    neginf = float(limit.min) if neginf is None else neginf
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def ldexp(x1, x2):
    return np.ldexp(x1, x2)


def draw_ldexp(choose, kind):
    (x,), _ = strategies.unary()(choose, kind)
    return (x, np.array(choose(st.integers(-4, 4)), "int32")), {}


NUMBERS_AND_NOT = np.float32([1.5, np.nan, np.inf, -np.inf, -0.0])
BEYOND = np.float32([-3e9, -300, -1.5, -0.5, 0, 0.5, 100.7, 300, 70000, 3e9, np.inf, -np.inf])


def imaginary(*shape, seed=0):
    """Complex numbers."""
    return (real(*shape, seed=seed) + 1j * real(*shape, seed=seed + 1)).astype("complex64")


def draw_imaginary(choose, kind):
    return (imaginary(*strategies.shape(choose), seed=choose(st.integers(0, 2**16))),), {}


def parts(name, reference, result, real_result="same", **details):
    """Of complex numbers, and of real ones."""
    shapes = {"": (2, 3), "scalar": (), "empty": (0, 3), "rank6": (2, 1, 2, 1, 3, 1)}
    return [
        *[
            Case(name, (imaginary(*shape),), reference, label=label, result=result, grad=False,
                 draw=draw_imaginary)
            for label, shape in shapes.items()
        ],
        Case(name, (real(2, 3),), reference, label="real", draw=strategies.unary(), dtypes=FLOATS,
             result=real_result, **details),
        Case(name, (whole(2, 3),), reference, label="whole", dtypes=ALL, result=real_result),
    ]  # fmt: skip


def polar(abs_, angle):
    return abs_ * np.exp(1j * angle)


def as_complex(x):
    return x[..., 0] + 1j * x[..., 1]


def as_real(x):
    return np.stack([np.real(x), np.imag(x)], -1)


def draw_pairs(choose, kind):
    return (strategies.array(choose, kind, (*strategies.shape(choose), 2)),), {}


CASES = [
    *integers("gcd", np.gcd, special=False),
    *integers("lcm", np.lcm, special=False),
    Case("gcd", (np.int32([0, 0, 2**30, 1836311903, -7]), np.int32([0, 5, 48, 1134903170, 0])),
         np.gcd, label="places"),
    *logic("bitwise_and", np.bitwise_and),
    *logic("bitwise_or", np.bitwise_or),
    *logic("bitwise_xor", np.bitwise_xor),
    *unary("bitwise_not", np.invert, make=whole, dtypes=(*INTEGERS, "bool")),
    *shifted("bitwise_left_shift", np.left_shift),
    *shifted("bitwise_right_shift", np.right_shift),
    Case("view", (whole(2, 4), "int16"), view, dtypes=INTEGERS, result="int16",
         draw=draw_view("int16")),
    Case("view", (whole(0, 4), "int32"), view, label="empty", dtypes=INTEGERS, result="int32",
         draw=draw_view("int32")),
    Case("view", (real(2, 3), "int32"), float_view, label="float", result="int32", grad=False),
    Case("view", (real(2, 3), "int8"), float_view, label="smaller", result="int8", grad=False),
    Case("view", (real(), "int32"), float_view, label="scalar", result="int32", grad=False),
    Case("view", (whole(2, 3), "float32"), view, label="of_int", result="float32"),
    Case("view", (whole(3),), view, label="same"),
    Case("view", (truth(2, 3), "uint8"), view, label="truth", result="uint8"),
    *unary("signbit", np.signbit, dtypes=NUMBERS, result="bool", grad=False),
    Case("signbit", (NUMBERS_AND_NOT,), np.signbit, label="places", result="bool", grad=False),
    *binary("nextafter", following("float32"), grad=False, tolerance=0, special=False),
    *[steps(kind) for kind in ("float16", "bfloat16", "float32")],
    Case("ldexp", (real(2, 3), whole(3)), ldexp, dtypes=FLOATS, draw=draw_ldexp),
    Case("ldexp", (whole(2, 3), whole(3)), ldexp, label="whole", result="float32",
         draw=draw_ldexp),
    Case("ldexp", (np.float32([1e-30, 1e30, 0, 1, np.inf, np.nan, 1]),
                   np.int32([200, -200, 999, 999, -999, 0, 30])), ldexp, label="places", grad=False,
         draw=draw_ldexp),
    *unary("nan_to_num", nan_to_num, dtypes=("float32", *INTEGERS)),
    Case("nan_to_num", (NUMBERS_AND_NOT,), nan_to_num, {"nan": 1.0, "posinf": 2.0, "neginf": 3.0},
         label="places", dtypes=FLOATS, grad=False),
    Case("saturate_cast", (BEYOND, "int32"), saturated, label="int32", result="int32", grad=False,
         draw=draw_saturated("int32")),
    Case("saturate_cast", (BEYOND, "uint8"), saturated, result="uint8", grad=False,
         dtypes=NUMBERS, draw=draw_saturated("uint8")),
    Case("saturate_cast", (BEYOND, "float16"), saturated, label="float16", result="float16",
         grad=False, tolerance=1e-3, draw=draw_saturated("float16")),
    Case("saturate_cast", (np.int32([-300, 5, 70000]), "int8"), saturated, label="whole",
         dtypes=INTEGERS, result="int8", draw=draw_saturated("int8")),
    Case("saturate_cast", (np.int8([-3, 5]), "float32"), saturated, label="fits", result="float32",
         draw=draw_saturated("float32")),
    *parts("real", np.real, "float32"),
    *parts("imag", np.imag, "float32", grad=False),
    *parts("conj", np.conj, "complex64"),
    *parts("angle", np.angle, "float32", "float", special=True),
    *parts("isreal", np.isreal, "bool", "bool", grad=False),
    Case("angle", (np.complex64([0, -1, 1j, -1j, -1 + 1j]),), np.angle, label="places",
         result="float32", draw=draw_imaginary),
    Case("isreal", (np.complex64([1, 1j, 0]),), np.isreal, label="places", result="bool",
         draw=draw_imaginary),
    *binary("polar", polar, result="complex64", grad=False, special=False),
    Case("view_as_complex", (real(3, 2),), as_complex, result="complex64", grad=False,
         draw=draw_pairs, dtypes=FLOATS),
    Case("view_as_complex", (whole(2, 1, 3, 1, 2, 2),), as_complex, label="rank6",
         result="complex64", draw=draw_pairs),
    Case("view_as_complex", (real(2),), as_complex, label="scalar", result="complex64", grad=False,
         draw=draw_pairs),
    Case("view_as_complex", (real(0, 2),), as_complex, label="empty", result="complex64",
         grad=False, draw=draw_pairs),
    *parts("view_as_real", as_real, "float32"),
]  # fmt: skip
