"""Penalties against their formulas in NumPy."""

import numpy as np
import pytest

from mlapi import ops, regularizers
from mlapi.errors import ArgumentError, ShapeError

WEIGHT = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def mean_cosine(rows: np.ndarray) -> float:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = np.triu_indices(len(rows), 1)
    return np.abs(unit @ unit.T)[pairs].mean()


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.L1(0.3), 0.3 * np.abs(WEIGHT).sum()),
        (regularizers.L2(0.3), 0.3 * (WEIGHT**2).sum()),
        (regularizers.L1L2(0.3, 0.2), 0.3 * np.abs(WEIGHT).sum() + 0.2 * (WEIGHT**2).sum()),
        (regularizers.L1L2(l1=0.3), 0.3 * np.abs(WEIGHT).sum()),
        (regularizers.L1L2(l2=0.2), 0.2 * (WEIGHT**2).sum()),
        (regularizers.L1L2(), 0.0),
        (regularizers.OrthogonalRegularizer(0.3), 0.3 * mean_cosine(WEIGHT)),
        (regularizers.OrthogonalRegularizer(0.3, "columns"), 0.3 * mean_cosine(WEIGHT.T)),
    ],
)
def test_penalty(regularizer: regularizers.Regularizer, expected: float) -> None:
    penalty = regularizer(ops.convert_to_tensor(WEIGHT))
    assert ops.shape(penalty) == ()
    assert float(penalty) == pytest.approx(expected, rel=1e-5)


def test_orthogonal_rows_cost_nothing() -> None:
    q, _ = np.linalg.qr(WEIGHT)
    assert float(regularizers.OrthogonalRegularizer(1.0, "columns")(q)) < 1e-6
    one_row = WEIGHT[:1]
    assert float(regularizers.OrthogonalRegularizer(1.0)(one_row)) == 0.0


def test_orthogonal_needs_a_matrix() -> None:
    with pytest.raises(ShapeError, match=r"needs a matrix; received shape \(5,\)"):
        regularizers.OrthogonalRegularizer()(WEIGHT[:, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.L1(-1.0), "L1: l1 must be a number of at least 0, received -1.0"),
        (lambda: regularizers.L2(float("nan")), "L2: l2 must be"),
        (lambda: regularizers.L1L2(l2=float("inf")), "L1L2: l2 must be"),
        (lambda: regularizers.OrthogonalRegularizer(mode="row"), "Did you mean 'rows'"),
        (lambda: regularizers.get("l3"), "Unknown regularizer 'l3'"),
    ],
)
def test_wrong_arguments_are_refused(make, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("identifier", "config"),
    [
        ("l2", {"l2": 0.01}),
        ("L1", {"l1": 0.01}),
        ("l1_l2", {"l1": 0.0, "l2": 0.0}),
        ({"class_name": "L2", "config": {"l2": 0.5}}, {"l2": 0.5}),
        (regularizers.l1(0.2), {"l1": 0.2}),
        ("orthogonal_regularizer", {"factor": 0.01, "mode": "rows"}),
    ],
)
def test_get_and_config(identifier: object, config: dict[str, object]) -> None:
    regularizer = regularizers.get(identifier)
    assert regularizer.get_config() == config
    restored = regularizers.deserialize(regularizers.serialize(regularizer))
    assert type(restored) is type(regularizer)
    assert restored.get_config() == config


def test_functions_are_regularizers_too() -> None:
    def total(x):
        return ops.sum(x)

    assert regularizers.get(total) is total
    assert regularizers.get(None) is None
