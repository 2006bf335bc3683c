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
    (
        L.MaxPooling1D,
        {"pool_size": 3, "strides": 2, "padding": "same", "data_format": "channels_first"},
        SEQUENCES,
        channels_first(lambda x: max_pool(x, 3, 2, "same")),
    ),
    (
        L.AveragePooling1D,
        {"pool_size": 2, "strides": 1, "data_format": "channels_first"},
        SEQUENCES,
        channels_first(lambda x: average_pool(x, 2, 1)),
    ),
    (
        L.AveragePooling3D,
        {"pool_size": 2, "strides": 1, "data_format": "channels_first"},
        VOLUMES,
        channels_first(lambda x: average_pool(x, 2, 1)),
    ),
    (
        L.GlobalMaxPooling1D,
        {"data_format": "channels_first"},
        SEQUENCES,
        SEQUENCES.max(2),
    ),
    (
        L.AdaptiveAveragePooling1D,
        {"output_size": 4},
        SEQUENCES,
        lambda x: references.adaptive_pool(x, (4,), np.mean),
    ),
    (
        L.AdaptiveAveragePooling2D,
        {"output_size": [3, 2]},
        IMAGES,
        lambda x: references.adaptive_pool(x, (3, 2), np.mean),
    ),
    (
        L.AdaptiveAveragePooling2D,
        {"output_size": 3, "data_format": "channels_first"},
        IMAGES,
        channels_first(lambda x: references.adaptive_pool(x, (3, 3), np.mean)),
    ),
    (
        L.AdaptiveAveragePooling3D,
        {"output_size": [3, 6, 1]},
        VOLUMES,
        lambda x: references.adaptive_pool(x, (3, 6, 1), np.mean),
    ),
    (
        L.AdaptiveMaxPooling1D,
        {"output_size": 3, "data_format": "channels_first"},
        SEQUENCES,
        channels_first(lambda x: references.adaptive_pool(x, (3,), np.max)),
    ),
    (
        L.AdaptiveMaxPooling2D,
        {"output_size": [3, 4]},
        IMAGES,
        lambda x: references.adaptive_pool(x, (3, 4), np.max),
    ),
    (
        L.AdaptiveMaxPooling3D,
        {"output_size": 2},
        VOLUMES,
        lambda x: references.adaptive_pool(x, (2, 2, 2), np.max),
    ),
]
