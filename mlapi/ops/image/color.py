"""Conversions between color spaces."""

from typing import Any

from mlapi.errors import ShapeError
from mlapi.op import op
from mlapi.ops import layout, rules
from mlapi.ops.conversion import dtype
from mlapi.ops.elementwise import absolute, clip, floor
from mlapi.ops.logical import where
from mlapi.ops.reduction import amax, amin
from mlapi.ops.shape import stack
from mlapi.types import Tensor, TensorLike


def _three(x: Any) -> list[Any]:
    if x.shape[-1] != 3:
        raise ShapeError(f"expected 3 channels; received {x.shape[-1]}.")
    return [x[..., i] for i in range(3)]


@op
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Luminance, `0.2989 red + 0.5870 green + 0.1140 blue` (ITU-R BT.601), as the only channel.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.image.rgb_to_grayscale([[[1.0, 1.0, 0.5]]])).round(4)
        array([[[0.9429]]], dtype=float32)
    """

    def gray(x: Any) -> Any:
        red, green, blue = _three(layout.to_numbers(x))
        return layout.back(0.2989 * red + 0.5870 * green + 0.1140 * blue, dtype(x))[..., None]

    return layout.on_images(gray, images, data_format)


@op(dtype=rules.only_floats)
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value of colors, all from 0 to 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.image.rgb_to_hsv([[[0.5, 1.0, 0.5]]])).round(4)
        array([[[0.3333, 0.5   , 1.    ]]], dtype=float32)
    """

    def convert(x: Any) -> Any:
        red, green, blue = _three(x)
        value = amax(x, -1)
        spread = value - amin(x, -1)
        safe = where(spread > 0, spread, 1)
        sixth = where(
            value == red,
            (green - blue) / safe,
            where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
        )
        hue = where(spread > 0, sixth / 6, 0)
        hue = hue - floor(hue)
        saturation = where(value > 0, spread / where(value > 0, value, 1), 0)
        return stack([hue, saturation, value], -1)

    return layout.on_images(convert, images, data_format)


@op(dtype=rules.only_floats)
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """The inverse of `rgb_to_hsv`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.image.hsv_to_rgb([[[0.0, 0.5, 1.0]]]))
        array([[[1. , 0.5, 0.5]]], dtype=float32)
    """

    def convert(x: Any) -> Any:
        hue, saturation, value = _three(x)
        sixth = 6 * (hue - floor(hue))
        # Each color is brightest around its own hue, two sixths of the circle wide.
        missing = [2 - absolute(sixth - 3), absolute(sixth - 2) - 1, absolute(sixth - 4) - 1]
        chroma = value * saturation
        return stack([value - chroma * clip(d, 0, 1) for d in missing], -1)

    return layout.on_images(convert, images, data_format)
