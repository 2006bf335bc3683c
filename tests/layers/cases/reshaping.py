"""Layers that move values about."""

import numpy as np

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS, VOLUMES, channels_first


def upsampled(x, rows, columns, kernel, radius):
    x = references.resample(x, 1, rows, kernel, radius)
    return references.resample(x, 2, columns, kernel, radius)


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
    (
        L.ZeroPadding1D,
        {"padding": 2, "data_format": "channels_first"},
        SEQUENCES,
        np.pad(SEQUENCES, ((0, 0), (0, 0), (2, 2))),
    ),
    (L.Cropping1D, {"cropping": [2, 1]}, SEQUENCES, SEQUENCES[:, 2:-1]),
    (L.Cropping1D, {"cropping": [0, 2]}, SEQUENCES, SEQUENCES[:, :-2]),
    (L.Cropping2D, {}, IMAGES, IMAGES),
    (L.Cropping2D, {"cropping": [1, 2]}, IMAGES, IMAGES[:, 1:-1, 2:-2]),
    (
        L.Cropping2D,
        {"cropping": [[0, 3], [1, 0]], "data_format": "channels_first"},
        IMAGES,
        IMAGES[:, :, :-3, 1:],
    ),
    (L.Cropping3D, {"cropping": 1}, VOLUMES, VOLUMES[:, 1:-1, 1:-1, 1:-1]),
    (
        L.Cropping3D,
        {"cropping": [[1, 0], [0, 2], [1, 0]], "data_format": "channels_first"},
        VOLUMES,
        VOLUMES[:, :, 1:, :-2, 1:],
    ),
    (L.UpSampling1D, {"size": 3}, SEQUENCES, SEQUENCES.repeat(3, 1)),
    (L.UpSampling2D, {}, IMAGES, IMAGES.repeat(2, 1).repeat(2, 2)),
    (
        L.UpSampling2D,
        {"size": [1, 3], "data_format": "channels_first"},
        IMAGES,
        IMAGES.repeat(3, 3),
    ),
    (
        L.UpSampling2D,
        {"size": [2, 3], "interpolation": "bilinear"},
        IMAGES,
        lambda x: upsampled(x, 2, 3, lambda d: 1 - d, 1),
    ),
    (
        L.UpSampling2D,
        {"size": 2, "interpolation": "bicubic"},
        IMAGES,
        lambda x: upsampled(x, 2, 2, references.keys, 2),
    ),
    (
        L.UpSampling2D,
        {"size": [3, 2], "interpolation": "lanczos3", "data_format": "channels_first"},
        IMAGES,
        channels_first(lambda x: upsampled(x, 3, 2, references.lanczos3, 3)),
    ),
    (L.UpSampling3D, {"size": [1, 2, 3]}, VOLUMES, VOLUMES.repeat(2, 2).repeat(3, 3)),
    (
        L.UpSampling3D,
        {"data_format": "channels_first"},
        VOLUMES,
        VOLUMES.repeat(2, 2).repeat(2, 3).repeat(2, 4),
    ),
]
