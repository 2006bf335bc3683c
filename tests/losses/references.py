"""The losses in NumPy and float64, as their papers and Keras's documentation define them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import expit, log_softmax, logsumexp, xlogy

from mlapi.testing.cases import references

EPSILON = 1e-7


def binary(y, p):
    p = np.clip(p, EPSILON, 1 - EPSILON)
    return -y * np.log(p) - (1 - y) * np.log1p(-p)


def binary_logits(y, z):
    return np.logaddexp(0, z) - y * z


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


def focal(y, z, alpha, gamma, smoothing=0.0):
    """Categorical focal cross-entropy of logits."""
    y = y * (1 - smoothing) + smoothing / y.shape[-1]
    log_p = log_softmax(z, -1)
    return -(np.asarray(alpha) * (1 - np.exp(log_p)) ** gamma * y * log_p).sum(-1)


def binary_focal(y, p, gamma, alpha=None):
    weight = 1 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
    return (weight * (y * (1 - p) + (1 - y) * p) ** gamma * binary(y, p)).mean(-1)


def tversky(y, p, alpha, beta, axis=None):
    found, false, missed = (y * p).sum(axis), ((1 - y) * p).sum(axis), (y * (1 - p)).sum(axis)
    return 1 - found / (found + alpha * false + beta * missed + EPSILON)


def circle(y, e, gamma, m, remove_diagonal=True):
    """Equation 6 of the paper, with similarities `1 - d`."""
    s = np.minimum(e @ e.T, 1.0)
    same = y[:, None] == y[None]
    pairs = same & ~np.eye(len(y), dtype=bool) if remove_diagonal else same
    toward = np.where(pairs, -gamma * np.maximum(1 + m - s, 0) * (s - (1 - m)), -np.inf)
    away = np.where(same, -np.inf, gamma * np.maximum(s + m, 0) * (s - m))
    with np.errstate(invalid="ignore"):
        return np.logaddexp(0, logsumexp(toward, axis=1) + logsumexp(away, axis=1))


def ctc(y, z):
    return references.ctc_loss(y, z, (y != 0).sum(-1), [z.shape[1]] * len(z))


# Data: targets and predictions of a shape.


def real(rng, shape):
    return rng.normal(size=shape), rng.normal(size=shape)


def counts(rng, shape):
    return rng.integers(0, 9, shape).astype(float), rng.uniform(0.1, 9.0, shape)


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape), rng.normal(size=shape)


def bits(rng, shape):
    return rng.integers(0, 2, shape).astype(float), rng.uniform(0.02, 0.98, shape)


def bits_logits(rng, shape):
    return rng.integers(0, 2, shape).astype(float), rng.normal(size=shape) * 2


def one_hot(rng, shape):
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])], distribution(rng, shape)


def one_hot_logits(rng, shape):
    return one_hot(rng, shape)[0], rng.normal(size=shape) * 2


def classes(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1]), distribution(rng, shape)


def classes_logits(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1]), rng.normal(size=shape) * 2


def distributions(rng, shape):
    return distribution(rng, shape), distribution(rng, shape)


def distribution(rng, shape):
    p = rng.uniform(0.05, 1.0, shape)
    return p / p.sum(-1, keepdims=True)


def embeddings(rng, shape):
    e = rng.normal(size=shape)
    return np.arange(shape[0]) % 3, e / np.linalg.norm(e, axis=-1, keepdims=True)


def sequences(rng, shape):
    longest = (shape[1] + 1) // 2
    y = rng.integers(1, shape[2], (shape[0], longest))
    return np.where(np.arange(longest) < rng.integers(1, longest + 1, (shape[0], 1)), y, 0), (
        rng.normal(size=shape) * 2
    )


# Predictions at the end of the range.


def huge(rng, shape):
    return rng.choice([-1e4, 1e4], shape)


def certain(rng, shape):
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


def zero_or_one(rng, shape):
    return rng.integers(0, 2, shape).astype(float)


def mean_of_positive(values):
    return values[values > 0].mean()


@dataclass(frozen=True)
class Case:
    """A loss, the data it is for, and its values.

    Args:
        function: its name.
        cls: name of its class.
        make: `(rng, shape)` → targets and predictions.
        values: of targets and predictions, before they are reduced.
        far: `(rng, shape)` → predictions at the end of the range.
        arguments: of both.
        mean: how values are averaged.
        shapes: of predictions; the last is also used where every element is changed in turn.
    """

    function: str
    cls: str
    make: Callable[..., Any]
    values: Callable[..., Any]
    far: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    mean: Callable[..., Any] = np.mean
    shapes: tuple[tuple[int, ...], ...] = ((7, 4), (3, 5, 4), (3, 4))


_EVERY = [
    Case(
        "mean_squared_error",
        "MeanSquaredError",
        real,
        lambda y, p: ((p - y) ** 2).mean(-1),
        huge,
    ),
    Case(
        "mean_absolute_error", "MeanAbsoluteError", real, lambda y, p: np.abs(p - y).mean(-1), huge
    ),
    Case(
        "mean_absolute_percentage_error",
        "MeanAbsolutePercentageError",
        real,
        lambda y, p: 100 * np.abs((p - y) / y).mean(-1),
        huge,
    ),
    Case(
        "mean_squared_logarithmic_error",
        "MeanSquaredLogarithmicError",
        counts,
        lambda y, p: ((np.log1p(p) - np.log1p(y)) ** 2).mean(-1),
        huge,
    ),
    Case("huber", "Huber", real, lambda y, p: huber(y, p).mean(-1), huge),
    Case("log_cosh", "LogCosh", real, lambda y, p: np.log(np.cosh(p - y)).mean(-1), huge),
    Case("poisson", "Poisson", counts, lambda y, p: (p - y * np.log(p)).mean(-1), zero_or_one),
    Case("cosine_similarity", "CosineSimilarity", real, lambda y, p: -cosine(y, p), huge),
    Case(
        "binary_crossentropy",
        "BinaryCrossentropy",
        bits,
        lambda y, p: binary(y, p).mean(-1),
        zero_or_one,
    ),
    Case(
        "binary_crossentropy",
        "BinaryCrossentropy",
        bits_logits,
        lambda y, z: binary_logits(0.8 * y + 0.1, z).mean(-1),
        huge,
        {"from_logits": True, "label_smoothing": 0.2},
    ),
    Case(
        "categorical_crossentropy",
        "CategoricalCrossentropy",
        one_hot,
        categorical,
        certain,
    ),
    Case(
        "categorical_crossentropy",
        "CategoricalCrossentropy",
        one_hot_logits,
        lambda y, z: focal(y, z, 1.0, 0.0, 0.2),
        huge,
        {"from_logits": True, "label_smoothing": 0.2},
    ),
    Case(
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        classes,
        sparse,
        certain,
    ),
    Case(
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        classes_logits,
        sparse_from_logits,
        huge,
        {"from_logits": True},
    ),
    Case(
        "kl_divergence",
        "KLDivergence",
        distributions,
        lambda y, p: (y * np.log(y / p)).sum(-1),
        certain,
    ),
    Case("hinge", "Hinge", signs, lambda y, p: np.maximum(1 - y * p, 0).mean(-1), huge),
    Case(
        "squared_hinge",
        "SquaredHinge",
        signs,
        lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean(-1),
        huge,
    ),
    Case(
        "categorical_hinge",
        "CategoricalHinge",
        one_hot,
        lambda y, p: np.maximum(1 + np.where(y == 1, 0, p).max(-1) - (y * p).sum(-1), 0),
        huge,
    ),
    Case(
        "binary_focal_crossentropy",
        "BinaryFocalCrossentropy",
        bits,
        lambda y, p: binary_focal(y, p, 0.5),
        zero_or_one,
        {"gamma": 0.5},
    ),
    Case(
        "binary_focal_crossentropy",
        "BinaryFocalCrossentropy",
        bits_logits,
        lambda y, z: (
            np.where(y == 1, 0.3, 0.7) * expit(np.where(y == 1, -z, z)) ** 3 * binary_logits(y, z)
        ).mean(-1),
        huge,
        {"from_logits": True, "gamma": 3.0, "apply_class_balancing": True, "alpha": 0.3},
    ),
    Case(
        "categorical_focal_crossentropy",
        "CategoricalFocalCrossentropy",
        one_hot,
        lambda y, p: focal(y, np.log(p), [1.0, 0.5, 2.0, 0.0], 2.0),
        certain,
        {"alpha": [1.0, 0.5, 2.0, 0.0]},
    ),
    Case(
        "categorical_focal_crossentropy",
        "CategoricalFocalCrossentropy",
        one_hot_logits,
        lambda y, z: focal(y, z, 0.25, 0.7, 0.1),
        huge,
        {"from_logits": True, "gamma": 0.7, "label_smoothing": 0.1},
    ),
    Case(
        "categorical_generalized_cross_entropy",
        "CategoricalGeneralizedCrossEntropy",
        classes,
        lambda y, p: (1 - np.take_along_axis(p, y[..., None], -1)[..., 0] ** 0.7) / 0.7,
        certain,
        {"q": 0.7},
    ),
    Case("dice", "Dice", bits, lambda y, p: tversky(y, p, 0.5, 0.5), zero_or_one),
    Case(
        "tversky",
        "Tversky",
        bits,
        lambda y, p: tversky(y, p, 0.2, 0.9, -1),
        zero_or_one,
        {"alpha": 0.2, "beta": 0.9, "axis": (-1,)},
    ),
    Case(
        "circle",
        "Circle",
        embeddings,
        lambda y, e: circle(y, e, 6.0, 0.25),
        certain,
        {"gamma": 6.0, "margin": 0.25},
        mean_of_positive,
        ((7, 4), (8, 3), (4, 3)),
    ),
    Case("ctc", "CTC", sequences, ctc, huge, shapes=((2, 5, 3), (3, 4, 4), (2, 3, 3))),
]


def _label(case: Case) -> str:
    return case.function + ("-logits" if case.arguments.get("from_logits") else "")


LOSSES = {_label(case): case for case in _EVERY}
CLASSES = {case.function: case.cls for case in _EVERY}
