"""Cases of `mlapi.ops.activation`."""

import numpy as np
from scipy import special

from mlapi.testing.case import FLOATS, NUMBERS, Case, real, whole
from mlapi.testing.cases.elementwise import unary


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


def over_classes(name, reference):
    return [
        Case(name, (real(3, 4),), reference, dtypes=FLOATS),
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
]
