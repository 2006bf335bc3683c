"""Cases of `mlapi.ops.linalg`; what is not unique is put together again in its tests."""

import numpy as np
import scipy.linalg
from hypothesis import strategies as st
from scipy.spatial import distance

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, Case, distinct, real

HALVES = ("float16", "bfloat16", "float32", "int32")


def regular(*shape, seed=0):
    """Matrices far from singular, with singular values of their own."""
    diagonal = np.eye(*shape[-2:]) * (np.arange(shape[-1]) + 3)
    return np.float32(real(*shape, seed=seed) / 3 + diagonal)


def definite(*shape, seed=0):
    x = regular(*shape, seed=seed)
    return np.float32((x + np.swapaxes(x, -1, -2)) / 2)


def drawn(make=regular, square=True, **options):
    """Batches of matrices, with as many columns as rows if `square`, and options."""

    def arguments(draw, kind):
        batch = strategies.shape(draw, most=2)
        rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        sizes = (*batch, rows, rows if square else columns)
        kwargs = {name: draw(values) for name, values in options.items()}
        return (strategies.array(draw, kind, sizes, make),), kwargs

    return arguments


def matrices(name, reference, make=regular, *, square=True, **details):
    shapes = {
        "": (2, 3, 3) if square else (2, 3, 2),
        "single": (2, 2),
        "rank6": (2, 1, 2, 1, 2, 2) if square else (2, 1, 2, 1, 2, 3),
        "empty": (0, 3, 3),
    }
    details = {"dtypes": HALVES, "result": "float", "tolerance": 2e-5, **details}
    return [
        Case(name, (make(*shape),), reference, label=label, unknown=label != "single",
             draw=drawn(make, square), **details)
        for label, shape in shapes.items()
    ]  # fmt: skip


def cholesky(x, upper=False):
    y = np.linalg.cholesky((x + np.swapaxes(x, -1, -2)) / 2)  # as of slopes in all directions
    return np.swapaxes(y, -1, -2) if upper else y


def cholesky_inverse(x, upper=False):
    half = np.triu(x) if upper else np.tril(x)
    other = np.swapaxes(half, -1, -2)
    return np.linalg.inv(other @ half if upper else half @ other)


def slogdet(x):
    sign, size = np.linalg.slogdet(x)
    return sign, size


def logdet(x):
    sign, size = np.linalg.slogdet(x)
    return np.where(sign < 0, np.nan, size)


def lu_factor(x):
    flat = [scipy.linalg.lu_factor(one) for one in x.reshape(-1, *x.shape[-2:])]
    lu = np.array([one for one, _ in flat]).reshape(x.shape)
    return lu, np.array([pivots for _, pivots in flat], int).reshape(x.shape[:-1])


def svdvals(x, full_matrices=True, compute_uv=True):
    return np.linalg.svd(x, compute_uv=False)


def eig(x):
    return x[..., 0].astype(complex), np.ones_like(x, complex)


def qr(x, mode="reduced"):
    return tuple(np.linalg.qr(x, mode))


def solve(a, b):
    vectors = b.ndim in (1, a.ndim - 1)
    y = np.linalg.solve(a, b[..., None] if vectors else b)
    return y[..., 0] if vectors else y


def solve_triangular(a, b, lower=False):
    return solve(np.tril(a) if lower else np.triu(a), b)


def lstsq(a, b, rcond=None):
    vectors = b.ndim in (1, a.ndim - 1)
    y = np.linalg.pinv(a, rcond) @ (b[..., None] if vectors else b)
    return y[..., 0] if vectors else y


def pinv(x, rcond=None):
    return np.linalg.pinv(x, 1e-6 if rcond is None else rcond)


def cdist(x, y):
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x, y = (np.broadcast_to(z, batch + z.shape[-2:]) for z in (x, y))
    out = np.empty((*batch, x.shape[-2], y.shape[-2]))
    for i in np.ndindex(*batch):
        out[i] = distance.cdist(x[i], y[i])
    return out


def systems(name, reference, make=regular, square=True, **details):
    """Matrices and vectors on the right, with batches that are broadcast."""
    pairs = {
        "": ((2, 3, 3), (2, 3, 2)),
        "vector": ((3, 3), (3,)),
        "vectors": ((2, 3, 3), (2, 3)),
        "one_vector": ((2, 3, 3), (3,)),
        "broadcast": ((2, 1, 3, 3), (1, 4, 3, 1)),
        "single": ((2, 2), (2, 3)),
        "empty": ((0, 2, 2), (0, 2, 3)),
    }

    def draw(draw, kind):
        rows, columns, count = (draw(st.integers(1, 3)) for _ in range(3))
        batch = strategies.shape(draw, most=2)
        a = (*batch, rows, rows if square else columns)
        b = (*strategies.broadcast(draw, batch), rows, count)
        if len(b) == len(a) - 1:
            b = (1, *b)  # otherwise it would be vectors
        return (strategies.array(draw, kind, a, make),
                strategies.array(draw, kind, b, real)), {}  # fmt: skip

    details = {"dtypes": HALVES, "result": "float", "tolerance": 2e-5, **details}
    return [
        Case(name, (make(*a), real(*b, seed=1)), reference, label=label, draw=draw,
             unknown=label == "", **details)
        for label, (a, b) in pairs.items()
    ]  # fmt: skip


