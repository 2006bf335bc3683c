"""How ops without a kernel of the adapter are best written in tensorflow by hand.

The arguments are those of `tests.benchmarks.body_arguments`; defaults that are not given there are
the ops' own.
"""

import math

import tensorflow as tf
import tensorflow.experimental.numpy as tnp

# Several results are right; no longer than need be; other ends; an order instead of exchanges.
UNCHECKED = {"argpartition", "ctc_decode", "istft", "lu_factor"}
EAGER = None  # there is no point in measuring what is not compiled


def wait(out):
    """Results on the CPU are there."""


def _pairs(function):
    """Of complex tensors, for ops that take and give real and imaginary parts."""

    def call(x):
        y = function(tf.complex(*x))
        return tf.math.real(y), tf.math.imag(y)

    return call


# --- images --------------------------------------------------------------------------------------


def _windows(size, count):
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _average_pool(x, count):
    shares = tf.constant(
        [
            [float(a <= i < b) / (b - a) for a, b in _windows(x.shape[1], count)]
            for i in range(x.shape[1])
        ]
    )
    return tf.einsum("bhwc,hi,wj->bijc", x, shares, shares)


def _max_pool(x, count):
    rows = [tf.reduce_max(x[:, a:b], 1) for a, b in _windows(x.shape[1], count)]
    x = tf.stack(rows, 1)
    return tf.stack([tf.reduce_max(x[:, :, a:b], 2) for a, b in _windows(x.shape[2], count)], 2)


def _affine(images, transform):
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images, transforms=transform, output_shape=images.shape[1:3],
        interpolation="BILINEAR", fill_mode="CONSTANT", fill_value=0.0,
    )  # fmt: skip


def _perspective(images, start, end):
    (x, y), (u, v) = tf.unstack(end, axis=-1), tf.unstack(start, axis=-1)
    one, zero = tf.ones_like(x), tf.zeros_like(x)
    rows = [
        tf.stack([x, y, one, zero, zero, zero, -x * u, -y * u], -1),
        tf.stack([zero, zero, zero, x, y, one, -x * v, -y * v], -1),
    ]
    found = tf.linalg.solve(tf.concat(rows, 1), tf.concat([u, v], 1)[..., None])
    return _affine(images, found[..., 0])


def _map(x, at, order):
    low = tf.floor(at)
    share, low = at - low, tf.cast(low, tf.int32)
    total = 0.0
    for down in (0, 1):
        for right in (0, 1):
            row, column = low[0] + down, low[1] + right
            inside = (row >= 0) & (row < x.shape[0]) & (column >= 0) & (column < x.shape[1])
            places = tf.stack([tf.where(inside, row, 0), tf.where(inside, column, 0)], -1)
            weight = (share[0] if down else 1 - share[0]) * (share[1] if right else 1 - share[1])
            total += tf.where(inside, tf.gather_nd(x, places), 0.0) * weight
    return total


def _bell(size, sigma):
    at = tf.range(size, dtype=tf.float32) - (size - 1) / 2
    weights = tf.exp(-0.5 * (at / sigma) ** 2)
    return weights / tf.reduce_sum(weights)


def _blur(x):
    bell = tf.tile(_bell(3, 1.0)[:, None, None, None], [1, 1, x.shape[-1], 1])
    x = tf.nn.depthwise_conv2d(x, bell, [1] * 4, "SAME")
    return tf.nn.depthwise_conv2d(x, tf.transpose(bell, [1, 0, 2, 3]), [1] * 4, "SAME")


def _sobel(x):
    down = tf.constant([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])
    both = tf.tile(tf.stack([down, tf.transpose(down)], -1)[:, :, None], [1, 1, x.shape[-1], 1])
    return tf.reshape(tf.nn.depthwise_conv2d(x, both, [1] * 4, "SAME"), [*x.shape, 2])


def _volumes(x, size):
    sizes = [1, size, size, size, 1]
    return tf.raw_ops.ExtractVolumePatches(input=x, ksizes=sizes, strides=sizes, padding="VALID")


def _patches(x, size, strides):
    return tf.image.extract_patches(
        x, [1, size, size, 1], [1, strides, strides, 1], [1] * 4, "VALID"
    )


def _unfold(x, size):
    n, c = x.shape[:2]
    y = _patches(tf.transpose(x, [0, 2, 3, 1]), size, 1)
    y = tf.reshape(y, [n, -1, size * size, c])
    return tf.reshape(tf.transpose(y, [0, 3, 2, 1]), [n, c * size * size, -1])


