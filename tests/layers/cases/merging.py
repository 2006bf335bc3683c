"""Layers with several inputs."""

import numpy as np

from mlapi import layers as L
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS, VOLUMES


def dot(equation):
    return lambda inputs: np.einsum(equation, *inputs)


def unit(x, axis):
    return x / np.linalg.norm(x, axis=axis, keepdims=True)


CASES = [
    (L.Add, {}, [SEQUENCES, SEQUENCES[:, :1]], SEQUENCES + SEQUENCES[:, :1]),
    (L.Add, {}, [VECTORS[:2, :4], SEQUENCES], VECTORS[:2, None, :4] + SEQUENCES),
    (L.Subtract, {}, [SEQUENCES, 3 * SEQUENCES], -2 * SEQUENCES),
    (L.Multiply, {}, [SEQUENCES] * 3, SEQUENCES**3),
    (L.Average, {}, [SEQUENCES, 2 * SEQUENCES, -SEQUENCES], SEQUENCES * (2 / 3)),
    (L.Maximum, {}, [VECTORS, -VECTORS], abs(VECTORS)),
    (L.Minimum, {}, [VECTORS, -VECTORS], -abs(VECTORS)),
    (L.Dot, {"axes": 1}, [VECTORS, 2 * VECTORS], 2 * (VECTORS**2).sum(1, keepdims=True)),
    (L.Dot, {"axes": -1, "normalize": True}, [VECTORS, -VECTORS], np.full((3, 1), -1.0)),
    (L.Dot, {"axes": 2}, [SEQUENCES, SEQUENCES[:, 1:4]], dot("bik,bjk->bij")),
    (L.Dot, {"axes": [-1, 1]}, [SEQUENCES, VECTORS[:2, 1:]], dot("bik,bk->bi")),
    (
        L.Dot,
        {"axes": [3, 1], "normalize": True},
        [IMAGES, VOLUMES[:, :4, :, 0]],
        lambda x: dot("bijk,bkmn->bijmn")([unit(x[0], 3), unit(x[1], 1)]),
    ),
    (L.Concatenate, {"axis": 1}, [SEQUENCES, SEQUENCES], np.tile(SEQUENCES, (1, 2, 1))),
]
