"""Optimizers made of others: loss scaling, and several for one model."""

import json

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops, optimizers
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.optimizers import LossScaleOptimizer, MultiOptimizer, OptimizerMap
from tests.optimizers.references import descend, problem
from tests.optimizers.running import assert_same, make_variables, run

COMPILED = pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])


# Loss scaling


def run_scaled(optimizer, start, grads, compiled):
    """Values of the variables, and the scale, after each step with a loss of these gradients."""
    variables = make_variables(start)
    optimizer.build(variables)

    def step(*step_grads):
        optimizer.apply([optimizer.scale_loss(g) for g in step_grads], variables)

    if compiled:
        step = mlapi.jit(step, [variables, optimizer])
    values, scales = [], []
    for step_grads in grads:
        step(*[ops.convert_to_tensor(g) for g in step_grads])
        values.append([v.numpy() for v in variables])
        scales.append(float(optimizer.dynamic_scale))
    return values, scales, variables


@COMPILED
def test_steps_that_are_not_finite_are_left_out(compiled):
    """Variables, slots, averages and counts stay, and the scale follows."""
    start, grads = problem(steps=6)
    inf, nan = ([g * np.float32(x) for g in grads[0]] for x in ("inf", "nan"))
    inner = optimizers.AdamW(0.1, clipnorm=0.5, use_ema=True, ema_momentum=0.5)
    optimizer = LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)
    order = [grads[0], inf, *grads[1:3], nan, inf, *grads[3:]]
    values, scales, variables = run_scaled(optimizer, start, order, compiled)
    assert scales == [8, 4, 4, 8, 4, 2, 2, 4, 4]
    history = descend("AdamW", {"learning_rate": 0.1, "clipnorm": 0.5}, start, grads)
    assert_same(values, [history[i] for i in (0, 0, 1, 2, 2, 2, 3, 4, 5)], 2e-6)
    assert int(optimizer.iterations) == int(inner.iterations) == 6
    averages = history[0]
    for row in history[1:]:
        averages = [(a + v) / 2 for a, v in zip(averages, row, strict=True)]
    optimizer.finalize_variable_values(variables)
    assert_same([[v.numpy() for v in variables]], [averages], 2e-6)


@COMPILED
def test_an_infinity_is_not_accumulated(compiled):
    start, grads = problem(steps=2)
    inf = [g + np.float32("inf") for g in grads[0]]
    inner = optimizers.SGD(0.1, gradient_accumulation_steps=2)
    order = [grads[0], inf, grads[1]]
    values, _, _ = run_scaled(LossScaleOptimizer(inner), start, order, compiled)
    mean = [[(a + b) / 2 for a, b in zip(*grads, strict=True)]]
    after = descend("SGD", {"learning_rate": 0.1}, start, mean)
    assert_same(values, [start, start, *after])


def test_a_loss_in_half_precision_has_room_for_the_scale():
    optimizer = LossScaleOptimizer(optimizers.SGD())
    optimizer.build([mlapi.Variable(1.0)])
    loss = optimizer.scale_loss(ops.cast(ops.full((), 4.0), "float16"))
    assert float(loss) == 2.0**17


@COMPILED
def test_loss_scaling_as_a_pure_function(compiled):
    start, grads = problem(steps=2)
    variables = make_variables(start)
    optimizer = LossScaleOptimizer(optimizers.Adam(0.1), 2.0)
    optimizer.build(variables)
    state = [v.value * 1 for v in optimizer.variables]
    values = [ops.convert_to_tensor(p) for p in start]
    scaled = [ops.convert_to_tensor(2 * g) for g in grads[0]]
    spoiled = [g * np.inf for g in scaled]
    apply = optimizer.stateless_apply
    if compiled:
        apply = mlapi.jit(apply, [variables, optimizer])
    for step_grads in (scaled, spoiled):
        values, state = apply(state, step_grads, values)
    expected = descend("Adam", {"learning_rate": 0.1}, start, grads[:1])
    assert_same([[np.array(ops.convert_to_numpy(v)) for v in values]], expected)
    assert [float(x) for x in state[2:5]] == [0, 1, 1]
    assert float(optimizer.dynamic_scale) == 2


def test_large_gradients_are_finite():
    optimizer = LossScaleOptimizer(optimizers.SGD())
    large = ops.convert_to_tensor(np.full(4, 3e38, "float32"))
    assert bool(optimizer.check_finite([large, None, ops.zeros((0, 2))]))
    for x in ("inf", "-inf", "nan"):
        assert not bool(optimizer.check_finite([large, ops.convert_to_tensor(np.float32(x))]))


def test_the_scale_stays_finite():
    optimizer = LossScaleOptimizer(optimizers.SGD(), 2.0**125, dynamic_growth_steps=1)
    weight = mlapi.Variable(np.zeros(1, "float32"))
    for _ in range(3):
        optimizer.apply([np.zeros(1, "float32")], [weight])
    assert float(optimizer.dynamic_scale) == 2.0**126


