"""Normalization: what holds besides the table; wrapped layers, processes that stand alone."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops

X = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")


def numpy(x):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(x)))


def norm(kernel):
    return np.linalg.norm(kernel.numpy().reshape(-1, kernel.shape[-1]), 2)


def test_layer_normalization_by_the_deviation_alone():
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32") + 1
    with pytest.warns(DeprecationWarning, match="RMSNormalization"):
        layer = layers.LayerNormalization(axis=[-1, 1], rms_scaling=True)
    layer(x)
    assert [w.name for w in layer.weights] == ["gamma"]
    gamma = np.arange(1.0, 13.0, dtype="float32").reshape(4, 3)
    layer.set_weights([gamma])
    expected = x / np.sqrt(x.var((1, 2), keepdims=True) + 1e-3) * gamma.T
    np.testing.assert_allclose(numpy(layer(x)), expected, 1e-5)


def test_batch_normalization_of_a_process_alone_has_nothing_to_synchronize():
    mask = np.array([True, False, True, True, False, True])
    for call in ({}, {"mask": mask}):
        alone, one_of_many = (layers.BatchNormalization(synchronized=s) for s in (False, True))
        found, expected = (f(X, training=True, **call) for f in (one_of_many, alone))
        np.testing.assert_allclose(numpy(found), numpy(expected), 1e-5, 1e-6)
        for one, other in zip(one_of_many.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, 1e-5, 1e-6)


def test_what_is_masked_may_be_anything():
    x = np.where(np.arange(6)[:, None] == 2, np.nan, X).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True, mask=np.arange(6) != 2)
    np.testing.assert_allclose(layer.moving_mean.numpy(), np.delete(X, 2, 0).mean(0), 1e-5, 1e-6)


def test_renormalization_starts_from_the_given_averages():
    layer = layers.BatchNormalization(
        renorm=True, moving_mean_initializer="ones", moving_variance_initializer=_fours
    )
    layer(X)
    assert [w.name for w in layer.non_trainable_weights] == [
        *("moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev")
    ]
    found = [w[0] for w in layer.get_weights()[2:]]
    np.testing.assert_array_equal(found, [1, 4, 2, 1, 2])


def _fours(shape, dtype=None):
    return np.full(shape, 4.0)


def test_spectral_normalization_has_the_weights_of_keras():
    layer = layers.SpectralNormalization(layers.Dense(3, name="inner"), name="outer")
    layer(X)
    assert [(w.path, w.shape) for w in layer.weights] == [
        ("outer/inner/kernel", (4, 3)),
        ("outer/vector_u", (1, 3)),
        ("outer/inner/bias", (3,)),
    ]
    assert [w.name for w in layer.trainable_weights] == ["kernel", "bias"]
    store: dict[str, np.ndarray] = {}
    layer.save_own_variables(store)
    assert [store[key].shape for key in store] == [(4, 3), (1, 3)]


def test_a_wrapped_kernel_stays_at_norm_one_in_training():
    stack = [
        layers.SpectralNormalization(layers.Conv2D(3, 2), power_iterations=3),
        layers.Flatten(),
        layers.SpectralNormalization(layers.Dense(1), power_iterations=3),
    ]
    model = mlapi.Sequential([mlapi.Input((5, 5, 2)), *stack])
    model.compile(mlapi.optimizers.SGD(1e-3), "mse")
    x = np.random.default_rng(0).standard_normal((16, 5, 5, 2)).astype("float32")
    model.fit(x, x.mean((1, 2, 3)), epochs=10, batch_size=8, verbose=0)
    for layer in stack[::2]:
        assert abs(norm(layer.layer.kernel) - 1) < 0.02
        assert type(layer.layer.kernel) is mlapi.Variable


def test_a_wrapped_layer_may_be_called_twice_in_a_step():
    """As that of a discriminator: once on data, once on what was made up."""
    layer = layers.SpectralNormalization(layers.Dense(1, kernel_regularizer="l2"))
    layer(X)

    def loss():
        real, made = layer(X, training=True), layer(-X + 1, training=True)
        return ops.sum(real - made) + sum(layer.losses)

    slopes = mlapi.grad(loss, layer.trainable_variables)()
    assert all(np.isfinite(numpy(slope)).all() for slope in slopes)
    assert np.abs(numpy(slopes[0])).sum() > 0


def test_kernels_of_zeros_and_tables_of_words_are_divided_too():
    zeros = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    zeros(X)
    before = zeros.get_weights()
    np.testing.assert_array_equal(numpy(zeros(X, training=True)), np.zeros((6, 2)))
    for one, other in zip(zeros.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    table = layers.SpectralNormalization(layers.Embedding(5, 3), power_iterations=30)
    found = numpy(table(np.array([1, 4]), training=True))
    assert abs(norm(table.layer.embeddings) - 1) < 1e-3
    np.testing.assert_allclose(found, table.layer.embeddings.numpy()[[1, 4]], 1e-5)


def test_members_can_be_looked_up_on_the_class():
    names = "num_heads key_dim value_dim use_bias dropout attention_axes query_dense key_dense"
    for name in (*names.split(), "value_dense", "output_dense"):
        assert hasattr(layers.MultiHeadAttention, name)
    assert callable(layers.SpectralNormalization.normalized_weights)
