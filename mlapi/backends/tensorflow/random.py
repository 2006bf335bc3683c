"""Random tensors on tensorflow, from its stateless generators."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false

from collections.abc import Sequence

import tensorflow as tf

from mlapi.backends.tensorflow.ops import shape as shape_of

Tensor = tf.Tensor


def normal(shape: Sequence[int], mean: float, stddev: float, dtype: str, seed: Tensor) -> Tensor:
    return tf.random.stateless_normal(shape, seed, mean, stddev, dtype)


def uniform(shape: Sequence[int], minval: float, maxval: float, dtype: str, seed: Tensor) -> Tensor:
    return tf.random.stateless_uniform(shape, seed, minval, maxval, dtype)


def truncated_normal(
    shape: Sequence[int], mean: float, stddev: float, dtype: str, seed: Tensor
) -> Tensor:
    return tf.random.stateless_truncated_normal(shape, seed, mean, stddev, dtype)


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: str, seed: Tensor) -> Tensor:
    wide = "int64" if dtype in ("int64", "uint32", "uint64") else "int32"
    return tf.cast(tf.random.stateless_uniform(shape, seed, minval, maxval, wide), dtype)


def categorical(logits: Tensor, num_samples: int, dtype: str, seed: Tensor) -> Tensor:
    return tf.cast(tf.random.stateless_categorical(logits, num_samples, seed), dtype)


def gamma(shape: Sequence[int], alpha: Tensor, seed: Tensor) -> Tensor:
    return tf.random.stateless_gamma(shape, seed, tf.broadcast_to(alpha, shape), dtype=alpha.dtype)


def beta(shape: Sequence[int], alpha: Tensor, beta: Tensor, seed: Tensor) -> Tensor:
    one, other = tf.unstack(tf.random.split(seed))
    x, y = gamma(shape, alpha, one), gamma(shape, beta, other)
    return x / (x + y)


def binomial(shape: Sequence[int], counts: Tensor, probabilities: Tensor, seed: Tensor) -> Tensor:
    return tf.random.stateless_binomial(shape, seed, counts, probabilities, counts.dtype)


def shuffle(x: Tensor, axis: int, seed: Tensor) -> Tensor:
    words = tf.random.stateless_uniform([shape_of(x)[axis]], seed, None, None, tf.int32)
    return tf.gather(x, tf.argsort(words), axis=axis)


def dropout(x: Tensor, rate: float, noise_shape: Sequence[int] | None, seed: Tensor) -> Tensor:
    if rate == 0.0:
        return x
    return tf.nn.experimental.stateless_dropout(x, rate, seed, noise_shape=noise_shape)
