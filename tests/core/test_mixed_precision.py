"""Layers that compute in another float type than that of their variables."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


class Reads(layers.Layer):
    """Notes in which dtypes its variables are read."""

    def build(self, input_shape):
        self.cast = self.add_weight(shape=(4,), initializer="ones", name="cast")
        self.kept = self.add_weight(shape=(4,), initializer="ones", autocast=False, name="kept")
        self.count = self.add_weight(shape=(), dtype="int32", initializer="ones", name="count")

    def call(self, x):
        self.found = [ops.dtype(v) for v in (x, self.cast.value, self.kept.value, self.count.value)]
        return x * self.cast


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_variables_are_read_in_the_dtype_of_the_computation(kind: str) -> None:
    layer = Reads(dtype=f"mixed_{kind}")
    for _ in range(3):  # the first call builds, later ones are short
        assert ops.dtype(layer(X)) == kind
        assert layer.found == [kind, kind, "float32", "int32"]
        assert ops.dtype(layer(ops.cast(X, kind))) == kind
        assert layer.found == [kind, kind, "float32", "int32"]
    assert ops.dtype(layer.cast.value) == layer.cast.dtype == "float32"
    assert layer(mlapi.Input((4,))).dtype == kind
    compiled = mlapi.jit(lambda x: layer(x), layer)
    assert ops.dtype(compiled(ops.convert_to_tensor(X))) == kind


def test_without_autocast_nothing_is_cast() -> None:
    layer = Reads(dtype="mixed_float16", autocast=False)
    for _ in range(3):
        assert ops.dtype(layer(X)) == "float32"
        assert layer.found == ["float32", "float32", "float32", "int32"]


def test_each_layer_has_its_own_dtype() -> None:
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__(dtype="mixed_bfloat16")
            self.inner = [Reads(dtype="float32"), Reads(dtype="mixed_float16"), Reads(dtype=None)]

        def build(self, input_shape):
            self.weight = self.add_weight(shape=(4,), initializer="ones")

        def call(self, x):
            for layer in self.inner:
                layer(x)
            return x * self.weight

    outer = Outer()
    for _ in range(2):
        assert ops.dtype(outer(X)) == "bfloat16"
        found = [layer.found for layer in outer.inner]
        assert [dtypes[0] for dtypes in found] == ["float32", "float16", "float32"]
        assert [dtypes[1] for dtypes in found] == ["float32", "float16", "float32"]


def test_an_error_leaves_no_trace() -> None:
    class Fails(Reads):
        def call(self, x):
            raise KeyError("inside")

    with pytest.raises(KeyError):
        Fails(dtype="mixed_bfloat16")(X)
    layer = Reads()
    layer(X)
    assert layer.found == ["float32", "float32", "float32", "int32"]


def test_gradients_have_the_dtype_of_the_variables() -> None:
    exact, mixed = (layers.Dense(2, dtype=dtype) for dtype in ("float32", "mixed_bfloat16"))
    exact(X)
    mixed(X)
    mixed.set_weights(exact.get_weights())

    def slopes(layer):
        variables = layer.trainable_variables
        loss = lambda: ops.sum(ops.square(ops.cast(layer(X), "float32")))  # noqa: E731
        return mlapi.grad(loss, variables)()

    for one, other in zip(slopes(mixed), slopes(exact), strict=True):
        assert ops.dtype(one) == "float32"
        np.testing.assert_allclose(
            ops.convert_to_numpy(one), ops.convert_to_numpy(other), rtol=0.1, atol=0.1
        )


def test_models_of_many_dtypes() -> None:
    x = mlapi.Input((4,))
    words = mlapi.Input((2,), dtype="int32")
    y = layers.Dense(3, dtype="mixed_bfloat16")(x)
    z = layers.Embedding(5, 3, dtype="mixed_bfloat16")(words)
    total = layers.Softmax(dtype="float32")(layers.add([y, layers.Flatten()(z)[:, :3]]))
    model = mlapi.Model([x, words], [total, y])
    assert [t.dtype for t in model.outputs] == ["float32", "bfloat16"]
    ids = np.array([[1, 2]] * 3)
    for given in ([X, ids], [X.astype("float64"), ids.astype("float32")]):
        found = model(given)
        assert [ops.dtype(t) for t in found] == ["float32", "bfloat16"]
        np.testing.assert_allclose(ops.convert_to_numpy(ops.sum(found[0], -1)), 1, rtol=1e-5)
