"""What surrounds the rule: averages, accumulation, constraints, partial and pure updates."""

import warnings

import numpy as np
import pytest

import mlapi
from mlapi import ops, optimizers
from mlapi.errors import ArgumentError, ArgumentTypeError, NotBuiltError, ShapeError
from tests.optimizers.references import RULES, adam, descend, problem
from tests.optimizers.running import assert_same, make_variables, run

COMPILED = pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])


def tensors(arrays):
    return [ops.convert_to_tensor(a) for a in arrays]


@COMPILED
def test_accumulated_gradients_are_averaged(compiled):
    start, grads = problem(steps=7)
    optimizer = optimizers.AdamW(0.1, clipnorm=0.5, gradient_accumulation_steps=3)
    actual = run(optimizer, start, grads, compiled)
    pairs = zip(*grads[:3], strict=True), zip(*grads[3:6], strict=True)
    means = [[np.mean(row, axis=0, dtype="float64") for row in step] for step in pairs]
    first, second = descend("AdamW", {"learning_rate": 0.1, "clipnorm": 0.5}, start, means)
    assert_same(actual, [start, start, first, first, first, second, second], 2e-6)
    assert int(optimizer.iterations) == 2


@COMPILED
def test_accumulation_forgets_a_gradient_that_is_not_finite(compiled):
    start, grads = problem(steps=4)
    grads[0] = [np.zeros_like(g) for g in grads[0]]
    spoiled = [g * np.float32("nan") for g in grads[0]]
    optimizer = optimizers.SGD(gradient_accumulation_steps=1, clipvalue=1.0)
    actual = run(optimizer, start, [spoiled, *grads], compiled)
    assert np.isnan(actual[0][0]).all()
    optimizer = optimizers.SGD(0.0, gradient_accumulation_steps=2)
    run(optimizer, start, [spoiled, grads[1]], compiled)
    total = [v for v in optimizer.variables if "accumulator" in v.path]
    assert all((v.numpy() == 0).all() for v in total)


def test_the_strongest_compiler_takes_every_rule_at_once():
    """One optimizer of each class, of a variable of its own, in one compiled function."""
    start, grads = problem(steps=4)
    start, grads = start[0], [step[0] for step in grads]
    schedule = optimizers.schedules.CosineDecay(0.1, 9, warmup_target=0.2, warmup_steps=2)
    makers = {name: getattr(optimizers, name) for name in RULES}
    makers["decayed"] = lambda: optimizers.AdamW(
        schedule, global_clipnorm=1.0, gradient_accumulation_steps=2
    )
    patterns = {f"{name}/.*": make() for name, make in makers.items()}
    several = optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.SGD(0.0), {**patterns, "vector": optimizers.Muon()})
    )
    optimizer = optimizers.LossScaleOptimizer(several, initial_scale=8.0, dynamic_growth_steps=2)
    variables = [mlapi.Variable(start, path=f"{name}/w") for name in makers]
    variables.append(mlapi.Variable(start[0], path="vector"))
    optimizer.build(variables)

    def step(g):
        scaled = optimizer.scale_loss(g)
        optimizer.apply([*[scaled] * len(makers), scaled[0]], variables)

    step = mlapi.jit(step, [variables, optimizer], jit_compile=True)
    for g in [grads[0], np.full_like(start, np.nan), *grads[1:]]:
        step(ops.convert_to_tensor(g))
    means = [np.mean(grads[i : i + 2], axis=0, dtype="float64") for i in (0, 2)]
    rows = [(name, {}, start, grads, None) for name in RULES]
    rows.append(("AdamW", {"global_clipnorm": 1.0}, start, means, schedule))
    rows.append(("Muon", {}, start[0], [g[0] for g in grads], None))
    expected = [
        descend(name, options, [p], [[g] for g in gs], schedule=rate)[-1][0]
        for name, options, p, gs, rate in rows
    ]
    assert_same([[v.numpy() for v in variables]], [expected], 2e-6)
    assert float(optimizer.dynamic_scale) == 8.0


@COMPILED
def test_schedules_count_updates_where_gradients_accumulate(compiled):
    start, grads = problem(steps=6)
    schedule = optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.4])
    optimizer = optimizers.SGD(schedule, gradient_accumulation_steps=2)
    actual = run(optimizer, start, grads, compiled)
    pairs = [zip(*grads[i : i + 2], strict=True) for i in (0, 2, 4)]
    means = [[np.mean(row, axis=0, dtype="float64") for row in pair] for pair in pairs]
    expected = descend("SGD", {}, start, means, schedule=lambda t: (0.1, 0.1, 0.4)[t])
    assert_same(actual[1::2], expected)
    assert int(optimizer.iterations) == 3
    assert float(optimizer.learning_rate) == pytest.approx(0.4)


