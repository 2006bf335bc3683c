"""The losses in NumPy and float64, as their papers and Keras's documentation define them."""

import numpy as np
from scipy.special import log_softmax, xlogy

EPSILON = 1e-7


def binary(y, p):
    p = np.clip(p, EPSILON, 1 - EPSILON)
    return -y * np.log(p) - (1 - y) * np.log1p(-p)


def huber(y, p, delta=1.0):
    e = np.abs(p - y)
    return np.where(e <= delta, e**2 / 2, delta * e - delta**2 / 2)


def cosine(y, p):
    return (y * p).sum(-1) / (np.linalg.norm(y, axis=-1) * np.linalg.norm(p, axis=-1))


def categorical(y, p):
    return -xlogy(y, p / p.sum(-1, keepdims=True)).sum(-1)


def sparse(y, p):
    return -np.log(np.take_along_axis(p / p.sum(-1, keepdims=True), y[..., None], -1)[..., 0])


def sparse_from_logits(y, z, axis=-1):
    picked = np.take_along_axis(log_softmax(z, axis), np.expand_dims(y, axis), axis)
    return -picked.squeeze(axis)


def real(rng, shape):
    return rng.normal(size=shape), rng.normal(size=shape)


def counts(rng, shape):
    return rng.integers(0, 9, shape).astype(float), rng.uniform(0.1, 9.0, shape)


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape), rng.normal(size=shape)


def bits(rng, shape):
    return rng.integers(0, 2, shape).astype(float), rng.uniform(0.02, 0.98, shape)


def one_hot(rng, shape):
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])], distribution(rng, shape)


def classes(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1]), distribution(rng, shape)


def distributions(rng, shape):
    return distribution(rng, shape), distribution(rng, shape)


def distribution(rng, shape):
    p = rng.uniform(0.05, 1.0, shape)
    return p / p.sum(-1, keepdims=True)


# Function name → class name, what data it is for, and its value for every sample.
LOSSES = {
    "mean_squared_error": ("MeanSquaredError", real, lambda y, p: ((p - y) ** 2).mean(-1)),
    "mean_absolute_error": ("MeanAbsoluteError", real, lambda y, p: np.abs(p - y).mean(-1)),
    "mean_absolute_percentage_error": (
        "MeanAbsolutePercentageError",
        real,
        lambda y, p: 100 * np.abs((p - y) / y).mean(-1),
    ),
    "mean_squared_logarithmic_error": (
        "MeanSquaredLogarithmicError",
        counts,
        lambda y, p: ((np.log1p(p) - np.log1p(y)) ** 2).mean(-1),
    ),
    "huber": ("Huber", real, lambda y, p: huber(y, p).mean(-1)),
    "log_cosh": ("LogCosh", real, lambda y, p: np.log(np.cosh(p - y)).mean(-1)),
    "poisson": ("Poisson", counts, lambda y, p: (p - y * np.log(p)).mean(-1)),
    "cosine_similarity": ("CosineSimilarity", real, lambda y, p: -cosine(y, p)),
    "binary_crossentropy": ("BinaryCrossentropy", bits, lambda y, p: binary(y, p).mean(-1)),
    "categorical_crossentropy": ("CategoricalCrossentropy", one_hot, categorical),
    "sparse_categorical_crossentropy": ("SparseCategoricalCrossentropy", classes, sparse),
    "kl_divergence": ("KLDivergence", distributions, lambda y, p: (y * np.log(y / p)).sum(-1)),
    "hinge": ("Hinge", signs, lambda y, p: np.maximum(1 - y * p, 0).mean(-1)),
    "squared_hinge": ("SquaredHinge", signs, lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean(-1)),
    "categorical_hinge": (
        "CategoricalHinge",
        one_hot,
        lambda y, p: np.maximum(1 + np.where(y == 1, 0, p).max(-1) - (y * p).sum(-1), 0),
    ),
}