def test_scales_multiply():
    optimizer = LossScaleOptimizer(optimizers.SGD(1.0, loss_scale_factor=4.0), initial_scale=8.0)
    weight = mlapi.Variable(np.zeros(1, "float32"))
    loss = optimizer.scale_loss(ops.ones(()))
    assert float(loss) == 32
    assert float(optimizer.unscale_loss(loss)) == 1
    optimizer.apply([np.full(1, 32, "float32")], [weight])
    assert weight.numpy().tolist() == [-1]


def test_the_learning_rate_and_decay_are_those_of_the_inner_optimizer():
    inner = optimizers.AdamW(0.5)
    optimizer = LossScaleOptimizer(inner)
    optimizer.exclude_from_weight_decay(var_names=["w"])
    optimizer.learning_rate = 0.25
    assert float(inner.learning_rate) == float(optimizer.learning_rate) == 0.25
    weight = mlapi.Variable(np.ones(1, "float32"), name="w")
    optimizer.apply([np.zeros(1, "float32")], [weight])
    assert weight.numpy().tolist() == [1]
    assert [v.path.split("/")[1] for v in optimizer.variables] == [
        *("iteration", "learning_rate", "step_counter", "dynamic_scale"),
        *("iteration", "learning_rate", "w_momentum", "w_velocity"),
    ]


# Several optimizers


def several():
    sgd, adam = optimizers.SGD(0.1, momentum=0.9), optimizers.AdamW(0.1, clipnorm=0.5)
    return MultiOptimizer(OptimizerMap(sgd, {"w0": adam, "nobody": optimizers.Lion()}))


@COMPILED
def test_each_optimizer_updates_its_variables(compiled):
    start, grads = problem(steps=4)
    optimizer = several()
    actual = run(optimizer, start, grads, compiled)
    adam = descend("AdamW", {"learning_rate": 0.1, "clipnorm": 0.5}, start, grads)
    sgd = descend("SGD", {"learning_rate": 0.1, "momentum": 0.9}, start, grads)
    assert_same(actual, [[a[0], *s[1:]] for a, s in zip(adam, sgd, strict=True)], 2e-6)
    assert [type(each).__name__ for each in optimizer.optimizers] == ["AdamW", "Lion", "SGD"]
    assert [int(each.iterations) for each in (optimizer, *optimizer.optimizers)] == [4, 4, 0, 4]


def test_a_function_chooses_optimizers():
    start, grads = problem(steps=2)
    sgd, lion = optimizers.SGD(0.1), optimizers.Lion(0.1)
    optimizer = MultiOptimizer(lambda variable: sgd if variable.ndim == 2 else lion)
    optimizer.exclude_from_weight_decay(var_names=["w"])
    actual = run(optimizer, start, grads)
    first = descend("SGD", {"learning_rate": 0.1}, start, grads)
    others = descend("Lion", {"learning_rate": 0.1}, start, grads)
    assert_same(actual, [[a[0], *b[1:]] for a, b in zip(first, others, strict=True)])
    assert optimizer.optimizers == [sgd, lion]
    with pytest.raises(ArgumentError, match="before the first"):
        optimizer.exclude_from_weight_decay(var_names=["b"])


def test_some_variables_averages_and_exclusions_go_to_their_optimizers():
    a, b = (mlapi.Variable(np.ones(1, "float32"), name=name) for name in "ab")
    averaging = optimizers.SGD(1.0, weight_decay=0.5, use_ema=True, ema_momentum=0.5)
    optimizer = MultiOptimizer(OptimizerMap(optimizers.SGD(1.0), {"a": averaging}))
    optimizer.exclude_from_weight_decay(var_names=["a"])
    optimizer.build([a, b])
    one = [np.ones(1, "float32")]
    for _ in range(2):
        optimizer.apply(one, [a])
    optimizer.apply(one, [b])
    assert [int(each.iterations) for each in optimizer.optimizers] == [2, 1]
    optimizer.finalize_variable_values([a, b])
    assert [float(v.numpy()[0]) for v in (a, b)] == [-0.5, 0]
    with pytest.raises(ArgumentError, match="stranger"):
        optimizer.apply(one, [mlapi.Variable(np.ones(1, "float32"), name="stranger")])


def test_one_loss_has_one_scale():
    four, eight = (optimizers.SGD(1.0, loss_scale_factor=x) for x in (4.0, 8.0))
    optimizer = MultiOptimizer(OptimizerMap(four, {"a": eight}))
    with pytest.raises(ArgumentError, match="different loss_scale_factors"):
        optimizer.scale_loss(ops.ones(()))
    optimizer.loss_scale_factor = 2.0
    assert (four.loss_scale_factor, eight.loss_scale_factor) == (2.0, 2.0)
    assert float(optimizer.scale_loss(ops.ones(()))) == 2
    assert MultiOptimizer(OptimizerMap(four)).loss_scale_factor == 2
    optimizer = MultiOptimizer(lambda variable: four, loss_scale_factor=16.0)
    weight = mlapi.Variable(np.zeros(1, "float32"))
    optimizer.apply([np.full(1, 16, "float32")], [weight])
    assert weight.numpy().tolist() == [-1]


