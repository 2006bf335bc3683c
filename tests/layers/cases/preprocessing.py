"""Layers that prepare data."""

import numpy as np

from mlapi import layers as L
from tests.layers.cases.inputs import IMAGES, VECTORS

CASES = [
    (L.Rescaling, {"scale": 0.5, "offset": 1}, VECTORS, VECTORS * 0.5 + 1),
    (
        L.Rescaling,
        {"scale": [1.0, 2.0, 3.0, 4.0]},
        IMAGES,
        IMAGES * np.array([1.0, 2.0, 3.0, 4.0], "float32"),
    ),
]
