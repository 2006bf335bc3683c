"""Cases of `mlapi.ops.image`."""

import colorsys
import itertools

import numpy as np
from hypothesis import strategies as st
from scipy import ndimage

from mlapi.testing import strategies
from mlapi.testing.case import FLOATS, NUMBERS, Case, positive, real, whole
from mlapi.testing.cases import references

FIRST = {"data_format": "channels_first"}


def each_image(fn, images, data_format="channels_last", rank=2):
    """`fn` of single images with the channels last."""
    first = data_format == "channels_first"
    batch = images if images.ndim == rank + 2 else images[None]
    done = [fn(np.moveaxis(x, 0, -1) if first else x) for x in batch]
    y = np.stack([np.moveaxis(x, rank, 0) if first and x.ndim > rank else x for x in done])
    return y if images.ndim == rank + 2 else y[0]


def limited(y, like):
    if like.dtype.kind not in "iu":
        return y
    limits = np.iinfo(like.dtype)
    return np.clip(y, limits.min, limits.max)


def pixels(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).integers(0, 256, shape).astype("uint8")


def grayscale(images, data_format=None):
    def one(x):
        return limited(x @ np.array([0.2989, 0.5870, 0.1140]), x)[..., None]

    return each_image(one, images, data_format)


def by_pixel(convert):
    def convert_all(images, data_format=None):
        return each_image(
            lambda x: np.apply_along_axis(lambda c: convert(*c), -1, x), images, data_format
        )

    return convert_all


def blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    def one(x):
        for axis, (size, s) in enumerate(zip(kernel_size, sigma, strict=True)):
            at = np.arange(size) - (size - 1) / 2
            weights = np.exp(-0.5 * (at / s) ** 2)
            # Where the middle is between two pixels, the left of them has it.
            origin = -1 if size % 2 == 0 else 0
            x = ndimage.correlate1d(
                x, weights / weights.sum(), axis, mode="constant", origin=origin
            )
        return x

    return each_image(one, images.astype("float64"), data_format)


def sobel(images, data_format=None):
    def one(x):
        slopes = [
            ndimage.correlate1d(
                ndimage.correlate1d(x, [-1, 0, 1], axis, mode="constant"),
                [1, 2, 1], 1 - axis, mode="constant",
            )
            for axis in (0, 1)
        ]  # fmt: skip
        return np.stack(slopes, -1)

    return each_image(one, images.astype("float64"), data_format)


def ssim(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03,
         data_format=None):  # fmt: skip
    at = np.arange(filter_size) - filter_size // 2
    weights = np.exp(-0.5 * (at[:, None] ** 2 + at**2) / filter_sigma**2)
    weights /= weights.sum()
    both = np.stack([image1, image2], -1).astype("float64")
    if data_format == "channels_first":
        both = np.moveaxis(both, -4, -2)
    single = both.ndim == 4
    results = []
    for pair in both[None] if single else both:
        rows, columns = (n - filter_size + 1 for n in pair.shape[:2])
        values = []
        for i, j in itertools.product(range(rows), range(columns)):
            a, b = np.moveaxis(pair[i : i + filter_size, j : j + filter_size], -1, 0)
            mean_a, mean_b = (np.einsum("ij,ijc->c", weights, x) for x in (a, b))
            var_a, var_b, shared = (
                np.einsum("ij,ijc->c", weights, x)
                for x in ((a - mean_a) ** 2, (b - mean_b) ** 2, (a - mean_a) * (b - mean_b))
            )
            small, large = (k1 * max_val) ** 2, (k2 * max_val) ** 2
            values.append(
                (2 * mean_a * mean_b + small) * (2 * shared + large)
                / ((mean_a**2 + mean_b**2 + small) * (var_a + var_b + large))
            )  # fmt: skip
        results.append(np.mean(values))
    return np.array(results[0] if single else results)


def patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None,
            rank=2):  # fmt: skip
    size = (size,) * rank if isinstance(size, int) else tuple(size)

    def one(x):
        w = references._windows(
            x[None], size, size if strides is None else strides, dilation_rate, padding, 0
        )
        return w.reshape(*w.shape[1 : len(size) + 1], -1)

    return each_image(one, images, data_format, len(size))


