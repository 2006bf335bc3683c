"""How ops without a kernel of the adapter are best written in torch by hand.

The arguments are those of `tests.benchmarks.body_arguments`; defaults that are not given there are
the ops' own.
"""

import math

import torch
import torch.nn.functional as F

# Any of several results is right.
UNCHECKED = {"argpartition"}
EAGER = True  # which is what most people run


def wait(out):
    """Results on the CPU are there."""


def _pairs(function):
    """Of complex tensors, for ops that take and give real and imaginary parts."""

    def call(x):
        y = function(torch.complex(*x))
        return y.real, y.imag

    return call


def _first(function):
    """A function of images with the channels first, for images that have them last."""

    def call(x, *rest):
        return function(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)

    return call


# --- images --------------------------------------------------------------------------------------


def _sample(images, x, y):
    """At pixels x and y, by the framework's numbers from -1 to 1 at the middles of the edges."""
    height, width = images.shape[1:3]
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
    return _first(lambda x: F.grid_sample(x, grid, align_corners=True))(images)


def _affine(images, transform):
    height, width = images.shape[1:3]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)]).float().reshape(3, -1)
    matrices = torch.cat([transform, torch.ones_like(transform[:, :1])], 1).reshape(-1, 3, 3)
    at = (matrices @ points).reshape(-1, 3, height, width)
    return _sample(images, at[:, 0] / at[:, 2], at[:, 1] / at[:, 2])


def _perspective(images, start, end):
    x, y, u, v = end[..., 0], end[..., 1], start[..., 0], start[..., 1]
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows = [
        torch.stack([x, y, one, zero, zero, zero, -x * u, -y * u], -1),
        torch.stack([zero, zero, zero, x, y, one, -x * v, -y * v], -1),
    ]
    return _affine(images, torch.linalg.solve(torch.cat(rows, 1), torch.cat([u, v], 1)))


def _map(x, at, order):
    return _sample(x[None, :, :, None], at[None, 1:2], at[None, :1])[0, 0, :, 0]


