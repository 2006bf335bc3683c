"""Convolutions."""

import numpy as np

from mlapi import layers as L
from mlapi import ops
from tests.layers import references
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VOLUMES, channels_first


class Standardized(L.Conv2D):
    """A convolution whose filters have mean 0 and variance 1, by way of `convolution_op`."""

    def convolution_op(self, inputs, kernel):
        mean, variance = ops.moments(kernel, (0, 1, 2), keepdims=True)
        return super().convolution_op(inputs, (kernel - mean) / ops.sqrt(variance + 1e-3))


def standardized(x, kernel, bias):
    return references.conv(x, references.normalize(kernel, (0, 1, 2))) + bias


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
    (Standardized, {"filters": 3, "kernel_size": 3}, IMAGES, standardized),
    (
        Standardized,
        {"filters": 3, "kernel_size": 3, "data_format": "channels_first"},
        IMAGES,
        channels_first(standardized),
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
    (
        L.DepthwiseConv2D,
        {
            "kernel_size": [3, 2],
            "dilation_rate": [2, 1],
            "data_format": "channels_first",
            "use_bias": False,
        },
        IMAGES,
        channels_first(lambda x, k: references.depthwise_conv(x, k, dilation=(2, 1))),
    ),
    (
        L.SeparableConv1D,
        {"filters": 5, "kernel_size": 3, "padding": "same", "depth_multiplier": 2},
        SEQUENCES,
        lambda x, d, p, b: references.separable_conv(x, d, p, padding="same") + b,
    ),
    (
        L.SeparableConv1D,
        {"filters": 5, "kernel_size": 2, "dilation_rate": 2, "data_format": "channels_first"},
        SEQUENCES,
        channels_first(lambda x, d, p, b: references.separable_conv(x, d, p, dilation=(2,)) + b),
    ),
    (
        L.SeparableConv2D,
        {"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"},
        IMAGES,
        lambda x, d, p, b: np.tanh(references.separable_conv(x, d, p, (2, 2), "same") + b),
    ),
    (
        L.SeparableConv2D,
        {"filters": 3, "kernel_size": [3, 2], "strides": [1, 2], "use_bias": False},
        IMAGES,
        lambda x, d, p: references.separable_conv(x, d, p, (1, 2)),
    ),
    (
        L.SeparableConv2D,
        {"filters": 5, "kernel_size": 2, "depth_multiplier": 2, "data_format": "channels_first"},
        IMAGES,
        channels_first(lambda x, d, p, b: references.separable_conv(x, d, p) + b),
    ),
    (
        L.Conv1DTranspose,
        {"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same"},
        SEQUENCES,
        lambda x, k, b: references.conv_transpose(x, k, (2,), "same") + b,
    ),
    (
        L.Conv1DTranspose,
        {"filters": 3, "kernel_size": 2, "strides": 3, "data_format": "channels_first"},
        SEQUENCES,
        channels_first(lambda x, k, b: references.conv_transpose(x, k, (3,)) + b),
    ),
    (
        L.Conv2DTranspose,
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"},
        IMAGES,
        lambda x, k, b: np.tanh(references.conv_transpose(x, k, (2, 2), "same") + b),
    ),
    (
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": [3, 2], "strides": [2, 3], "output_padding": [1, 0]},
        IMAGES,
        lambda x, k, b: references.conv_transpose(x, k, (2, 3), more=(1, 0)) + b,
    ),
    (
        L.Conv2DTranspose,
        {"filters": 2, "kernel_size": 3, "dilation_rate": 2, "use_bias": False},
        IMAGES,
        lambda x, k: references.conv_transpose(x, k, (1, 1), dilation=(2, 2)),
    ),
    (
        L.Conv2DTranspose,
        {
            "filters": 2,
            "kernel_size": 3,
            "strides": 2,
            "padding": "same",
            "output_padding": 0,
            "data_format": "channels_first",
        },
        IMAGES,
        channels_first(
            lambda x, k, b: references.conv_transpose(x, k, (2, 2), "same", more=(0, 0)) + b
        ),
    ),
    (
        L.Conv3DTranspose,
        {"filters": 2, "kernel_size": 2, "strides": [1, 2, 2]},
        VOLUMES,
        lambda x, k, b: references.conv_transpose(x, k, (1, 2, 2)) + b,
    ),
    (
        L.Conv3DTranspose,
        {
            "filters": 2,
            "kernel_size": [2, 1, 3],
            "strides": 2,
            "padding": "same",
            "data_format": "channels_first",
        },
        VOLUMES,
        channels_first(lambda x, k, b: references.conv_transpose(x, k, (2, 2, 2), "same") + b),
    ),
]
