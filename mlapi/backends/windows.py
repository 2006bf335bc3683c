"""What windows that move over an image have in common on all frameworks, in plain integers."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlapi import config
from mlapi.errors import ArgumentError, ShapeError, one_of


def per_axis(name: str, value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """One number for all spatial axes, or one for each."""
    values = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(values) != rank or min(values) < 1:
        raise ArgumentError(
            f"{name} must be a positive int, or {rank} of them for inputs with {rank} spatial "
            f"axes; received {value!r}."
        )
    return values


def indices(length: int, size: int, stride: int, dilation: int) -> np.ndarray:
    """A row for each window that fits into an axis, int32."""
    starts = np.arange(0, length - (size - 1) * dilation, stride)
    return np.add.outer(starts, dilation * np.arange(size)).astype("int32")


@dataclass(frozen=True, slots=True)
class Window:
    """The arguments of a convolution or pooling, checked and complete."""

    rank: int  # number of spatial axes
    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    same: bool
    channels_last: bool

    def pads(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """Zeros before and after each spatial axis; the odd one comes after."""
        if not self.same:
            return [(0, 0)] * self.rank
        totals = [
            max(0, (-(-n // step) - 1) * step + (window - 1) * gap + 1 - n)
            for n, window, step, gap in zip(
                sizes, self.size, self.strides, self.dilation, strict=True
            )
        ]
        return [(total // 2, total - total // 2) for total in totals]


def window(
    shape: Sequence[int | None],
    size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str | None,
    dilation_rate: int | Sequence[int] = 1,
) -> Window:
    """Checks the arguments against the shape of the inputs."""
    if not 3 <= len(shape) <= 5:
        raise ShapeError(
            "inputs must have a batch axis, one to three spatial axes and channels; "
            f"received shape {tuple(shape)}."
        )
    plain = (tuple(v) if isinstance(v, list) else v for v in (size, strides, dilation_rate))
    data_format = data_format or config.image_data_format()
    return _checked(len(shape) - 2, padding, data_format, *plain)


@functools.lru_cache(maxsize=1024)
def _checked(
    rank: int,
    padding: str,
    data_format: str,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    dilation_rate: int | Sequence[int],
) -> Window:
    """Remembers what was checked, since a layer asks the same at every call."""
    size = per_axis("the window's size", size, rank)
    one_of("padding", padding, ("valid", "same"))
    one_of("data_format", data_format, ("channels_last", "channels_first"))
    return Window(
        rank,
        size,
        size if strides is None else per_axis("strides", strides, rank),
        per_axis("dilation_rate", dilation_rate, rank),
        padding == "same",
        data_format == "channels_last",
    )


def conv_window(
    shape: Sequence[int | None],
    kernel: Sequence[int],
    strides: int | Sequence[int],
    padding: str,
    data_format: str | None,
    dilation_rate: int | Sequence[int],
    depthwise: bool = False,
) -> tuple[Window, int]:
    """The window of a convolution and its number of groups, checked against the kernel."""
    if len(kernel) != len(shape):
        raise ShapeError(
            f"the kernel must have as many axes as the inputs, {len(shape)}: received shape "
            f"{tuple(kernel)} for inputs of shape {tuple(shape)}."
        )
    found = window(shape, kernel[:-2], strides, padding, data_format, dilation_rate)
    channels = shape[-1 if found.channels_last else 1]
    assert channels is not None, "channels are known: the kernel was built from them"
    groups = channels // kernel[-2]
    if groups * kernel[-2] != channels or (depthwise and groups != 1) or kernel[-1] % groups:
        raise ShapeError(
            f"inputs of shape {tuple(shape)} with {channels} channels do not fit a kernel of "
            f"shape {tuple(kernel)}."
        )
    return found, groups


def transposed_window(
    shape: Sequence[int | None],
    kernel: Sequence[int],
    strides: int | Sequence[int],
    padding: str,
    output_padding: int | Sequence[int] | None,
    data_format: str | None,
    dilation_rate: int | Sequence[int],
) -> tuple[Window, list[tuple[int, int]]]:
    """The window of a transposed convolution, and how much of its whole result is cut off.

    The whole is `(size - 1) * stride + reach` long. Cuts are before and after each axis; a
    negative one stands for zeros to be added.
    """
    if len(kernel) != len(shape):
        raise ShapeError(
            f"the kernel must have as many axes as the inputs, {len(shape)}: received shape "
            f"{tuple(kernel)} for inputs of shape {tuple(shape)}."
        )
    found = window(shape, kernel[:-2], strides, padding, data_format, dilation_rate)
    channels = shape[-1 if found.channels_last else 1]
    if channels != kernel[-1]:
        raise ShapeError(
            f"inputs of shape {tuple(shape)} with {channels} channels do not fit a kernel of "
            f"shape {tuple(kernel)}, (*window, filters, channels)."
        )
    more = (output_padding,) * found.rank if isinstance(output_padding, int) else output_padding
    if more is not None and (
        len(more) != found.rank or any(not 0 <= m < s for m, s in zip(more, found.strides))
    ):
        raise ArgumentError(
            "output_padding must be an int, or one for each spatial axis, at least 0 and smaller "
            f"than the stride, {found.strides}; received {output_padding!r}."
        )
    cuts = []
    for i, (size, gap, step) in enumerate(
        zip(found.size, found.dilation, found.strides, strict=True)
    ):
        reach = (size - 1) * gap + 1
        if more is not None:
            total = (2 * (reach // 2) if found.same else 0) - more[i]
            before = max(total, 0) // 2
            cuts.append((before, total - before))
        elif found.same:
            before = max(reach - step, 0) // 2
            cuts.append((before, reach - step - before))
        else:
            cuts.append((0, min(reach - step, 0)))
    return found, cuts
