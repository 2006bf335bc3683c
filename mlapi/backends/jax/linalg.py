"""Kernels of linear algebra on jax."""

from typing import Any

import jax
import jax.numpy as jnp

from mlapi.types import Axis

Tensor = jax.Array

det = jnp.linalg.det
eig = jnp.linalg.eig
inv = jnp.linalg.inv
slogdet = jnp.linalg.slogdet
solve = jnp.linalg.solve
lu_factor = jax.scipy.linalg.lu_factor
svdvals = jnp.linalg.svdvals


def cholesky(x: Tensor) -> Tensor:
    return jax.lax.linalg.cholesky(x, symmetrize_input=False)


def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    return jnp.linalg.eigh(x, symmetrize_input=False)


def solve_triangular(a: Tensor, b: Tensor, lower: bool) -> Tensor:
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (jnp.broadcast_to(x, batch + x.shape[-2:]) for x in (a, b))
    return jax.lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)


def pinv(x: Tensor, rcond: float) -> Tensor:
    return jnp.linalg.pinv(x, rtol=rcond)


def qr(x: Tensor, mode: str) -> Any:
    return jnp.linalg.qr(x, mode)


def svd(x: Tensor, full_matrices: bool) -> Any:
    return jnp.linalg.svd(x, full_matrices)


def norm(x: Tensor, ord: float | str | None, axis: Axis | None, keepdims: bool) -> Tensor:
    axis = axis if axis is None or isinstance(axis, int) else tuple(axis)
    return jnp.linalg.norm(x, ord, axis, keepdims)


def eye(x: Tensor) -> Tensor:
    return jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)


conjugate = jnp.conj
