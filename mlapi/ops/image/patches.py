"""Parts of images: patches, crops, and what is put around."""

from collections.abc import Sequence
from typing import Any

from mlapi.backends.windows import per_axis, window
from mlapi.errors import ArgumentError
from mlapi.op import op
from mlapi.ops import layout
from mlapi.ops.shape import pad, reshape, shape, transpose
from mlapi.types import Tensor, TensorLike


@op
def extract_patches(
    images: TensorLike,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Cuts images, or volumes if `size` has three numbers, into patches.

    Args:
        images: one or a batch, of known sizes.
        size: height and width of a patch, one number for both or one each.
        strides: steps between patches; by default `size`, so that they do not overlap.
        dilation_rate: distance of the pixels of a patch.
        padding: `"valid"`, or `"same"`: zeros around, as for `conv`.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Returns:
        Shape `(rows, columns, height * width * channels)` for each image, the pixels of a patch
        row by row; in the second format with that axis first.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.image.extract_patches(ops.ones((2, 20, 20, 3)), 5))
        (2, 4, 4, 75)
    """
    rank = 2 if isinstance(size, int) else len(size)
    if rank not in (2, 3):
        raise ArgumentError(f"size must be an int, or two or three of them; received {size!r}.")
    return _patches(images, size, strides, dilation_rate, padding, data_format, rank)


@op
def extract_patches_3d(
    volumes: TensorLike,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Cuts volumes into patches, as `extract_patches` does images.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.image.extract_patches_3d(ops.ones((2, 4, 4, 4, 3)), 2))
        (2, 2, 2, 2, 24)
    """
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3)


def _patches(
    images: Any,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    dilation_rate: int | Sequence[int],
    padding: str,
    data_format: str | None,
    rank: int,
) -> Any:
    def cut(x: Any) -> Any:
        w = window(x.shape, size, strides, padding, "channels_last", dilation_rate)
        if w.same:
            x = pad(x, [(0, 0), *w.pads(x.shape[1:-1]), (0, 0)])
        for axis in reversed(range(rank)):
            x = layout.windows(x, axis + 1, w.size[axis], w.strides[axis], w.dilation[axis])
        sizes = shape(x)
        places, inner = range(1, 2 * rank + 1, 2), range(2, 2 * rank + 1, 2)
        x = transpose(x, (0, *places, *inner, 2 * rank + 1))
        area = 1
        for one in w.size:
            area *= one
        return reshape(x, (sizes[0], *[sizes[i] for i in places], area * sizes[-1]))

    per_axis("size", size, rank)
    return layout.on_images(cut, images, data_format, rank)


def _third(what: str, size: Any, before: Any, after: Any, target: Any, grows: bool) -> Any:
    """What goes before and after an axis, from two of what goes before, after and the target."""
    if (before is None) + (after is None) + (target is None) != 1:
        raise ArgumentError(
            f"{what}: two of the amounts at both ends and the target size must be given for each "
            f"axis; received {before}, {after} and {target}."
        )
    change = None if target is None else target - size if grows else size - target
    before = change - after if before is None else before
    after = change - before if after is None else after
    for amount in (before, after):
        if isinstance(amount, int) and amount < 0:
            raise ArgumentError(f"{what}: {amount} is negative, for an axis of size {size}.")
    return before, after


def _place(images: Any, data_format: str | None) -> int:
    """The axis of the heights."""
    return (
        len(layout.known(images)) - 3
        if layout.is_last(data_format)
        else len(layout.known(images)) - 2
    )


@op
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Cuts rows and columns off.

    Args:
        images: one or a batch.
        top_cropping: how many rows; two of it, `bottom_cropping` and `target_height` are given.
        left_cropping: how many columns; two of it, `right_cropping` and `target_width`.
        bottom_cropping: see `top_cropping`.
        right_cropping: see `left_cropping`.
        target_height: see `top_cropping`.
        target_width: see `left_cropping`.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> x = ops.ones((2, 9, 9, 3))
        >>> ops.shape(ops.image.crop_images(x, 1, 2, target_height=4, target_width=5))
        (2, 4, 5, 3)
    """
    axis = _place(images, data_format)
    x: Any = images
    sizes = shape(x)
    wanted = (
        (top_cropping, bottom_cropping, target_height),
        (left_cropping, right_cropping, target_width),
    )
    cuts = []
    for size, given in zip(sizes[axis : axis + 2], wanted, strict=True):
        before, after = _third("crop_images", size, *given, grows=False)
        if isinstance(size, int) and before + after >= size:
            raise ArgumentError(f"crop_images: nothing is left of an axis of size {size}.")
        cuts.append(slice(before, size - after))
    return x[(*(slice(None),) * axis, *cuts)]


@op
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Puts zeros around.

    Args:
        images: one or a batch.
        top_padding: how many rows; two of it, `bottom_padding` and `target_height` are given.
        left_padding: how many columns; two of it, `right_padding` and `target_width`.
        bottom_padding: see `top_padding`.
        right_padding: see `left_padding`.
        target_height: see `top_padding`.
        target_width: see `left_padding`.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.

    Example:
        >>> from mlapi import ops
        >>> x = ops.ones((2, 4, 5, 3))
        >>> ops.shape(ops.image.pad_images(x, 1, 2, target_height=9, target_width=9))
        (2, 9, 9, 3)
    """
    axis = _place(images, data_format)
    sizes = shape(images)
    rows = _third("pad_images", sizes[axis], top_padding, bottom_padding, target_height, True)
    columns = _third("pad_images", sizes[axis + 1], left_padding, right_padding, target_width, True)
    return pad(images, [(0, 0)] * axis + [rows, columns] + [(0, 0)] * (len(sizes) - axis - 2))
