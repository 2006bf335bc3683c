"""Layers that move values about."""

import numpy as np

from mlapi import layers as L
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS, VOLUMES

CASES = [
    (L.Flatten, {}, IMAGES, IMAGES.reshape(2, -1)),
    (
        L.Flatten,
        {"data_format": "channels_first"},
        IMAGES,
        np.moveaxis(IMAGES, 1, -1).reshape(2, -1),
    ),
    (L.Reshape, {"target_shape": [3, -1]}, SEQUENCES, SEQUENCES.reshape(2, 3, 8)),
    (L.Permute, {"dims": [3, 1, 2]}, IMAGES, IMAGES.transpose(0, 3, 1, 2)),
    (L.RepeatVector, {"n": 3}, VECTORS, np.stack([VECTORS] * 3, 1)),
    (L.ZeroPadding1D, {"padding": [1, 2]}, SEQUENCES, np.pad(SEQUENCES, ((0, 0), (1, 2), (0, 0)))),
    (
        L.ZeroPadding2D,
        {"padding": [[1, 2], [0, 3]]},
        IMAGES,
        np.pad(IMAGES, ((0, 0), (1, 2), (0, 3), (0, 0))),
    ),
    (
        L.ZeroPadding2D,
        {"padding": 1, "data_format": "channels_first"},
        IMAGES,
        np.pad(IMAGES, ((0, 0), (0, 0), (1, 1), (1, 1))),
    ),
    (
        L.ZeroPadding3D,
        {"padding": [1, 0, 2]},
        VOLUMES,
        np.pad(VOLUMES, ((0, 0), (1, 1), (0, 0), (2, 2), (0, 0))),
    ),
]
