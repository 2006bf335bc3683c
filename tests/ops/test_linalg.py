"""Factorizations that are not unique are multiplied together again; bad arguments are refused."""

import importlib

import numpy as np
import pytest
import scipy.linalg

import mlapi
from mlapi import ops
from mlapi.errors import ArgumentError, ShapeError
from mlapi.graph import SymbolicTensor
from mlapi.testing.case import distinct, real

RUNS = {"eager": lambda f: f, "jit": lambda f: mlapi.jit(f, [])}
run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
SHAPES = [(4, 4), (2, 5, 3), (2, 2, 3, 5)]


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def symmetric(*shape):
    x = real(*shape)
    return np.float32(x + np.swapaxes(x, -1, -2))


@run
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [True, False])
def test_svd(run, shape, full):
    x = real(*shape)
    u, s, vh = map(numpy, run(lambda x: ops.svd(x, full))(ops.convert_to_tensor(x)))
    expected = np.linalg.svd(x, full)
    assert [y.shape for y in (u, s, vh)] == [y.shape for y in expected]
    np.testing.assert_allclose(s, expected[1], rtol=1e-4, atol=1e-5)
    k = s.shape[-1]
    np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x, atol=1e-5)
    for q in (u, np.swapaxes(vh, -1, -2)):
        unit = np.eye(q.shape[-1]) + 0 * q[..., :1, :1]
        np.testing.assert_allclose(np.swapaxes(q, -1, -2) @ q, unit, atol=1e-5)


@run
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(run, shape, mode):
    x = real(*shape)
    q, r = map(numpy, run(lambda x: ops.qr(x, mode))(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(q @ r, x, atol=1e-5)
    np.testing.assert_allclose(r, np.triu(r), atol=1e-5)
    unit = np.eye(q.shape[-1]) + 0 * q[..., :1, :1]
    np.testing.assert_allclose(np.swapaxes(q, -1, -2) @ q, unit, atol=1e-5)


@run
@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3)])
def test_eigh(run, shape):
    x = symmetric(*shape)
    values, vectors = map(numpy, run(ops.eigh)(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(x @ vectors, vectors * values[..., None, :], atol=1e-4)


@run
@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3)])
def test_eig(run, shape):
    x = real(*shape)
    values, vectors = map(numpy, run(ops.eig)(ops.convert_to_tensor(x)))
    assert values.dtype == vectors.dtype == np.complex64
    np.testing.assert_allclose(x @ vectors, vectors * values[..., None, :], atol=1e-4)
    wanted = np.linalg.eigvals(x).reshape(-1, shape[-1])
    for found, expected in zip(values.reshape(wanted.shape), wanted, strict=True):
        np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected), atol=1e-4)


def test_slope_of_eigenvalues():
    """Of a distinct eigenvalue it is the outer product of its eigenvector with itself."""
    x = symmetric(4, 4)
    grad = mlapi.jit(mlapi.grad(lambda x: ops.eigh(x)[0][1]), [])(ops.convert_to_tensor(x))
    vector = np.linalg.eigh(x)[1][:, 1]
    np.testing.assert_allclose(numpy(grad), np.outer(vector, vector), atol=1e-4)


def test_slope_of_eigenvectors():
    """A function of the symmetric part: its slope along any direction, by differences."""
    x, direction = symmetric(3, 3), real(3, 3, seed=1)

    def loss(x):
        return ops.sum(ops.multiply(ops.square(ops.eigh(x)[1][:, 0]), [1, 2, 3]))

    def reference(step):
        moved = x.astype("float64") + step * direction
        return (np.linalg.eigh((moved + moved.T) / 2)[1][:, 0] ** 2 * [1, 2, 3]).sum()

    slope = np.sum(numpy(mlapi.grad(loss)(ops.convert_to_tensor(x))) * direction)
    assert slope == pytest.approx((reference(1e-6) - reference(-1e-6)) / 2e-6, rel=1e-3)


