"""Linear algebra: the names of `keras.ops.linalg`, and others about matrices.

Matrices are the last two axes, all the others are batches of them. Frameworks differ on what they
cannot factorize or invert (a singular matrix): the result is NaN or infinite, or the kernel raises.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mlapi import dtypes
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ShapeError, one_of
from mlapi.op import op, to_float
from mlapi.ops.elementwise import cast, sqrt, square
from mlapi.ops.logical import where
from mlapi.ops.precision import in_single
from mlapi.ops.reduction import max, sum
from mlapi.ops.shape import expand_dims, swapaxes
from mlapi.ops.transformations import jvp  # noqa: F401  # one of Keras's names here
from mlapi.types import Axis, Tensor, TensorLike

_native = adapter.linalg


def _matrices(name: str, x: Any, square: bool = True) -> None:
    sizes = tuple(x.shape)[-2:]
    if len(sizes) < 2 or (square and None not in sizes and sizes[0] != sizes[1]):
        kind = "square matrices: the last two sizes must be equal" if square else "matrices"
        raise ShapeError(f"{name} needs {kind}; received shape {tuple(x.shape)}.")


def _of_matrices(
    name: str, native: Callable[..., Any], x: Any, *others: Any, square: bool = True
) -> Any:
    """`native(x, *others)`; tuples for the named tuples of the frameworks."""
    _matrices(name, x, square)

    def run(x: Any) -> Any:
        y = native(x, *others)
        return tuple(y) if isinstance(y, tuple | list) else y

    return in_single(run, x)


def _adjoint(x: Any) -> Any:
    x = swapaxes(x, -1, -2)
    return _native.conjugate(x) if dtypes.is_complex(x.dtype) else x


def _symmetric(name: str, x: Any) -> Any:
    """The symmetric part, which makes values and gradients those of all backends."""
    _matrices(name, x)
    return (x + _adjoint(x)) / 2


def _cutoff(x: Any, rcond: float | None) -> float:
    """Singular values below this share of the largest count as zero."""
    if rcond is not None:
        return rcond
    kind = dtypes.standardize(x.dtype)
    single = kind in ("float16", "bfloat16", "complex64")  # the precision that is computed in
    eps = np.finfo("float32" if single else kind).eps
    return float(eps) * np.max([size or 1 for size in x.shape[-2:]]).item()


@op(dtype=to_float)
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """Lower triangular `L` with `L @ adjoint(L) == x`; the adjoint of `L` if `upper`.

    Args:
        x: positive definite; of what is not symmetric, the symmetric part counts.
        upper: which of the two is returned.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cholesky([[4, 2], [2, 5]]))
        array([[2., 0.],
               [1., 2.]], dtype=float32)
    """
    y = in_single(lambda x: _native.cholesky(_symmetric("cholesky", x)), x)
    return _adjoint(y) if upper else y


@op(dtype=to_float)
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """Inverse of a matrix whose Cholesky factor is `x`, upper triangular if `upper`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cholesky_inverse([[2, 0], [0, 4]]))
        array([[0.25  , 0.    ],
               [0.    , 0.0625]], dtype=float32)
    """
    _matrices("cholesky_inverse", x)

    def run(x: Any) -> Any:
        unit = _native.eye(x)
        y = _native.solve_triangular(x, unit, not upper)
        return y @ _adjoint(y) if upper else _adjoint(y) @ y

    return in_single(run, x)


@op(dtype=to_float)
def det(x: TensorLike) -> Tensor:
    """Determinant.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.det([[1, 2], [3, 4]])).round(4)
        np.float32(-2.0)
    """
    return _of_matrices("det", _native.det, x)


@op(dtype=to_float)
def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Sign, and logarithm of the size of the determinant.

    Example:
        >>> from mlapi import ops
        >>> sign, size = ops.slogdet([[1, 0], [0, -1]])
        >>> float(sign), float(size)
        (-1.0, 0.0)
    """
    return _of_matrices("slogdet", _native.slogdet, x)


@op(dtype=to_float)
def logdet(x: TensorLike) -> Tensor:
    """Logarithm of the determinant; NaN where that is negative.

    Example:
        >>> from mlapi import ops
        >>> float(ops.logdet([[1, 0], [0, 1]]))
        0.0
    """
    sign, size = slogdet(x)
    return where(sign < 0, float("nan"), size)


