"""Schedules against their closed forms, on the host and inside a compiled step."""

import itertools
import math

import numpy as np
import pytest

import mlapi
from mlapi import ops, optimizers
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.optimizers import schedules
from tests.optimizers.references import descend, problem
from tests.optimizers.running import assert_same, run


def cosine(peak, alpha, done):
    return peak * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * done)) + alpha)


def warm_cosine(step):
    return 0.01 + 0.19 * step / 5 if step < 5 else cosine(0.2, 0.1, min((step - 5) / 10, 1))


def restarts(step):
    """Waves of 4, 8, 16 … steps."""
    length, height = 4, 1.0
    while step >= length:
        step, length, height = step - length, length * 2, height * 0.9
    return 0.1 * (0.5 * height * (1 + math.cos(math.pi * step / length)))


def one_cycle(step, corners, straight=False):
    """Corners are pairs of a step and a rate, as torch's OneCycleLR has them."""
    for (start, left), (end, right) in itertools.pairwise(corners):
        if step <= end or end == corners[-1][0]:
            done = min((step - start) / (end - start), 1)
            done = done if straight else 0.5 - 0.5 * math.cos(math.pi * done)
            return left + (right - left) * done
    raise AssertionError


def cycle(step):
    whole = max(math.ceil(step / 8), 1) * 8
    return 0.5 + (0.1 - 0.5) * (1 - step / whole) ** 2


CASES = {
    "exponential": (
        schedules.ExponentialDecay(0.1, 7, 0.5),
        lambda s: 0.1 * 0.5 ** (s / 7),
    ),
    "exponential, staircase": (
        schedules.ExponentialDecay(0.1, 7, 0.5, staircase=True),
        lambda s: 0.1 * 0.5 ** (s // 7),
    ),
    "inverse time": (
        schedules.InverseTimeDecay(0.1, 3, 0.5),
        lambda s: 0.1 / (1 + 0.5 * s / 3),
    ),
    "inverse time, staircase": (
        schedules.InverseTimeDecay(0.1, 3, 0.5, staircase=True),
        lambda s: 0.1 / (1 + 0.5 * (s // 3)),
    ),
    "piecewise": (
        schedules.PiecewiseConstantDecay([3, 8], [0.1, 0.2, 0.05]),
        lambda s: 0.1 if s <= 3 else 0.2 if s <= 8 else 0.05,
    ),
    "polynomial": (
        schedules.PolynomialDecay(0.1, 8),
        lambda s: 0.0001 + 0.0999 * (1 - min(s, 8) / 8),
    ),
    "polynomial, cycle": (schedules.PolynomialDecay(0.1, 8, 0.5, power=2, cycle=True), cycle),
    "cosine": (
        schedules.CosineDecay(0.1, 10, alpha=0.3),
        lambda s: cosine(0.1, 0.3, min(s / 10, 1)),
    ),
    "cosine, warm-up": (
        schedules.CosineDecay(0.01, 10, 0.1, warmup_target=0.2, warmup_steps=5),
        warm_cosine,
    ),
    "one cycle": (
        schedules.OneCycle(0.5, 20),
        lambda s: one_cycle(s, [(0, 0.02), (5, 0.5), (19, 2e-6)]),
    ),
    "one cycle, straight": (
        schedules.OneCycle(0.5, 21, 0.25, "linear", div_factor=10, final_div_factor=5),
        lambda s: one_cycle(s, [(0, 0.05), (4.25, 0.5), (20, 0.01)], straight=True),
    ),
    "one cycle, three phases": (
        schedules.OneCycle(0.5, 20, 0.4, div_factor=10, final_div_factor=5, three_phase=True),
        lambda s: one_cycle(s, [(0, 0.05), (7, 0.5), (14, 0.05), (19, 0.01)]),
    ),
    "one cycle, down only": (
        schedules.OneCycle(0.5, 20, 0.0, "linear", div_factor=10, final_div_factor=5),
        lambda s: one_cycle(s, [(-1, 0.5), (19, 0.01)], straight=True),
    ),
    "warm-up to a number": (
        schedules.WarmUp(0.1, 5, initial_learning_rate=0.02),
        lambda s: 0.02 + 0.08 * min(s / 5, 1),
    ),
    "warm-up to a schedule": (
        schedules.WarmUp(schedules.ExponentialDecay(0.1, 7, 0.5), 5),
        lambda s: 0.1 * s / 5 if s < 5 else 0.1 * 0.5 ** ((s - 5) / 7),
    ),
    "restarts": (schedules.CosineDecayRestarts(0.1, 4, m_mul=0.9), restarts),
    "restarts of one length": (
        schedules.CosineDecayRestarts(0.1, 4, t_mul=1.0, alpha=0.1),
        lambda s: cosine(0.1, 0.1, s % 4 / 4),
    ),
}
BY_NAME = pytest.mark.parametrize(("schedule", "formula"), CASES.values(), ids=CASES)


@BY_NAME
def test_closed_form(schedule, formula):
    for step in range(40):
        assert schedule(step) == pytest.approx(formula(step), rel=1e-6, abs=1e-9)


@BY_NAME
def test_in_a_compiled_step(schedule, formula):
    start, grads = problem(steps=20)
    optimizer = optimizers.SGD(schedule)
    actual = run(optimizer, start, grads, compiled=True)
    assert_same(actual, descend("SGD", {}, start, grads, schedule=formula), 2e-6)
    assert float(optimizer.learning_rate) == pytest.approx(formula(20), rel=1e-5)


@BY_NAME
def test_kinds_of_steps(schedule, formula):
    step = np.int32(6)
    for kind in (step, ops.convert_to_tensor(step), mlapi.Variable(step, trainable=False)):
        assert float(schedule(kind)) == pytest.approx(formula(6), rel=1e-5)


@BY_NAME
def test_config(schedule, formula):
    record = schedules.serialize(schedule)
    assert record["module"] == "keras.optimizers.schedules"
    again = schedules.deserialize(record)
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


def test_an_own_schedule():
    class InverseRoot(schedules.LearningRateSchedule):
        def __init__(self, peak):
            self.peak = peak

        def __call__(self, step):
            return self.peak * ops.rsqrt(ops.cast(step, "float32") + 1)

    start, grads = problem(steps=5)
    actual = run(optimizers.SGD(InverseRoot(0.5)), start, grads, compiled=True)
    assert_same(actual, descend("SGD", {}, start, grads, lambda s: 0.5 / math.sqrt(s + 1)), 2e-6)


def test_a_function_as_learning_rate():
    start, grads = problem(steps=2)
    actual = run(optimizers.SGD(lambda: 0.5), start, grads)
    assert_same(actual, descend("SGD", {"learning_rate": 0.5}, start, grads))


def test_the_base_class_says_what_to_override():
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), ArgumentError, "decay_steps must be"),
        (lambda: schedules.CosineDecay("fast", 5), ArgumentTypeError, "initial_learning_rate"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), ArgumentError, "t_mul"),
        (lambda: schedules.OneCycle(0.1, 9, anneal_strategy="cosine"), ArgumentError, "'cos'"),
        (lambda: schedules.OneCycle(0.1, 9, 0.6, three_phase=True), ArgumentError, "at most 0.5"),
        (lambda: schedules.WarmUp(lambda: 0.1, 9), ArgumentTypeError, "LearningRateSchedule"),
        (lambda: schedules.PiecewiseConstantDecay([1], [1.0]), ArgumentError, "one value more"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [1, 2, 3]), ArgumentError, "increase"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_schedules_are_public():
    assert mlapi.optimizers.schedules is schedules