def test_lu_factor_is_that_of_scipy():
    x, b = distinct(6, 6), real(6)
    lu, pivots = ops.lu_factor(x)
    found = scipy.linalg.lu_solve((numpy(lu), numpy(pivots)), b)
    np.testing.assert_allclose(found, np.linalg.solve(x, b), rtol=1e-2, atol=1e-3)


def test_complex_matrices():
    x = np.complex64(real(3, 3) + 1j * real(3, 3, seed=1)) + 3 * np.eye(3, dtype="complex64")
    product = x @ x.conj().T
    np.testing.assert_allclose(numpy(ops.inv(x)) @ x, np.eye(3), atol=1e-4)
    np.testing.assert_allclose(numpy(ops.det(x)), np.linalg.det(x), rtol=1e-4)
    lower = numpy(ops.cholesky(product))
    np.testing.assert_allclose(lower @ lower.conj().T, product, rtol=1e-4, atol=1e-4)
    upper = numpy(ops.cholesky(product, upper=True))
    np.testing.assert_allclose(upper, lower.conj().T, atol=1e-5)
    np.testing.assert_allclose(numpy(ops.eigh(product)[0]), np.linalg.eigvalsh(product), rtol=1e-4)


def test_least_squares_of_deficient_rank():
    a, b = np.float32([[1, 1], [2, 2], [3, 3]]), np.float32([1, 2, 4])
    expected = np.linalg.lstsq(a, b)[0]
    np.testing.assert_allclose(numpy(ops.lstsq(a, b)), expected, rtol=1e-4)


def test_far_and_close_points():
    """Distances of close points far from the origin are not lost."""
    x = np.float32([[1000.0, 1000.0], [1000.25, 1000.0]]).repeat(20, 0)
    assert numpy(ops.cdist(x, x)).max() == 0.25
    grad = mlapi.grad(lambda x: ops.sum(ops.cdist(x, x)))(ops.convert_to_tensor(x))
    assert np.isfinite(numpy(grad)).all()


def test_what_is_singular_has_no_inverse():
    """NaN, infinite, huge, or the error of a kernel: never a number that looks right."""
    try:
        y = numpy(ops.inv(np.float32([[1, 2], [2, 4]])))
    except ArgumentError:
        return
    assert not np.isfinite(y).all() or np.abs(y).max() > 1e6


BAD = {
    "vector": (lambda: ops.det([1.0, 2.0]), ShapeError),
    "oblong": (lambda: ops.inv(np.ones((2, 3))), ShapeError),
    "cholesky": (lambda: ops.cholesky(np.ones((2, 3))), ShapeError),
    "rows": (lambda: ops.solve(np.eye(3), np.ones((2, 3))), ShapeError),
    "scalar": (lambda: ops.solve(np.eye(3), 1.0), ShapeError),
    "triangular": (lambda: ops.solve_triangular(np.ones((2, 3)), np.ones(2)), ShapeError),
    "batches": (lambda: ops.solve(np.ones((2, 3, 3)), np.ones((4, 3, 1))), ShapeError),
    "mode": (lambda: ops.qr(np.eye(2), mode="raw"), ArgumentError),
    "distances": (lambda: ops.cdist(np.ones((2, 3)), np.ones((2, 4))), ShapeError),
    "ord": (lambda: ops.norm(np.eye(2), ord="frob"), ArgumentError),
    "ord of vectors": (lambda: ops.norm([1.0], ord="fro"), ArgumentError),
    "axes": (lambda: ops.norm(np.ones((2, 2, 2)), ord=2), ShapeError),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name):
    call, error = BAD[name]
    with pytest.raises(error):
        call()


def test_bad_symbolic_arguments():
    with pytest.raises(ShapeError):
        ops.inv(SymbolicTensor((None, 2, 3), "float32"))


def test_names_of_keras():
    for name in ("cholesky", "det", "eigh", "jvp", "lstsq", "norm", "solve_triangular", "svd"):
        assert getattr(ops.linalg, name) is getattr(ops, name)
    assert importlib.import_module("mlapi.ops.numpy").slogdet is ops.slogdet