@op(dtype=to_float)
def eig(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors (the columns), complex and in no order.

    Example:
        >>> from mlapi import ops
        >>> values, vectors = ops.eig([[2.0]])
        >>> ops.convert_to_numpy(values)
        array([2.+0.j], dtype=complex64)
    """
    return _of_matrices("eig", _native.eig, x)


@op(dtype=to_float)
def eigh(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues, ascending, and orthonormal eigenvectors (the columns) of symmetric matrices.

    Of what is not symmetric, the symmetric part counts.

    Example:
        >>> from mlapi import ops
        >>> values, vectors = ops.eigh([[3.0, 0.0], [0.0, 2.0]])
        >>> ops.convert_to_numpy(values)
        array([2., 3.], dtype=float32)
    """
    return in_single(lambda x: tuple(_native.eigh(_symmetric("eigh", x))), x)


@op(dtype=to_float)
def inv(x: TensorLike) -> Tensor:
    """Inverse.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.inv([[2, 0], [0, 4]]))
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    return _of_matrices("inv", _native.inv, x)


@op(dtype=to_float)
def lu_factor(x: TensorLike) -> tuple[Tensor, Tensor]:
    """LU factorization with row exchanges, as `scipy.linalg.lu_factor` packs it.

    Returns:
        `U` and, below its diagonal, `L` without its own of ones; and int32 pivots: row `i` was
        exchanged with row `pivots[i]`.

    Example:
        >>> from mlapi import ops
        >>> lu, pivots = ops.lu_factor([[1, 2], [4, 4]])
        >>> ops.convert_to_numpy(lu)
        array([[4.  , 4.  ],
               [0.25, 1.  ]], dtype=float32)
    """
    return _of_matrices("lu_factor", _native.lu_factor, x)


@op(dtype=to_float)
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """How many singular values are above `tol`, int32.

    Args:
        x: matrices of shape (..., M, N).
        tol: by default the largest singular value times max(M, N) times the dtype's precision.

    Example:
        >>> from mlapi import ops
        >>> int(ops.matrix_rank([[1, 1], [1, 1]]))
        1
    """
    values: Any = svd(x, compute_uv=False)
    least = max(values, -1, keepdims=True, initial=0.0) * _cutoff(x, None) if tol is None else tol
    return sum(cast(values > least, "int32"), -1)


@op(dtype=to_float)
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """Pseudo-inverse of Moore and Penrose.

    Args:
        x: matrices of shape (..., M, N).
        rcond: singular values up to this share of the largest count as zero; by default
            max(M, N) times the dtype's precision.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.pinv([[2.0], [0.0]]))
        array([[0.5, 0. ]], dtype=float32)
    """
    return _of_matrices("pinv", _native.pinv, x, _cutoff(x, rcond), square=False)


@op(dtype=to_float)
def qr(x: TensorLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Orthonormal `Q` and upper triangular `R` whose product is `x`.

    Args:
        x: matrices of shape (..., M, N).
        mode: `"reduced"` for K = min(M, N) columns of `Q` and rows of `R`, `"complete"` for M.

    Example:
        >>> from mlapi import ops
        >>> q, r = ops.qr(ops.ones((3, 2)))
        >>> ops.shape(q), ops.shape(r)
        ((3, 2), (2, 2))
    """
    one_of("mode", mode, ("reduced", "complete"))
    return _of_matrices("qr", _native.qr, x, mode, square=False)


@op(dtype=to_float)
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition `x == (u * s) @ vh`.

    Args:
        x: matrices of shape (..., M, N); K is min(M, N).
        full_matrices: whether `u` is (..., M, M) and `vh` (..., N, N); else (..., M, K) and
            (..., K, N).
        compute_uv: whether `u` and `vh` are returned at all.

    Returns:
        `(u, s, vh)`, `s` descending; or `s` alone.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.svd([[3, 0], [0, 4]], compute_uv=False))
        array([4., 3.], dtype=float32)
    """
    if not compute_uv:
        return _of_matrices("svd", _native.svdvals, x, square=False)
    return _of_matrices("svd", _native.svd, x, full_matrices, square=False)


def _systems(name: str, native: Callable[..., Any], a: Any, b: Any, square: bool = True) -> Any:
    """`native(a, b)`, where one axis less of `b` means vectors."""
    _matrices(name, a, square)
    vectors = len(b.shape) in (1, len(a.shape) - 1)
    columns = expand_dims(b, -1) if vectors else b
    rows = (tuple(a.shape)[-2], *tuple(columns.shape)[-2:-1])
    if len(rows) < 2 or (None not in rows and rows[0] != rows[1]):
        raise ShapeError(
            f"{name}: b must have as many rows as a, or be vectors of that size; received shapes "
            f"{tuple(a.shape)} and {tuple(b.shape)}."
        )
    y = in_single(native, a, columns)
    return y[..., 0] if vectors else y


@op(dtype=to_float)
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """`x` with `a @ x == b`.

    Args:
        a: square matrices, shape (..., M, M).
        b: shape (..., M, K); or vectors, with one axis less than `a` or one in all.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.solve([[2, 0], [0, 4]], [1, 1]))
        array([0.5 , 0.25], dtype=float32)
    """
    return _systems("solve", _native.solve, a, b)


@op(dtype=to_float)
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """As `solve`, where `a` is upper triangular, or lower; its other half is not looked at.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.solve_triangular([[2, 2], [0, 4]], [2, 4]))
        array([0., 1.], dtype=float32)
    """
    native = _native.solve_triangular
    return _systems("solve_triangular", lambda a, b: native(a, b, lower), a, b)


@op(dtype=to_float)
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The `x` of least length among those with the least `|a @ x - b|`.

    Args:
        a: matrices of shape (..., M, N).
        b: shape (..., M, K); or vectors, with one axis less than `a` or one in all.
        rcond: as for `pinv`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.lstsq([[1.0], [1.0]], [1.0, 3.0])).round(4)
        array([2.], dtype=float32)
    """
    cutoff = _cutoff(a, rcond)
    return _systems("lstsq", lambda a, b: _native.pinv(a, cutoff) @ b, a, b, square=False)


