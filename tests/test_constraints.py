"""Projections of weights: what they promise of the norms, and of what is allowed already."""

import numpy as np
import pytest

from mlapi import constraints, ops
from mlapi.errors import ArgumentError

WEIGHT = np.random.default_rng(0).normal(size=(6, 5)).astype("float32") * np.linspace(0.1, 2, 5)
WEIGHT = WEIGHT.astype("float32")


def applied(constraint: constraints.Constraint, weight: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(constraint(ops.convert_to_tensor(weight)))


def norms(weight: np.ndarray, axis: int | tuple[int, ...] = 0) -> np.ndarray:
    return np.sqrt((weight**2).sum(axis=axis))


def test_max_norm_shortens_only_what_is_longer() -> None:
    projected = applied(constraints.MaxNorm(1.5), WEIGHT)
    before = norms(WEIGHT)
    assert before.min() < 1.5 < before.max()
    np.testing.assert_allclose(norms(projected), np.minimum(before, 1.5), rtol=1e-5)
    directions = projected / norms(projected)
    np.testing.assert_allclose(directions, WEIGHT / before, rtol=1e-4)


def test_norms_over_the_axes_of_a_kernel() -> None:
    kernel = np.random.default_rng(1).normal(size=(3, 3, 4, 7)).astype("float32")
    projected = applied(constraints.UnitNorm(axis=[0, 1, 2]), kernel)
    np.testing.assert_allclose(norms(projected, (0, 1, 2)), np.ones(7), rtol=1e-5)
    projected = applied(constraints.UnitNorm(axis=-1), kernel)
    np.testing.assert_allclose(norms(projected, -1), np.ones((3, 3, 4)), rtol=1e-5)


def test_non_negative() -> None:
    np.testing.assert_array_equal(applied(constraints.NonNeg(), WEIGHT), np.maximum(WEIGHT, 0))


@pytest.mark.parametrize("rate", [1.0, 0.25])
def test_min_max_norm_moves_by_its_rate(rate: float) -> None:
    projected = applied(constraints.MinMaxNorm(1.0, 2.0, rate), WEIGHT)
    before = norms(WEIGHT)
    assert before.min() < 1.0
    assert before.max() > 2.0
    wanted = rate * np.clip(before, 1.0, 2.0) + (1 - rate) * before
    np.testing.assert_allclose(norms(projected), wanted, rtol=1e-5)


def test_zero_weights_stay_finite() -> None:
    zeros = np.zeros((3, 2), "float32")
    for constraint in (constraints.MaxNorm(), constraints.UnitNorm(), constraints.MinMaxNorm(1, 2)):
        np.testing.assert_array_equal(applied(constraint, zeros), zeros)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: constraints.MaxNorm(-1), "MaxNorm: max_value must be a number of at least 0"),
        (lambda: constraints.MaxNorm(axis="0"), "MaxNorm: axis must be an integer or a list"),
        (lambda: constraints.MinMaxNorm(2, 1), "min_value=2 must not be above max_value=1"),
        (lambda: constraints.MinMaxNorm(rate=2), "rate must be a number from 0 to 1"),
        (lambda: constraints.get("unitnrm"), "Did you mean 'UnitNorm'|Did you mean 'unit_norm'"),
    ],
)
def test_wrong_arguments_are_refused(make, message: str) -> None:
    with pytest.raises((ArgumentError, TypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("identifier", "config"),
    [
        ("max_norm", {"max_value": 2, "axis": 0}),
        ("NonNeg", {}),
        ("unit_norm", {"axis": 0}),
        (
            constraints.MinMaxNorm(0.5, 1.5, 0.5, axis=1),
            {"min_value": 0.5, "max_value": 1.5, "rate": 0.5, "axis": 1},
        ),
    ],
)
def test_get_and_config(identifier: object, config: dict[str, object]) -> None:
    constraint = constraints.get(identifier)
    assert constraint.get_config() == config
    restored = constraints.deserialize(constraints.serialize(constraint))
    assert type(restored) is type(constraint)
    assert restored.get_config() == config


def test_functions_are_constraints_too() -> None:
    def halve(w):
        return w / 2

    assert constraints.get(halve) is halve
    assert constraints.get(None) is None
