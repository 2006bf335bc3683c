"""Images looked up at other coordinates, by a map, a matrix or at random."""

import itertools
from collections.abc import Sequence
from typing import Any

from mlapi import random
from mlapi.errors import ArgumentError, ShapeError, one_of
from mlapi.op import op
from mlapi.ops import layout, rules
from mlapi.ops.conversion import dtype
from mlapi.ops.creation import arange, ones_like
from mlapi.ops.elementwise import absolute, cast, clip, floor, mod
from mlapi.ops.image.filters import gaussian_blur
from mlapi.ops.indexing import take
from mlapi.ops.logical import logical_and, where
from mlapi.ops.shape import broadcast_to, concatenate, reshape, shape, stack
from mlapi.types import Tensor, TensorLike

_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_ORDERS = {"nearest": 0, "bilinear": 1}


def _inside(index: Any, size: Any, mode: str) -> Any:
    """Whole numbers, some beyond the edges, as indices of pixels."""
    if mode == "nearest":
        return clip(index, 0, size - 1)
    if mode == "wrap":
        return mod(index, size)
    if mode == "reflect":  # d c b a | a b c d | d c b a
        index = mod(index, 2 * size)
        return where(index >= size, 2 * size - 1 - index, index)
    if isinstance(size, int) and size == 1:
        return index * 0
    return size - 1 - absolute(mod(index, 2 * size - 2) - (size - 1))  # c d c b | a b c d | c b a b


def _look_up(
    x: Any, sizes: Sequence[Any], coordinates: Sequence[Any], order: int, mode: str, fill: float
) -> Any:
    """Values of `x`, shape (batch, product of sizes, channels), at (batch, places) coordinates."""
    kind = dtype(x)
    x = layout.to_numbers(x)
    batch, length, channels = shape(x)
    flat = reshape(x, (batch * length, channels))
    first = arange(0, batch)[:, None] * length
    if order == 0:
        corners = [[(cast(floor(c + 0.5), "int32"), None)] for c in coordinates]
    else:
        lows = [floor(c) for c in coordinates]
        corners = [
            [(cast(low, "int32"), 1 - (c - low)), (cast(low, "int32") + 1, c - low)]
            for c, low in zip(coordinates, lows, strict=True)
        ]
    if mode == "constant":  # a row of its own for what is beyond the edges
        beyond = cast(fill, dtype(flat))
        flat = concatenate([flat, broadcast_to(beyond, (1, channels))], 0)
    total: Any = 0
    for corner in itertools.product(*corners):
        places: Any = 0
        weight: Any = None
        known: Any = True
        for (at, share), size in zip(corner, sizes, strict=True):
            places = places * size + (at if mode == "constant" else _inside(at, size, mode))
            if share is not None:
                weight = share if weight is None else weight * share
            if mode == "constant":
                within = logical_and(at >= 0, at < size)
                known = within if known is True else logical_and(known, within)
        index = first + places
        index = where(known, index, batch * length) if mode == "constant" else index
        value = take(flat, index, 0)
        total = total + (value if weight is None else value * cast(weight, dtype(value))[..., None])
    return layout.back(total, kind)


