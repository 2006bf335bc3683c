"""Activation functions against their formulas, and how they are named."""

import numpy as np
import pytest
from scipy import special

from mlapi import activations, catalog, ops
from mlapi.errors import ArgumentError, LoadError

X = np.linspace(-7, 7, 60).reshape(3, 20).astype("float32")


def softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, 0)


def sparsemax(x: np.ndarray) -> np.ndarray:
    """The threshold above which the rest of each row sums to 1, found by halving."""
    low, high = x.max(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        above = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.maximum(x - low, 0)


FORMULAS = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "exponential": np.exp,
    "gelu": lambda x: x * special.ndtr(x),
    "glu": lambda x: x[:, :10] * special.expit(x[:, 10:]),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -softplus(-x),
    "log_softmax": lambda x: special.log_softmax(x, axis=-1),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "sigmoid": special.expit,
    "silu": lambda x: x * special.expit(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softmax": lambda x: special.softmax(x, axis=-1),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparsemax": sparsemax,
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "swish": lambda x: x * special.expit(x),
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
    "threshold": lambda x: np.where(x > 1.5, x, -2.0),
}
ARGUMENTS = {"threshold": (1.5, -2.0)}  # of those that need some


def test_every_activation_has_its_formula() -> None:
    assert set(FORMULAS) == set(catalog.public("activations"))


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str) -> None:
    y = activations.get(name)(ops.convert_to_tensor(X), *ARGUMENTS.get(name, ()))
    expected = FORMULAS[name](X.astype("float64"))
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("negative_slope", [0.0, 0.3])
@pytest.mark.parametrize("max_value", [None, 2.5])
@pytest.mark.parametrize("threshold", [0.0, 1.5, -1.0])
def test_relu_with_arguments(
    negative_slope: float, max_value: float | None, threshold: float
) -> None:
    x = ops.convert_to_tensor(X)
    y = activations.relu(x, negative_slope, max_value, threshold)
    expected = np.where(threshold <= X, X, negative_slope * (X - threshold))
    if max_value is not None:
        expected = np.minimum(expected, max_value)
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=1e-6, atol=1e-6)


def test_gelu_through_tanh() -> None:
    y = activations.gelu(ops.convert_to_tensor(X), approximate=True)
    x = X.astype("float64")
    expected = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_names_round_trip(name: str) -> None:
    function = activations.get(name)
    assert activations.get(function) is function
    assert activations.get(activations.serialize(function)) is function
    assert activations.deserialize(activations.serialize(function)) is function


def test_none_is_linear() -> None:
    assert activations.get(None) is activations.linear
    x = object()
    assert activations.linear(x) is x


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ArgumentError, match=r"Unknown activation 'rleu'\. Did you mean 'relu'\?"):
        activations.get("rleu")
    with pytest.raises(ArgumentError, match="Unknown activation 'deserialize'"):
        activations.get("deserialize")


def double(x):
    return x * 2


def test_functions_of_users() -> None:
    assert activations.get(double) is double
    config = activations.serialize(double)
    assert activations.deserialize(config, {"double": double}) is double
    assert activations.deserialize("double", {"double": double}) is double
    with pytest.raises(LoadError, match="unknown function 'double'"):
        activations.deserialize(config)


def test_ops_are_activations() -> None:
    config = activations.serialize(ops.sin)
    assert config["module"] == "keras.ops"
    assert activations.get(config) is ops.sin
