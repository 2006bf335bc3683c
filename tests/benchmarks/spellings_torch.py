"""How ops without a kernel of the adapter are best written in torch by hand."""

import torch
import torch.nn.functional as F


def compile(function):
    """As `mlapi.jit` does: not at all."""
    return function


def _pairs(function):
    """Of complex tensors, for ops that take and give real and imaginary parts."""

    def call(x):
        y = function(torch.complex(*x))
        return y.real, y.imag

    return call


def _segments(reduce, start):
    def call(data, ids, count):
        out = torch.full((count, *data.shape[1:]), start, dtype=data.dtype)
        index = ids.long()[:, None].expand_as(data)
        return out.scatter_reduce(0, index, data, reduce, include_self=False)

    return call


def _quantile(function):
    return lambda x, q: function(x, q)


BEST = {
    "abs": torch.abs,
    "angle": torch.angle,
    "append": lambda x, y: torch.cat([x.ravel(), y.ravel()]),
    "argpartition": None,
    "bincount": torch.bincount,
    "cdist": torch.cdist,
    "celu": F.celu,
    "cholesky": torch.linalg.cholesky,
    "cholesky_inverse": torch.cholesky_inverse,
    "corrcoef": torch.corrcoef,
    "count_nonzero": torch.count_nonzero,
    "cross": lambda a, b: torch.linalg.cross(a, b),
    "deg2rad": torch.deg2rad,
    "depth_to_space": lambda x, n: F.pixel_shuffle(x.permute(0, 3, 1, 2), n).permute(0, 2, 3, 1),
    "det": torch.linalg.det,
    "diagflat": torch.diagflat,
    "diff": torch.diff,
    "dstack": torch.dstack,
    "fabs": torch.abs,
    "fft": _pairs(torch.fft.fft),
    "fft2": _pairs(torch.fft.fft2),
    "fliplr": torch.fliplr,
    "flipud": torch.flipud,
    "fmax": torch.fmax,
    "fmin": torch.fmin,
    "fold": lambda x, size, kernel: F.fold(x, size, kernel),
    "glu": F.glu,
    "hard_shrink": F.hardshrink,
    "heaviside": torch.heaviside,
    "hstack": torch.hstack,
    "hypot": torch.hypot,
    "ifft2": _pairs(torch.fft.ifft2),
    "inner": torch.inner,
    "inv": torch.linalg.inv,
    "isclose": torch.isclose,
    "isin": torch.isin,
    "isneginf": torch.isneginf,
    "isposinf": torch.isposinf,
    "isreal": torch.isreal,
    "kron": torch.kron,
    "ldexp": torch.ldexp,
    "logdet": torch.logdet,
    "lstsq": lambda a, b: torch.linalg.lstsq(a, b).solution,
    "matrix_rank": torch.linalg.matrix_rank,
    "nanmean": torch.nanmean,
    "nanquantile": _quantile(torch.nanquantile),
    "nansum": torch.nansum,
    "nextafter": torch.nextafter,
    "norm": torch.linalg.norm,
    "normalize": F.normalize,
    "pinv": torch.linalg.pinv,
    "polar": torch.polar,
    "qr": lambda x: tuple(torch.linalg.qr(x)),
    "quantile": _quantile(torch.quantile),
    "rad2deg": torch.rad2deg,
    "ravel": torch.ravel,
    "rms_normalization": lambda x, scale: F.rms_norm(x, x.shape[-1:], scale, 1e-6),
    "roll": torch.roll,
    "rot90": torch.rot90,
    "searchsorted": lambda s, v: torch.searchsorted(s, v, out_int32=True),
    "segment_max": _segments("amax", float("-inf")),
    "segment_min": _segments("amin", float("inf")),
    "segment_prod": _segments("prod", 1.0),
    "segment_sum": lambda data, ids, count: torch.zeros(count, *data.shape[1:]).index_add_(
        0, ids, data
    ),
    "slogdet": lambda x: tuple(torch.linalg.slogdet(x)),
    "soft_shrink": F.softshrink,
    "solve": torch.linalg.solve,
    "solve_triangular": lambda a, b: torch.linalg.solve_triangular(a, b, upper=True),
    "space_to_depth": lambda x, n: F.pixel_unshuffle(x.permute(0, 3, 1, 2), n).permute(0, 2, 3, 1),
    "svd": lambda x, compute_uv: torch.linalg.svdvals(x),
    "swish": F.silu,
    "tanh_shrink": F.tanhshrink,
    "threshold": F.threshold,
    "trace": torch.trace,
    "trapezoid": torch.trapezoid,
    "tril": torch.tril,
    "triu": torch.triu,
    "true_divide": torch.true_divide,
    "unfold": lambda x, n: F.unfold(x, n),
    "vander": torch.vander,
    "vdot": lambda a, b: torch.vdot(a.ravel(), b.ravel()),
    "view_as_complex": torch.view_as_complex,
    "view_as_real": torch.view_as_real,
    "vstack": torch.vstack,
}
