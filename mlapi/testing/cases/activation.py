"""Cases of `mlapi.ops.activation`."""

import numpy as np
from hypothesis import strategies as st
from scipy import special

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, NUMBERS, Case, real, whole
from mlapi.testing.cases.elementwise import SHAPES, unary


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def gelu(x, approximate=True):
    if approximate:
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def leaky_relu(x, negative_slope=0.2):
    return np.where(x > 0, x, negative_slope * x)


def softmax(x, axis=-1):
    return special.softmax(x, tuple(axis) if isinstance(axis, list) else axis)


def log_softmax(x, axis=-1):
    axis = tuple(axis) if isinstance(axis, list) else axis
    return x - special.logsumexp(x, axis, keepdims=True)


def activation(name, reference):
    extreme = np.float32([-100.0, -20.5, 20.5, 100.0])
    return [
        *unary(name, reference, dtypes=NUMBERS, result="float"),
        Case(name, (extreme,), reference, label="extreme"),
    ]


def glu(x, axis=-1):
    value, gate = np.split(x, 2, axis)
    return value * special.expit(gate)


def sparsemax(x, axis=-1):
    """By bisection on what is taken off, until the positive rest sums to 1."""
    x = np.moveaxis(x, axis, -1)
    low, high = x.min(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(100):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.moveaxis(np.maximum(x - low, 0), -1, axis)


def hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


def threshold(x, threshold, default_value):
    return np.where(x <= threshold, default_value, x)


def soft_shrink(x, threshold=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)


def hard_shrink(x, threshold=0.5):
    return np.where(np.abs(x) <= threshold, 0, x)


def squareplus(x, b=4):
    size = np.abs(x) + np.sqrt(x**2 + b)  # no difference of infinities
    return np.where(x > 0, size, b / size) / 2


def sparse_plus(x):
    return np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4))


def classes(*, several=True):
    """A tensor with at least one axis, none of them empty, and the axes of the classes."""

    def arguments(draw, kind):
        sizes = strategies.shape(draw, least=1, smallest=1)
        axis = strategies.axis(draw, len(sizes))
        if several and draw(st.booleans()):
            axis = strategies.axes(draw, len(sizes)) or axis
        return (strategies.array(draw, kind, sizes),), {"axis": axis}

    return arguments


def halves(draw, kind):
    sizes = list(strategies.shape(draw, least=1))
    axis = strategies.axis(draw, len(sizes))
    sizes[axis] *= 2
    return (strategies.array(draw, kind, sizes),), {"axis": axis}


def over_classes(name, reference):
    return [
        Case(name, (real(3, 4),), reference, dtypes=FLOATS, draw=classes()),
        Case(name, (real(2, 3, 4),), reference, {"axis": 1}, "axis"),
        Case(name, (real(2, 3, 4),), reference, {"axis": [1, 2]}, "axes"),
        Case(name, (real(2, 1, 2, 1, 3, 4),), reference, {"axis": -2}, "rank6"),
        Case(name, (np.float32([1000.0, 999.0, -1000.0]),), reference, label="large"),
        Case(name, (whole(2, 3),), reference, label="whole", result="float32"),
        Case(name, (real(0, 3),), reference, label="empty"),
    ]


CASES = [
    *unary("relu", lambda x: np.maximum(x, 0), dtypes=NUMBERS),
    *unary("relu6", lambda x: np.clip(x, 0, 6), dtypes=NUMBERS),
    Case("relu6", (np.float32([5.5, 6.5]),), lambda x: np.clip(x, 0, 6), label="above"),
    *activation("leaky_relu", leaky_relu),
    Case("leaky_relu", (real(5),), leaky_relu, {"negative_slope": 0.3}, "slope"),
    *activation("elu", elu),
    Case("elu", (real(5),), elu, {"alpha": 0.5}, "alpha"),
    *activation("selu", selu),
    *activation("gelu", gelu),
    Case("gelu", (real(5),), gelu, {"approximate": False}, "exact"),
    *activation("silu", lambda x: x * special.expit(x)),
    *activation("swish", lambda x: x * special.expit(x)),
    *activation("sigmoid", special.expit),
    *activation("log_sigmoid", special.log_expit),
    *activation("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    *activation("softplus", lambda x: np.logaddexp(x, 0)),
    *activation("softsign", lambda x: x / (1 + np.abs(x))),
    *over_classes("softmax", softmax),
    *over_classes("log_softmax", log_softmax),
    *activation("celu", lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha))),
    Case("celu", (real(5),), lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
         {"alpha": 0.5}, "alpha"),
    *activation("hard_silu", lambda x: x * hard_sigmoid(x)),
    *activation("hard_swish", lambda x: x * hard_sigmoid(x)),
    *activation("hard_tanh", lambda x: np.clip(x, -1, 1)),
    *activation("hard_shrink", hard_shrink),
    Case("hard_shrink", (real(5),), hard_shrink, {"threshold": 1.0}, "threshold"),
    *activation("soft_shrink", soft_shrink),
    Case("soft_shrink", (real(5),), soft_shrink, {"threshold": 1.0}, "threshold"),
    *activation("tanh_shrink", lambda x: x - np.tanh(x)),
    *(Case("threshold", (real(*shape), 0.5, -1.0), threshold, label=label, special=True,
           dtypes=NUMBERS if not label else (), result="float",
           draw=lambda draw, kind: (
               (strategies.array(draw, kind, strategies.shape(draw)), 0.5, -1.0), {}))
      for label, shape in SHAPES.items()),
    *activation("sparse_plus", sparse_plus),
    *activation("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1)),
    *activation("squareplus", squareplus),
    Case("squareplus", (real(5),), squareplus, {"b": 1}, "b"),
    Case("glu", (real(3, 4),), glu, dtypes=FLOATS, draw=halves),
    Case("glu", (real(2, 4, 3),), glu, {"axis": 1}, "axis"),
    Case("glu", (real(2, 1, 2, 1, 3, 4),), glu, {"axis": -4}, "rank6"),
    Case("glu", (real(0, 4),), glu, label="empty"),
    Case("glu", (whole(2, 4),), glu, label="whole", result="float32"),
    Case("sparsemax", (real(3, 4),), sparsemax, dtypes=FLOATS, draw=classes(several=False)),
    Case("sparsemax", (real(2, 3, 4),), sparsemax, {"axis": 1}, "axis"),
    Case("sparsemax", (real(2, 1, 2, 1, 3, 4),), sparsemax, {"axis": -2}, "rank6"),
    Case("sparsemax", (whole(2, 3),), sparsemax, label="whole", result="float32"),
    Case("sparsemax", (np.float32([1000.0, 999.5, -1000.0]),), sparsemax, label="large",
         tolerance=1e-4),
]  # fmt: skip
