"""Kernels of Fourier transforms on torch."""

from collections.abc import Callable
from typing import Any

import torch

Tensor = torch.Tensor

complex_of = torch.complex


def _of_some(transform: Callable[..., Tensor]) -> Any:
    """Of no rows at all, which MKL refuses, it makes none."""

    def call(x: Tensor, length: int | None = None) -> Tensor:
        extra = {} if length is None else {"n": length}
        if x.numel():
            return transform(x, **extra)
        return transform(x.new_zeros([n or 1 for n in x.shape]), **extra)[
            tuple(slice(n) if n == 0 else slice(None) for n in x.shape)
        ]

    return call


fft = _of_some(torch.fft.fft)
fft2 = _of_some(torch.fft.fft2)
ifft2 = _of_some(torch.fft.ifft2)
rfft = _of_some(torch.fft.rfft)
irfft = _of_some(torch.fft.irfft)


def parts(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.real, z.imag


def frames(x: Tensor, length: int, stride: int) -> Tensor:
    return x.unfold(-1, length, stride)