@COMPILED
def test_moving_averages(compiled):
    start, grads = problem(steps=6)
    variables = make_variables(start)
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    optimizer.build(variables)

    def step(*step_grads):
        optimizer.apply(step_grads, variables)

    if compiled:
        step = mlapi.jit(step, [variables, optimizer])
    for step_grads in grads:
        step(*tensors(step_grads))
    history = descend("SGD", {"learning_rate": 0.1}, start, grads)
    averages = history[0]
    for values in history[1:]:
        averages = [0.9 * a + 0.1 * v for a, v in zip(averages, values, strict=True)]
    assert_same([[v.numpy() for v in variables]], history[-1:])
    optimizer.finalize_variable_values(variables)
    assert_same([[v.numpy() for v in variables]], [averages])


@COMPILED
def test_averages_and_constraints_act_once_an_update(compiled):
    """Not at calls that only accumulate."""
    weight = mlapi.Variable([8.0], constraint=lambda w: w * 0.5)
    optimizer = optimizers.SGD(
        1.0,
        gradient_accumulation_steps=2,
        use_ema=True,
        ema_momentum=0.5,
        ema_overwrite_frequency=3,
    )
    optimizer.build([weight])
    step = lambda g: optimizer.apply([g], [weight])  # noqa: E731
    if compiled:
        step = mlapi.jit(step, [weight, optimizer])
    found = []
    for _ in range(8):
        step(ops.ones((1,)))
        found.append(float(weight.numpy()[0]))
    # 8 - 1, halved; 3.5 - 1, halved; 1.25 - 1 replaced by the average of 7, 2.5 and 0.25, halved.
    average = ((7 + 2.5) / 2 + 0.25) / 2
    fourth = (average / 2 - 1) / 2
    assert found == [8, 3.5, 3.5, 1.25, 1.25, average / 2, average / 2, fourth]


@COMPILED
@pytest.mark.parametrize("name", ["Adafactor", "Muon"])
def test_accumulation_where_variables_have_different_slots(name, compiled):
    start, grads = problem(steps=4)
    optimizer = getattr(optimizers, name)(0.1, gradient_accumulation_steps=2)
    actual = run(optimizer, start, grads, compiled)
    pairs = zip(*grads[:2], strict=True), zip(*grads[2:], strict=True)
    means = [[np.mean(row, axis=0, dtype="float64") for row in step] for step in pairs]
    first, second = descend(name, {"learning_rate": 0.1}, start, means)
    assert_same(actual, [start, first, first, second], 2e-6)


@COMPILED
def test_averages_that_overwrite(compiled):
    start, grads = problem(steps=4)
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    values, averages, history = start, start, []
    for t, step_grads in enumerate(grads, start=1):
        values = [v - 0.1 * g for v, g in zip(values, step_grads, strict=True)]
        share = 0.0 if t == 1 else 0.5
        averages = [share * a + (1 - share) * v for a, v in zip(averages, values, strict=True)]
        values = averages if t % 2 == 0 else values
        history.append(values)
    assert_same(run(optimizer, start, grads, compiled), history)


def test_a_variable_without_gradient_keeps_its_value_as_average():
    a, b = mlapi.Variable([1.0]), mlapi.Variable([2.0], name="spare")
    optimizer = optimizers.SGD(0.1, use_ema=True)
    with pytest.warns(UserWarning, match="spare"):
        optimizer.apply([ops.ones((1,)), None], [a, b])
    optimizer.finalize_variable_values([a, b])
    assert b.numpy().tolist() == [2.0]


@COMPILED
def test_constraints_hold_after_the_update(compiled):
    weight = mlapi.Variable([1.0, 0.1], constraint=mlapi.constraints.NonNeg())
    optimizer = optimizers.SGD(0.5)
    optimizer.build([weight])
    step = lambda g: optimizer.apply([g], [weight])  # noqa: E731
    if compiled:
        step = mlapi.jit(step, [weight, optimizer])
    step(ops.ones((2,)))
    assert weight.numpy().tolist() == [0.5, 0.0]


