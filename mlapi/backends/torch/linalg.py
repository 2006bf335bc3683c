"""Kernels of linear algebra on torch. Nothing is checked, which would wait for the device."""

import torch

from mlapi.types import Axis

Tensor = torch.Tensor

det = torch.linalg.det
eig = torch.linalg.eig
eigh = torch.linalg.eigh
slogdet = torch.linalg.slogdet
svdvals = torch.linalg.svdvals


def _where_done(y: Tensor, info: Tensor) -> Tensor:
    """NaN for the matrices with which a factorization ended early."""
    return torch.where((info == 0)[..., None, None], y, torch.nan)


def cholesky(x: Tensor) -> Tensor:
    return _where_done(*torch.linalg.cholesky_ex(x))


def inv(x: Tensor) -> Tensor:
    return _where_done(*torch.linalg.inv_ex(x))


def solve(a: Tensor, b: Tensor) -> Tensor:
    return _where_done(*torch.linalg.solve_ex(a, b))


def solve_triangular(a: Tensor, b: Tensor, lower: bool) -> Tensor:
    return torch.linalg.solve_triangular(a, b, upper=not lower)


def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    lu, pivots, _ = torch.linalg.lu_factor_ex(x)
    return lu, pivots - 1


def pinv(x: Tensor, rcond: float) -> Tensor:
    return torch.linalg.pinv(x, rtol=rcond)


def qr(x: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    return torch.linalg.qr(x, mode)


def svd(x: Tensor, full_matrices: bool) -> tuple[Tensor, Tensor, Tensor]:
    return torch.linalg.svd(x, full_matrices)


def norm(x: Tensor, ord: float | str | None, axis: Axis | None, keepdims: bool) -> Tensor:
    return torch.linalg.norm(x, ord, axis, keepdims)


def eye(x: Tensor) -> Tensor:
    return torch.eye(x.shape[-1], dtype=x.dtype, device=x.device).expand(x.shape)


conjugate = torch.conj
