"""How ops without a kernel of the adapter are best written in jax by hand.

The arguments are those of `tests.benchmarks.body_arguments`; defaults that are not given there are
the ops' own.
"""

import math

import jax
import jax.numpy as jnp
import jax.scipy as jsp
from jax import lax

# Any of several results is right.
UNCHECKED = {"argpartition"}
EAGER = None  # there is no point in measuring what is not compiled
wait = jax.block_until_ready


def _pairs(function):
    """Of complex arrays, for ops that take and give real and imaginary parts."""

    def call(x):
        y = function(lax.complex(*x))
        return y.real, y.imag

    return call


# --- images --------------------------------------------------------------------------------------


def _windows(size, count):
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _average_pool(x, count):
    shares = jnp.array(
        [
            [(a <= i < b) / (b - a) for a, b in _windows(x.shape[1], count)]
            for i in range(x.shape[1])
        ]
    )
    return jnp.einsum("bhwc,hi,wj->bijc", x, shares, shares)


def _max_pool(x, count):
    for axis in (1, 2):
        parts = [lax.slice_in_dim(x, a, b, axis=axis) for a, b in _windows(x.shape[axis], count)]
        x = jnp.stack([part.max(axis) for part in parts], axis)
    return x


def _sample(image, at):
    """Of one (height, width, channels) at (2, height, width)."""

    def one(plane):
        return jsp.ndimage.map_coordinates(plane, list(at), order=1)

    return jax.vmap(one, in_axes=-1, out_axes=-1)(image)


def _affine(images, transform):
    return _project(images, jnp.concatenate([transform, jnp.ones_like(transform[:, :1])], 1))


def _project(images, matrices):
    height, width = images.shape[1:3]
    y, x = jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij")
    points = jnp.stack([x, y, jnp.ones_like(x)]).astype("float32")

    def one(image, matrix):
        at = jnp.einsum("ij,jhw->ihw", matrix.reshape(3, 3), points)
        return _sample(image, (at[1] / at[2], at[0] / at[2]))

    return jax.vmap(one)(images, matrices)


def _perspective(images, start, end):
    x, y, u, v = end[..., 0], end[..., 1], start[..., 0], start[..., 1]
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)
    rows = [
        jnp.stack([x, y, one, zero, zero, zero, -x * u, -y * u], -1),
        jnp.stack([zero, zero, zero, x, y, one, -x * v, -y * v], -1),
    ]
    found = jnp.linalg.solve(jnp.concatenate(rows, 1), jnp.concatenate([u, v], 1)[..., None])
    return _affine(images, found[..., 0])


def _depthwise(x, kernel, padding):
    return lax.conv_general_dilated(
        x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )  # fmt: skip


