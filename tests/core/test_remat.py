"""Rematerialization: the same numbers, and every assignment once."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def numpy(tensors) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(x)) for x in tensors]


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: mlapi.jit(f, [])], ids=["eager", "jit"])
def test_slope_of_a_function(wrap) -> None:
    def f(x, scale):
        return ops.sum(ops.sin(ops.square(x)) * scale)

    found = wrap(mlapi.grad(lambda x: mlapi.remat(f)(x, scale=3.0)))(ops.convert_to_tensor(X))
    np.testing.assert_allclose(*numpy([found, 6 * X * np.cos(X**2)]), rtol=1e-5, atol=1e-5)


def make(scope: mlapi.RematScope) -> layers.Layer:
    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.dense = layers.Dense(8, activation="tanh", name="dense")
            self.norm = layers.BatchNormalization(momentum=0.5, name="norm")
            self.drop = layers.Dropout(0.5, seed=1, name="drop")

        def call(self, x, training=None):
            return self.drop(self.norm(self.dense(x), training=training), training=training)

    mlapi.utils.set_random_seed(1)
    with scope:
        block = Block()
    block(X)
    return block


def train(block: layers.Layer, compiled: bool) -> list[np.ndarray]:
    """The slopes, and all Variables after them."""
    variables = block.trainable_variables
    slopes = mlapi.grad(lambda: ops.sum(ops.square(block(X, training=True))), variables)
    grads = (mlapi.jit(slopes, block) if compiled else slopes)()
    return numpy([*grads, *(v.value for v in block.variables)])


@pytest.mark.parametrize(
    "scope",
    [
        mlapi.RematScope(),
        mlapi.RematScope("activations"),
        mlapi.RematScope("larger_than", output_size_threshold=4),
        mlapi.RematScope("list_of_layers", layer_names=["norm", "drop"]),
    ],
    ids=lambda scope: scope.mode,
)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])
def test_layers_made_in_a_scope(scope: mlapi.RematScope, compiled: bool) -> None:
    expected = train(make(mlapi.RematScope(None)), compiled)
    for one, other in zip(train(make(scope), compiled), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_a_model_is_trained() -> None:
    def losses(mode):
        mlapi.utils.set_random_seed(3)
        with mlapi.RematScope(mode):
            model = mlapi.Sequential(
                [mlapi.Input((4,)), layers.Dense(8, "gelu"), layers.BatchNormalization()]
            )
        model.compile("adam", "mse")
        return model.fit(X, np.ones((6, 8)), epochs=3, verbose=0).history["loss"]

    np.testing.assert_allclose(losses("full"), losses(None), rtol=1e-5)


def test_scopes_end() -> None:
    with mlapi.RematScope("full"):
        with mlapi.RematScope(None):
            plain = layers.Dense(1)
        kept = layers.Dense(1)
    assert "call" not in vars(layers.Dense(1))
    assert "call" in vars(kept)
    assert plain.call.__func__ is layers.Dense.call
    with pytest.raises(ArgumentError, match="Did you mean 'larger_than'"):
        mlapi.RematScope("larger")
