"""Variables with a learning rate of their own go the way that the formula gives for that rate."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, optimizers
from mlapi.errors import ArgumentError, ArgumentTypeError
from tests.optimizers.references import descend, problem
from tests.optimizers.running import assert_same, run

FACTORS = {"w0": 0.1, "w[2-9]": 3.0}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "global_clipnorm": 1.0}),
        ("Adam", {"learning_rate": 0.01}),
        ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
        ("Nadam", {"learning_rate": 0.01}),  # whose variables share a slot
        ("Muon", {"learning_rate": 0.01}),  # which has several rules
    ],
)
def test_each_variable_follows_its_own_rate(name, options, compiled):
    start, grads = problem(steps=5)
    optimizer = getattr(optimizers, name)(**options)
    optimizer.lr_multipliers = FACTORS
    actual = run(optimizer, start, grads, compiled)
    rates = [options["learning_rate"] * factor for factor in (0.1, 1.0, 3.0)]
    apart = [descend(name, {**options, "learning_rate": rate}, start, grads) for rate in rates]
    expected = [[step[i][i] for i in range(3)] for step in zip(*apart, strict=True)]
    assert_same(actual, [[values[i] for i in range(3)] for values in expected], 2e-5)


def test_optimizers_that_hold_others_pass_them_on():
    start, grads = problem(steps=2)
    options = {"learning_rate": 0.5}
    expected = optimizers.SGD(**options)
    expected.lr_multipliers = FACTORS
    expected = run(expected, start, grads)
    parts = optimizers.OptimizerMap(optimizers.SGD(0.5), {"w0": optimizers.SGD(0.5)})
    for wrapped in (
        optimizers.MultiOptimizer(parts),
        optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=1.0),
    ):
        wrapped.lr_multipliers = FACTORS
        assert wrapped.lr_multipliers == FACTORS
        assert_same(run(wrapped, start, grads), expected)


def test_they_can_change_between_steps_that_are_not_compiled():
    variable = mlapi.Variable(1.0, name="w")
    optimizer = optimizers.SGD(0.5)
    for factor, expected in (({"w": 0.5}, 0.75), (None, 0.25), ({"w": 0.0}, 0.25)):
        optimizer.lr_multipliers = factor
        optimizer.apply([1.0], [variable])
        assert float(variable) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("factors", "error", "message"),
    [
        ({"w(": 0.1}, ArgumentError, "no regular expression"),
        ({"w0": -1.0}, ArgumentError, "'w0' must be a number"),
        (["w0"], ArgumentTypeError, "a dict"),
        ({"w7": 0.1}, ArgumentError, "'w7' matches none of the 3 variables"),
        ({"w.": 0.1, "w0": 0.2}, ArgumentError, "'w0' is matched by several"),
    ],
)
def test_errors(factors, error, message):
    start, grads = problem(steps=1)
    optimizer = optimizers.SGD(0.1)

    def use():
        optimizer.lr_multipliers = factors
        run(optimizer, start, grads)

    with pytest.raises(error, match=message):
        use()


def test_compile_takes_them_and_keeps_them_in_its_config():
    def make(factor):
        model = mlapi.Sequential(
            [mlapi.Input((2,)), layers.Dense(2, name="body"), layers.Dense(1, name="head")], "m"
        )
        model.set_weights([np.full(w.shape, 0.5) for w in model.get_weights()])
        model.compile(optimizers.SGD(0.1), "mse", lr_multipliers={".*body/kernel": factor})
        return model

    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    models = [make(factor) for factor in (1.0, 0.25)]
    models.append(type(models[1]).from_config(models[1].get_config()))
    models[2].set_weights(make(1.0).get_weights())
    models[2].compile_from_config(models[1].get_compile_config())
    before = models[0].get_weights()
    steps = []
    for model in models:
        model.train_on_batch(x, y)
        steps.append([b - a for a, b in zip(before, model.get_weights(), strict=True)])
    for single, quarter, loaded in zip(*steps, strict=True):
        factor = 0.25 if single is steps[0][0] else 1.0
        np.testing.assert_allclose(quarter, factor * single, rtol=1e-4)
        np.testing.assert_array_equal(loaded, quarter)
