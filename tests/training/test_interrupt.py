"""Ctrl-C while training: it ends between two steps, and leaves model and history usable."""

import os
import signal

import numpy as np
import pytest

import mlapi
from mlapi import layers

X = np.random.default_rng(0).uniform(size=(40, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


class PressKeys(mlapi.callbacks.Callback):
    """Sends the signal of Ctrl-C in a batch of the second epoch."""

    ended = False

    def on_train_batch_begin(self, batch, logs=None):
        if len(self.model.history.epoch) == 1 and batch == 3:
            os.kill(os.getpid(), signal.SIGINT)

    def on_train_end(self, logs=None):
        self.ended = True


@pytest.fixture(autouse=True)
def _python_handles_keys():
    """Processes that run tests in parallel ignore Ctrl-C; a user's process does not."""
    outer = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, outer)


def test_interrupt_leaves_model_and_history_usable() -> None:
    model = mlapi.Sequential([mlapi.Input((4,)), layers.Dense(1)])
    model.compile("adam", "mse")
    keys = PressKeys()
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=4, epochs=5, callbacks=[keys], verbose=0)
    assert signal.getsignal(signal.SIGINT) is handler
    assert keys.ended
    assert len(model.history.history["loss"]) == 1
    assert int(model.optimizer.iterations) == 14  # ten batches, and three and the one in flight
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ kernel + bias, rtol=1e-5)
    model.fit(X, Y, verbose=0)
    assert len(model.history.history["loss"]) == 1
