"""Images on jax: resampling."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from mlapi.backends.windows import Window, window

Tensor = jax.Array


@functools.partial(jax.jit, static_argnames="sizes", inline=True)
def bilinear(x: Tensor, sizes: tuple[int, int]) -> Tensor:
    """Images (batch, height, width, channels) at other sizes, pixels being centers of squares."""
    shape = (x.shape[0], *sizes, x.shape[3])
    return jax.image.resize(x, shape, "bilinear", antialias=False)


def enlarge(
    images: Tensor,
    factors: int | Sequence[int],
    interpolation: str = "nearest",
    data_format: str | None = None,
) -> Any:
    if interpolation != "nearest":
        return NotImplemented
    return _repeated(images, window(images.shape, factors, None, "valid", data_format))


enlarge.declines = True  # type: ignore[attr-defined]


@functools.partial(jax.jit, static_argnames="w", inline=True)
def _repeated(x: Tensor, w: Window) -> Tensor:
    """All axes at once: one kernel in place of one for each of them."""
    apart, repeated, together = list(x.shape), list(x.shape), list(x.shape)
    first = 1 if w.channels_last else 2
    for axis in reversed(range(first, first + w.rank)):
        factor = w.size[axis - first]
        apart.insert(axis + 1, 1)
        repeated.insert(axis + 1, factor)
        together[axis] *= factor
    return jnp.broadcast_to(x.reshape(apart), repeated).reshape(together)
