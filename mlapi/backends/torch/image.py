"""Images on torch: bilinear interpolation."""

import torch
import torch.nn.functional as F

Tensor = torch.Tensor


def bilinear(x: Tensor, sizes: tuple[int, int]) -> Tensor:
    """Images (batch, height, width, channels) at other sizes, pixels being centers of squares."""
    y = F.interpolate(x.permute(0, 3, 1, 2), sizes, mode="bilinear", align_corners=False)
    return y.permute(0, 2, 3, 1)
