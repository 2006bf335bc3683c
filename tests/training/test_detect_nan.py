"""`fit(detect_nan=True)` names the layer, the operation and the batch of the first NaN."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import DivergedError

X = np.random.default_rng(0).uniform(0.5, 1.0, size=(12, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class Apply(layers.Layer):
    """A function of its input."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def call(self, x):
        return self.function(x)


def make(function, optimizer=None, loss="mse", inner=(), **options):
    model = mlapi.Sequential(
        [
            mlapi.Input((3,)),
            layers.Dense(3, kernel_initializer="identity", name="first"),
            Apply(function, name="middle"),
            *inner,
            layers.Dense(1, kernel_initializer="ones", name="last"),
        ],
        name="m",
    )
    model.compile(optimizer or mlapi.optimizers.SGD(1e-4), loss, metrics=["mae"], **options)
    return model


def fit(model, x=X, y=Y, **kwargs):
    return model.fit(
        x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, detect_nan=True, **kwargs
    )


def marked(value):
    """The third batch begins with a row of this value."""
    x = X.copy()
    x[8] = value
    return x


def failure(model, *data, **kwargs):
    with pytest.raises(DivergedError) as caught:
        fit(model, *data, **kwargs)
    return caught.value


def test_a_run_without_nan_is_the_same_run():
    plain, watched = make(ops.tanh), make(ops.tanh)
    expected = plain.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert fit(watched).history == expected.history


# What is done in the middle, the third batch's first row, and where that goes wrong.
FORWARD = {
    "log": (ops.log, -1.0, "log"),
    "an infinity, then a NaN": (lambda x: ops.sin(ops.exp(x)), 1e3, "exp"),
    "operators": (lambda x: (x + 100) ** 0.5, -1e3, None),
}


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(("function", "value", "op"), FORWARD.values(), ids=FORWARD)
def test_in_the_forward_pass(function, value, op, size):
    model = make(function, steps_per_execution=size)
    error = failure(model, marked(value))
    assert (error.phase, error.layer, error.batch) == ("forward", "m/middle", 2)
    assert op is None or error.op == op
    assert "m/middle" in str(error)
    assert "batch 2 of epoch 1" in str(error)


def test_the_model_is_as_before_the_batch():
    spoiled, plain = make(ops.log), make(ops.log)
    failure(spoiled, marked(-1.0))
    plain.fit(X[:8], Y[:8], batch_size=4, shuffle=False, verbose=0)
    for got, expected in zip(spoiled.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert int(spoiled.optimizer.iterations) == 2
    # and can be trained on
    fit(spoiled)


def test_infinities_that_come_to_nothing_are_no_finding():
    def masked(x):
        return ops.maximum(ops.log(x * 0), -50.0)

    error = failure(make(masked, inner=[Apply(ops.log, name="culprit")]), marked(1.0))
    assert (error.layer, error.op) == ("m/culprit", "log")


def test_in_the_loss():
    def loss(y, y_pred):
        return ops.mean(ops.log(y_pred))

    error = failure(make(ops.negative, loss=loss))
    assert (error.phase, error.layer, error.op, error.batch) == ("loss", None, "log", 0)


def test_in_the_gradient():
    # √0 is 0, and its slope infinite.
    model = make(lambda x: ops.sqrt(ops.relu(x - 3) + 0 * x))
    error = failure(model)
    assert (error.phase, error.layer, error.batch) == ("gradient", "m/middle", 0)
    assert "m/first/kernel" in str(error)


def test_in_the_update():
    error = failure(make(ops.tanh, optimizer=mlapi.optimizers.SGD(3e38)), X * 1, Y * 10)
    assert error.phase == "update"
    assert error.layer in ("m/first", "m/last")


def test_in_the_data_and_in_the_weights():
    error = failure(make(ops.tanh), marked(np.nan))
    assert (error.phase, error.batch) == ("data", 2)
    model = make(ops.tanh)
    model.layers[-1].bias.assign([np.inf])
    error = failure(model)
    assert (error.phase, error.layer) == ("weights", "m/last")


def test_in_a_training_step_of_the_users_own():
    class Own(mlapi.Model):
        def __init__(self):
            super().__init__(name="own")
            self.inside = layers.Dense(1, activation="log_softmax", name="inside")
            self.bad = Apply(ops.log, name="bad")

        def call(self, x):
            return self.bad(self.inside(x))

        def train_step(self, data):
            x, y = data
            variables = self.trainable_variables
            loss, gradients = mlapi.value_and_grad(lambda: ops.mean(self(x) - y), variables)()
            self.optimizer.apply(gradients, variables)
            return {"loss": loss}

    model = Own()
    model.compile("sgd")
    error = failure(model)
    assert (error.phase, error.layer, error.op) == ("forward", "own/bad", "log")


def test_skipped_steps_of_loss_scaling_are_no_finding():
    optimizer = mlapi.optimizers.LossScaleOptimizer(
        mlapi.optimizers.SGD(1e-4), initial_scale=2.0**126
    )
    model = make(lambda x: 10 * x, optimizer=optimizer)
    before = model.get_weights()
    model.train_on_batch(X, 10 * Y - 1.5)  # the scaled loss is finite, its gradient is not
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    fit(model, X, 10 * Y - 1.5)
    assert np.isfinite(model.history.history["loss"]).all()
