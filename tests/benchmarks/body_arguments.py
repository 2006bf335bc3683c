"""Arguments with which ops without a kernel are timed: enough work to hide what a call costs.

NumPy arrays are tensors, everything else is static. An op that is not here gets the arguments of
its first case of conformance, the tensors enlarged.
"""

from typing import Any

import numpy as np

from mlapi.testing.case import (
    Arguments,
    Case,
    arrays_of,
    distinct,
    positive,
    real,
    whole,
    with_arrays,
)

# Sizes of the tensors of a case, by how many axes they have.
LARGE = {1: (2**18,), 2: (512, 512), 3: (64, 64, 64), 4: (8, 64, 64, 12)}


def _matrices(*shape: int) -> np.ndarray:
    """Well-conditioned, with a determinant that does not overflow."""
    return np.array(np.eye(shape[-1]) + 0.05 * real(*shape), "float32")


def _definite(*shape: int) -> np.ndarray:
    x = _matrices(*shape)
    return np.array(x @ np.swapaxes(x, -1, -2), "float32")


def _square(size: int = 64) -> np.ndarray:
    return _matrices(8, size, size)


def _images() -> np.ndarray:
    return real(8, 64, 64, 12)


def _colors() -> np.ndarray:
    return np.array(np.abs(real(8, 128, 128, 3)) / 2, "float32")


def _pair(*shape: int) -> list[np.ndarray]:
    return [real(*shape), real(*shape, seed=1)]


def _holes(*shape: int) -> np.ndarray:
    """Some are NaN."""
    x = real(*shape)
    return np.where(np.random.default_rng(0).random(shape) < 0.1, np.nan, x).astype("float32")


def _complex(*shape: int) -> np.ndarray:
    return np.array(real(*shape) + 1j * real(*shape, seed=1), "complex64")


def _segments() -> tuple[Any, ...]:
    return (positive(2**13, 32), whole(2**13, low=0, high=512), 512)


_ROW = np.linspace(-2, 2, 1024, dtype="float32")
_TURN = np.array([0.9, 0.1, 1.5, -0.1, 1.1, 0.5, 0.0, 0.0], "float32")
_CORNERS = np.array([[0, 0], [127, 0], [0, 127], [127, 127]], "float32")
_MOVED = np.array([[5, 3], [120, 9], [2, 119], [125, 122]], "float32")

