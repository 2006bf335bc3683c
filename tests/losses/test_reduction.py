"""Weights, masks and reductions, written out in NumPy."""

import numpy as np
import pytest

from mlapi import losses, ops
from mlapi.errors import ArgumentError, ShapeError
from tests.losses.references import LOSSES

REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]
NAMES = ["mean_squared_error", "binary_crossentropy", "sparse_categorical_crossentropy"]


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def reduced(values, weight, mask, reduction):
    """The six reductions, with weights and mask in the shape of the values."""
    product = values * (1 if weight is None else weight) * (1 if mask is None else mask)
    if reduction in ("none", None):
        return product
    if reduction == "sum":
        return product.sum()
    if reduction == "mean_with_sample_weight" and not (weight is None and mask is None):
        ones = np.ones_like(values)
        factor = ones if weight is None else weight * ones
        return product.sum() / (factor * (1 if mask is None else mask)).sum()
    return product.sum() / (values.size if mask is None else (mask * np.ones_like(values)).sum())


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weights", [None, (3,), (3, 1), (1, 5), (3, 5), (3, 5, 1)], ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_reduction(name, reduction, weights, masked):
    case = LOSSES[name]
    rng = np.random.default_rng(1)
    y, p = case.make(rng, (3, 5, 4))
    weight = None if weights is None else rng.uniform(size=weights).astype("float32")
    mask = rng.uniform(size=(3, 5)) < 0.6 if masked else None
    loss = getattr(losses, case.cls)(reduction=reduction)
    result = numpy(loss(y, p, weight, mask=mask))
    if weight is not None:
        weight = weight[:, None] if weight.ndim == 1 else weight.reshape(weight.shape[:2])
    np.testing.assert_allclose(
        result, reduced(case.values(y, p), weight, mask, reduction), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("reduction", ["mean", "mean_with_sample_weight"])
def test_nothing_valid_gives_zero(reduction):
    loss = losses.MeanSquaredError(reduction=reduction)
    assert numpy(loss([[1.0], [2.0]], [[0.0], [0.0]], mask=[False, False])) == 0


def test_scalar_of_a_custom_loss_is_weighted_by_the_mean():
    class Scalar(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.abs(y_true - y_pred))

    result = Scalar()([[1.0], [3.0]], [[0.0], [0.0]], sample_weight=[1.0, 3.0])
    np.testing.assert_allclose(numpy(result), 4.0)


def test_unknown_reduction_names_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 'sum_over_batch_size'"):
        losses.MeanSquaredError(reduction="sum_over_batch")


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 5)], ids=str)
def test_weights_that_do_not_fit(shape):
    with pytest.raises(ShapeError, match=r"do not fit values of shape \(3, 5\)"):
        losses.MeanSquaredError()(np.ones((3, 5, 2)), np.ones((3, 5, 2)), np.ones(shape))
