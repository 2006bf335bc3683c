"""Every layer of the table against Keras's: outputs and gradients, with the same weights."""

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


def numpy(structure: Any) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(ops.stop_gradient(x))) for x in tree.flatten(structure)]


@pytest.mark.parametrize(
    "row", PAIRS, ids=[f"{row.layer.__name__}-{i}" for i, row in enumerate(PAIRS)]
)
def test_layer(row: Row) -> None:
    ours = row.layer(**row.arguments)
    theirs = of_keras(row.layer)(**row.arguments)
    ours(row.inputs, **row.call)
    theirs(row.inputs, **row.call)
    weights = ours.get_weights()
    assert [w.shape for w in weights] == [w.shape for w in theirs.get_weights()]
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    found, expected = numpy(ours(row.inputs, **row.call)), numpy(theirs(row.inputs, **row.call))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, TOLERANCE, TOLERANCE)
    ours.set_weights(weights)
    theirs.set_weights(weights)
    rng = np.random.default_rng(0)
    factors = [rng.normal(size=x.shape).astype("float32") for x in found]
    slopes = gradients(ours, row, factors)
    for (name, one), other in zip(slopes, gradients_of_keras(theirs, row, factors), strict=True):
        scale = max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(one / scale, other / scale, 1e-4, TOLERANCE, err_msg=name)


def gradients(layer: Any, row: Row, factors: list[np.ndarray]) -> list[tuple[str, np.ndarray]]:
    variables = layer.trainable_variables

    def loss() -> Any:
        outputs = tree.flatten(layer(row.inputs, **row.call))
        return sum(ops.sum(ops.multiply(y, f)) for y, f in zip(outputs, factors, strict=True))

    if not variables:
        return []
    grads = mlapi.grad(loss, variables)()
    return [(v.path, ops.convert_to_numpy(g)) for v, g in zip(variables, grads, strict=True)]


def gradients_of_keras(layer: Any, row: Row, factors: list[np.ndarray]) -> list[np.ndarray]:
    variables = layer.trainable_variables
    if not variables:
        return []

    def loss(outputs: Any) -> Any:
        outputs = tree.flatten(outputs)
        return sum(
            keras.ops.sum(keras.ops.multiply(y, f)) for y, f in zip(outputs, factors, strict=True)
        )

    return numpy(GRADIENTS[keras.backend.backend()](layer, variables, loss, row))


def _torch(layer: Any, variables: list[Any], loss: Any, row: Row) -> Any:
    import torch

    values = [v.value for v in variables]
    return torch.autograd.grad(loss(layer(row.inputs, **row.call)), values)


def _jax(layer: Any, variables: list[Any], loss: Any, row: Row) -> Any:
    import jax

    fixed = [v.value for v in layer.non_trainable_variables]

    def run(values: list[Any]) -> Any:
        outputs, _ = layer.stateless_call(values, fixed, row.inputs, **row.call)
        return loss(outputs)

    return jax.grad(run)([v.value for v in variables])


def _tensorflow(layer: Any, variables: list[Any], loss: Any, row: Row) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = loss(layer(row.inputs, **row.call))
    grads = tape.gradient(total, [v.value for v in variables])
    return [tf.convert_to_tensor(g) for g in grads]


GRADIENTS = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}
