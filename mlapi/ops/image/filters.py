"""Filters: convolutions of each channel with the same small kernel, and measures out of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi.backends.losses import check_same_shape
from mlapi.errors import ArgumentError, ShapeError
from mlapi.op import op, to_float
from mlapi.ops import layout
from mlapi.ops.conversion import dtype
from mlapi.ops.convolution import depthwise_conv
from mlapi.ops.elementwise import cast, multiply, square
from mlapi.ops.reduction import mean
from mlapi.ops.shape import reshape, shape
from mlapi.types import Tensor, TensorLike


def _bell(size: int, sigma: float) -> np.ndarray:
    """Samples of a normal distribution around the middle, which sum to 1."""
    at = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * np.square(at / sigma))
    return weights / weights.sum()


def _filtered(x: Any, columns: Sequence[Any], padding: str) -> Any:
    """Each channel of (batch, height, width, channels) filtered along one axis after the other.

    Args:
        x: the images.
        columns: weights along the height, then along the width.
        padding: as for `conv`.
    """
    channels = x.shape[-1]
    for weights, sizes in zip(columns, ((-1, 1, 1, 1), (1, -1, 1, 1)), strict=True):
        kernel = np.tile(np.reshape(weights, sizes), (1, 1, channels, 1))
        x = depthwise_conv(x, cast(kernel, dtype(x)), 1, padding, "channels_last")
    return x


@op(dtype=to_float)
def gaussian_blur(
    images: TensorLike,
    kernel_size: Sequence[int] = (3, 3),
    sigma: Sequence[float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Each pixel becomes the mean of those around it, weighted by a normal distribution.

    Beyond the edges there are zeros.

    Args:
        images: one or a batch.
        kernel_size: height and width of the window.
        sigma: standard deviations along both, in pixels.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.image.gaussian_blur([[[0.0], [1.0], [0.0]]])).round(3).ravel()
        array([0.124, 0.204, 0.124], dtype=float32)
    """
    columns = [_bell(n, s) for n, s in zip(kernel_size, sigma, strict=True)]
    return layout.on_images(lambda x: _filtered(x, columns, "same"), images, data_format)


@op(dtype=to_float)
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Slopes along the height and the width, by Sobel's operator; zeros beyond the edges.

    Returns:
        The shape of the images with a last axis of size 2: slope downwards, slope to the right.

    Example:
        >>> from mlapi import ops
        >>> x = [[[0.0], [0.0], [1.0], [1.0]]] * 3
        >>> ops.convert_to_numpy(ops.image.sobel_edges(x))[1, :, 0, 1]
        array([ 0.,  4.,  4., -4.], dtype=float32)
    """

    def edges(x: Any) -> Any:
        down = np.outer([-1.0, 0.0, 1.0], [1.0, 2.0, 1.0])
        both = np.tile(np.stack([down, down.T], -1)[:, :, None], (1, 1, x.shape[-1], 1))
        y = depthwise_conv(x, cast(both, dtype(x)), 1, "same", "channels_last")
        return reshape(y, (*shape(x), 2))

    return layout.on_images(edges, images, data_format)


@op(dtype=to_float)
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Structural similarity of two images, 1 for equal ones.

    Wang et al., 2004, https://doi.org/10.1109/TIP.2003.819861.

    Args:
        image1: one or a batch.
        image2: of the same shape.
        max_val: the largest possible value of a pixel.
        filter_size: size of the window, an odd number.
        filter_sigma: standard deviation of its weights.
        k1: keeps the comparison of means away from a division by zero.
        k2: the same for that of variances.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Returns:
        One number for each pair of images.

    Example:
        >>> from mlapi import ops
        >>> x = ops.ones((2, 16, 16, 3))
        >>> ops.convert_to_numpy(ops.image.ssim(x, x))
        array([1., 1.], dtype=float32)
    """
    check_same_shape("ssim", layout.known(image1), layout.known(image2))
    if filter_size < 1 or filter_size % 2 == 0:
        raise ArgumentError(f"ssim: filter_size must be odd; received {filter_size}.")
    columns = [_bell(filter_size, filter_sigma)] * 2

    def local(x: Any) -> Any:
        if any(isinstance(n, int) and n < filter_size for n in x.shape[1:3]):
            raise ShapeError(
                f"ssim: windows of size {filter_size} do not fit shape {layout.known(image1)}."
            )
        return _filtered(x, columns, "valid")

    moments = (image1, image2, multiply(image1, image2), square(image1), square(image2))
    means = [layout.on_images(local, x, data_format) for x in moments]
    product = means[0] * means[1]
    squares = square(means[0]) + square(means[1])
    small, large = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    similar = (2 * product + small) / (squares + small)
    similar = similar * (2 * (means[2] - product) + large) / (means[3] + means[4] - squares + large)
    return mean(similar, (-3, -2, -1))
