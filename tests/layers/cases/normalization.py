"""Normalization."""

import numpy as np

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import IMAGES, SEQUENCES


def normalized_in_training(x, gamma, beta, *averages):
    return references.normalize(x, (0, 1, 2)) * gamma + beta


CASES = [
    (L.BatchNormalization, {}, IMAGES, IMAGES / np.sqrt(1.001)),
    (
        L.BatchNormalization,
        {"axis": 1, "scale": False, "beta_initializer": "ones"},
        SEQUENCES,
        SEQUENCES / np.sqrt(1.001) + 1,
    ),
    (
        L.LayerNormalization,
        {"epsilon": 1e-5},
        SEQUENCES,
        lambda x, g, b: references.normalize(x, -1, 1e-5) * g + b,
    ),
    (
        L.LayerNormalization,
        {"axis": [1, 3], "center": False},
        IMAGES,
        lambda x, g: references.normalize(x, (1, 3)) * g[:, None],
    ),
    (L.BatchNormalization, {"momentum": 0.5}, IMAGES, normalized_in_training, {"training": True}),
]
