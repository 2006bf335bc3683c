"""Layers with several inputs."""

import numpy as np

from mlapi import layers as L
from tests.layers.cases.inputs import SEQUENCES, VECTORS

CASES = [
    (L.Add, {}, [SEQUENCES, SEQUENCES[:, :1]], SEQUENCES + SEQUENCES[:, :1]),
    (L.Add, {}, [VECTORS[:2, :4], SEQUENCES], VECTORS[:2, None, :4] + SEQUENCES),
    (L.Subtract, {}, [SEQUENCES, 3 * SEQUENCES], -2 * SEQUENCES),
    (L.Multiply, {}, [SEQUENCES] * 3, SEQUENCES**3),
    (L.Average, {}, [SEQUENCES, 2 * SEQUENCES, -SEQUENCES], SEQUENCES * (2 / 3)),
    (L.Maximum, {}, [VECTORS, -VECTORS], abs(VECTORS)),
    (L.Minimum, {}, [VECTORS, -VECTORS], -abs(VECTORS)),
    (L.Concatenate, {"axis": 1}, [SEQUENCES, SEQUENCES], np.tile(SEQUENCES, (1, 2, 1))),
]
