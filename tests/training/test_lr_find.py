"""The learning-rate range test, and that it leaves nothing changed."""

import random

import numpy as np
import pytest

import mlapi
from mlapi import layers, optimizers
from mlapi.errors import ArgumentError, DataError

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True) + np.cos(np.arange(16, dtype="float32"))[:, None]


def linear(optimizer=None, inner=()):
    model = mlapi.Sequential(
        [mlapi.Input((3,)), *inner, layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )
    model.compile(optimizer or optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def range_test(rates, smoothing):
    """By hand: all rows are one batch, whose order is nothing to the loss."""
    w, mean, losses, smoothed = np.zeros((3, 1)), 0.0, [], []
    for i, rate in enumerate(rates, start=1):
        residual = X.astype("float64") @ w - Y
        losses.append(np.mean(residual**2))
        w = w - rate * 2 / len(X) * X.T @ residual
        mean = smoothing * mean + (1 - smoothing) * losses[-1]
        smoothed.append(mean / (1 - smoothing**i))
        if smoothed[-1] > 4 * min(smoothed):
            break
    return losses, smoothed


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optimizers.SGD(0.01),
        lambda: optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 10)),
        lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.01)),
    ],
)
def test_it_is_the_range_test(optimizer):
    found = linear(optimizer()).lr_find(
        X, Y, batch_size=16, min_rate=1e-3, max_rate=100.0, steps=40, smoothing=0.7
    )
    rates = np.geomspace(1e-3, 100, 40)
    losses, smoothed = range_test(rates, 0.7)
    assert 20 < len(smoothed) < 40  # it stopped early
    np.testing.assert_allclose(found.rates, rates[: len(smoothed)], rtol=1e-6)
    np.testing.assert_allclose(found.batch_losses, losses, rtol=1e-3)
    np.testing.assert_allclose(found.losses, smoothed, rtol=1e-3)
    slopes = np.gradient(smoothed, np.log(rates[: len(smoothed)]))
    skipped = len(smoothed) // 10
    steepest = skipped + np.argmin(slopes[skipped : np.argmin(smoothed) + 1])
    assert found.suggestion == pytest.approx(rates[steepest])


def everything(model):
    held = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [v.numpy() for v in held]


def same_afterwards(model, search):
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
    history, before, numbers = model.history, everything(model), None
    rate = model.optimizer.get_config()["learning_rate"]
    search()
    after = everything(model)
    assert len(after) == len(before)
    for a, b in zip(after, before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.history is history
    assert model.optimizer.get_config()["learning_rate"] == rate
    numbers = model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history["loss"]
    return numbers, random.random(), np.random.random(), model.predict(X, verbose=0)  # noqa: NPY002


@pytest.mark.parametrize("rate", [0.01, optimizers.schedules.ExponentialDecay(0.01, 3, 0.5)])
def test_everything_is_as_before(rate):
    def run(search):
        mlapi.utils.set_random_seed(7)
        inner = [layers.BatchNormalization(), layers.Dropout(0.5)]
        model = linear(optimizers.Adam(rate), inner)
        return same_afterwards(model, lambda: search and model.lr_find(X, Y, 8, steps=5))

    for got, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_everything_is_as_before_an_error():
    model = linear(optimizers.Adam(0.01))

    def search():
        with pytest.raises(DataError, match="ran out"):
            model.lr_find(iter([(X[:8], Y[:8])] * 3), steps=5)

    same_afterwards(model, search)


def test_a_model_that_is_not_built_is_afterwards():
    model = mlapi.Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizers.Adam(0.1), "mse")
    model.lr_find(X, Y, steps=4)
    np.testing.assert_array_equal(model.get_weights()[0], np.ones((3, 1)))
    assert int(model.optimizer.iterations) == 0


def test_accumulated_gradients_take_several_batches_for_a_rate():
    model = linear(optimizers.SGD(0.01, gradient_accumulation_steps=2))
    options = {"min_rate": 1e-2, "max_rate": 1.0, "steps": 10, "smoothing": 0.5}
    found = model.lr_find(X, Y, batch_size=8, **options)
    whole = linear().lr_find(X, Y, batch_size=16, **options)
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)


def test_the_picture(tmp_path):
    found = linear().lr_find(X, Y, min_rate=1e-3, steps=30, smoothing=0.7)
    figure = found.plot(tmp_path / "rates.png")
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    curve, point = axes.lines[1], axes.lines[2]
    np.testing.assert_allclose(curve.get_xydata(), np.stack([found.rates, found.losses], 1))
    assert point.get_xdata() == [found.suggestion]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"min_rate": 1.0, "max_rate": 0.1}, "min_rate must be below max_rate"),
        ({"steps": 2}, "at least 3 steps"),
        ({"smoothing": 1.0}, "smoothing below 1"),
        ({"min_rate": 0.0}, "min_rate must be a number above 0"),
    ],
)
def test_errors(kwargs, message):
    with pytest.raises(ArgumentError, match=message):
        linear().lr_find(X, Y, **kwargs)


def test_optimizers_without_one_rate_are_refused():
    parts = optimizers.OptimizerMap(optimizers.SGD(), {".*": optimizers.Adam()})
    with pytest.raises(ArgumentError, match="no one learning rate"):
        linear(optimizers.MultiOptimizer(parts)).lr_find(X, Y)
    with pytest.raises(DataError, match="not finite already"):
        linear().lr_find(X * np.nan, Y)
