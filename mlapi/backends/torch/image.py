"""Images on torch: resampling kernels, on strided views instead of copies."""

# torch's annotations ask for ints and lists where it takes sequences and sizes not yet known.
# pyright: reportArgumentType=false, reportCallIssue=false

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F

from mlapi.backends.windows import window

Tensor = torch.Tensor


def bilinear(x: Tensor, sizes: tuple[int, int]) -> Tensor:
    """Images (batch, height, width, channels) at other sizes, pixels being centers of squares."""
    y = F.interpolate(x.permute(0, 3, 1, 2), sizes, mode="bilinear", align_corners=False)
    return y.permute(0, 2, 3, 1)


def enlarge(
    images: Tensor,
    factors: int | Sequence[int],
    interpolation: str = "nearest",
    data_format: str | None = None,
) -> Any:
    if interpolation != "nearest" or images.ndim not in (4, 5) or not images.is_floating_point():
        return NotImplemented
    w = window(images.shape, factors, None, "valid", data_format)
    x = images.movedim(-1, 1) if w.channels_last else images
    # "nearest" without "exact" rounds places down to a neighbour for some factors.
    y = F.interpolate(x, scale_factor=w.size, mode="nearest-exact")
    return y.movedim(1, -1) if w.channels_last else y


enlarge.declines = True  # type: ignore[attr-defined]