def norm(x, ord=None, axis=None, keepdims=False):
    return np.linalg.norm(x, ord, tuple(axis) if isinstance(axis, list) else axis, keepdims)


def norms(label, shape, **kwargs):
    return Case("norm", (real(*shape),), norm, kwargs, label)


RANK_ONE = np.float32([[1, 2, 3], [2, 4, 6]])
TALL = distinct(4, 2)

CASES = [
    *matrices("cholesky", cholesky, definite),
    Case("cholesky", (definite(3, 3),), cholesky, {"upper": True}, "upper", unknown=False,
         draw=drawn(definite, upper=st.booleans())),
    Case("cholesky", (regular(3, 3),), cholesky, label="symmetrized", unknown=False,
         draw=drawn()),
    *matrices("cholesky_inverse", cholesky_inverse),
    Case("cholesky_inverse", (regular(2, 3, 3),), cholesky_inverse, {"upper": True}, "upper"),
    *matrices("det", np.linalg.det, tolerance=1e-4),
    *matrices("slogdet", slogdet),
    *matrices("logdet", logdet),
    Case("logdet", (-np.eye(3, dtype="float32"),), logdet, label="negative", unknown=False,
         grad=False),
    *matrices("inv", np.linalg.inv),
    *matrices("lu_factor", lu_factor, slopes=1),
    Case("lu_factor", (real(4, 5, 5),), lu_factor, label="exchanges", tolerance=1e-4, slopes=1),
    *matrices("matrix_rank", np.linalg.matrix_rank, square=False, result="int32", grad=False),
    Case("matrix_rank", (RANK_ONE,), np.linalg.matrix_rank, label="one", result="int32",
         grad=False),
    Case("matrix_rank", (TALL, 1.5), np.linalg.matrix_rank, label="tol", result="int32",
         grad=False),
    *matrices("pinv", pinv, square=False, tolerance=1e-4),
    Case("pinv", (RANK_ONE,), pinv, label="one", grad=False),
    Case("pinv", (TALL, 0.9), pinv, label="rcond", grad=False),
    *matrices("qr", qr),
    Case("qr", (TALL,), qr, {"mode": "complete"}, "complete", grad=False),
    Case("qr", (TALL.T,), qr, label="wide", grad=False, unknown=False),
    *[
        Case("svd", case.args, svdvals, {"compute_uv": False}, case.label, case.dtypes, "float",
             unknown=case.unknown, tolerance=2e-5)
        for case in matrices("svd", svdvals)
    ],
    Case("eig", (real(2, 1, 1),), eig, result="complex64", grad=False),
    Case("eigh", (real(2, 1, 1),), lambda x: (x[..., 0], np.ones_like(x)), dtypes=FLOATS),
    *systems("solve", solve),
    *systems("solve_triangular", solve_triangular),
    Case("solve_triangular", (regular(3, 3), real(3)), solve_triangular, {"lower": True}, "lower",
         unknown=False),
    *systems("lstsq", lstsq, tolerance=1e-4),
    Case("lstsq", (TALL, real(4, 3)), lstsq, label="tall", unknown=False),
    Case("lstsq", (TALL.T, real(2, 3)), lstsq, label="wide", unknown=False),
    Case("cdist", (real(2, 3, 4), real(2, 2, 4, seed=1)), cdist, dtypes=HALVES, result="float"),
    Case("cdist", (real(3, 4), real(2, 5, 4, seed=1)), cdist, label="broadcast", unknown=False),
    Case("cdist", (np.ones((2, 3), "float32"), np.ones((2, 3), "float32")), cdist, label="same",
         grad=False, unknown=False),
    Case("cdist", (real(0, 3), real(2, 3)), cdist, label="empty", unknown=False),
    Case("norm", (real(2, 3),), norm, dtypes=("bfloat16", "float32", "int32"), result="float"),
    norms("all", (2, 3, 4), keepdims=True),
    norms("axis", (2, 3), axis=-1),
    norms("axes", (2, 3, 4), axis=[0, 2], keepdims=True),
    *(
        norms(f"vector_{ord}", (2, 3), ord=ord, axis=1, keepdims=True)
        for ord in (1, 2, 3, 2.5, np.inf, -np.inf)
    ),
    Case("norm", (real(2, 3),), norm, {"ord": 0, "axis": 1}, "vector_0", grad=False),
    *(norms(f"matrix_{ord}", (3, 4), ord=ord) for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf)),
    norms("matrix_axes", (3, 2, 4), ord="nuc", axis=(0, 2), keepdims=True),
    norms("matrix_swapped", (3, 2, 4), ord=1, axis=(2, 0)),
]  # fmt: skip
