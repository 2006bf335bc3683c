"""Convolutions."""

import numpy as np

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VOLUMES, channels_first

CASES = [
    (
        L.Conv1D,
        {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same", "groups": 2},
        SEQUENCES,
        lambda x, k, b: references.conv(x, k, (2,), "same", groups=2) + b,
    ),
    (
        L.Conv1D,
        {"filters": 3, "kernel_size": 2, "padding": "causal", "dilation_rate": 2},
        SEQUENCES,
        lambda x, k, b: references.conv(np.pad(x, ((0, 0), (2, 0), (0, 0))), k, dilation=(2,)) + b,
    ),
    (
        L.Conv2D,
        {"filters": 3, "kernel_size": [3, 2], "activation": "tanh"},
        IMAGES,
        lambda x, k, b: np.tanh(references.conv(x, k) + b),
    ),
    (
        L.Conv2D,
        {"filters": 3, "kernel_size": 2, "strides": 2, "data_format": "channels_first"},
        IMAGES,
        channels_first(lambda x, k, b: references.conv(x, k, (2, 2)) + b),
    ),
    (
        L.Conv2D,
        {"filters": 2, "kernel_size": 3, "padding": "same", "dilation_rate": 2, "use_bias": False},
        IMAGES,
        lambda x, k: references.conv(x, k, padding="same", dilation=(2, 2)),
    ),
    (
        L.Conv3D,
        {"filters": 3, "kernel_size": 2, "padding": "same", "strides": [1, 2, 2]},
        VOLUMES,
        lambda x, k, b: references.conv(x, k, (1, 2, 2), "same") + b,
    ),
    (
        L.DepthwiseConv1D,
        {"kernel_size": 3},
        SEQUENCES,
        lambda x, k, b: references.depthwise_conv(x, k) + b,
    ),
    (
        L.DepthwiseConv2D,
        {"kernel_size": 2, "depth_multiplier": 2, "padding": "same", "strides": 2},
        IMAGES,
        lambda x, k, b: references.depthwise_conv(x, k, (2, 2), "same") + b,
    ),
]