@COMPILED
def test_a_learning_rate_set_between_steps(compiled):
    start, grads = problem(steps=2)
    variables = make_variables(start)
    optimizer = optimizers.SGD(1.0)
    optimizer.build(variables)
    step = lambda *g: optimizer.apply(g, variables)  # noqa: E731
    if compiled:
        step = mlapi.jit(step, [variables, optimizer])
    optimizer.learning_rate = 0.1
    step(*tensors(grads[0]))
    optimizer.learning_rate = ops.convert_to_tensor(0.2)
    step(*tensors(grads[1]))
    rates = [0.1, 0.2]
    expected = descend("SGD", {}, start, grads, schedule=lambda s: rates[s])
    assert_same([[v.numpy() for v in variables]], expected[-1:])
    assert float(optimizer.learning_rate) == pytest.approx(0.2)


def test_some_of_the_variables():
    start, grads = problem(steps=4)
    variables = make_variables(start)
    optimizer = optimizers.Adam(0.1)
    optimizer.build(variables)
    for t, step_grads in enumerate(grads):
        chosen = variables[:2] if t % 2 else variables[2:]
        optimizer.apply(tensors(step_grads[:2] if t % 2 else step_grads[2:]), chosen)
    for i, variable in enumerate(variables):
        state, value = {}, start[i].astype("float64")
        for t in (1, 3) if i < 2 else (0, 2):
            value = adam(value, grads[t][i].astype("float64"), state, t + 1, 0.1)
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-6, atol=1e-6)


