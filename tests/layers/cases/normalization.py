"""Normalization."""

import numpy as np

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS


def normalized_in_training(x, gamma, beta, *averages):
    return references.normalize(x, (0, 1, 2)) * gamma + beta


STEPS = np.array([[True, True, False, True, False, True]])  # of every sample


def normalized_where_kept(x, gamma, beta, *averages):
    kept = x[:, STEPS[0]]
    mean, variance = kept.mean((0, 1)), kept.var((0, 1))
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def renormalized(x, gamma, beta, *averages):
    deviation = np.sqrt(x.var((0, 1, 2)) + 1e-3)
    mean = x.mean((0, 1, 2))
    y = (x - mean) / deviation * np.clip(deviation, 0.5, 1.5) + np.clip(mean, -0.1, 0.1)
    return y * gamma + beta


def groups(count, axis=-1):
    def expected(x, gamma, beta):
        y = np.moveaxis(x, axis, -1)
        parts = y.reshape(*y.shape[:-1], count, -1)
        over = (*range(1, y.ndim - 1), y.ndim)
        y = references.normalize(parts, over).reshape(y.shape) * gamma + beta
        return np.moveaxis(y, -1, axis)

    return expected


def rms(axes):
    return lambda x, scale: x / np.sqrt((x**2).mean(axes, keepdims=True) + 1e-6) * scale


def unit(axes):
    return lambda x: x / np.sqrt((x**2).sum(axes, keepdims=True))


def divided(x, kernel, u, bias):
    return x @ (kernel / np.linalg.norm(kernel, 2)) + bias


CASES = [
    (L.BatchNormalization, {}, IMAGES, IMAGES / np.sqrt(1.001)),
    (
        L.BatchNormalization,
        {"axis": 1, "scale": False, "beta_initializer": "ones"},
        SEQUENCES,
        SEQUENCES / np.sqrt(1.001) + 1,
    ),
    (L.BatchNormalization, {"momentum": 0.5}, IMAGES, normalized_in_training, {"training": True}),
    (
        L.BatchNormalization,
        {"momentum": 0.5},
        SEQUENCES,
        normalized_where_kept,
        {"training": True, "mask": STEPS},
    ),
    (
        L.BatchNormalization,
        {
            "renorm": True,
            "renorm_clipping": {"rmin": 0.5, "rmax": 1.5, "dmax": 0.1},
            "renorm_momentum": 1.0,  # so that the averages stay 0 and 1
        },
        IMAGES,
        renormalized,
        {"training": True},
        {"gradients": False},  # those of the corrections are left out
    ),
    (
        L.LayerNormalization,
        {"epsilon": 1e-5},
        SEQUENCES,
        lambda x, g, b: references.normalize(x, -1, 1e-5) * g + b,
    ),
    (
        L.LayerNormalization,
        {"axis": [3, 1], "center": False},
        IMAGES,
        lambda x, g: references.normalize(x, (1, 3)) * g[:, None],
    ),
    (
        L.LayerNormalization,
        {"axis": [-1, -2], "scale": False},
        IMAGES,
        lambda x, b: references.normalize(x, (2, 3)) + b,
    ),
    (L.GroupNormalization, {"groups": 2, "beta_initializer": "ones"}, IMAGES, groups(2)),
    (L.GroupNormalization, {"groups": 3, "axis": 1}, SEQUENCES, groups(3, 1)),
    (L.GroupNormalization, {"groups": -1}, IMAGES, groups(4)),
    (
        L.GroupNormalization,
        {"groups": 2, "scale": False},
        IMAGES,
        lambda x, b: groups(2)(x, 1.0, b),
    ),
    (
        L.GroupNormalization,
        {"groups": 2, "center": False},
        IMAGES,
        lambda x, g: groups(2)(x, g, 0.0),
    ),
    (L.GroupNormalization, {"groups": 1}, VECTORS, groups(1)),
    (L.RMSNormalization, {}, SEQUENCES, rms(-1)),
    (L.RMSNormalization, {"axis": [1, 2]}, SEQUENCES, rms((1, 2))),
    (L.UnitNormalization, {}, SEQUENCES, unit(-1)),
    (L.UnitNormalization, {"axis": [1, 2]}, SEQUENCES, unit((1, 2))),
    (
        L.SpectralNormalization,
        {"layer": L.Dense(4, name="dense"), "power_iterations": 1},
        VECTORS,
        lambda x, kernel, u, bias: x @ kernel + bias,
        {},
        {"mixed": False},  # the dtype is that of the layer inside
    ),
    (
        L.SpectralNormalization,
        {"layer": L.Dense(4, name="dense"), "power_iterations": 20},
        VECTORS,
        divided,
        {"training": True},
        {"mixed": False},
    ),
]