def _bell(size, sigma):
    weights = jnp.exp(-0.5 * ((jnp.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return weights / weights.sum()


def _blurred(x, size, sigma, padding):
    bell = jnp.tile(_bell(size, sigma)[:, None, None, None], (1, 1, 1, x.shape[-1]))
    x = _depthwise(x, bell, padding)
    return _depthwise(x, bell.swapaxes(0, 1), padding)


def _sobel(x):
    down = jnp.outer(jnp.array([-1.0, 0, 1]), jnp.array([1.0, 2, 1]))
    both = jnp.tile(jnp.stack([down, down.T], -1)[:, :, None], (1, 1, 1, x.shape[-1]))
    return _depthwise(x, both, "SAME").reshape(*x.shape, 2)


def _ssim(a, b):
    moments = jnp.concatenate([a, b, a * b, a * a, b * b])
    a, b, ab, aa, bb = jnp.split(_blurred(moments, 11, 1.5, "VALID"), 5)
    small, large = 0.01**2, 0.03**2
    found = (2 * a * b + small) / (a * a + b * b + small)
    found *= (2 * (ab - a * b) + large) / (aa + bb - a * a - b * b + large)
    return found.mean((1, 2, 3))


def _patches(x, size, strides=None):
    """Channels last, along as many axes as there are."""
    rank = x.ndim - 2
    for axis in range(1, 2 * rank, 2):
        places = jnp.arange(0, x.shape[axis] - size + 1, strides or size)
        x = jnp.take(x, places[:, None] + jnp.arange(size), axis=axis)
    outer, inner = range(1, 2 * rank, 2), range(2, 2 * rank + 1, 2)
    x = x.transpose(0, *outer, *inner, 2 * rank + 1)
    return x.reshape(*x.shape[: rank + 1], -1)


def _unfold(x, size):
    found = lax.conv_general_dilated_patches(x, (size, size), (1, 1), "VALID")
    return found.reshape(*found.shape[:2], -1)


def _fold(x, out, size):
    like = jax.ShapeDtypeStruct((x.shape[0], x.shape[1] // size**2, out, out), x.dtype)
    return jax.linear_transpose(lambda y: _unfold(y, size), like)(x)[0]


def _hsv_to_rgb(x):
    hue, saturation, value = jnp.moveaxis(x, -1, 0)
    places = [(n + hue * 6) % 6 for n in (5, 3, 1)]
    dim = [jnp.clip(jnp.minimum(k, 4 - k), 0, 1) for k in places]
    return jnp.stack([value - value * saturation * d for d in dim], -1)


def _rgb_to_hsv(x):
    red, green, blue = jnp.moveaxis(x, -1, 0)
    value = x.max(-1)
    spread = value - x.min(-1)
    safe = jnp.where(spread > 0, spread, 1)
    hue = jnp.where(
        value == red,
        (green - blue) / safe % 6,
        jnp.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0)
    return jnp.stack([jnp.where(spread > 0, hue / 6, 0), saturation, value], -1)


def _blocks(x, axes, *shapes):
    return x.reshape(shapes[0]).transpose(axes).reshape(shapes[1])


def _depth_to_space(x, b):
    n, h, w, c = x.shape
    c //= b * b
    return _blocks(x, (0, 1, 3, 2, 4, 5), (n, h, w, b, b, c), (n, h * b, w * b, c))


def _space_to_depth(x, b):
    n, h, w, c = x.shape
    h, w = h // b, w // b
    return _blocks(x, (0, 1, 3, 2, 4, 5), (n, h, b, w, b, c), (n, h, w, b * b * c))


def _separable(x, depthwise, pointwise):
    kernel = depthwise.reshape(*depthwise.shape[:2], 1, -1)
    return jnp.einsum("bhwc,cd->bhwd", _depthwise(x, kernel, "VALID"), pointwise[0, 0])


# --- signals -------------------------------------------------------------------------------------


def _frames(x, size, step):
    return x[..., jnp.arange(0, x.shape[-1] - size + 1, step)[:, None] + jnp.arange(size)]


def _hann(size):
    return 0.5 - 0.5 * jnp.cos(2 * math.pi * jnp.arange(size) / size)


def _rfft(x):
    y = jnp.fft.rfft(x)
    return y.real, y.imag


def _stft(x, size, step, length):
    x = jnp.pad(x, [(0, 0), (length // 2, length // 2)], mode="reflect")
    return _rfft(_frames(x, size, step) * _hann(size))


def _istft(x, size, step, length):
    window = _hann(size)
    pieces = jnp.fft.irfft(lax.complex(*x)) * window
    count = pieces.shape[1]
    at = (jnp.arange(count)[:, None] * step + jnp.arange(size)).ravel()
    whole = size + step * (count - 1)
    y = jnp.zeros((pieces.shape[0], whole)).at[:, at].add(pieces.reshape(pieces.shape[0], -1))
    weights = jnp.zeros(whole).at[at].add(jnp.tile(window**2, count))
    y = jnp.where(weights > 1e-10, y / jnp.where(weights > 1e-10, weights, 1), 0)
    return y[:, length // 2 : whole - length // 2]


# --- the others ----------------------------------------------------------------------------------


def _in_top_k(targets, predictions, k):
    chosen = jnp.take_along_axis(predictions, targets[:, None], 1)
    return (predictions > chosen).sum(1) < k


def _sparsemax(x):
    falling = jnp.flip(jnp.sort(x), -1)
    sums = jnp.cumsum(falling, -1)
    kept = 1 + jnp.arange(1, x.shape[-1] + 1) * falling > sums
    count = kept.sum(-1, keepdims=True)
    return jax.nn.relu(x - (jnp.take_along_axis(sums, count - 1, -1) - 1) / count)


_SAME = [
    "abs", "allclose", "amax", "amin", "angle", "append", "argpartition", "array", "array_split",
    "corrcoef", "count_nonzero", "cross", "deg2rad", "diagflat", "diff", "digitize", "dsplit",
    "dstack", "fabs", "fliplr", "flipud", "fmax", "fmin", "geomspace", "heaviside",
    "histogram", "hsplit", "hstack", "hypot", "inner", "isclose", "isin", "isneginf", "isposinf",
    "isreal", "ldexp", "linspace", "logspace", "median", "nan_to_num", "nanargmax", "nanargmin",
    "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
    "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "nextafter", "nonzero", "percentile",
    "ptp", "quantile", "rad2deg", "ravel", "roll", "rot90", "searchsorted", "select", "trace",
    "trapezoid", "tril", "triu", "true_divide", "unique", "unravel_index", "vander", "vdot",
    "vsplit", "vstack", "bincount",
]  # fmt: skip
BEST = {name: getattr(jnp, name) for name in _SAME} | {
    "adaptive_average_pool": _average_pool,
    "adaptive_max_pool": _max_pool,
    "affine_transform": _affine,
    "average": lambda x, axis, weights: jnp.average(x, axis, weights),
    "cdist": lambda x, y: jnp.linalg.norm(x[:, :, None] - y[:, None], axis=-1),
    "celu": jax.nn.celu,
    "cholesky": jnp.linalg.cholesky,
    "cholesky_inverse": lambda x: jax.vmap(
        lambda one: jsp.linalg.cho_solve((one, True), jnp.eye(one.shape[-1]))
    )(x),
    "convert_to_tensor": jnp.asarray,
    "correlate": lambda a, b: jnp.correlate(a, b, "valid"),
    "crop_images": lambda x, top, left, _, __, h, w: x[:, top : top + h, left : left + w],
    "depth_to_space": _depth_to_space,
    "det": jnp.linalg.det,
    "divide_no_nan": lambda x, y: jnp.where(y == 0, 0, x / jnp.where(y == 0, 1, y)),
    "eig": lambda x: tuple(jnp.linalg.eig(x)),
    "eigh": lambda x: tuple(jnp.linalg.eigh(x)),
    "empty_like": jnp.zeros_like,  # as it is with all backends
    "extract_patches": _patches,
    "extract_patches_3d": _patches,
    "extract_sequences": _frames,
    "fft": _pairs(jnp.fft.fft),
    "fft2": _pairs(jnp.fft.fft2),
    "fold": _fold,
    "gaussian_blur": lambda x: _blurred(x, 3, 1.0, "SAME"),
    "get_item": lambda x, key: x[key],
    "glu": jax.nn.glu,
    "hard_shrink": lambda x: jnp.where(jnp.abs(x) <= 0.5, 0, x),
    "hard_silu": jax.nn.hard_silu,
    "hard_swish": jax.nn.hard_swish,
    "hard_tanh": jax.nn.hard_tanh,
    "hsv_to_rgb": _hsv_to_rgb,
    "ifft2": _pairs(jnp.fft.ifft2),
    "in_top_k": _in_top_k,
    "inv": jnp.linalg.inv,
    "irfft": lambda x: jnp.fft.irfft(lax.complex(*x)),
    "istft": _istft,
    "logdet": lambda x: jnp.linalg.slogdet(x)[1],
    "lstsq": lambda a, b: jnp.linalg.lstsq(a, b)[0],
    "lu_factor": jsp.linalg.lu_factor,
    "map_coordinates": lambda x, at, order: jsp.ndimage.map_coordinates(x, list(at), order),
    "matrix_rank": jnp.linalg.matrix_rank,
    "meshgrid_of": lambda xs: jnp.meshgrid(*xs),
    "multi_hot": lambda x, n: jax.nn.one_hot(x, n).max(1),
    "norm": jnp.linalg.norm,
    "normalize": lambda x: x / jnp.maximum(jnp.linalg.norm(x, axis=-1, keepdims=True), 1e-12),
    "pad_images": lambda x, top, left, _, __, h, w: jnp.pad(
        x, [(0, 0), (top, h - top - x.shape[1]), (left, w - left - x.shape[2]), (0, 0)]
    ),
    "perspective_transform": _perspective,
    "pinv": jnp.linalg.pinv,
    "polar": lambda size, angle: lax.complex(size * jnp.cos(angle), size * jnp.sin(angle)),
    "psnr": lambda x, y, most: 20 * math.log10(most) - 10 * jnp.log10(jnp.mean((x - y) ** 2)),
    "qr": lambda x: tuple(jnp.linalg.qr(x)),
    "rearrange_by": lambda x, _, sizes: x.reshape(x.shape[0], sizes["h"], -1, x.shape[2]).transpose(
        0, 3, 1, 2
    ),
    "resize": lambda x, size: jax.image.resize(
        x, (x.shape[0], *size, x.shape[3]), "bilinear", antialias=False
    ),
    "rfft": _rfft,
    "rgb_to_grayscale": lambda x: x @ jnp.array([[0.2989], [0.5870], [0.1140]]),
    "rgb_to_hsv": _rgb_to_hsv,
    "saturate_cast": lambda x, kind: jnp.clip(x, 0, 255).astype(kind),
    "scale_and_translate": lambda x, shape, scale, move, axes, method: (
        jax.image.scale_and_translate(x, shape, axes, scale, move, method)
    ),
    "scatter": lambda at, values, shape: jnp.zeros(shape).at[at[:, 0]].add(values),
    "scatter_update": lambda x, at, values, how: x.at[at[:, 0]].add(values),
    "segment_max": jax.ops.segment_max,
    "segment_min": jax.ops.segment_min,
    "segment_prod": jax.ops.segment_prod,
    "segment_sum": jax.ops.segment_sum,
    "separable_conv": _separable,
    "slogdet": lambda x: tuple(jnp.linalg.slogdet(x)),
    "sobel_edges": _sobel,
    "soft_shrink": lambda x: jnp.sign(x) * jax.nn.relu(jnp.abs(x) - 0.5),
    "solve": jnp.linalg.solve,
    "solve_triangular": jsp.linalg.solve_triangular,
    "space_to_depth": _space_to_depth,
    "sparse_plus": jax.nn.sparse_plus,
    "sparse_sigmoid": jax.nn.sparse_sigmoid,
    "sparsemax": _sparsemax,
    "squareplus": jax.nn.squareplus,
    "ssim": _ssim,
    "stft": _stft,
    "svd": lambda x, _, __: jnp.linalg.svd(x, compute_uv=False),
    "swish": jax.nn.swish,
    "tanh_shrink": lambda x: x - jnp.tanh(x),
    "threshold": lambda x, threshold, value: jnp.where(x > threshold, x, value),
    "unfold": _unfold,
    "view_as_complex": lambda x: lax.complex(x[..., 0], x[..., 1]),
    "view_as_real": lambda x: jnp.stack([x.real, x.imag], -1),
}
