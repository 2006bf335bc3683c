"""Masks on their way through models of every kind, and into the loss."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops

WORDS = np.array([[3, 1, 0, 0], [2, 2, 4, 0], [1, 4, 2, 5]])
MASK = WORDS != 0


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class Spy(mlapi.Layer):
    """Keeps the mask that it gets."""

    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = []

    def call(self, x, mask=None):
        self.seen.append(mask)
        return x


class Reader(mlapi.Model):
    def __init__(self, embedding, spy):
        super().__init__()
        self.embedding = embedding
        self.inner = mlapi.Sequential([layers.Dropout(0.5), layers.Dense(2), spy])
        self.pool = layers.GlobalAveragePooling1D()

    def call(self, words):
        return self.pool(self.inner(self.embedding(words)))


def functional(embedding, spy):
    words = mlapi.Input((4,), dtype="int32")
    x = layers.Dense(2)(layers.Dropout(0.5)(embedding(words)))
    return mlapi.Model(words, layers.GlobalAveragePooling1D()(spy(x)))


def sequential(embedding, spy):
    stack = [embedding, layers.Dropout(0.5), layers.Dense(2), spy, layers.GlobalAveragePooling1D()]
    return mlapi.Sequential(stack)


def nested(embedding, spy):
    words = mlapi.Input((4,), dtype="int32")
    inner = mlapi.Sequential([mlapi.Input((4, 3)), layers.Dropout(0.5), layers.Dense(2), spy])
    return mlapi.Model(words, layers.GlobalAveragePooling1D()(inner(embedding(words))))


@pytest.fixture(params=[functional, sequential, nested, Reader])
def model_and_spy(request):
    spy = Spy()
    return request.param(layers.Embedding(6, 3, mask_zero=True, name="words"), spy), spy


def expected(model):
    table, kernel, bias = model.get_weights()
    x = table[WORDS] @ kernel + bias
    return (x * MASK[..., None]).sum(1) / MASK.sum(1, keepdims=True)


def test_masks_travel(model_and_spy):
    model, spy = model_and_spy
    for _ in range(2):
        result = numpy(model(WORDS))
        np.testing.assert_array_equal(numpy(spy.seen[-1]), MASK)
        np.testing.assert_allclose(result, expected(model), 1e-5, 1e-6)


def test_masks_travel_in_compiled_steps(model_and_spy):
    model, _ = model_and_spy
    model.compile("sgd", "mse")
    result = model.predict(WORDS, verbose=0)
    np.testing.assert_allclose(result, expected(model), 1e-5, 1e-6)
    target = np.zeros_like(result)
    np.testing.assert_allclose(model.evaluate(WORDS, target, verbose=0), (result**2).mean(), 1e-4)


def test_an_explicit_mask_wins():
    spy = Spy()
    other = np.array([[True, False, True, True]] * 3)
    words = mlapi.Input((4,), dtype="int32")
    x = layers.Embedding(6, 3, mask_zero=True)(words)
    model = mlapi.Model(words, spy(x, mask=ops.convert_to_tensor(other)))
    model(WORDS)
    np.testing.assert_array_equal(numpy(spy.seen[-1]), other)


def test_a_layer_that_knows_nothing_of_masks_ends_them():
    class Sum(mlapi.Layer):
        def call(self, x):
            return x + 0.0

    spy = Spy()
    model = mlapi.Sequential([layers.Embedding(6, 3, mask_zero=True), Sum(), spy])
    model(WORDS)
    assert spy.seen[-1] is None


def test_layers_may_change_masks():
    class Shift(mlapi.Layer):
        def call(self, x):
            return x

        def compute_mask(self, inputs, previous_mask):
            return ops.logical_not(previous_mask)

    spy = Spy()
    mlapi.Sequential([layers.Embedding(6, 3, mask_zero=True), Shift(), spy])(WORDS)
    np.testing.assert_array_equal(numpy(spy.seen[-1]), ~MASK)


class Marks(mlapi.Layer):
    """A user's own source of masks."""

    supports_masking = True

    def call(self, x):
        return x

    def compute_mask(self, inputs, previous_mask=None):
        return ops.any(ops.not_equal(inputs, 0), -1)


@pytest.mark.parametrize("source", [Marks, layers.Masking])
def test_vectors_of_zeros_are_marked(source):
    x = np.where(MASK[..., None], [1.0, 2.0], 0.0).astype("float32")
    inputs, spy = mlapi.Input((4, 2)), Spy()
    for model in (
        mlapi.Sequential([source(), layers.Dropout(0.5), spy]),
        mlapi.Model(inputs, spy(layers.Dropout(0.5)(source()(inputs)))),
    ):
        model(x)
        np.testing.assert_array_equal(numpy(spy.seen[-1]), MASK)


def test_masked_steps_do_not_count_in_the_loss():
    model = mlapi.Sequential([layers.Embedding(6, 3, mask_zero=True), layers.Dense(1)])
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    model(WORDS)
    target = np.random.default_rng(0).standard_normal((3, 4, 1)).astype("float32")
    table, kernel, bias = model.get_weights()
    error = (table[WORDS] @ kernel + bias - target)[MASK]
    loss, mae = model.evaluate(WORDS, target, verbose=0)
    np.testing.assert_allclose(loss, (error**2).mean(), 1e-5)
    np.testing.assert_allclose(mae, np.abs(error).mean(), 1e-5)
