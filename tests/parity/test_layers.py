"""Every layer of the table against Keras's: outputs and gradients, with the same weights."""

import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import mlapi
from mlapi import ops, tree
from tests.layers.cases import ROWS, Row


def of_keras(layer: Any) -> Any:
    """Keras's class of the same name, or what stands in the table for one of Keras's."""
    if hasattr(layer, "of"):
        return layer.of(keras.layers)
    return getattr(keras.layers, layer.__name__, None)


PAIRS = [row for row in ROWS if of_keras(row.layer)]
TOLERANCE = 1e-5


def in_keras(value: Any) -> Any:
    """An argument with Keras's layers and ops in the place of ours."""
    if isinstance(value, dict):
        return {name: in_keras(item) for name, item in value.items()}
    if isinstance(value, list):
        return [in_keras(item) for item in value]
    if isinstance(value, mlapi.Layer):
        return keras.layers.deserialize(mlapi.layers.serialize(value))
    if callable(value) and getattr(ops, getattr(value, "__name__", ""), None) is value:
        return getattr(keras.ops, value.__name__)
    return value


def numpy(structure: Any) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(ops.stop_gradient(x))) for x in tree.flatten(structure)]


def is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def name_of(index: int, row: Row) -> str:
    """The layer, which of its rows, and the arguments: entries of differences.toml name them."""
    count = sum(other.layer is row.layer for other in PAIRS[:index])
    arguments = [f"{name}={value}" for name, value in row.arguments.items() if is_plain(value)]
    return f"{row.layer.__name__}-{count}-{','.join(arguments)}"


EACH = [pytest.param(row, id=name_of(i, row)) for i, row in enumerate(PAIRS)]
# Functions, layers and the table's own classes have no names that the two libraries share, and
# Keras writes no `use_cudnn`.
WRITTEN = [
    each
    for each, row in zip(EACH, PAIRS, strict=True)
    if is_plain(row.arguments) and not hasattr(row.layer, "of") and "use_cudnn" not in row.arguments
]


@pytest.mark.parametrize("row", WRITTEN)
def test_config(row: Row) -> None:
    """Either library makes its layer of the other's config, and nothing is lost."""
    ours = row.layer(**row.arguments, name="same")
    theirs = getattr(keras.layers, row.layer.__name__)(**row.arguments, name="same")
    read = mlapi.layers.deserialize(json.loads(json.dumps(keras.layers.serialize(theirs))))
    assert type(read) is type(ours)
    assert read.get_config() == ours.get_config()
    back = keras.layers.deserialize(json.loads(json.dumps(mlapi.layers.serialize(ours))))
    assert back.get_config() == theirs.get_config()


@pytest.mark.parametrize("row", EACH)
def test_layer(row: Row) -> None:
    theirs = of_keras(row.layer)(**in_keras(row.arguments))
    ours = row.layer(**row.arguments)
    ours(row.inputs, **row.call)
    theirs(row.inputs, **row.call)
    rng = np.random.default_rng(0)
    for variable in ours.trainable_variables:  # or biases would be 0, and tell nothing
        noise = rng.normal(scale=0.3, size=variable.shape)
        variable.assign(variable.numpy() + noise.astype("float32"))
    weights = ours.get_weights()
    assert [w.shape for w in weights] == [w.shape for w in theirs.get_weights()]
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    theirs.set_weights(weights)
    found, expected = numpy(ours(row.inputs, **row.call)), numpy(theirs(row.inputs, **row.call))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, TOLERANCE, TOLERANCE)
    if not row.options.get("gradients", True):
        return
    ours.set_weights(weights)
    theirs.set_weights(weights)
    factors = [rng.normal(size=x.shape).astype("float32") for x in found]
    slopes = gradients(ours, row, factors)
    for (name, one), other in zip(slopes, gradients_of_keras(theirs, row, factors), strict=True):
        scale = max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(one / scale, other / scale, 1e-4, TOLERANCE, err_msg=name)


def moving(row: Row) -> list[np.ndarray]:
    """The inputs that have gradients."""
    inputs = tree.flatten(row.inputs)
    return inputs if all(x.dtype.kind == "f" for x in inputs) else []


def gradients(layer: Any, row: Row, factors: list[np.ndarray]) -> list[tuple[str, np.ndarray]]:
    """Of the inputs, if they are floats, then of the weights."""
    slots = [mlapi.Variable(x) for x in moving(row)]
    variables = layer.trainable_variables

    def loss() -> Any:
        inputs = tree.pack_sequence_as(row.inputs, [x.value for x in slots]) if slots else None
        outputs = tree.flatten(layer(row.inputs if inputs is None else inputs, **row.call))
        return sum(ops.sum(ops.multiply(y, f)) for y, f in zip(outputs, factors, strict=True))

    found = mlapi.grad(loss, [*slots, *variables])() if slots or variables else []
    names = [f"input {i}" for i in range(len(slots))] + [v.path for v in variables]
    return list(zip(names, numpy(found), strict=True))


def gradients_of_keras(layer: Any, row: Row, factors: list[np.ndarray]) -> list[np.ndarray]:
    if not moving(row) and not layer.trainable_variables:
        return []

    def loss(outputs: Any) -> Any:
        outputs = tree.flatten(outputs)
        return sum(
            keras.ops.sum(keras.ops.multiply(y, f)) for y, f in zip(outputs, factors, strict=True)
        )

    return numpy(GRADIENTS[keras.backend.backend()](layer, loss, row))


def packed(row: Row, convert: Callable[[np.ndarray], Any]) -> tuple[Any, list[Any]]:
    """The inputs as tensors of the framework, and those of them that move, in a list."""
    inputs = tree.map_structure(convert, row.inputs)
    return inputs, tree.flatten(inputs) if moving(row) else []


def _torch(layer: Any, loss: Any, row: Row) -> Any:
    import torch

    inputs, leaves = packed(row, torch.tensor)
    leaves = [x.requires_grad_() for x in leaves]
    values = [v.value for v in layer.trainable_variables]
    return torch.autograd.grad(loss(layer(inputs, **row.call)), [*leaves, *values])


def _jax(layer: Any, loss: Any, row: Row) -> Any:
    import jax

    fixed = [v.value for v in layer.non_trainable_variables]
    inputs, leaves = packed(row, jax.numpy.asarray)

    def run(leaves: list[Any], values: list[Any]) -> Any:
        x = tree.pack_sequence_as(inputs, leaves) if leaves else inputs
        outputs, _ = layer.stateless_call(values, fixed, x, **row.call)
        return loss(outputs)

    values = [v.value for v in layer.trainable_variables]
    return [x for part in jax.grad(run, (0, 1))(leaves, values) for x in part]


def _tensorflow(layer: Any, loss: Any, row: Row) -> Any:
    import tensorflow as tf

    inputs, leaves = packed(row, tf.convert_to_tensor)
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        total = loss(layer(inputs, **row.call))
    grads = tape.gradient(total, [*leaves, *(v.value for v in layer.trainable_variables)])
    return [tf.convert_to_tensor(g) for g in grads]


GRADIENTS = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}
