"""Kernels of Fourier transforms on jax."""

import jax
import jax.numpy as jnp

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
    # Computed, so that XLA does it in passing; it would load a constant from memory.
    starts = jnp.arange(0, x.shape[-1] - length + 1, stride)
    return x[..., starts[:, None] + jnp.arange(length)]