def patches_3d(*args, **kwargs):
    return patches(*args, rank=3, **kwargs)


def keys(x):
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


KERNELS = {
    "bilinear": lambda x: np.maximum(0, 1 - np.abs(x)),
    "bicubic": keys,
    "lanczos3": lambda x: np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0),
    "lanczos5": lambda x: np.where(np.abs(x) < 5, np.sinc(x) * np.sinc(x / 5), 0),
}


def sampled(x, axis, count, scale, shift, method, antialias):
    x = np.moveaxis(x, axis, 0)
    out = np.zeros((count, *x.shape[1:]))
    width = max(1 / scale, 1) if antialias else 1
    for i in range(count):
        center = (i + 0.5 - shift) / scale
        if 0 <= center <= len(x):
            weights = KERNELS[method]((np.arange(len(x)) + 0.5 - center) / width)
            out[i] = np.tensordot(weights / weights.sum(), x, 1)
    return np.moveaxis(out, 0, axis)


def resize(images, size, interpolation="bilinear", antialias=False, crop_to_aspect_ratio=False,
           pad_to_aspect_ratio=False, fill_mode="constant", fill_value=0.0,
           data_format=None):  # fmt: skip
    def one(x):
        kind = x
        height, width = x.shape[:2]
        if crop_to_aspect_ratio:
            high = min(height, int(width * size[0] / size[1]))
            wide = min(width, int(height * size[1] / size[0]))
            top, left = (height - high) // 2, (width - wide) // 2
            x = x[top : top + high, left : left + wide]
        if pad_to_aspect_ratio:
            high = max(height, int(width * size[0] / size[1]))
            wide = max(width, int(height * size[1] / size[0]))
            top, left = (high - height) // 2, (wide - width) // 2
            padded = np.full((high, wide, x.shape[2]), fill_value, x.dtype)
            padded[top : top + height, left : left + width] = x
            x = padded
        for axis in (0, 1):
            if interpolation == "nearest":
                at = (np.arange(size[axis]) + 0.5) * x.shape[axis] / size[axis]
                x = np.take(x, np.floor(at).astype(int), axis)
            else:
                scale = size[axis] / x.shape[axis]
                x = sampled(x, axis, size[axis], scale, 0, interpolation, antialias)
        return limited(x, kind)

    return each_image(one, images, data_format)


def enlarge(images, factors, interpolation="nearest", data_format=None):
    rank = images.ndim - 2
    factors = [factors] * rank if isinstance(factors, int) else factors
    first = 2 if data_format == "channels_first" else 1
    if interpolation == "nearest":
        for axis, factor in enumerate(factors, first):
            images = np.repeat(images, factor, axis)
        return images
    size = [n * m for n, m in zip(images.shape[first:], factors, strict=False)]
    return resize(images, size, interpolation, data_format=data_format)


def enlarged(draw, kind):
    """Sequences, images or volumes, and whole numbers."""
    rank = draw(st.integers(1, 3))
    shape = draw(st.lists(st.integers(1, 4), min_size=rank + 2, max_size=rank + 2))
    methods = ("nearest", *KERNELS) if rank == 2 else ("nearest",)
    factors = draw(st.integers(1, 3) | st.tuples(*[st.integers(1, 3)] * rank))
    kwargs = {
        "interpolation": draw(st.sampled_from(methods)),
        "data_format": draw(st.sampled_from(("channels_last", "channels_first"))),
    }
    return (strategies.array(draw, kind, shape), factors), kwargs


def scale_and_translate(images, output_shape, scale, translation, spatial_dims, method,
                        antialias=True):  # fmt: skip
    method = {"linear": "bilinear", "cubic": "bicubic"}.get(method, method)
    for axis, s, t in zip(spatial_dims, scale, translation, strict=True):
        images = sampled(images, axis, output_shape[axis], s, t, method, antialias)
    return images


MODES = {"constant": "grid-constant", "wrap": "grid-wrap"}


