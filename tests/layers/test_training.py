"""What layers do while training and only then, and what they remember of it."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops

X = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
ONES = np.ones((200, 100), "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@pytest.mark.parametrize("rate", [0.2, 0.75])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    layer = layers.Dropout(rate, seed=1)
    y = numpy(layer(ONES, training=True))
    # 20000 draws: four standard deviations of the share are below 0.015.
    assert abs((y == 0).mean() - rate) < 0.015
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)
    np.testing.assert_array_equal(numpy(layer(ONES)), ONES)


def test_dropout_draws_anew_each_time_and_repeats_from_its_seed():
    one, other = layers.Dropout(0.5, seed=1), layers.Dropout(0.5, seed=1)
    first, second = numpy(one(ONES, training=True)), numpy(one(ONES, training=True))
    assert (first != second).any()
    np.testing.assert_array_equal(numpy(other(ONES, training=True)), first)


def test_dropout_draws_anew_in_compiled_calls():
    layer = layers.Dropout(0.5)
    run = mlapi.jit(lambda x: layer(x, training=True), layer)
    x = ops.convert_to_tensor(ONES)
    assert (numpy(run(x)) != numpy(run(x))).any()


def test_dropout_of_nothing_and_of_all():
    np.testing.assert_array_equal(numpy(layers.Dropout(0)(ONES, training=True)), ONES)
    np.testing.assert_array_equal(numpy(layers.Dropout(1)(ONES, training=True)), 0 * ONES)


def test_dropout_shares_draws_along_axes():
    x = np.ones((4, 5, 30), "float32")
    y = numpy(layers.Dropout(0.5, noise_shape=(None, 1, None))(x, training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    spatial = numpy(layers.SpatialDropout1D(0.5)(x, training=True))
    np.testing.assert_array_equal(spatial, np.broadcast_to(spatial[:, :1], spatial.shape))
    assert len(np.unique(spatial)) == 2


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_spatial_dropout_takes_whole_maps(data_format):
    x = np.ones((2, 40, 5, 5), "float32")
    x = x if data_format == "channels_first" else np.moveaxis(x, 1, -1)
    y = numpy(layers.SpatialDropout2D(0.5, data_format)(x, training=True))
    y = y if data_format == "channels_first" else np.moveaxis(y, -1, 1)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :, :1, :1], y.shape))
    assert len(np.unique(y)) == 2


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_spatial_dropout_takes_whole_volumes(data_format):
    x = np.ones((2, 60, 2, 3, 2), "float32")
    x = x if data_format == "channels_first" else np.moveaxis(x, 1, -1)
    y = numpy(layers.SpatialDropout3D(0.5, data_format, seed=1)(x, training=True))
    y = y if data_format == "channels_first" else np.moveaxis(y, -1, 1)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :, :1, :1, :1], y.shape))
    # 120 draws: four standard deviations of the share are below 0.19.
    assert abs((y[:, :, 0, 0, 0] == 0).mean() - 0.5) < 0.19


@pytest.mark.parametrize("rate", [0.1, 0.6])
def test_alpha_dropout_keeps_mean_and_variance(rate):
    x = np.random.default_rng(2).standard_normal((400, 100)).astype("float32")
    layer = layers.AlphaDropout(rate, seed=1)
    y = numpy(layer(x, training=True))
    low = -1.0507009873554805 * 1.6732632423543772
    a = ((1 - rate) * (1 + rate * low**2)) ** -0.5
    dropped = abs(y - (a * low - a * low * rate)) < 1e-5
    # 40000 draws: four standard deviations of the share are below 0.01, of mean and variance
    # below 0.02 and 0.05.
    assert abs(dropped.mean() - rate) < 0.01
    np.testing.assert_allclose(y[~dropped], (a * x - a * low * rate)[~dropped], 1e-4, 1e-5)
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.05
    np.testing.assert_array_equal(numpy(layer(x)), x)


def test_alpha_dropout_shares_draws_along_axes():
    x = np.zeros((20, 10), "float32")
    y = numpy(layers.AlphaDropout(0.5, noise_shape=(None, 1), seed=1)(x, training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert len(np.unique(y)) == 2


def test_gaussian_dropout_has_the_deviation_of_a_dropout():
    layer = layers.GaussianDropout(0.2, seed=1)
    noise = numpy(layer(3 * ONES, training=True)) / 3
    # 20000 draws of deviation 1/2.
    assert abs(noise.mean() - 1) < 0.015
    assert abs(noise.std() - 0.5) < 0.01
    np.testing.assert_array_equal(numpy(layer(ONES)), ONES)


@pytest.mark.parametrize(
    "make",
    [
        lambda rate: layers.AlphaDropout(rate, seed=3),
        lambda rate: layers.GaussianDropout(rate, seed=3),
        lambda rate: layers.GaussianNoise(rate, seed=3),
    ],
)
def test_noise_repeats_from_its_seed_and_is_nothing_at_zero(make):
    one, other = make(0.5), make(0.5)
    first, second = (numpy(one(ONES, training=True)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(numpy(other(ONES, training=True)), first)
    np.testing.assert_array_equal(numpy(make(0)(ONES, training=True)), ONES)


def test_activity_regularization_adds_to_the_loss():
    layer = layers.ActivityRegularization(l1=0.1, l2=0.2)
    np.testing.assert_array_equal(numpy(layer(X)), X)
    expected = (0.1 * abs(X).sum() + 0.2 * (X**2).sum()) / len(X)
    np.testing.assert_allclose([float(loss) for loss in layer.losses], [expected], 1e-5)


def test_gaussian_noise_has_its_deviation():
    noise = numpy(layers.GaussianNoise(0.3)(ONES, training=True)) - 1
    assert abs(noise.std() - 0.3) < 0.01
    assert abs(noise.mean()) < 0.01


def test_batch_normalization_keeps_moving_averages():
    layer = layers.BatchNormalization(momentum=0.8)
    layer(X)
    for _ in range(2):
        layer(X, training=True)
    kept = 0.8**2
    np.testing.assert_allclose(layer.moving_mean.numpy(), (1 - kept) * X.mean(0), 1e-4, 1e-6)
    variance = kept + (1 - kept) * X.var(0)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, 1e-4)
    expected = (X - layer.moving_mean.numpy()) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(numpy(layer(X)), expected, 1e-4, 1e-5)


def test_frozen_batch_normalization_neither_learns_nor_looks_at_the_batch():
    layer = layers.BatchNormalization()
    layer(X)
    layer.trainable = False
    np.testing.assert_allclose(numpy(layer(X, training=True)), X / np.sqrt(1.001), 1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(3))
    assert layer.trainable_variables == []


def test_batch_normalization_has_two_trainable_weights():
    layer = layers.BatchNormalization()
    layer(X)
    assert [w.name for w in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]


@pytest.mark.parametrize("clipping", [None, {"rmin": 0.8, "rmax": 1.2, "dmax": 0.1}])
def test_batch_renormalization(clipping):
    layer = layers.BatchNormalization(
        renorm=True, renorm_clipping=clipping, renorm_momentum=0.9, momentum=0.8
    )
    layer(X)
    mean, stddev = X.mean(0), np.sqrt(X.var(0) + 1e-3)
    renorm_mean, renorm_stddev = np.zeros(3), np.ones(3)
    for _ in range(2):
        r, d = stddev / renorm_stddev, (mean - renorm_mean) / renorm_stddev
        if clipping:
            r, d = np.clip(r, 0.8, 1.2), np.clip(d, -0.1, 0.1)
        expected = (X - mean) / stddev * r + d
        np.testing.assert_allclose(numpy(layer(X, training=True)), expected, 1e-4, 1e-5)
        renorm_mean = 0.9 * renorm_mean + 0.1 * mean
        renorm_stddev = 0.9 * renorm_stddev + 0.1 * stddev
    moving_stddev = 0.8**2 + (1 - 0.8**2) * stddev
    np.testing.assert_allclose(layer.renorm_stddev.numpy(), renorm_stddev, 1e-4)
    np.testing.assert_allclose(layer.moving_stddev.numpy(), moving_stddev, 1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), moving_stddev**2 - 1e-3, 1e-4)


def test_layers_learn():
    """A stack of the common layers fits a small pattern, so the gradients lead somewhere."""
    x = np.random.default_rng(1).standard_normal((64, 8, 8, 1)).astype("float32")
    y = (x[:, :4].sum((1, 2, 3)) > x[:, 4:].sum((1, 2, 3))).astype("int32")
    model = mlapi.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.1),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(mlapi.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    losses = model.fit(x, y, epochs=20, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