@op(dtype=rules.images_and_numbers)
def map_coordinates(
    inputs: TensorLike,
    coordinates: TensorLike,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Tensor:
    """Values between the elements of a tensor.

    Args:
        inputs: any shape of at least one axis.
        coordinates: shape `(axes of inputs, ...)`; the first axis has an index for each axis.
        order: 0 for the nearest element, 1 for a linear mixture of all around.
        fill_mode: what is beyond the edges of `a b c d`: `"constant"`, `fill_value`; `"nearest"`,
            `d d d d`; `"wrap"`, `a b c d`; `"mirror"`, `c b a b`; `"reflect"`, `d c b a`.
        fill_value: see `fill_mode`.

    Returns:
        The shape of `coordinates` without the first axis, the dtype of `inputs`.

    Example:
        >>> from mlapi import ops
        >>> x = [[1.0, 2.0], [3.0, 4.0]]
        >>> ops.convert_to_numpy(ops.image.map_coordinates(x, [[0.0, 0.5], [0.5, 0.5]], 1))
        array([1.5, 2.5], dtype=float32)
    """
    one_of("order", order, (0, 1))
    one_of("fill_mode", fill_mode, _MODES)
    x: Any = inputs
    places: Any = coordinates
    rank = len(layout.known(x))
    if rank == 0 or places.shape[0] != rank:
        raise ShapeError(
            f"map_coordinates: coordinates must have shape ({rank}, ...) for inputs of shape "
            f"{layout.known(x)}; received {layout.known(places)}."
        )
    each = [reshape(places[i], (1, -1)) for i in range(rank)]
    y = _look_up(reshape(x, (1, -1, 1)), shape(x), each, order, fill_mode, fill_value)
    return reshape(y, shape(places)[1:])


def _project(
    images: Any, matrix: Any, interpolation: str, mode: str, fill: float, data_format: str | None
) -> Any:
    """Each pixel from where a matrix (images, 9) says; rows and columns of it are (x, y, 1)."""
    one_of("interpolation", interpolation, _ORDERS)
    one_of("fill_mode", mode, _MODES)

    def moved(x: Any) -> Any:
        batch, height, width, channels = shape(x)
        x_at = cast(arange(0, width), dtype(matrix))
        y_at = cast(arange(0, height), dtype(matrix))[:, None]
        # Not [:, i, None, None]: graphs of tensorflow forget the None where a stack is sliced.
        cells = [reshape(matrix[:, i], (-1, 1, 1)) for i in range(9)]
        at_x, at_y, scale = (
            cells[i] * x_at + cells[i + 1] * y_at + cells[i + 2] for i in (0, 3, 6)
        )
        coordinates = [
            reshape(broadcast_to(c / scale, (batch, height, width)), (batch, height * width))
            for c in (at_y, at_x)
        ]
        flat = reshape(x, (batch, height * width, channels))
        order = _ORDERS[interpolation]
        y = _look_up(flat, (height, width), coordinates, order, mode, fill)
        return reshape(y, (batch, height, width, channels))

    return layout.on_images(moved, images, data_format)


@op(dtype=rules.images_and_numbers)
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Takes the pixel at `(x, y)` from `((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`.

    Args:
        images: one or a batch.
        transform: `[a0, a1, a2, b0, b1, b2, c0, c1]`, or such a row for each image;
            `k = c0 x + c1 y + 1`.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what is beyond the edges, see `map_coordinates`.
        fill_value: see `fill_mode`.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> right = [1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
        >>> x = [[[1.0], [2.0], [3.0]]]
        >>> ops.convert_to_numpy(ops.image.affine_transform(x, right)).ravel()
        array([0., 1., 2.], dtype=float32)
    """
    given: Any = transform
    if given.shape[-1] != 8 or len(given.shape) > 2:
        raise ShapeError(
            "affine_transform: transform must have shape (8,) or (batch, 8); received "
            f"{layout.known(given)}."
        )
    rows = reshape(given, (-1, 8))
    rows = concatenate([rows, ones_like(rows[:, :1])], 1)
    return _project(images, rows, interpolation, fill_mode, fill_value, data_format)


def _cross(a: Any, b: Any) -> list[Any]:
    return [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]


def _basis(points: Any) -> list[list[Any]]:
    """Three homogeneous points whose sum is the fourth, each up to one common factor."""
    x, y = points[..., 0], points[..., 1]

    def area(i: int, j: int, k: int) -> Any:
        return (x[:, j] - x[:, i]) * (y[:, k] - y[:, i]) - (x[:, k] - x[:, i]) * (y[:, j] - y[:, i])

    shares = (area(3, 1, 2), area(0, 3, 2), area(0, 1, 3))
    return [[s * x[:, i], s * y[:, i], s] for i, s in enumerate(shares)]


@op(dtype=rules.images_and_numbers)
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Moves four points of an image to four others, and straight lines to straight lines.

    Args:
        images: one or a batch.
        start_points: shape `(4, 2)` or `(batch, 4, 2)`, the `(x, y)` of points of the images, no
            three of them on a line.
        end_points: where they are in the result.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: what is beyond the edges.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> x = [[[1.0], [2.0], [3.0]]]
        >>> start, end = [[0, 0], [2, 0], [0, 1], [2, 1]], [[1, 0], [3, 0], [1, 1], [3, 1]]
        >>> ops.convert_to_numpy(ops.image.perspective_transform(x, start, end)).ravel()
        array([0., 1., 2.], dtype=float32)
    """
    for points in (start_points, end_points):
        if layout.known(points)[-2:] != (4, 2) or len(layout.known(points)) > 3:
            raise ShapeError(
                "perspective_transform: points must have shape (4, 2) or (batch, 4, 2); received "
                f"{layout.known(points)}."
            )
    start, end = (_basis(reshape(points, (-1, 4, 2))) for points in (start_points, end_points))
    # The inverse of a matrix of three columns has their cross products as rows, up to a factor.
    lines = [_cross(end[i - 2], end[i - 1]) for i in range(3)]
    rows = [
        sum(start[i][row] * lines[i][column] for i in range(3))
        for row in range(3)
        for column in range(3)
    ]
    matrix = stack(rows, -1)
    return _project(images, matrix, interpolation, "constant", fill_value, data_format)


@op
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: int | random.SeedGenerator | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Moves every pixel at random, neighbours in similar ways.

    Simard et al., 2003, https://doi.org/10.1109/ICDAR.2003.1227801.

    Args:
        images: one or a batch.
        alpha: how far; the moves are normal noise, blurred and then multiplied by it.
        sigma: standard deviation of the blur, in pixels.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what is beyond the edges, see `map_coordinates`.
        fill_value: see `fill_mode`.
        seed: an int, a `SeedGenerator`, or None for the global one.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.image.elastic_transform(ops.ones((2, 8, 8, 3)), seed=1))
        (2, 8, 8, 3)
    """
    one_of("interpolation", interpolation, _ORDERS)
    one_of("fill_mode", fill_mode, _MODES)
    if sigma <= 0:
        raise ArgumentError(f"elastic_transform: sigma must be positive; received {sigma}.")

    def moved(x: Any) -> Any:
        batch, height, width, channels = shape(x)
        noise = random.normal((batch, height, width, 2), seed=seed)
        size = int(6 * sigma) | 1  # three standard deviations to either side
        moves = alpha * gaussian_blur(noise, (size, size), (sigma, sigma), "channels_last")
        grid = cast(arange(0, height), dtype(moves))[:, None], cast(arange(0, width), dtype(moves))
        coordinates = [
            reshape(at + moves[..., i], (batch, height * width)) for i, at in enumerate(grid)
        ]
        flat = reshape(x, (batch, height * width, channels))
        order = _ORDERS[interpolation]
        y = _look_up(flat, (height, width), coordinates, order, fill_mode, fill_value)
        return reshape(y, (batch, height, width, channels))

    return layout.on_images(moved, images, data_format)
