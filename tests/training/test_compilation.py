"""How steps are compiled changes neither the numbers nor how often a step is traced."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops

_random = np.random.default_rng(0)
X = _random.normal(size=(44, 6)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")


class Counting(mlapi.Sequential):
    """Counts how often the code of its training step runs."""

    runs = 0

    def train_step(self, data):
        self.runs += 1
        return super().train_step(data)


def make_model(kind=mlapi.Sequential, **options):
    mlapi.utils.set_random_seed(3)
    model = kind(
        [
            mlapi.Input((6,)),
            layers.Dense(8, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dense(3),
        ]
    )
    optimizer = mlapi.optimizers.Adam(
        mlapi.optimizers.schedules.CosineDecay(0.05, 20), global_clipnorm=0.5, use_ema=True
    )
    loss = mlapi.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    return model


def fit(model, **options):
    history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, **options).history
    return history, model.get_weights()


@pytest.mark.parametrize(
    "options",
    [
        {"run_eagerly": True},
        {"jit_compile": False},
        {"jit_compile": True},
        {"steps_per_execution": 2},
        {"steps_per_execution": 4, "jit_compile": True},
        {"steps_per_execution": 4, "run_eagerly": True},
        {"steps_per_execution": 50},
    ],
    ids=str,
)
def test_how_steps_run_changes_no_number(options):
    """Six batches an epoch, the last one smaller, with a validation of the same."""
    history, weights = fit(make_model(), validation_data=(X, Y))
    found, others = fit(make_model(**options), validation_data=(X, Y))
    assert found.keys() == history.keys()
    for name, values in history.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-5, atol=1e-6, err_msg=name)
    for one, other in zip(others, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1, 2])
def test_a_step_is_traced_once_for_each_shape(size):
    model = make_model(Counting, jit_compile=True, steps_per_execution=size)
    rows = 32  # four batches of one shape
    model.fit(X[:rows], Y[:rows], batch_size=8, epochs=2, verbose=0)
    first = model.runs
    model.fit(X[:rows], Y[:rows], batch_size=8, epochs=2, verbose=0)
    assert model.runs == first < 4


def test_callbacks_hear_of_executions():
    heard = []
    listener = mlapi.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: heard.append(("begin", batch)),
        on_train_batch_end=lambda batch, logs: heard.append(("end", batch)),
    )
    model = make_model(steps_per_execution=4)
    model.fit(X, Y, batch_size=8, epochs=1, verbose=0, callbacks=[listener])
    assert heard == [("begin", 0), ("end", 3), ("begin", 4), ("end", 5)]


def test_a_step_that_asks_for_a_number_runs_uncompiled_and_says_so():
    class Asking(mlapi.Sequential):
        def train_step(self, data):
            logs = super().train_step(data)
            return {**logs, "large": 1.0 if float(logs["loss"]) > 100 else 0.0}

    model = make_model(Asking, jit_compile=True)
    with pytest.warns(UserWarning, match="runs uncompiled, because of") as warned:
        history, _ = fit(model)
    assert len(warned) == 1
    expected, _ = fit(make_model())
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)


def test_a_mistake_in_a_compiled_step_is_told_as_it_is():
    model = make_model(jit_compile=True)
    with pytest.raises(mlapi.errors.MlapiError, match=r"expected|received"):
        model.fit(X[:, :5], Y, verbose=0)


def test_a_compiled_function_inside_a_gradient():
    w = mlapi.Variable(3.0)
    cube = mlapi.jit(lambda: ops.power(w.value, 3), [w], jit_compile=True)
    assert float(cube()) == pytest.approx(27)
    value, (slope,) = mlapi.value_and_grad(lambda: cube(), [w])()
    assert (float(value), float(slope)) == pytest.approx((27, 27))
