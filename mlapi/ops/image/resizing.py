"""Resampling along the axes of images: each a product with a matrix of weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import ops
from mlapi.backends import adapter
from mlapi.backends.windows import per_axis
from mlapi.errors import ArgumentError, ShapeError, one_of
from mlapi.op import op
from mlapi.ops import layout, rules
from mlapi.ops.conversion import dtype
from mlapi.ops.elementwise import cast
from mlapi.ops.indexing import take
from mlapi.ops.products import tensordot
from mlapi.ops.shape import moveaxis, pad, repeat, shape
from mlapi.types import Tensor, TensorLike

# How far the kernels reach, in pixels.
_REACH = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}
_NAMES = {"linear": "bilinear", "trilinear": "bilinear", "triangle": "bilinear",
          "cubic": "bicubic", "tricubic": "bicubic"}  # fmt: skip


def _kernel(method: str, x: Any, xp: Any) -> Any:
    """The weight of a pixel at distance `x`; `xp` is NumPy or `mlapi.ops`."""
    if method == "bilinear":
        return xp.maximum(1 - x, 0)
    if method == "bicubic":  # Keys, 1981, with a = -1/2
        near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
        return xp.where(x >= 2, 0, xp.where(x >= 1, far, near))
    radius = _REACH[method]
    angle = np.pi * xp.where(x > 1e-3, x, 1)
    wave = radius * xp.sin(angle) * xp.sin(angle / radius) / xp.square(angle)
    return xp.where(x >= radius, 0, xp.where(x > 1e-3, wave, 1))


def _weights(
    size: int, count: int, step: Any, start: Any, method: str, antialias: bool, xp: Any
) -> Any:
    """A matrix (size, count); result `i` is sampled at `(i + 1/2) * step + start` of the pixels.

    Where that lies outside of the image, the weights are 0; else they sum to 1.
    """
    places, pixels = np.arange(count) + 0.5, np.arange(size) + 0.5
    if xp is not np:
        places, pixels = (cast(x, dtype(step)) for x in (places, pixels))
    centers = places * step + start
    stretch = xp.maximum(step, 1) if antialias else 1
    distance = xp.absolute(centers[None, :] - pixels[:, None]) / stretch
    weights = _kernel(method, distance, xp)
    total = xp.sum(weights, 0)
    safe = xp.where(xp.absolute(total) > 1e-4, total, 1)
    inside = (centers >= 0) & (centers <= size) & (xp.absolute(total) > 1e-4)
    return xp.where(inside, weights / safe, 0)


def _along(x: Any, axis: int, weights: Any) -> Any:
    return moveaxis(tensordot(x, cast(weights, dtype(x)), [[axis], [0]]), -1, axis)


def _resampled(x: Any, sizes: Sequence[int], method: str, antialias: bool) -> Any:
    """Images (batch, height, width, channels) at other sizes."""
    if method == "nearest":
        for axis, count in enumerate(sizes, 1):
            size = x.shape[axis]
            if size != count:
                x = take(x, (2 * np.arange(count) + 1) * size // (2 * count), axis)
        return x
    smaller = any(count < size for count, size in zip(sizes, x.shape[1:3], strict=True))
    if method == "bilinear" and not (antialias and smaller):
        return adapter.image.bilinear(x, tuple(sizes))
    for axis, count in enumerate(sizes, 1):
        size = x.shape[axis]
        if size != count:
            weights = _weights(size, count, size / count, 0.0, method, antialias, np)
            x = _along(x, axis, weights)
    return x


@op
def resize(
    images: TensorLike,
    size: int | Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images at another size.

    Pixels are taken for points in the middles of squares, and what lies beyond the edges has no
    weight.

    Args:
        images: one or a batch, of known sizes.
        size: height and width of the result.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"` (Keys, 1981), `"lanczos3"` or
            `"lanczos5"`.
        antialias: whether the kernel gets as wide as a pixel of a smaller result, so that all
            pixels count.
        crop_to_aspect_ratio: whether to use only the largest part in the middle that has the
            result's proportions.
        pad_to_aspect_ratio: whether to put `fill_value` around first, up to those proportions.
        fill_mode: must be `"constant"`.
        fill_value: see `pad_to_aspect_ratio`.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.image.resize([[[0.0], [1.0]]], (1, 4))).ravel()
        array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    sizes = per_axis("size", size, 2)
    one_of("interpolation", interpolation, ("nearest", *_REACH))
    one_of("fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("resize: images can be cropped or padded, not both.")

    def to_size(x: Any) -> Any:
        given = tuple(x.shape[1:3])
        if None in given:
            raise ShapeError(f"resize needs to know sizes; received shape {layout.known(images)}.")
        kind = dtype(x)
        x = x if interpolation == "nearest" else layout.to_numbers(x)
        # Of the proportions of the result, for the width and the height that there are.
        ratios = (given[1] * sizes[0] // sizes[1], given[0] * sizes[1] // sizes[0])
        if crop_to_aspect_ratio:
            parts = [max(1, min(n, r)) for n, r in zip(given, ratios, strict=True)]
            starts = [(n - part) // 2 for n, part in zip(given, parts, strict=True)]
            x = x[:, starts[0] : starts[0] + parts[0], starts[1] : starts[1] + parts[1]]
        elif pad_to_aspect_ratio:
            more = [max(0, r - n) for n, r in zip(given, ratios, strict=True)]
            widths = [(0, 0), *((n // 2, n - n // 2) for n in more), (0, 0)]
            x = pad(x, widths, constant_values=fill_value)
        return layout.back(_resampled(x, sizes, interpolation, antialias), kind)

    return layout.on_images(to_size, images, data_format)


@op
def enlarge(
    images: TensorLike,
    factors: int | Sequence[int],
    interpolation: str = "nearest",
    data_format: str | None = None,
) -> Tensor:
    """Images at a whole multiple of their size.

    Args:
        images: shape `(batch, *sizes, channels)`, or with the channels second.
        factors: how many times as large, one number for all axes or one each.
        interpolation: `"nearest"` repeats each pixel, along any number of axes. The other ways of
            `resize` are for two axes; all but `"bilinear"` need to know sizes.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.image.enlarge([[[1.0], [2.0]]], 2)).ravel()
        array([1., 1., 2., 2.], dtype=float32)
    """
    one_of("interpolation", interpolation, ("nearest", *_REACH))
    rank = len(layout.known(images)) - 2
    counts = per_axis("factors", factors, rank)
    if interpolation == "nearest":
        repeated: Any = images
        for axis, count in enumerate(counts, 1 if layout.is_last(data_format) else 2):
            repeated = repeated if count == 1 else repeat(repeated, count, axis)
        return repeated
    if rank != 2:
        raise ShapeError(
            f"enlarge: interpolation={interpolation!r} is for two axes between batch and "
            f"channels; received shape {layout.known(images)}."
        )

    def all_axes(x: Any) -> Any:
        kind, x = dtype(x), layout.to_numbers(x)
        return layout.back(_enlarged(x, counts, interpolation), kind)

    return layout.on_images(all_axes, images, data_format)


def _enlarged(x: Any, factors: tuple[int, ...], method: str) -> Any:
    if method == "bilinear":
        sizes = zip(shape(x)[1:3], factors, strict=True)
        return adapter.image.bilinear(x, tuple(n * m for n, m in sizes))
    for axis, factor in enumerate(factors, 1):
        size = x.shape[axis]
        if size is None:
            raise ShapeError(f"enlarge needs to know sizes; received shape {layout.known(x)}.")
        if factor > 1:
            x = _along(x, axis, _weights(size, size * factor, 1 / factor, 0.0, method, False, np))
    return x


@op(dtype=rules.floats_and_numbers)
def scale_and_translate(
    images: TensorLike,
    output_shape: Sequence[int | None],
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Moves what is at `x` along an axis to `x * scale + translation`.

    Pixels are points in the middles of squares: the first is at 1/2. What comes from beyond the
    edges is 0.

    Args:
        images: any number of axes.
        output_shape: of the result; None for an axis that stays as it is and is not known.
        scale: one number for each of `spatial_dims`.
        translation: one number for each of `spatial_dims`.
        spatial_dims: the axes that change.
        method: `"linear"` (also `"bilinear"`, `"trilinear"`, `"triangle"`), `"cubic"` (also
            `"bicubic"`, `"tricubic"`), `"lanczos3"` or `"lanczos5"`.
        antialias: as for `resize`.

    Example:
        >>> from mlapi import ops
        >>> y = ops.image.scale_and_translate([1.0, 2.0], (3,), [1.0], [1.0], (0,), "linear")
        >>> ops.convert_to_numpy(y)
        array([0., 1., 2.], dtype=float32)
    """
    method = _NAMES.get(method, method)
    one_of("method", method, (*_REACH, *_NAMES))
    given: list[Any] = [images, scale, translation]
    x, scales, moves = given
    rank = len(layout.known(x))
    dims = [one % rank for one in spatial_dims]
    if len(output_shape) != rank or any(
        m is not None and n is not None and m != n
        for i, (m, n) in enumerate(zip(output_shape, x.shape, strict=True))
        if i not in dims
    ):
        raise ShapeError(
            f"scale_and_translate: a shape {layout.known(x)} cannot become {tuple(output_shape)} "
            f"along the axes {tuple(spatial_dims)}."
        )
    for i, axis in enumerate(dims):
        step = 1 / scales[i]
        size, count = x.shape[axis], output_shape[axis] or 0
        x = _along(x, axis, _weights(size, count, step, -moves[i] * step, method, antialias, ops))
    return x
