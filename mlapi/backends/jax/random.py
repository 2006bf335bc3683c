"""Random tensors on jax. The two numbers of a seed are a key of its threefry generator."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

Tensor = jax.Array


def key(seed: Tensor) -> Tensor:
    words = jax.lax.bitcast_convert_type(seed, jnp.uint32)
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def normal(shape: Sequence[int], mean: float, stddev: float, dtype: str, seed: Tensor) -> Tensor:
    return jax.random.normal(key(seed), shape, dtype) * stddev + mean


def uniform(shape: Sequence[int], minval: float, maxval: float, dtype: str, seed: Tensor) -> Tensor:
    return jax.random.uniform(key(seed), shape, dtype, minval, maxval)


def truncated_normal(
    shape: Sequence[int], mean: float, stddev: float, dtype: str, seed: Tensor
) -> Tensor:
    return jax.random.truncated_normal(key(seed), -2.0, 2.0, shape, dtype) * stddev + mean


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: str, seed: Tensor) -> Tensor:
    return jax.random.randint(key(seed), shape, minval, maxval, dtype)


def categorical(logits: Tensor, num_samples: int, dtype: str, seed: Tensor) -> Tensor:
    shape = (num_samples, logits.shape[0])
    return jax.random.categorical(key(seed), logits, shape=shape).T.astype(dtype)


def shuffle(x: Tensor, axis: int, seed: Tensor) -> Tensor:
    return jax.random.permutation(key(seed), x, axis)


def gamma(shape: Sequence[int], alpha: Tensor, seed: Tensor) -> Tensor:
    return jax.random.gamma(key(seed), alpha, shape, alpha.dtype)


def beta(shape: Sequence[int], alpha: Tensor, beta: Tensor, seed: Tensor) -> Tensor:
    return jax.random.beta(key(seed), alpha, beta, shape, alpha.dtype)


def binomial(shape: Sequence[int], counts: Tensor, probabilities: Tensor, seed: Tensor) -> Tensor:
    return jax.random.binomial(key(seed), counts, probabilities, shape, counts.dtype)


def dropout(x: Tensor, rate: float, noise_shape: Sequence[int] | None, seed: Tensor) -> Tensor:
    if rate == 0.0:
        return x
    shape = x.shape if noise_shape is None else tuple(noise_shape)
    kept = jax.random.bernoulli(key(seed), 1.0 - rate, shape)
    return jnp.where(kept, x * (1.0 / (1.0 - rate)), jnp.zeros((), x.dtype))
