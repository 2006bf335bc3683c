"""What optimizers keep beside the update takes effect in `fit`."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, optimizers
from mlapi.errors import NotBuiltError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 3)).astype("float32")
Y = X.sum(1, keepdims=True) + 1


def trained(**options) -> list[np.ndarray]:
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.1, **options), "mse")
    history = model.fit(X, Y, batch_size=16, epochs=4, verbose=0).history
    return [*model.get_weights(), np.array(history["loss"])]


def test_loss_scaling_changes_neither_weights_nor_the_loss_shown() -> None:
    for plain, scaled in zip(trained(), trained(loss_scale_factor=64.0), strict=True):
        np.testing.assert_allclose(plain, scaled, rtol=1e-5)


def test_averaged_weights_are_those_of_the_model_after_fit() -> None:
    kernel, bias = np.zeros((3, 1)), np.zeros(1)
    average = kernel
    for step in range(4):
        error = X @ kernel + bias - Y
        kernel, bias = kernel - 0.2 * X.T @ error / 16, bias - 0.2 * error.mean(0)
        average = 0.5 * average + 0.5 * kernel if step else kernel
    found, *_ = trained(use_ema=True, ema_momentum=0.5)
    np.testing.assert_allclose(found, average, rtol=1e-5)


def test_default_step_needs_an_optimizer() -> None:
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1)])
    model.compile(optimizer=None, loss="mse")
    with pytest.raises(NotBuiltError, match="without an optimizer"):
        model.fit(X, Y, verbose=0)
