"""Shares of right answers, counted in NumPy."""

import numpy as np
import pytest

from mlapi import metrics, ops
from mlapi.errors import ArgumentTypeError, ShapeError
from mlapi.metrics import resolve_accuracy


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def ranked(y, p, k):
    """Whether fewer than k scores of a row are higher than that of the right class."""
    return (p > np.take_along_axis(p, y[..., None], -1)).sum(-1) < k


@pytest.mark.parametrize("shape", [(40, 6), (8, 5, 6)], ids=str)
@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k(k, shape):
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 6, shape[:-1]), rng.normal(size=shape).astype("float32")
    hits = ranked(y, p, k)
    one_hot = np.eye(6, dtype="float32")[y]
    sparse = metrics.sparse_top_k_categorical_accuracy(y, p, k)
    np.testing.assert_array_equal(numpy(sparse), hits)
    np.testing.assert_array_equal(numpy(metrics.top_k_categorical_accuracy(one_hot, p, k)), hits)
    result = metrics.SparseTopKCategoricalAccuracy(k)(y, p)
    np.testing.assert_allclose(numpy(result), hits.mean(), rtol=1e-6)
    result = metrics.TopKCategoricalAccuracy(k=k)(one_hot, p)
    np.testing.assert_allclose(numpy(result), hits.mean(), rtol=1e-6)
    result = metrics.SparseTopKCategoricalAccuracy(k)(y[..., None], p)
    np.testing.assert_allclose(numpy(result), hits.mean(), rtol=1e-6)
    ids = np.argsort(-p, axis=-1)
    result = metrics.SparseTopKCategoricalAccuracy(k, from_sorted_ids=True)(y, ids)
    np.testing.assert_allclose(numpy(result), hits.mean(), rtol=1e-6)


def test_top_k_of_what_is_no_number():
    p = np.array([[np.nan, 0.1], [0.3, np.nan]], "float32")
    np.testing.assert_array_equal(
        numpy(metrics.sparse_top_k_categorical_accuracy([0, 0], p, 1)), [0, 1]
    )


@pytest.mark.parametrize("form", ["flat", "column", "int64", "float"])
def test_class_numbers_come_in_any_form(form):
    rng = np.random.default_rng(2)
    y, p = rng.integers(0, 3, 50), rng.normal(size=(50, 3)).astype("float32")
    given = {"flat": y.astype("int32"), "column": y[:, None], "int64": y, "float": y + 0.0}[form]
    hits = y == p.argmax(-1)
    np.testing.assert_array_equal(numpy(metrics.sparse_categorical_accuracy(given, p)), hits)
    result = metrics.SparseCategoricalAccuracy()(given, p)
    np.testing.assert_allclose(numpy(result), hits.mean(), rtol=1e-6)


@pytest.mark.parametrize("threshold", [0.2, 0.5])
@pytest.mark.parametrize(("y_shape", "p_shape"), [((9, 1), (9, 1)), ((9,), (9, 1)), ((9,), (9,))])
def test_binary(threshold, y_shape, p_shape):
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 2, y_shape), rng.uniform(size=p_shape).astype("float32")
    hits = y.ravel() == (p.ravel() > threshold)
    result = metrics.BinaryAccuracy(threshold=threshold)(y, p)
    np.testing.assert_allclose(numpy(result), hits.mean(), rtol=1e-6)
    function = metrics.binary_accuracy(y.reshape(9, 1), p.reshape(9, 1), threshold)
    np.testing.assert_array_equal(numpy(function), hits[:, None])
    weights = rng.uniform(size=9)
    result = metrics.BinaryAccuracy(threshold=threshold)(y, p, weights)
    np.testing.assert_allclose(numpy(result), np.average(hits, weights=weights), rtol=1e-5)


def test_equality():
    metric = metrics.Accuracy()
    assert numpy(metric([1, 2, 3, 4], [0, 2, 3, 4])) == 0.75
    metric.reset_state()
    assert numpy(metric([[1], [2]], [[1], [0]], sample_weight=[1.0, 3.0])) == 0.25


@pytest.mark.parametrize(
    ("y_shape", "p_shape", "name"),
    [
        ((8, 1), (8, 1), "BinaryAccuracy"),
        ((8,), (8, 1), "BinaryAccuracy"),
        ((8,), (8,), "BinaryAccuracy"),
        ((None, 28, 28, 1), (None, 28, 28, 1), "BinaryAccuracy"),
        ((8, 10), (8, 10), "CategoricalAccuracy"),
        ((None, 5, 10), (None, 5, 10), "CategoricalAccuracy"),
        ((8,), (8, 10), "SparseCategoricalAccuracy"),
        ((8, 1), (8, 10), "SparseCategoricalAccuracy"),
        ((8, 5), (8, 5, 10), "SparseCategoricalAccuracy"),
    ],
)
def test_accuracy_goes_by_shapes(y_shape, p_shape, name):
    assert resolve_accuracy(y_shape, p_shape) is getattr(metrics, name)


def test_bad_arguments():
    with pytest.raises(ArgumentTypeError, match="threshold must be a number, received 'half'"):
        metrics.BinaryAccuracy(threshold="half")
    with pytest.raises(ShapeError, match="categorical_accuracy"):
        metrics.CategoricalAccuracy()(np.zeros((4, 3)), np.zeros((4, 2)))
    with pytest.raises(ShapeError, match="one-hot"):
        metrics.SparseCategoricalAccuracy()(np.zeros((4, 3)), np.zeros((4, 3)))
