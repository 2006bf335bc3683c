"""Pooling."""

import numpy as np

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VOLUMES, channels_first


def average_pool(x, size=2, strides=2, padding="valid"):
    rank = x.ndim - 2
    return references.pool(x, (size,) * rank, (strides,) * rank, padding, np.nanmean)


def max_pool(x, size=2, strides=2, padding="valid"):
    rank = x.ndim - 2
    return references.pool(x, (size,) * rank, (strides,) * rank, padding, np.nanmax)


CASES = [
    (L.MaxPooling1D, {}, SEQUENCES, max_pool(SEQUENCES)),
    (L.MaxPooling2D, {"padding": "same"}, IMAGES, max_pool(IMAGES, padding="same")),
    (
        L.MaxPooling2D,
        {"pool_size": 3, "strides": 1, "data_format": "channels_first"},
        IMAGES,
        channels_first(lambda x: max_pool(x, 3, 1)),
    ),
    (L.MaxPooling3D, {}, VOLUMES, max_pool(VOLUMES)),
    (L.AveragePooling1D, {"pool_size": 2}, SEQUENCES, average_pool(SEQUENCES)),
    (
        L.AveragePooling2D,
        {"pool_size": 3, "strides": 2, "padding": "same"},
        IMAGES,
        average_pool(IMAGES, 3, 2, "same"),
    ),
    (L.AveragePooling3D, {"pool_size": 2}, VOLUMES, average_pool(VOLUMES)),
    (L.GlobalAveragePooling1D, {}, SEQUENCES, SEQUENCES.mean(1)),
    (
        L.GlobalAveragePooling2D,
        {"data_format": "channels_first", "keepdims": True},
        IMAGES,
        IMAGES.mean((2, 3), keepdims=True),
    ),
    (L.GlobalAveragePooling3D, {}, VOLUMES, VOLUMES.mean((1, 2, 3))),
    (L.GlobalMaxPooling1D, {"keepdims": True}, SEQUENCES, SEQUENCES.max(1, keepdims=True)),
    (L.GlobalMaxPooling2D, {}, IMAGES, IMAGES.max((1, 2))),
    (L.GlobalMaxPooling3D, {}, VOLUMES, VOLUMES.max((1, 2, 3))),
]