def _fold(x, out, size):
    """By a convolution's gradient, whose kernel puts each element in its place."""
    area, rows = size * size, out - size + 1
    n, c = x.shape[0], x.shape[1] // area
    y = tf.transpose(tf.reshape(x, [n * c, area, rows, rows]), [0, 2, 3, 1])
    kernel = tf.reshape(tf.eye(area), [size, size, 1, area])
    found = tf.nn.conv2d_transpose(y, kernel, [n * c, out, out, 1], 1, "VALID")
    return tf.reshape(found, [n, c, out, out])


def _gray(x):
    return tf.tensordot(x, tf.constant([[0.2989], [0.5870], [0.1140]]), 1)


# --- signals -------------------------------------------------------------------------------------


def _rfft(x):
    y = tf.signal.rfft(x)
    return tf.math.real(y), tf.math.imag(y)


def _stft(x, size, step, length):
    x = tf.pad(x, [[0, 0], [length // 2, length // 2]], "REFLECT")
    y = tf.signal.stft(x, size, step, length)
    return tf.math.real(y), tf.math.imag(y)


def _istft(x, size, step, length):
    window = tf.signal.inverse_stft_window_fn(step)
    y = tf.signal.inverse_stft(tf.complex(*x), size, step, length, window)
    return y[:, length // 2 : -(length // 2)]


# --- orders and numbers --------------------------------------------------------------------------


def _median(x, axis):
    return _quantile(x, 0.5, axis)


def _quantile(x, q, axis):
    x = tf.sort(x, axis)
    place = q * (x.shape[axis] - 1)
    below = int(place)
    low, high = tf.gather(x, below, axis=axis), tf.gather(x, below + 1, axis=axis)
    return low + (high - low) * (place - below)


def _nanquantile(x, q, axis):
    ordered = tf.sort(tf.where(tf.math.is_nan(x), math.inf, x), axis)
    count = tf.reduce_sum(tf.cast(~tf.math.is_nan(x), tf.float32), axis)
    place = q * (count - 1)
    below = tf.cast(place, tf.int32)
    low = tf.gather(ordered, below, axis=axis, batch_dims=1)
    high = tf.gather(ordered, tf.minimum(below + 1, x.shape[axis] - 1), axis=axis, batch_dims=1)
    return low + (high - low) * (place - tf.floor(place))


def _filled(function, value):
    return lambda x, axis: function(tf.where(tf.math.is_nan(x), value, x), axis)


def _nanmean(x, axis, keepdims=False):
    there = ~tf.math.is_nan(x)
    total = tf.reduce_sum(tf.where(there, x, 0), axis, keepdims)
    return total / tf.reduce_sum(tf.cast(there, x.dtype), axis, keepdims)


def _nanvar(x, axis):
    return _nanmean(tf.square(x - _nanmean(x, axis, True)), axis)


def _nan_to_num(x):
    x = tf.where(tf.math.is_nan(x), 0.0, x)
    return tf.clip_by_value(x, x.dtype.min, x.dtype.max)


def _segments(function):
    """With NaN for a segment that has one, over which the framework's functions pass."""

    def call(x, ids, count):
        nan = tf.math.unsorted_segment_sum(tf.where(tf.math.is_nan(x), x, 0.0), ids, count)
        return function(x, ids, count) + nan

    return call


def _corrcoef(x):
    x -= tf.reduce_mean(x, 1, keepdims=True)
    products = tf.matmul(x, x, transpose_b=True)
    lengths = tf.sqrt(tf.linalg.diag_part(products))
    return products / lengths[:, None] / lengths


def _histogram(x, bins):
    # Not tf.histogram_fixed_width: it refuses NaN, and counts what is outside in the outer bins.
    edges = tf.linspace(tf.reduce_min(x), tf.reduce_max(x), bins + 1)
    place = tf.minimum(tf.searchsorted(edges, x, side="right") - 1, bins - 1)
    place = tf.where(x <= edges[-1], place, bins)
    return tf.math.bincount(place, minlength=bins + 1, maxlength=bins + 1)[:bins], edges


def _in_top_k(targets, predictions, k):
    # Not tf.math.in_top_k, for which no class of a row counts where any score is not finite.
    chosen = tf.gather(predictions, targets, axis=1, batch_dims=1)
    better = tf.reduce_sum(tf.cast(predictions > chosen[:, None], tf.int32), 1)
    return tf.math.is_finite(chosen) & (better < k)


def _isin(x, y):
    y = tf.sort(y)
    at = tf.minimum(tf.searchsorted(y, x), y.shape[0] - 1)
    return tf.gather(y, at) == x


def _searchsorted(edges, x, side="left"):
    return tf.reshape(tf.searchsorted(edges, tf.reshape(x, [-1]), side), x.shape)


def _sparsemax(x):
    falling = tf.sort(x, direction="DESCENDING")
    sums = tf.cumsum(falling, -1)
    kept = 1 + tf.range(1, x.shape[-1] + 1, dtype=x.dtype) * falling > sums
    count = tf.reduce_sum(tf.cast(kept, tf.int32), -1)
    total = tf.gather(sums, count - 1, batch_dims=1)
    return tf.nn.relu(x - ((total - 1) / tf.cast(count, x.dtype))[:, None])


def _sparse_plus(x):
    return tf.where(x <= -1, 0.0, tf.where(x < 1, (x + 1) ** 2 / 4, x))


def _glu(x):
    value, gate = tf.split(x, 2, -1)
    return value * tf.sigmoid(gate)


def _groups(x, groups, axis, offset, scale):
    y = tf.reshape(x, [*x.shape[:-1], groups, -1])
    mean, variance = tf.nn.moments(y, [*range(1, x.shape.rank - 1), x.shape.rank], keepdims=True)
    shape = [groups, -1]
    y = tf.nn.batch_normalization(
        y, mean, variance, tf.reshape(offset, shape), tf.reshape(scale, shape), 1e-3
    )
    return tf.reshape(y, x.shape)


def _rms(x, scale):
    return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + 1e-7) * scale


def _linspace(start, stop, count):
    return tf.linspace(start, stop, count)


def _geomspace(start, stop, count):
    return tf.exp(tf.linspace(tf.math.log(start), tf.math.log(stop), count))


def _correlate(x, y):
    return tf.nn.conv1d(x[None, :, None], y[:, None, None], 1, "VALID")[0, :, 0]


def _trapezoid(x):
    return tf.reduce_sum(x[..., 1:] + x[..., :-1], -1) / 2


def _cholesky_inverse(x):
    return tf.linalg.cholesky_solve(x, tf.eye(x.shape[-1], batch_shape=x.shape[:-2]))


def _rearrange(x, _, sizes):
    y = tf.reshape(x, [x.shape[0], sizes["h"], -1, x.shape[2]])
    return tf.transpose(y, [0, 3, 1, 2])


def _scatter_update(x, at, new, how):
    return tf.tensor_scatter_nd_add(x, at, new)


def _hypot(x, y):
    """Without overflow, as of C."""
    x, y = tf.abs(x), tf.abs(y)
    large = tf.maximum(x, y)
    return tf.where(large == 0, 0.0, large * tf.sqrt(1 + (tf.minimum(x, y) / large) ** 2))


def _decode(x, lengths):
    (found,), score = tf.nn.ctc_greedy_decoder(
        tf.transpose(x, [1, 0, 2]), lengths, merge_repeated=True, blank_index=0
    )
    return tf.sparse.to_dense(found, default_value=-1)[None], score


_TNP = [
    "allclose", "deg2rad", "diagflat", "diff", "dsplit", "dstack",
    "exp2", "fliplr", "flipud", "gcd", "heaviside", "hsplit", "hstack", "isclose", "isneginf",
    "isposinf", "isreal", "kron", "lcm", "log10", "log2", "logaddexp", "logaddexp2", "rad2deg",
    "rot90", "signbit", "sinc", "vander", "vsplit", "vstack",
]  # fmt: skip
BEST = (
    {name: getattr(tnp, name) for name in _TNP}
    | {
        "abs": tf.abs,
        "adaptive_average_pool": _average_pool,
        "adaptive_max_pool": _max_pool,
        "affine_transform": _affine,
        "amax": tf.reduce_max,
        "amin": tf.reduce_min,
        "angle": tf.math.angle,
        "append": lambda x, y: tf.concat([tf.reshape(x, [-1]), tf.reshape(y, [-1])], 0),
        "argpartition": lambda x, k: tf.argsort(x),
        "array": tf.convert_to_tensor,
        "array_split": lambda x, n: tf.split(x, [len(range(i, x.shape[0], n)) for i in range(n)]),
        "average": lambda x, axis, w: tf.reduce_sum(x * w, axis) / tf.reduce_sum(w),
        "bincount": tf.math.bincount,
        "cdist": lambda x, y: tf.norm(x[:, :, None] - y[:, None], axis=-1),
        "celu": tf.nn.elu,
        "cholesky": tf.linalg.cholesky,
        "cholesky_inverse": _cholesky_inverse,
        "convert_to_tensor": tf.convert_to_tensor,
        "corrcoef": _corrcoef,
        "correlate": _correlate,
        "count_nonzero": lambda x: tf.math.count_nonzero(x, dtype=tf.int32),
        "crop_images": lambda x, top, left, _, __, h, w: x[:, top : top + h, left : left + w],
        "cross": tf.linalg.cross,
        "ctc_decode": _decode,
        "depth_to_space": tf.nn.depth_to_space,
        "det": tf.linalg.det,
        "diagonal": tf.linalg.diag_part,
        "digitize": lambda x, edges: _searchsorted(edges, x, "right"),
        "divide_no_nan": tf.math.divide_no_nan,
        "eig": lambda x: tuple(tf.linalg.eig(x)),
        "eigh": lambda x: tuple(tf.linalg.eigh(x)),
        "enlarge": lambda x, n: tf.image.resize(
            x, (x.shape[1] * n[0], x.shape[2] * n[1]), "nearest"
        ),
        "empty_like": tf.zeros_like,  # as it is with all backends
        "extract_patches": _patches,
        "extract_patches_3d": _volumes,
        "extract_sequences": tf.signal.frame,
        "fabs": tf.abs,
        "fft": _pairs(tf.signal.fft),
        "fft2": _pairs(tf.signal.fft2d),
        "fmax": lambda x, y: tf.where(tf.math.is_nan(x), y, tf.where(x < y, y, x)),
        "fmin": lambda x, y: tf.where(tf.math.is_nan(x), y, tf.where(x > y, y, x)),
        "fold": _fold,
        "gaussian_blur": _blur,
        "geomspace": _geomspace,
        "get_item": lambda x, key: tf.gather(x, key[1], axis=1),
        "glu": _glu,
        "group_normalization": _groups,
        "hard_shrink": lambda x: tf.where(tf.abs(x) <= 0.5, 0.0, x),
        "hard_silu": lambda x: x * tf.nn.relu6(x + 3) / 6,
        "hard_swish": lambda x: x * tf.nn.relu6(x + 3) / 6,
        "hard_tanh": lambda x: tf.clip_by_value(x, -1, 1),
        "histogram": _histogram,
        "hsv_to_rgb": tf.image.hsv_to_rgb,
        "hypot": _hypot,
        "ifft2": _pairs(tf.signal.ifft2d),
        "in_top_k": _in_top_k,
        "inner": lambda x, y: tf.matmul(x, y, transpose_b=True),
        "inv": tf.linalg.inv,
        "irfft": lambda x: tf.signal.irfft(tf.complex(*x)),
        "isin": _isin,
        "istft": _istft,
        "ldexp": lambda x, n: x * tf.pow(2.0, tf.cast(n, x.dtype)),
        "linspace": _linspace,
        "logdet": lambda x: tf.linalg.slogdet(x).log_abs_determinant,
        "logspace": lambda x, y, n: 10 ** _linspace(x, y, n),
        "lstsq": lambda a, b: tf.linalg.lstsq(a, b, fast=False),
        "lu_factor": lambda x: tuple(tf.linalg.lu(x)),
        "map_coordinates": _map,
        "matrix_rank": tf.linalg.matrix_rank,
        "median": _median,
        "meshgrid_of": lambda xs: tf.meshgrid(*xs),
        "multi_hot": lambda x, n: tf.reduce_max(tf.one_hot(x, n), 1),
        "nan_to_num": _nan_to_num,
        "nanargmax": _filled(tf.argmax, -math.inf),
        "nanargmin": _filled(tf.argmin, math.inf),
        "nancumprod": _filled(tf.math.cumprod, 1.0),
        "nancumsum": _filled(tf.cumsum, 0.0),
        "nanmax": _filled(tf.reduce_max, -math.inf),
        "nanmean": _nanmean,
        "nanmedian": lambda x, axis: _nanquantile(x, 0.5, axis),
        "nanmin": _filled(tf.reduce_min, math.inf),
        "nanpercentile": lambda x, q, axis: _nanquantile(x, q / 100, axis),
        "nanprod": _filled(tf.reduce_prod, 1.0),
        "nanquantile": _nanquantile,
        "nanstd": lambda x, axis: tf.sqrt(_nanvar(x, axis)),
        "nansum": _filled(tf.reduce_sum, 0.0),
        "nanvar": _nanvar,
        "nextafter": tf.math.nextafter,
        "nonzero": lambda x: tuple(tf.unstack(tf.where(x), axis=1)),
        "norm": tf.norm,
        "normalize": lambda x: tf.nn.l2_normalize(x, -1),
        "pad_images": lambda x, top, left, _, __, h, w: tf.image.pad_to_bounding_box(
            x, top, left, h, w
        ),
        "percentile": lambda x, q, axis: _quantile(x, q / 100, axis),
        "perspective_transform": _perspective,
        "pinv": tf.linalg.pinv,
        "polar": lambda size, angle: tf.complex(size * tf.cos(angle), size * tf.sin(angle)),
        "psnr": lambda x, y, most: tf.reduce_mean(tf.image.psnr(x[..., None], y[..., None], most)),
        "ptp": lambda x: tf.reduce_max(x) - tf.reduce_min(x),
        "qr": lambda x: tuple(tf.linalg.qr(x)),
        "quantile": _quantile,
        "ravel": lambda x: tf.reshape(x, [-1]),
        "rearrange_by": _rearrange,
        "resize": tf.image.resize,
        "rfft": _rfft,
        "rgb_to_grayscale": _gray,
        "rgb_to_hsv": tf.image.rgb_to_hsv,
        "rms_normalization": _rms,
        "roll": lambda x, n: tf.reshape(tf.roll(tf.reshape(x, [-1]), n, 0), x.shape),
        "saturate_cast": lambda x, kind: tf.saturate_cast(x, kind),
        "scale_and_translate": lambda x, shape, scale, move, _, __: tf.raw_ops.ScaleAndTranslate(
            images=x, size=shape[1:3], scale=scale, translation=move, kernel_type="triangle"
        ),
        "scatter": tf.scatter_nd,
        "scatter_update": _scatter_update,
        "searchsorted": _searchsorted,
        "segment_max": _segments(tf.math.unsorted_segment_max),
        "segment_min": _segments(tf.math.unsorted_segment_min),
        "segment_prod": tf.math.unsorted_segment_prod,
        "segment_sum": tf.math.unsorted_segment_sum,
        "select": lambda c, x, default: tf.where(c[0], x[0], tf.where(c[1], x[1], default)),
        "separable_conv": lambda x, depthwise, pointwise: tf.nn.separable_conv2d(
            x, depthwise, pointwise, [1] * 4, "VALID"
        ),
        "slogdet": lambda x: tuple(tf.linalg.slogdet(x)),
        "sobel_edges": _sobel,
        "soft_shrink": lambda x: tf.sign(x) * tf.nn.relu(tf.abs(x) - 0.5),
        "solve": tf.linalg.solve,
        "solve_triangular": lambda a, b: tf.linalg.triangular_solve(a, b, lower=False),
        "space_to_depth": tf.nn.space_to_depth,
        "sparse_plus": _sparse_plus,
        "sparse_sigmoid": lambda x: tf.clip_by_value((x + 1) / 2, 0, 1),
        "sparsemax": _sparsemax,
        "squareplus": lambda x: (x + tf.sqrt(tf.square(x) + 4)) / 2,
        "ssim": lambda x, y: tf.image.ssim(x, y, 1.0),
        "stft": _stft,
        "svd": lambda x, _, __: tf.linalg.svd(x, compute_uv=False),
        "swish": tf.nn.silu,
        "tanh_shrink": lambda x: x - tf.tanh(x),
        "threshold": lambda x, threshold, value: tf.where(x > threshold, x, value),
        "trace": tf.linalg.trace,
        "trapezoid": _trapezoid,
        "tril": lambda x: tf.linalg.band_part(x, -1, 0),
        "triu": lambda x: tf.linalg.band_part(x, 0, -1),
        "true_divide": tf.divide,
        "unfold": _unfold,
        "unique": lambda x: tf.sort(tf.unique(x)[0]),
        "unravel_index": lambda x, shape: tuple(
            tf.unstack(tf.reshape(tf.unravel_index(tf.reshape(x, [-1]), shape), [-1, *x.shape]))
        ),
        "vdot": lambda x, y: tf.tensordot(tf.reshape(x, [-1]), tf.reshape(y, [-1]), 1),
        "view_as_complex": lambda x: tf.complex(x[..., 0], x[..., 1]),
        "view_as_real": lambda x: tf.stack([tf.math.real(x), tf.math.imag(x)], -1),
    }
)
