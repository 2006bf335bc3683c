"""Images on jax: bilinear interpolation."""

import functools

import jax

Tensor = jax.Array


@functools.partial(jax.jit, static_argnames="sizes", inline=True)
def bilinear(x: Tensor, sizes: tuple[int, int]) -> Tensor:
    """Images (batch, height, width, channels) at other sizes, pixels being centers of squares."""
    shape = (x.shape[0], *sizes, x.shape[3])
    return jax.image.resize(x, shape, "bilinear", antialias=False)