ARGUMENTS: dict[str, Any] = {
    "adaptive_average_pool": lambda: (real(8, 30, 30, 32), 7),
    "adaptive_max_pool": lambda: (real(8, 30, 30, 32), 7),
    "affine_transform": lambda: (_colors(), np.tile(_TURN, (8, 1))),
    "allclose": lambda: (real(512, 512), real(512, 512)),
    "angle": lambda: (_complex(512, 512),),
    "append": lambda: (real(512, 512), real(2**18)),
    "argpartition": lambda: (distinct(256, 1024), 100),
    "array_split": lambda: (real(512, 512), 3),
    "average": lambda: (real(512, 512), 1, positive(512)),
    "bincount": lambda: (whole(2**18, low=0, high=1000),),
    "cdist": lambda: (real(4, 128, 32), real(4, 128, 32, seed=1)),
    "cholesky": lambda: (_definite(8, 128, 128),),
    "cholesky_inverse": lambda: (np.array(np.linalg.cholesky(_definite(8, 128, 128)), "float32"),),
    "corrcoef": lambda: (real(256, 1024),),
    "correlate": lambda: (real(2**14), real(64)),
    "crop_images": lambda: (_images(), 10, 12, None, None, 40, 40),
    "cross": lambda: (real(2**16, 3), real(2**16, 3, seed=1)),
    "ctc_decode": lambda: (real(32, 64, 32), np.full(32, 64, "int32")),
    "depth_to_space": lambda: (_images(), 2),
    "det": lambda: (_square(),),
    "diagflat": lambda: (real(512),),
    "digitize": lambda: (real(2**16), _ROW),
    "divide_no_nan": lambda: (real(512, 512), np.array(whole(512, 512), "float32")),
    "dsplit": lambda: (real(64, 64, 64), 2),
    "eig": lambda: (_matrices(2, 32, 32),),
    "eigh": lambda: (_definite(4, 64, 64),),
    "enlarge": lambda: (_images(), (2, 3)),
    "extract_patches": lambda: (_images(), 8, 4),
    "extract_patches_3d": lambda: (real(4, 16, 16, 16, 8), 4),
    "extract_sequences": lambda: (real(64, 4096), 64, 32),
    "fft": lambda: (_pair(256, 1024),),
    "fft2": lambda: (_pair(8, 128, 128),),
    "fold": lambda: (real(8, 16 * 9, 30 * 30), 32, 3),
    "gaussian_blur": lambda: (_colors(),),
    "gcd": lambda: (whole(2**16, low=1, high=1000), whole(2**16, low=1, high=1000, seed=1)),
    "geomspace": lambda: (positive(256), positive(256, seed=1), 1024),
    "get_item": lambda: (real(256, 512, 4), (slice(None), whole(128, low=0, high=512))),
    "group_normalization": lambda: (real(64, 32, 64), 8, -1, real(64), positive(64)),
    "heaviside": lambda: (np.array(whole(512, 512), "float32"), real(512, 512)),
    "histogram": lambda: (real(2**16), 64),
    "hsplit": lambda: (real(512, 512), 2),
    "hsv_to_rgb": lambda: (_colors(),),
    "ifft2": lambda: (_pair(8, 128, 128),),
    "in_top_k": lambda: (whole(1024, low=0, high=512), real(1024, 512), 5),
    "inner": lambda: (real(256, 128), real(512, 128)),
    "inv": lambda: (_square(),),
    "irfft": lambda: (_pair(256, 513),),
    "isclose": lambda: (real(512, 512), real(512, 512)),
    "isin": lambda: (whole(2**16, low=0, high=9999), whole(256, low=0, high=9999)),
    "isreal": lambda: (_complex(512, 512),),
    "istft": lambda: (_pair(8, 64, 129), 256, 64, 256),
    "kron": lambda: (real(32, 32), real(16, 16)),
    "lcm": lambda: (whole(2**16, low=1, high=1000), whole(2**16, low=1, high=1000, seed=1)),
    "ldexp": lambda: (real(512, 512), whole(512, 512)),
    "linspace": lambda: (real(256), real(256, seed=1), 1024),
    "logdet": lambda: (_definite(8, 64, 64),),
    "logspace": lambda: (real(256), real(256, seed=1), 1024),
    "lstsq": lambda: (real(512, 32), real(512, 8)),
    "lu_factor": lambda: (_square(),),
    "map_coordinates": lambda: (real(256, 256), positive(2, 2**16) * 100, 1),
    "matrix_rank": lambda: (_square(),),
    "median": lambda: (real(256, 1024), 1),
    "meshgrid_of": lambda: ([real(512), real(512, seed=1)],),
    "multi_hot": lambda: (whole(1024, 8, low=0, high=256), 256),
    "nancumprod": lambda: (_holes(512, 512), 1),
    "nancumsum": lambda: (_holes(512, 512), 1),
    "nanmedian": lambda: (_holes(256, 1024), 1),
    "nanpercentile": lambda: (_holes(256, 1024), 30.0, 1),
    "nanquantile": lambda: (_holes(256, 1024), 0.3, 1),
    "nonzero": lambda: (np.array(whole(512, 512), "float32"),),
    "normalize": lambda: (real(512, 512),),
    "pad_images": lambda: (_images(), 10, 12, None, None, 96, 96),
    "percentile": lambda: (real(256, 1024), 30.0, 1),
    "perspective_transform": lambda: (_colors(), np.tile(_CORNERS, (8, 1, 1)),
                                      np.tile(_MOVED, (8, 1, 1))),
    "pinv": lambda: (_square(),),
    "qr": lambda: (_square(),),
    "quantile": lambda: (real(256, 1024), 0.3, 1),
    "ravel": lambda: (real(512, 512),),
    "rearrange_by": lambda: (real(16, 128, 128), "b (h d) c -> b c h d", {"h": 8}),
    "resize": lambda: (_images(), (96, 96)),
    "rfft": lambda: (real(256, 1024),),
    "rgb_to_grayscale": lambda: (_colors(),),
    "rgb_to_hsv": lambda: (_colors(),),
    "rms_normalization": lambda: (real(512, 512), real(512)),
    "saturate_cast": lambda: (real(512, 512) * 200, "uint8"),
    "scale_and_translate": lambda: (_images(), (8, 96, 96, 12), np.array([1.5, 1.5], "float32"),
                                    np.array([2.0, 3.0], "float32"), (1, 2), "linear"),
    "scatter": lambda: (whole(2**13, 1, low=0, high=512), real(2**13, 32), (512, 32)),
    "scatter_update": lambda: (real(512, 32), whole(2**13, 1, low=0, high=512),
                               real(2**13, 32, seed=1), "add"),
    "searchsorted": lambda: (_ROW, real(2**16)),
    "segment_max": _segments,
    "segment_min": _segments,
    "segment_prod": _segments,
    "segment_sum": _segments,
    "select": lambda: ([real(512, 512) > 0, real(512, 512, seed=1) > 0],
                       [real(512, 512), real(512, 512, seed=1)], np.array(7.0, "float32")),
    "separable_conv": lambda: (_images(), real(3, 3, 12, 2), real(1, 1, 24, 16)),
    "slogdet": lambda: (_square(),),
    "sobel_edges": lambda: (_colors(),),
    "solve": lambda: (_square(), real(8, 64, 32)),
    "solve_triangular": lambda: (_square(), real(8, 64, 32)),
    "space_to_depth": lambda: (_images(), 2),
    "sparsemax": lambda: (real(1024, 128),),
    "ssim": lambda: (_colors(), _colors()[::-1].copy()),
    "stft": lambda: (real(8, 4096), 256, 64, 256),
    "svd": lambda: (_square(), True, False),
    "trapezoid": lambda: (real(512, 512),),
    "unfold": lambda: (real(8, 16, 32, 32), 3),
    "unique": lambda: (whole(2**16, low=0, high=1000),),
    "unravel_index": lambda: (whole(512, 512, low=0, high=2**15), (32, 32, 32)),
    "vander": lambda: (real(2048), 64),
    "vdot": lambda: (real(512, 512), real(512, 512, seed=1)),
    "view_as_complex": lambda: (real(512, 512, 2),),
    "view_as_real": lambda: (_complex(512, 512),),
    "vsplit": lambda: (real(512, 512), 2),
    **{name: lambda: (_holes(512, 512), 1) for name in (
        "nanargmax", "nanargmin", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum",
        "nanvar")},
}  # fmt: skip


def arguments_for(case: Case) -> Arguments:
    """What the op is called with."""
    if case.op in ARGUMENTS:
        return ARGUMENTS[case.op](), {}
    arrays = arrays_of(case)
    if len({x.shape for x in arrays}) == 1:
        arrays = [np.resize(x, LARGE[x.ndim]) for x in arrays]
    return with_arrays(case, arrays)
