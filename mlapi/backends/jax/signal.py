"""Kernels of Fourier transforms on jax."""

import jax
import jax.numpy as jnp

from mlapi.backends.windows import indices

Tensor = jax.Array

complex_of = jax.lax.complex
fft = jnp.fft.fft
fft2 = jnp.fft.fft2
ifft2 = jnp.fft.ifft2
rfft = jnp.fft.rfft
irfft = jnp.fft.irfft


def parts(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.real, z.imag


def frames(x: Tensor, length: int, stride: int) -> Tensor:
    return jnp.take(x, indices(x.shape[-1], length, stride, 1), -1, mode="clip")
