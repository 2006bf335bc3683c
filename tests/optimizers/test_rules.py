"""Every optimizer and option against its published formula."""

import pytest

from mlapi import optimizers
from tests.optimizers.references import descend, problem
from tests.optimizers.running import assert_same, run

CASES = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"weight_decay": 0.1}),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.5, "beta_2": 0.8}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "rho": 0.5}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "epsilon": 0.01, "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9}),
    ("Adam", {"epsilon": 0.1}),
    ("Adam", {"beta_1": 0.0}),
    ("Adam", {"amsgrad": True, "beta_2": 0.5}),
    ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.5, "learning_rate": 0.1, "amsgrad": True}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}),
    ("SGD", {"clipnorm": 0.5}),
    ("SGD", {"clipvalue": 0.3}),
    ("SGD", {"global_clipnorm": 1.0}),
    ("Adam", {"clipnorm": 100.0}),
    ("Adam", {"global_clipnorm": 1.0, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("compiled", "steps"), [(False, 4), (True, 20)], ids=["eager", "jit"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_against_formula(name, options, compiled, steps):
    start, grads = problem(steps=steps)
    actual = run(getattr(optimizers, name)(**options), start, grads, compiled)
    # 2e-6 of the largest values, about 3: a few units of float32's last place.
    assert_same(actual, descend(name, options, start, grads), 2e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.9}),
        ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
        ("RMSprop", {"momentum": 0.9, "centered": True}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {"weight_decay": 0.5}),
    ],
    ids=str,
)
def test_a_class_of_ones_own_has_the_rule_and_no_kernel(name, options):
    base = getattr(optimizers, name)

    class Own(base):
        def rule(self, p, g, slots, lr, t):
            super().rule(p, g, slots, lr, t)

    start, grads = problem()
    assert base.kernel is not None
    assert Own.kernel is None
    same = run(Own(**options), start, grads, compiled=True)
    assert_same(same, run(base(**options), start, grads, compiled=True))


def test_defaults_of_the_sizes_do_not_drift_over_many_steps():
    start, grads = problem(steps=300)
    actual = run(optimizers.Adam(0.01), start, grads, compiled=True)[-1:]
    assert_same(actual, descend("Adam", {"learning_rate": 0.01}, start, grads)[-1:], 2e-5)


def test_decay_spares_what_is_excluded():
    start, grads = problem()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["w1", "w2"])
    expected = descend(
        "AdamW", {"learning_rate": 0.1, "weight_decay": 0.5}, start, grads, spared=(1, 2)
    )
    assert_same(run(optimizer, start, grads, compiled=True), expected, 2e-6)