def _bell(size, sigma):
    weights = torch.exp(-0.5 * ((torch.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return weights / weights.sum()


def _blurred(x, size, sigma, padding):
    channels = x.shape[1]
    bell = _bell(size, sigma).expand(channels, 1, 1, size)
    x = F.conv2d(x, bell.mT, padding=(padding, 0), groups=channels)
    return F.conv2d(x, bell, padding=(0, padding), groups=channels)


def _sobel(x):
    down = torch.outer(torch.tensor([-1.0, 0, 1]), torch.tensor([1.0, 2, 1]))
    channels = x.shape[-1]
    both = torch.stack([down, down.T]).repeat(channels, 1, 1)[:, None]
    y = F.conv2d(x.permute(0, 3, 1, 2), both, padding=1, groups=channels)
    return y.permute(0, 2, 3, 1).unflatten(-1, (channels, 2))


def _ssim(a, b):
    moments = torch.cat([a, b, a * b, a * a, b * b]).permute(0, 3, 1, 2)
    a, b, ab, aa, bb = torch.chunk(_blurred(moments, 11, 1.5, 0), 5)
    small, large = 0.01**2, 0.03**2
    found = (2 * a * b + small) / (a * a + b * b + small)
    found = found * (2 * (ab - a * b) + large) / (aa + bb - a * a - b * b + large)
    return found.mean((1, 2, 3))


def _patches(x, size, strides=None):
    """Channels last, along as many axes as there are."""
    rank = x.ndim - 2
    for axis in range(1, rank + 1):
        x = x.unfold(axis, size, strides or size)
    x = x.permute(0, *range(1, rank + 1), *range(rank + 2, 2 * rank + 2), rank + 1)
    return x.flatten(rank + 1)


def _hsv_to_rgb(x):
    hue, saturation, value = x.unbind(-1)
    places = [(n + hue * 6) % 6 for n in (5, 3, 1)]
    dim = [torch.minimum(k, 4 - k).clamp(0, 1) for k in places]
    return torch.stack([value - value * saturation * d for d in dim], -1)


def _rgb_to_hsv(x):
    red, green, blue = x.unbind(-1)
    value = x.amax(-1)
    spread = value - x.amin(-1)
    safe = torch.where(spread > 0, spread, 1)
    hue = torch.where(
        value == red,
        (green - blue) / safe % 6,
        torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    saturation = torch.where(value > 0, spread / torch.where(value > 0, value, 1), 0)
    return torch.stack([torch.where(spread > 0, hue / 6, 0), saturation, value], -1)


def _depth_to_space(x, b):
    n, h, w, c = x.shape
    y = x.reshape(n, h, w, b, b, c // b**2).permute(0, 1, 3, 2, 4, 5)
    return y.reshape(n, h * b, w * b, c // b**2)


def _space_to_depth(x, b):
    n, h, w, c = x.shape
    y = x.reshape(n, h // b, b, w // b, b, c).permute(0, 1, 3, 2, 4, 5)
    return y.reshape(n, h // b, w // b, c * b**2)


def _separable(x, depthwise, pointwise):
    channels = x.shape[1]
    kernel = depthwise.permute(2, 3, 0, 1).flatten(0, 1)[:, None]
    return F.conv2d(F.conv2d(x, kernel, groups=channels), pointwise.permute(3, 2, 0, 1))


def _pad(x, top, left, _, __, height, width):
    return F.pad(x, (0, 0, left, width - left - x.shape[2], top, height - top - x.shape[1]))


# --- signals -------------------------------------------------------------------------------------


def _rfft(x):
    y = torch.fft.rfft(x)
    return y.real, y.imag


def _stft(x, size, step, length):
    y = torch.stft(x, length, step, size, torch.hann_window(size), return_complex=True).mT
    return y.real, y.imag


def _istft(x, size, step, length):
    return torch.istft(torch.complex(*x).mT, length, step, size, torch.hann_window(size))


# --- the others ----------------------------------------------------------------------------------


def _segments(reduce, start):
    def call(data, ids, count):
        out = torch.full((count, *data.shape[1:]), start, dtype=data.dtype)
        index = ids.long()[:, None].expand_as(data)
        return out.scatter_reduce(0, index, data, reduce, include_self=False)

    return call


def _average(x, axis, weights):
    return (x * weights).sum(axis) / weights.sum()


def _linspace(start, stop, count):
    return start + (stop - start) * torch.linspace(0, 1, count)[:, None]


def _in_top_k(targets, predictions, k):
    chosen = predictions.gather(1, targets.long()[:, None])
    return (predictions > chosen).sum(1) < k


def _multi_hot(x, count):
    return torch.zeros(len(x), count).scatter_(1, x.long(), 1.0)


def _nanvar(x, axis):
    distance = x - x.nanmean(axis, keepdim=True)
    return (distance * distance).nanmean(axis)


def _sparsemax(x):
    falling = x.sort(-1, descending=True).values
    sums = falling.cumsum(-1)
    kept = 1 + torch.arange(1, x.shape[-1] + 1) * falling > sums
    count = kept.sum(-1, keepdim=True)
    return F.relu(x - (sums.gather(-1, count - 1) - 1) / count)


def _squareplus(x):
    return (x + torch.sqrt(x * x + 4)) / 2


def _sparse_plus(x):
    return torch.where(x <= -1, 0, torch.where(x < 1, (x + 1) ** 2 / 4, x))


_SAME = [
    "abs", "angle", "bincount", "cholesky_inverse", "corrcoef", "count_nonzero", "deg2rad",
    "diagflat", "diff", "dstack", "fliplr", "flipud", "fmax", "fmin", "heaviside",
    "hstack", "hypot", "inner", "isclose", "isin", "isneginf", "isposinf", "isreal", "kron",
    "ldexp", "logdet", "nanmean", "nansum", "nextafter", "polar", "rad2deg", "ravel", "roll",
    "rot90", "trace", "trapezoid", "tril", "triu", "true_divide", "unique", "vander", "vstack",
    "view_as_complex", "view_as_real", "quantile", "nanquantile", "hsplit", "vsplit", "dsplit",
    "unravel_index",
]  # fmt: skip
BEST = (
    {name: getattr(torch, name) for name in _SAME}
    | {
        "affine_transform": _affine,
        "allclose": lambda x, y: torch.isclose(x, y).all(),
        "append": lambda x, y: torch.cat([x.ravel(), y.ravel()]),
        "argpartition": lambda x, k: x.argsort(),
        "array": torch.as_tensor,
        "array_split": torch.tensor_split,
        "average": _average,
        "celu": F.celu,
        "cholesky": torch.linalg.cholesky,
        "convert_to_tensor": torch.as_tensor,
        "correlate": lambda x, y: F.conv1d(x[None, None], y[None, None])[0, 0],
        "crop_images": lambda x, top, left, _, __, h, w: x[:, top : top + h, left : left + w],
        "cross": lambda a, b: torch.linalg.cross(a, b),
        "depth_to_space": _depth_to_space,
        "det": torch.linalg.det,
        "digitize": lambda x, bins: torch.bucketize(x, bins, right=True, out_int32=True),
        "divide_no_nan": lambda x, y: torch.where(y == 0, 0, x / torch.where(y == 0, 1, y)),
        "eig": lambda x: tuple(torch.linalg.eig(x)),
        "eigh": lambda x: tuple(torch.linalg.eigh(x)),
        "empty_like": torch.zeros_like,  # as it is with all backends
        "extract_patches": _patches,
        "extract_patches_3d": _patches,
        "extract_sequences": lambda x, size, step: x.unfold(-1, size, step),
        "fabs": torch.abs,
        "fft": _pairs(torch.fft.fft),
        "fft2": _pairs(torch.fft.fft2),
        "fold": F.fold,
        "gaussian_blur": _first(lambda x: _blurred(x, 3, 1.0, 1)),
        "geomspace": lambda x, y, n: torch.sign(x) * torch.exp(_linspace(x.log(), y.log(), n)),
        "get_item": lambda x, key: x[key],
        "glu": F.glu,
        "histogram": lambda x, bins: torch.histogram(x, bins),
        "hsv_to_rgb": _hsv_to_rgb,
        "ifft2": _pairs(torch.fft.ifft2),
        "in_top_k": _in_top_k,
        "inv": torch.linalg.inv,
        "irfft": lambda x: torch.fft.irfft(torch.complex(*x)),
        "istft": _istft,
        "linspace": _linspace,
        "logspace": lambda x, y, n: 10 ** _linspace(x, y, n),
        "lstsq": lambda a, b: torch.linalg.lstsq(a, b, driver="gelsd").solution,
        "lu_factor": lambda x: (torch.linalg.lu_factor(x)[0], torch.linalg.lu_factor(x)[1] - 1),
        "map_coordinates": _map,
        "matrix_rank": torch.linalg.matrix_rank,
        "median": lambda x, axis: torch.quantile(x, 0.5, axis),
        "meshgrid_of": lambda xs: torch.meshgrid(*xs, indexing="xy"),
        "multi_hot": _multi_hot,
        "nanargmax": lambda x, axis: torch.where(x.isnan(), -math.inf, x).argmax(axis),
        "nanargmin": lambda x, axis: torch.where(x.isnan(), math.inf, x).argmin(axis),
        "nancumprod": lambda x, axis: torch.where(x.isnan(), 1, x).cumprod(axis),
        "nancumsum": lambda x, axis: torch.where(x.isnan(), 0, x).cumsum(axis),
        "nanmax": lambda x, axis: torch.where(x.isnan(), -math.inf, x).amax(axis),
        "nanmedian": lambda x, axis: torch.nanquantile(x, 0.5, axis),
        "nanmin": lambda x, axis: torch.where(x.isnan(), math.inf, x).amin(axis),
        "nanpercentile": lambda x, q, axis: torch.nanquantile(x, q / 100, axis),
        "nanprod": lambda x, axis: torch.where(x.isnan(), 1, x).prod(axis),
        "nanstd": lambda x, axis: _nanvar(x, axis).sqrt(),
        "nanvar": _nanvar,
        "nonzero": lambda x: torch.nonzero(x, as_tuple=True),
        "norm": torch.linalg.norm,
        "normalize": lambda x: F.normalize(x, dim=-1),
        "pad_images": _pad,
        "percentile": lambda x, q, axis: torch.quantile(x, q / 100, axis),
        "perspective_transform": _perspective,
        "pinv": torch.linalg.pinv,
        "psnr": lambda x, y, most: 20 * math.log10(most) - 10 * torch.log10(F.mse_loss(x, y)),
        "ptp": lambda x: x.max() - x.min(),
        "qr": lambda x: tuple(torch.linalg.qr(x)),
        "rearrange_by": lambda x, _, sizes: x.unflatten(1, (sizes["h"], -1)).permute(0, 3, 1, 2),
        "resize": _first(lambda x, size: F.interpolate(x, size, mode="bilinear")),
        "rfft": _rfft,
        "rgb_to_grayscale": lambda x: x @ torch.tensor([[0.2989], [0.5870], [0.1140]]),
        "rgb_to_hsv": _rgb_to_hsv,
        "saturate_cast": lambda x, kind: x.clamp(0, 255).to(getattr(torch, kind)),
        "scatter": lambda at, x, shape: torch.zeros(shape).index_add_(0, at[:, 0], x),
        "scatter_update": lambda x, at, new, how: x.index_add(0, at[:, 0], new),
        "searchsorted": lambda s, x: torch.searchsorted(s, x, out_int32=True),
        "segment_max": _segments("amax", -math.inf),
        "segment_min": _segments("amin", math.inf),
        "segment_prod": _segments("prod", 1.0),
        "segment_sum": lambda x, ids, n: torch.zeros(n, *x.shape[1:]).index_add_(0, ids, x),
        "select": lambda c, x, default: torch.where(c[0], x[0], torch.where(c[1], x[1], default)),
        "separable_conv": _first(_separable),
        "slogdet": lambda x: tuple(torch.linalg.slogdet(x)),
        "sobel_edges": _sobel,
        "solve": torch.linalg.solve,
        "solve_triangular": lambda a, b: torch.linalg.solve_triangular(a, b, upper=True),
        "space_to_depth": _space_to_depth,
        "sparse_plus": _sparse_plus,
        "sparse_sigmoid": lambda x: F.hardtanh((x + 1) / 2, 0, 1),
        "sparsemax": _sparsemax,
        "squareplus": _squareplus,
        "ssim": _ssim,
        "stft": _stft,
        "svd": lambda x, _, __: torch.linalg.svdvals(x),
        "swish": F.silu,
        "tanh_shrink": F.tanhshrink,
        "unfold": F.unfold,
        "vdot": lambda a, b: torch.vdot(a.ravel(), b.ravel()),
    }
)