@op(dtype=to_float)
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """Euclidean distance of every row of `x` (..., M, D) to every row of `y` (..., N, D).

    Returns:
        Shape (..., M, N). The gradient of a distance that is zero is zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cdist([[0, 0]], [[3, 4], [0, 1]]))
        array([[5., 1.]], dtype=float32)
    """
    _matrices("cdist", x, square=False)
    _matrices("cdist", y, square=False)

    def run(x: Any, y: Any) -> Any:
        squared = sum(square(expand_dims(x, -2) - expand_dims(y, -3)), -1)
        return where(squared == 0, 0.0, sqrt(where(squared == 0, 1.0, squared)))

    return in_single(run, x, y)


_OF_MATRICES = ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


@op(dtype=to_float)
def norm(
    x: TensorLike,
    ord: float | str | None = None,
    axis: Axis | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Length of vectors, or norm of matrices.

    Args:
        x: any shape; one- or two-dimensional if `axis` is None and `ord` is not.
        ord: for vectors any number, also 0 (how many elements are not zero) and `±inf`; for
            matrices `"fro"`, `"nuc"`, `±1`, `±2` and `±inf`. None is the root of the sum of
            squares over whatever axes there are.
        axis: one axis for vectors, two for matrices; None for all.
        keepdims: whether reduced axes stay, with size 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.norm([3, 4]))
        array(5., dtype=float32)
    """
    tensor: Any = x
    axes = len(tensor.shape) if axis is None else 1 if isinstance(axis, int) else len(axis)
    if ord is not None and axes not in (1, 2):
        raise ShapeError(f"norm: ord={ord!r} is for one or two axes, received {axes}.")
    if axes == 2 and ord is not None:
        one_of("ord of a norm of matrices", ord, _OF_MATRICES)
    elif isinstance(ord, str):
        raise ArgumentError(f"norm: ord={ord!r} is a norm of matrices, received one axis.")
    if ord in ("nuc", 2, -2) and axes == 2:  # of singular values
        return in_single(lambda x: _native.norm(x, ord, axis, keepdims), tensor)
    return _native.norm(tensor, ord, axis, keepdims)