def map_coordinates(inputs, coordinates, order, fill_mode="constant", fill_value=0):
    y = ndimage.map_coordinates(
        inputs.astype("float64"), coordinates.reshape(inputs.ndim, -1), order=order,
        cval=fill_value, mode=MODES.get(fill_mode, fill_mode),
    )  # fmt: skip
    return limited(y.reshape(coordinates.shape[1:]), inputs)


def projected(images, matrices, interpolation, fill_mode, fill_value, data_format):
    count = len(images) if images.ndim == 4 else 1
    rest = iter(list(matrices) * (count if len(matrices) == 1 else 1))

    def one(x):
        y_at, x_at = np.mgrid[: x.shape[0], : x.shape[1]]
        ones = np.ones(x.shape[:2])
        u, v, k = np.einsum("ij,jhw->ihw", next(rest), np.stack([x_at, y_at, ones]))
        order = ["nearest", "bilinear"].index(interpolation)
        planes = [
            map_coordinates(x[..., c], np.stack([v / k, u / k]), order, fill_mode, fill_value)
            for c in range(x.shape[-1])
        ]
        return np.stack(planes, -1)

    return each_image(one, images, data_format)


def affine(images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0,
           data_format=None):  # fmt: skip
    rows = np.reshape(transform, (-1, 8))
    matrices = np.concatenate([rows, np.ones((len(rows), 1))], 1).reshape(-1, 3, 3)
    return projected(images, matrices, interpolation, fill_mode, fill_value, data_format)


