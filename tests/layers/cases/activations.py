"""Activations that are layers."""

import numpy as np
from scipy import special

from mlapi import layers as L
from tests.layers.cases.inputs import SEQUENCES, VECTORS

CASES = [
    (L.ReLU, {}, VECTORS, np.maximum(VECTORS, 0)),
    (
        L.ReLU,
        {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2},
        VECTORS,
        np.where(VECTORS >= 0.2, np.minimum(VECTORS, 1.0), 0.1 * (VECTORS - 0.2)),
    ),
    (L.LeakyReLU, {}, VECTORS, np.where(VECTORS > 0, VECTORS, 0.3 * VECTORS)),
    (L.ELU, {"alpha": 0.5}, VECTORS, np.where(VECTORS > 0, VECTORS, 0.5 * np.expm1(VECTORS))),
    (L.Softmax, {}, VECTORS, special.softmax(VECTORS, -1)),
    (L.Softmax, {"axis": [1, 2]}, SEQUENCES, special.softmax(SEQUENCES, (1, 2))),
    (
        L.PReLU,
        {"alpha_initializer": "ones", "shared_axes": [1]},
        SEQUENCES,
        lambda x, alpha: np.where(x > 0, x, alpha * x),
    ),
]
