"""Every optimizer and option against its published formula."""

import numpy as np
import pytest

import mlapi
from mlapi import ops, optimizers
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
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.1, "beta_1": 0.5, "epsilon": 0.1, "weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.5, "epsilon_2": 0.5}),
    ("Adafactor", {"learning_rate": 1.0, "relative_step": False, "clip_threshold": 0.5}),
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.3, "beta": 0.5}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.3,
            "initial_accumulator_value": 1.0,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
        },
    ),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "ns_steps": 3, "rms_rate": None, "global_clipnorm": 1.0}),
    (
        "Muon",
        {
            "learning_rate": 0.1,
            "weight_decay": 0.5,
            "adam_weight_decay": 0.2,
            "adam_lr_ratio": 0.5,
        },
    ),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"beta_1": 0.6, "warmup_steps": 7, "weight_decay": 0.1}),
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


def test_muon_leaves_to_adam_what_is_excluded():
    start, grads = problem(steps=4)
    expected = descend("AdamW", {}, start, grads)
    for name, options in {
        "w0": {"exclude_layers": ["^w"]},
        "my_Embedding": {},
    }.items():
        variables = [mlapi.Variable(p, name=name) for p in start]
        optimizer = optimizers.Muon(**options)
        for step_grads in grads:
            optimizer.apply(step_grads, variables)
        assert_same([[v.numpy() for v in variables]], expected[-1:])
    optimizer = optimizers.Muon(exclude_embeddings=False)
    optimizer.build([mlapi.Variable(start[0], name="embedding")])
    assert len(optimizer.variables) == 3


def test_muon_makes_batches_of_matrices_orthogonal():
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    optimizer = optimizers.Muon()
    found = ops.convert_to_numpy(
        optimizer.zeropower_via_newtonschulz5(ops.convert_to_tensor(x), 10)
    )
    sizes = np.linalg.svd(found, compute_uv=False)
    assert ((sizes > 0.6) & (sizes < 1.3)).all()
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    angles = np.einsum("bij,bij->b", found, u @ vt) / np.linalg.norm(found, axis=(1, 2))
    assert (angles > 0.95 * np.sqrt(3)).all()


def test_lamb_and_adafactor_move_variables_of_zeros():
    gradient = np.ones((2, 2), "float32")
    for optimizer, size in ((optimizers.Lamb(0.1), 0.1), (optimizers.Adafactor(0.1), 1e-4)):
        weight = mlapi.Variable(np.zeros((2, 2), "float32"))
        optimizer.apply([gradient], [weight])
        np.testing.assert_allclose(weight.numpy(), -size, rtol=1e-5)
        optimizer.apply([0 * gradient], [weight])
        assert np.isfinite(weight.numpy()).all()


def test_many_matrices_of_some_shapes():
    """Muon works on stacks of matrices; all must find their way back."""
    draw = np.random.default_rng(0)
    shapes = [(3, 2), (2, 3), (3, 2), (3,), (2, 3), (1, 2_100_000), (1, 2_100_000)]
    start = [draw.normal(size=shape).astype("float32") for shape in shapes]
    grads = [[draw.normal(size=shape).astype("float32") for shape in shapes]]
    assert_same(run(optimizers.Muon(), start, grads), descend("Muon", {}, start, grads), 2e-6)


def test_decay_spares_what_is_excluded():
    start, grads = problem()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["w1", "w2"])
    expected = descend(
        "AdamW", {"learning_rate": 0.1, "weight_decay": 0.5}, start, grads, spared=(1, 2)
    )
    assert_same(run(optimizer, start, grads, compiled=True), expected, 2e-6)