def perspective(images, start_points, end_points, interpolation="bilinear", fill_value=0,
                data_format=None):  # fmt: skip
    matrices = []
    for start, end in zip(
        np.reshape(start_points, (-1, 4, 2)), np.reshape(end_points, (-1, 4, 2)), strict=True
    ):
        rows, values = [], []
        for (u, v), (x, y) in zip(start, end, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
            values += [u, v]
        matrices.append(np.append(np.linalg.solve(rows, values), 1).reshape(3, 3))
    return projected(images, matrices, interpolation, "constant", fill_value, data_format)


def image(draw, kind, least=1, channels=None):
    """A batch or a single image, in either layout, whose sizes are `least` or more."""
    batch = [draw(st.integers(1, 2))] if draw(st.booleans()) else []
    sizes = [draw(st.integers(least, least + 4)) for _ in range(2)]
    channels = [channels or draw(st.integers(1, 3))]
    first = draw(st.booleans())
    shape = (*batch, *channels, *sizes) if first else (*batch, *sizes, *channels)
    return strategies.array(draw, kind, shape), FIRST if first else {}


def drawn(**static):
    """Random images, and each static argument as its strategy says."""

    def arguments(draw, kind):
        least, channels = static.get("least", 1), static.get("channels")
        x, kwargs = image(draw, kind, least, channels)
        more = {name: draw(s) for name, s in static.items() if name not in ("least", "channels")}
        return (x,), {**kwargs, **more}

    return arguments


def similar(draw, kind):
    x, kwargs = image(draw, kind, 3)
    other = strategies.array(draw, kind, x.shape)
    return (x, other), {**kwargs, "filter_size": draw(st.sampled_from((1, 3)))}


def colors(draw, kind):
    x, kwargs = image(draw, kind, channels=3)
    return (np.abs(x) / np.asarray(2, kind),), kwargs


def shifted(draw, kind):
    """Scales and moves that put no sample on an edge."""
    x = strategies.array(draw, kind, strategies.shape(draw, least=1, most=3, smallest=1))
    scale = [draw(st.sampled_from((0.419, 0.713, 1.617))) for _ in x.shape]
    moves = [draw(st.sampled_from((0.3141, -0.6127))) for _ in x.shape]
    shape = draw(st.lists(st.integers(1, 5), min_size=x.ndim, max_size=x.ndim))
    method = draw(st.sampled_from(("linear", "cubic", "lanczos3", "lanczos5")))
    more = {"antialias": draw(st.booleans())}
    return (x, shape, np.float32(scale), np.float32(moves), range(x.ndim), method), more


def looked_up(draw, kind):
    x = strategies.array(draw, kind, strategies.shape(draw, least=1, most=3, smallest=1))
    places = 3 * real(x.ndim, *strategies.shape(draw, most=2), seed=draw(st.integers(0, 99))) + 0.1
    return (x, np.float32(places), draw(st.integers(0, 1))), {"fill_mode": draw(FILLS)}


def moved(draw, kind):
    x, kwargs = image(draw, kind)
    count = len(x) if x.ndim == 4 and draw(st.booleans()) else None
    matrix = MATRIX if count is None else np.stack([MATRIX, MATRICES[1]][:count])
    interpolation = draw(st.sampled_from(("nearest", "bilinear")))
    return (x, matrix), {**kwargs, "fill_mode": draw(FILLS), "interpolation": interpolation}


def drawn_out(draw, kind):
    x, kwargs = image(draw, kind)
    points = CORNERS + 0.4 * real(4, 2, seed=draw(st.integers(0, 99)))
    return (x, CORNERS, np.float32(points)), {**kwargs, "fill_value": 3.0}


FILLS = st.sampled_from(("constant", "nearest", "wrap", "mirror", "reflect"))
PAIR = st.tuples(st.integers(1, 7), st.integers(1, 7))
PLACES = np.float32([[0.4, 1.3, -0.6, 2.7, 5.2, 0.2], [1.1, -1.4, 0.3, 3.6, -2.3, 0.1]])
MATRIX = np.float32([0.913, 0.217, -0.637, -0.113, 1.091, 0.3171, 0.011, 0.017])
MATRICES = np.stack([MATRIX, np.float32([1.193, 0.0, -1.717, 0.103, 0.812, 2.237, 0.0, 0.0])])
CORNERS = np.float32([[0, 0], [6, 0], [0, 5], [6, 5]])
MOVED = np.float32([[0.5, -0.4], [5.2, 0.7], [-0.6, 5.1], [6.3, 4.4]])
SIZES = {
    "": ((2, 5, 6, 3), (7, 4)),
    "smaller": ((1, 8, 9, 2), (3, 4)),
    "one": ((4, 3, 1), (1, 6)),
}
ASPECTS = {"crop": {"crop_to_aspect_ratio": True},
           "pad": {"pad_to_aspect_ratio": True, "fill_value": 7.0}}  # fmt: skip

CASES = [
    Case("rgb_to_grayscale", (positive(2, 3, 4, 3),), grayscale, dtypes=FLOATS,
         draw=drawn(channels=3)),
    Case("rgb_to_grayscale", (real(2, 3, 4, 5),), grayscale, FIRST, "channels_first"),
    Case("rgb_to_grayscale", (pixels(3, 4, 3),), grayscale, label="pixels", rounds=True),
    Case("rgb_to_hsv", (positive(2, 3, 4, 3) / 2.5,), by_pixel(colorsys.rgb_to_hsv), dtypes=FLOATS,
         tolerance=2e-5, draw=colors),
    Case("rgb_to_hsv", (np.float32([[[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.2]]]),),
         by_pixel(colorsys.rgb_to_hsv), label="gray", grad=False),
    Case("hsv_to_rgb", (positive(2, 3, 4, 3) / 2.5,), by_pixel(colorsys.hsv_to_rgb), dtypes=FLOATS,
         draw=colors),
    Case("hsv_to_rgb", (positive(2, 3, 4, 5) / 2.5,), by_pixel(colorsys.hsv_to_rgb), FIRST,
         "channels_first"),
    Case("gaussian_blur", (real(2, 5, 6, 3),), blur, dtypes=FLOATS, draw=drawn(
        kernel_size=st.sampled_from(((3, 3), (1, 5), (2, 3))), sigma=st.just((0.5, 2.0)))),
    Case("gaussian_blur", (real(2, 5, 6),), blur, {"kernel_size": (5, 3), "sigma": (2.0, 0.7),
         **FIRST}, "channels_first"),
    Case("gaussian_blur", (pixels(4, 5, 1),), blur, label="pixels", result="float32",
         tolerance=1e-4),
    Case("sobel_edges", (real(2, 5, 6, 3),), sobel, dtypes=FLOATS, draw=drawn()),
    Case("sobel_edges", (real(2, 5, 6),), sobel, FIRST, "channels_first"),
    Case("ssim", (positive(2, 12, 13, 2) / 3, positive(2, 12, 13, 2, seed=1) / 3), ssim,
         draw=similar, tolerance=1e-4),
    Case("ssim", (real(2, 5, 6), real(2, 5, 6, seed=1)), ssim,
         {"filter_size": 3, "max_val": 4.0, "filter_sigma": 0.8, "k1": 0.1, "k2": 0.2, **FIRST},
         "channels_first"),
    Case("ssim", (pixels(5, 6, 1), pixels(5, 6, 1, seed=1)), ssim,
         {"filter_size": 5, "max_val": 255}, "pixels", result="float32", tolerance=1e-4),
    Case("extract_patches", (real(2, 5, 6, 3), 2), patches, dtypes=NUMBERS,
         draw=drawn(least=3, size=st.sampled_from((2, (1, 3))), padding=st.sampled_from(
             ("valid", "same")), strides=st.none() | st.integers(1, 3))),
    Case("extract_patches", (real(2, 7, 8), (3, 2)), patches,
         {"strides": (1, 2), "padding": "same", **FIRST}, "channels_first"),
    Case("extract_patches", (real(7, 8, 2), 3), patches, {"strides": 1, "dilation_rate": 2},
         "dilation"),
    Case("extract_patches", (real(1, 4, 5, 4, 2), (2, 2, 3)), patches, label="volumes"),
    Case("extract_patches_3d", (real(2, 4, 5, 4, 2), 2), patches_3d, dtypes=FLOATS),
    Case("extract_patches_3d", (real(2, 4, 5, 4), (2, 3, 2)), patches_3d,
         {"strides": 1, "padding": "same", **FIRST}, "channels_first"),
    Case("crop_images", (real(2, 7, 8, 3), 1, 2),
         lambda x, *_, **__: x[:, 1:5, 2:7],
         {"target_height": 4, "target_width": 5}, dtypes=NUMBERS),
    Case("crop_images", (real(3, 7, 8),), lambda x, **_: x[:, 1:5, 3:7],
         {"top_cropping": 1, "bottom_cropping": 2, "right_cropping": 1, "target_width": 4, **FIRST},
         "channels_first"),
    Case("pad_images", (real(2, 3, 4, 3), 1, 2),
         lambda x, *_, **__: np.pad(x, ((0, 0), (1, 2), (2, 1), (0, 0))),
         {"target_height": 6, "target_width": 7}, dtypes=NUMBERS),
    Case("pad_images", (real(3, 3, 4),), lambda x, **_: np.pad(x, ((0, 0), (1, 2), (3, 1))),
         {"top_padding": 1, "bottom_padding": 2, "right_padding": 1, "target_width": 8, **FIRST},
         "channels_first"),
    *(Case("resize", (real(*shape), size), resize, {"interpolation": method},
           f"{method}_{label}".removesuffix("_") if label or method != "bilinear" else "",
           dtypes=FLOATS if method == "bilinear" and not label else (), unknown=False,
           draw=drawn(size=PAIR, interpolation=st.sampled_from(("nearest", *KERNELS)),
                      antialias=st.booleans()))
      for method in ("nearest", *KERNELS) for label, (shape, size) in SIZES.items()),
    *(Case("resize", (real(2, 8, 9, 2), (3, 4)), resize,
           {"interpolation": method, "antialias": True}, f"{method}_antialias")
      for method in KERNELS),
    *(Case("resize", (real(*shape), (4, 6)), resize, {**kwargs, **ratio}, f"{name}_{label}")
      for label, (shape, kwargs) in {
          "high": ((9, 5, 2), {}), "wide": ((2, 3, 11, 1), {}), "first": ((2, 6, 5), FIRST)}.items()
      for name, ratio in ASPECTS.items()),
    *(Case("resize", (pixels(5, 6, 3), (3, 8)), resize, {"interpolation": method},
           f"pixels_{method}", rounds=True) for method in ("nearest", *KERNELS)),
    Case("enlarge", (real(2, 3, 4, 2), (2, 3)), enlarge, dtypes=NUMBERS, draw=enlarged),
    Case("enlarge", (real(2, 3, 4, 2), 2), enlarge, FIRST, "channels_first"),
    Case("enlarge", (real(2, 3, 2), 2), enlarge, label="sequences"),
    Case("enlarge", (real(1, 2, 3, 2, 2), (1, 3, 2)), enlarge, label="volumes"),
    Case("enlarge", (real(1, 1, 1, 2, 3), 2), enlarge, FIRST, "volumes_first"),
    *(Case("enlarge", (real(2, 3, 4, 2), (3, 2)), enlarge, {"interpolation": method}, method)
      for method in KERNELS),
    Case("enlarge", (real(2, 1, 3, 4), (1, 2)), enlarge, {"interpolation": "bicubic", **FIRST},
         "bicubic_first"),
    Case("enlarge", (pixels(1, 5, 6, 3), 2), enlarge, {"interpolation": "bilinear"}, "pixels",
         rounds=True),
    *(Case("scale_and_translate", (real(2, 5, 6, 1), (2, 4, 9, 1), np.float32(scale),
           np.float32([0.3, -0.6]), (1, 2), method), scale_and_translate, {"antialias": antialias},
           label, dtypes=FLOATS if not label else (), grad=False, tolerance=2e-5,
           unknown=False, draw=shifted)
      for label, method, scale, antialias in (
          ("", "linear", [0.7, 1.6], True), ("cubic", "cubic", [1.3, 0.4], True),
          ("lanczos3", "lanczos3", [0.7, 1.6], False), ("lanczos5", "lanczos5", [1.4, 0.6], True))),
    *(Case("map_coordinates", (real(3, 4), PLACES, order), map_coordinates,
           {"fill_mode": mode, "fill_value": 0.3}, f"{mode}_{order}" if order == 0 or mode != "wrap"
           else "", grad=order == 1, draw=looked_up)
      for mode in ("constant", "nearest", "wrap", "mirror", "reflect") for order in (0, 1)),
    Case("map_coordinates", (real(2, 3, 4), np.float32([[[0.3, 1.2]], [[1.6, 2.4]], [[0.1, 2.7]]]),
                             1), map_coordinates, label="rank3", draw=looked_up),
    Case("map_coordinates", (whole(4, 1), PLACES * np.float32([[1], [0]]), 1), map_coordinates,
         {"fill_mode": "mirror"}, "whole", grad=False, result=None, draw=looked_up, rounds=True),
    Case("affine_transform", (real(2, 5, 6, 3), MATRICES), affine, tolerance=1e-4, draw=moved),
    Case("affine_transform", (real(2, 5, 6, 3), MATRIX), affine,
         {"interpolation": "nearest", "fill_mode": "reflect"}, "nearest", tolerance=1e-4,
         draw=moved),
    Case("affine_transform", (real(2, 5, 6), MATRIX), affine,
         {"fill_mode": "mirror", **FIRST}, "channels_first", tolerance=1e-4, draw=moved),
    Case("affine_transform", (pixels(5, 6, 1), MATRIX), affine, {"fill_value": 99}, "pixels",
         result=None, grad=False, draw=moved, rounds=True),
    Case("perspective_transform", (real(6, 7, 2), CORNERS, MOVED), perspective, tolerance=1e-4,
         grad=False, draw=drawn_out),
    Case("perspective_transform", (real(2, 2, 6, 7), np.stack([CORNERS] * 2),
                                   np.stack([MOVED, CORNERS + np.float32(0.3)])), perspective,
         {"interpolation": "nearest", "fill_value": 3.0, **FIRST}, "channels_first", grad=False,
         draw=drawn_out),
    Case("elastic_transform", (real(2, 5, 6, 3),), lambda x, **_: x, {"alpha": 0.0, "seed": 1},
         draw=drawn(alpha=st.just(0.0), seed=st.just(1)), dtypes=FLOATS),
]  # fmt: skip