def test_there_is_no_common_learning_rate():
    with pytest.raises(AttributeError, match="of its `optimizers`"):
        several().learning_rate  # noqa: B018
    with pytest.raises(AttributeError, match="of its `optimizers`"):
        several().learning_rate = 0.1


def test_a_map_of_patterns():
    default, one, other = optimizers.SGD(), optimizers.Adam(), optimizers.Lion()
    patterns = OptimizerMap(default, {"encoder/.*": one})
    patterns["head"] = other
    assert [patterns[p] for p in ("encoder/kernel", "head", "head/bias")] == [one, other, default]
    assert patterns["encoder/.*"] is one
    assert (list(patterns), len(patterns)) == (["encoder/.*", "head"], 2)
    assert patterns.default_optimizer is default
    with pytest.raises(ArgumentError, match="has an optimizer already"):
        patterns["head"] = one
    patterns[".*/kernel"] = other
    with pytest.raises(ArgumentError, match=r"'encoder/kernel' is matched by several patterns"):
        patterns["encoder/kernel"]
    del patterns["encoder/.*"]
    assert patterns["encoder/kernel"] is other


# Both


def test_wrappers_train_a_model_and_are_saved_with_it(tmp_path):
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(16, 3)).astype("float32"), draw.normal(size=(16, 1)).astype("float32")

    def make(optimizer):
        hidden = layers.Dense(4, kernel_initializer="ones", name="hidden")
        last = layers.Dense(1, kernel_initializer="ones", name="last")
        model = mlapi.Sequential([mlapi.Input((3,)), hidden, last])
        model.compile(optimizer, "mse")
        return model

    def optimizer():
        patterns = {".*hidden/kernel": optimizers.Adafactor(0.1), ".*bias": optimizers.Adam(0.1)}
        return MultiOptimizer(OptimizerMap(optimizers.Muon(0.1), patterns))

    plain, scaled = make(optimizer()), make(LossScaleOptimizer(optimizer(), 64.0, 3))
    shown = [m.fit(x, y, 8, 3, shuffle=False, verbose=0).history["loss"] for m in (plain, scaled)]
    np.testing.assert_allclose(*shown, rtol=1e-5)
    assert float(scaled.optimizer.dynamic_scale) == 256
    scaled.save(tmp_path / "model.keras")
    again = mlapi.saving.load_model(tmp_path / "model.keras")
    pairs = zip(again.optimizer.variables, scaled.optimizer.variables, strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for model in (again, scaled):
        model.fit(x, y, 8, 1, shuffle=False, verbose=0)
    for one, other in zip(again.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize(
    "make", [several, lambda: LossScaleOptimizer(several(), 2.0, 7, name="mine")]
)
def test_config_round_trip(make):
    optimizer = make()
    record = json.loads(json.dumps(optimizers.serialize(optimizer)))
    assert record["module"] == "keras.optimizers"
    again = optimizers.deserialize(record)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert type(optimizer.clone()) is type(optimizer)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LossScaleOptimizer("sgd"), ArgumentTypeError, "received 'sgd'"),
        (
            lambda: LossScaleOptimizer(optimizers.SGD(), weight_decay=0.1),
            ArgumentTypeError,
            "'weight_decay': give it to the inner optimizer",
        ),
        (lambda: LossScaleOptimizer(optimizers.SGD(), 0), ArgumentError, "initial_scale"),
        (
            lambda: LossScaleOptimizer(optimizers.SGD(), 1.0, 0),
            ArgumentError,
            "dynamic_growth_steps must be an integer",
        ),
        (lambda: MultiOptimizer(3), ArgumentTypeError, "an OptimizerMap, or a function"),
        (lambda: OptimizerMap("sgd"), ArgumentTypeError, "default_optimizer must be"),
        (lambda: OptimizerMap(optimizers.SGD(), 3), ArgumentTypeError, "must be a dict"),
        (lambda: OptimizerMap(optimizers.SGD(), {"a": 3}), ArgumentTypeError, "'a' must be"),
        (
            lambda: OptimizerMap(LossScaleOptimizer(optimizers.SGD())),
            ArgumentError,
            r"LossScaleOptimizer\(MultiOptimizer",
        ),
        (
            lambda: MultiOptimizer(lambda variable: "sgd").build([mlapi.Variable(1.0)]),
            ArgumentTypeError,
            "that of 'variable' must be",
        ),
        (lambda: MultiOptimizer(lambda v: v).get_config(), ArgumentError, "lambda cannot be saved"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()