def test_variables_without_gradient_are_left_alone_with_one_warning():
    start, grads = problem(steps=3)
    variables = make_variables(start)
    optimizer = optimizers.Adam(0.1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for g in grads:
            optimizer.apply([None if i == 1 else x for i, x in enumerate(tensors(g))], variables)
    assert [str(w.message).partition(":")[0] for w in caught] == ["No gradient for w1"]
    expected = descend("Adam", {"learning_rate": 0.1}, start, grads)[-1]
    expected[1] = start[1]
    assert_same([[v.numpy() for v in variables]], [expected])


def test_gradients_in_any_layout_and_kind():
    start = [np.zeros((3, 4), "float32"), np.zeros((2, 2), "float32")]
    variables = make_variables(start)
    g = np.arange(12, dtype="float32").reshape(4, 3)
    kinds = [ops.transpose(ops.convert_to_tensor(g)), [[1.0, 2.0], [3.0, 4.0]]]
    for optimizer in (optimizers.Adam(0.1), optimizers.SGD(0.1, momentum=0.9)):
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        optimizer.apply(kinds, variables)
        expected = descend(
            type(optimizer).__name__,
            {"learning_rate": 0.1},
            start,
            [[g.T, np.array(kinds[1])]],
        )
        assert_same([[v.numpy() for v in variables]], expected)


def test_gradients_are_not_changed():
    start, grads = problem(steps=1)
    given = tensors(grads[0])
    options = {"global_clipnorm": 0.1, "loss_scale_factor": 4.0}
    optimizers.SGD(0.1, momentum=0.9, nesterov=True, **options).apply(given, make_variables(start))
    for tensor, array in zip(given, grads[0], strict=True):
        np.testing.assert_array_equal(np.asarray(ops.convert_to_numpy(tensor)), array)


def test_a_norm_that_is_not_finite_spoils_all():
    variables = make_variables([np.ones(2, "float32"), np.ones(1, "float32")])
    optimizers.SGD(0.1, global_clipnorm=1.0).apply([[np.inf, 0.0], [1.0]], variables)
    assert all(np.isnan(v.numpy()).all() for v in variables)


def test_loss_scale():
    optimizer = optimizers.SGD(0.5, loss_scale_factor=8.0)
    weight = mlapi.Variable(3.0)
    _, grads = mlapi.value_and_grad(lambda: optimizer.scale_loss(weight * weight), [weight])()
    assert float(grads[0]) == 48.0
    optimizer.apply(grads, [weight])
    assert float(weight) == 0.0


def test_half_precision_variables():
    for dtype in ("float16", "bfloat16"):
        weight = mlapi.Variable(np.ones(3), dtype=dtype)
        for optimizer in (optimizers.AdamW(0.5), optimizers.RMSprop(0.5, global_clipnorm=1.0)):
            weight.assign(np.ones(3))
            optimizer.apply([ops.cast(ops.ones((3,)), dtype)], [weight])
            assert weight.dtype == dtype
            assert (weight.numpy().astype("float32") < 1).all()


def test_variables_of_several_dtypes():
    variables = [mlapi.Variable(np.ones(2), dtype=d) for d in ("float32", "float16")]
    grads = [ops.ones((2,)), ops.cast(ops.ones((2,)), "float16")]
    optimizers.Adam(0.5).apply(grads, variables)
    for variable in variables:
        np.testing.assert_allclose(variable.numpy().astype("float32"), 0.5, atol=1e-3)


def test_stateless_apply_changes_nothing():
    start, grads = problem(steps=2)
    variables = make_variables(start)
    optimizer = optimizers.Adam(0.1)
    optimizer.build(variables)
    values, state = tensors(start), [v.value * 1 for v in optimizer.variables]
    for step_grads in grads:
        values, state = optimizer.stateless_apply(state, tensors(step_grads), values)
    expected = descend("Adam", {"learning_rate": 0.1}, start, grads)
    assert_same([[np.asarray(ops.convert_to_numpy(v)) for v in values]], expected[-1:])
    assert_same([[v.numpy() for v in variables]], [start])
    assert int(optimizer.iterations) == 0


def test_apply_gradients_takes_pairs():
    weight = mlapi.Variable(1.0)
    optimizer = optimizers.SGD(0.25)
    optimizer.apply_gradients(zip([2.0], [weight], strict=True))
    assert float(weight) == 0.5
    assert int(optimizer.iterations) == 1


def test_a_class_written_for_keras():
    class Momentum(optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, mu=0.9, **kwargs):
            super().__init__(learning_rate=learning_rate, **kwargs)
            self.mu = mu

        def build(self, variables):
            if self.built:
                return
            super().build(variables)
            self.m = [self.add_variable_from_reference(v, name="m") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            m = self.m[self._get_variable_index(variable)]
            lr = ops.cast(learning_rate, variable.dtype)
            self.assign(m, m * self.mu - gradient * lr)
            self.assign_add(variable, m)

    start, grads = problem(steps=4)
    options = {"learning_rate": 0.1, "weight_decay": 0.1}
    expected = descend("SGD", {**options, "momentum": 0.9}, start, grads)
    twice = [g for step in grads for g in (step, step)]
    for compiled in (False, True):
        optimizer = Momentum(weight_decay=0.1)
        assert_same(run(optimizer, start, grads, compiled), expected)
        optimizer = Momentum(weight_decay=0.1, gradient_accumulation_steps=2)
        assert_same(run(optimizer, start, twice, compiled)[1::2], expected)
    assert Momentum(mu=0.5, clipnorm=1.0).clone().mu == 0.5


def test_a_step_size_of_ones_own_on_an_optimizer_of_ours():
    class Halved(optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient * learning_rate * 0.5)

    start, grads = problem(steps=2)
    expected = descend("SGD", {"learning_rate": 0.05}, start, grads)
    assert_same(run(Halved(0.1), start, grads), expected)


@pytest.mark.parametrize(
    ("grads", "error", "message"),
    [
        ([None, None], ArgumentError, "no variable has a gradient"),
        ([np.ones(2)], ArgumentError, "1 gradients for 2 variables"),
        ([np.ones(3), np.ones((2, 2))], ShapeError, r"'w0' has shape \(3,\), the variable \(2,\)"),
    ],
)
def test_refused_gradients_change_nothing(grads, error, message):
    variables = make_variables([np.ones(2, "float32"), np.ones((2, 2), "float32")])
    optimizer = optimizers.Adam()
    with pytest.raises(error, match=message):
        optimizer.apply(grads, variables)
    assert int(optimizer.iterations) == 0
    assert all((v.numpy() == 1).all() for v in variables)


def test_refused_variables():
    weight, other = mlapi.Variable([1.0]), mlapi.Variable([1.0], name="stranger")
    optimizer = optimizers.Adam()
    with pytest.raises(NotBuiltError, match="trainable_variables"):
        optimizer.apply([np.ones(1)])
    with pytest.raises(ArgumentError, match="no trainable variables"):
        optimizer.build([])
    with pytest.raises(ArgumentTypeError, match="received ndarray"):
        optimizer.build([np.ones(1)])
    optimizer.apply([np.ones(1)], [weight])
    with pytest.raises(ArgumentError, match="stranger"):
        optimizer.apply([np.ones(1)], [other])
