"""What no table can hold: shapes that depend on values, keys, functions over elements."""

import numpy as np
import pytest

import mlapi
from mlapi import ops
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, DTypeError, ShapeError
from mlapi.graph import SymbolicTensor

X = np.arange(6, dtype="float32").reshape(2, 3)
DEPENDENT = {
    "nonzero": ops.nonzero,
    "unique": ops.unique,
    "bincount": lambda x: ops.bincount(ops.cast(x[0], "int32")),
    "segment_max": lambda x: ops.segment_max(x, ops.cast(x[:, 0], "int32")),
    "get_item": lambda x: ops.get_item(x, x > 1),
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_shapes_that_depend_on_values(name):
    """They work eagerly, and say what is wrong where values are not there."""
    DEPENDENT[name](ops.convert_to_tensor(X))
    with pytest.raises(ArgumentError, match="depends on the values"):
        DEPENDENT[name](SymbolicTensor((2, 3)))
    compiled = mlapi.jit(DEPENDENT[name], [])
    if jit_knows_values():
        compiled(ops.convert_to_tensor(X))
    else:
        with pytest.raises(ArgumentError, match="depends on the values"):
            compiled(ops.convert_to_tensor(X))


def jit_knows_values():
    """Whether `mlapi.jit` runs what it is given, or traces it."""
    found = []

    def look(x):
        found.append(adapter.arrays.host_int(x))
        return x

    mlapi.jit(look, [])(ops.convert_to_tensor(1))
    return found[0] is not None


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ops.get_item(X, 2), ArgumentError),
        (lambda: ops.get_item(X, (0, 0, 0)), ArgumentError),
        (lambda: ops.get_item(X, (..., ...)), ArgumentError),
        (lambda: ops.get_item(X, [0.5]), DTypeError),
        (lambda: ops.searchsorted(X, 1.0), ShapeError),
        (lambda: ops.searchsorted(X[0], 1.0, side="middle"), ArgumentError),
        (lambda: ops.argpartition(X, 3), ArgumentError),
        (lambda: ops.select([X > 1], [X, X]), ArgumentError),
        (lambda: ops.scatter_update(X, [[0]], [[1.0]]), ShapeError),
        (lambda: ops.scatter_update(X, [[0, 0, 0]], [1.0]), ShapeError),
        (lambda: ops.scatter_update(X, [[0, 0]], [1.0], "mean"), ArgumentError),
        (lambda: ops.quantile(X, 0.5, method="median"), ArgumentError),
        (lambda: ops.quantile(X, [[0.5]]), ShapeError),
        (lambda: ops.quantile(X, 0.5, axis=2), ArgumentError),
        (lambda: ops.average(X, weights=[1.0, 2.0]), ShapeError),
        (lambda: ops.average(X, axis=1, weights=[1.0, 2.0]), ShapeError),
        (lambda: ops.correlate(X, X), ShapeError),
        (lambda: ops.correlate(X[0], X[1], "all"), ArgumentError),
        (lambda: ops.corrcoef(X[None]), ShapeError),
        (lambda: ops.bincount([-1, 2]), ArgumentError),
        (lambda: ops.bincount(X), DTypeError),
        (lambda: ops.histogram(X, 0), ArgumentError),
        (lambda: ops.histogram(X, range=(1, 0)), ArgumentError),
        (lambda: ops.cross([1.0, 2.0], [1.0]), ShapeError),
        (lambda: ops.rot90(X, axes=(0, 0)), ArgumentError),
        (lambda: ops.roll(X, 1, 2), ArgumentError),
        (lambda: ops.fliplr(X[0]), ShapeError),
        (lambda: ops.vsplit(X[0], 1), ShapeError),
        (lambda: ops.dsplit(X, 1), ShapeError),
        (lambda: ops.array_split(X, 0), ArgumentError),
        (lambda: ops.diff(X, -1), ArgumentError),
        (lambda: ops.vectorize(ops.add)([1, 2], [1, 2, 3]), ShapeError),
        (lambda: ops.vectorize(ops.add, signature="n->n"), ArgumentError),
        (lambda: ops.vectorize(ops.add, signature="(n)->(n)")(X, X), ArgumentError),
    ],
)
def test_bad_arguments(call, error):
    with pytest.raises(error):
        call()


def test_quantiles_of_impossible_fractions():
    found = ops.convert_to_numpy(ops.quantile(X, [-0.1, 0.5, 1.1]))
    np.testing.assert_equal(found, np.float32([np.nan, 2.5, np.nan]))


def test_edges_of_histograms():
    for x, kwargs in ((X, {"bins": 4}), (X[0], {"range": (0, 3)}), (X * 0, {"bins": 2})):
        counts, edges = ops.histogram(x, **kwargs)
        wanted = np.histogram(x, **kwargs)
        np.testing.assert_array_equal(ops.convert_to_numpy(counts), wanted[0])
        np.testing.assert_allclose(ops.convert_to_numpy(edges), wanted[1])


def test_vectorized_functions_are_as_numpys():
    def inner(a, b, scale=1.0):
        return ops.sum(a * b) * scale

    other = np.float32([[[1, 2, 3]], [[0, 1, 0]]])
    found = ops.vectorize(inner, signature="(n),(n)->()")(X, other)
    np.testing.assert_allclose(ops.convert_to_numpy(found), (X * other).sum(-1))
    scaled = ops.vectorize(inner, excluded={"scale"}, signature="(n),(n)->()")
    found = scaled(X, X[0], scale=2.0)
    np.testing.assert_allclose(ops.convert_to_numpy(found), 2 * X @ X[0])
    rows, total = ops.vectorize(lambda a: (a * 2, ops.sum(a)), signature="(n)->(n),()")(X)
    np.testing.assert_allclose(ops.convert_to_numpy(rows), X * 2)
    np.testing.assert_allclose(ops.convert_to_numpy(total), X.sum(1))
