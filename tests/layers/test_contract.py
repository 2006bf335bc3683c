"""Every layer, in its main variants: values, config, compiled and symbolic calls, gradients."""

import inspect

import numpy as np
import pytest
from scipy import special

from mlapi import layers
from mlapi.testing import check_layer
from tests.layers import references

_random = np.random.default_rng(7)


def _normal(*shape):
    return _random.standard_normal(shape).astype("float32")


VECTORS = _normal(3, 5)
SEQUENCES = _normal(2, 6, 4)
IMAGES = _normal(2, 7, 6, 4)
VOLUMES = _normal(2, 5, 4, 6, 2)
WORDS = np.array([[1, 2, 0], [0, 6, 3]])


class SelfAttention(layers.MultiHeadAttention):
    """Attention of a sequence to itself, as a layer with one input."""

    def build(self, input_shape):
        super().build(input_shape, input_shape)

    def call(self, x, **arguments):
        return super().call(x, x, **arguments)


def channels_first(function):
    """The same layer where channels are second."""

    def reference(x, *weights):
        return np.moveaxis(function(np.moveaxis(x, 1, -1), *weights), -1, 1)

    return reference


def lstm_outputs(x, *weights):
    return references.lstm(x, *weights)[0]


def normalized_in_training(x, gamma, beta, *averages):
    return references.normalize(x, (0, 1, 2)) * gamma + beta


def causal_attention(x, *weights):
    return references.attention(x, x, weights, mask=np.tri(x.shape[1], dtype=bool))[0]


def windowed_attention(x, *weights):
    steps = np.arange(x.shape[1])
    near = abs(steps[:, None] - steps) < 2
    return references.attention(x, x, weights, mask=near, gate=True)[0]


def average_pool(x, size=2, strides=2, padding="valid"):
    rank = x.ndim - 2
    return references.pool(x, (size,) * rank, (strides,) * rank, padding, np.nanmean)


def max_pool(x, size=2, strides=2, padding="valid"):
    rank = x.ndim - 2
    return references.pool(x, (size,) * rank, (strides,) * rank, padding, np.nanmax)


L = layers
# layer, arguments, inputs, expected output as an array or as a function of inputs and weights
CASES = [
    (L.Dense, {"units": 4, "activation": "tanh"}, VECTORS, lambda x, k, b: np.tanh(x @ k + b)),
    (L.Dense, {"units": 4, "use_bias": False}, SEQUENCES, lambda x, k: x @ k),
    (L.Activation, {"activation": "softplus"}, VECTORS, np.logaddexp(VECTORS, 0)),
    (L.Embedding, {"input_dim": 7, "output_dim": 3}, WORDS, lambda x, table: table[x]),
    (L.Masking, {"mask_value": 0.0}, SEQUENCES, SEQUENCES),
    (L.Identity, {}, IMAGES, IMAGES),
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
    (L.Dropout, {"rate": 0.4, "noise_shape": [None, 1, None]}, SEQUENCES, SEQUENCES),
    (L.SpatialDropout1D, {"rate": 0.4}, SEQUENCES, SEQUENCES),
    (L.SpatialDropout2D, {"rate": 0.4}, IMAGES, IMAGES),
    (L.GaussianNoise, {"stddev": 0.4}, VECTORS, VECTORS),
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
    (L.Rescaling, {"scale": 0.5, "offset": 1}, VECTORS, VECTORS * 0.5 + 1),
    (
        L.Rescaling,
        {"scale": [1.0, 2.0, 3.0, 4.0]},
        IMAGES,
        IMAGES * np.array([1.0, 2.0, 3.0, 4.0], "float32"),
    ),
    (L.Add, {}, [SEQUENCES, SEQUENCES[:, :1]], SEQUENCES + SEQUENCES[:, :1]),
    (L.Add, {}, [VECTORS[:2, :4], SEQUENCES], VECTORS[:2, None, :4] + SEQUENCES),
    (L.Subtract, {}, [SEQUENCES, 3 * SEQUENCES], -2 * SEQUENCES),
    (L.Multiply, {}, [SEQUENCES] * 3, SEQUENCES**3),
    (L.Average, {}, [SEQUENCES, 2 * SEQUENCES, -SEQUENCES], SEQUENCES * (2 / 3)),
    (L.Maximum, {}, [VECTORS, -VECTORS], abs(VECTORS)),
    (L.Minimum, {}, [VECTORS, -VECTORS], -abs(VECTORS)),
    (L.Concatenate, {"axis": 1}, [SEQUENCES, SEQUENCES], np.tile(SEQUENCES, (1, 2, 1))),
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
    (L.BatchNormalization, {}, IMAGES, IMAGES / np.sqrt(1.001)),
    (
        L.BatchNormalization,
        {"axis": 1, "scale": False, "beta_initializer": "ones"},
        SEQUENCES,
        SEQUENCES / np.sqrt(1.001) + 1,
    ),
    (
        L.LayerNormalization,
        {"epsilon": 1e-5},
        SEQUENCES,
        lambda x, g, b: references.normalize(x, -1, 1e-5) * g + b,
    ),
    (
        L.LayerNormalization,
        {"axis": [1, 3], "center": False},
        IMAGES,
        lambda x, g: references.normalize(x, (1, 3)) * g[:, None],
    ),
    (L.LSTM, {"units": 3}, SEQUENCES, lambda x, *w: references.lstm(x, *w)[1]),
    (
        L.LSTM,
        {"units": 3, "return_sequences": True, "go_backwards": True},
        SEQUENCES,
        lambda x, *w: lstm_outputs(x[:, ::-1], *w),
    ),
    (
        L.LSTM,
        {"units": 3, "return_state": True, "return_sequences": True},
        SEQUENCES,
        lambda x, *w: references.lstm(x, *w),
    ),
    (
        L.LSTM,
        {"units": 3, "activation": "softsign", "use_bias": False, "dropout": 0.5},
        SEQUENCES,
        lambda x, *w: references.lstm(x, *w, 0.0, activation=lambda z: z / (1 + abs(z)))[1],
    ),
    (
        L.LSTM,
        {"units": 3, "recurrent_dropout": 0.5, "return_sequences": True, "go_backwards": True},
        SEQUENCES,
        lambda x, *w: lstm_outputs(x[:, ::-1], *w),
    ),
    (
        SelfAttention,
        {"num_heads": 2, "key_dim": 3},
        SEQUENCES,
        lambda x, *w: references.attention(x, x, w)[0],
    ),
    (
        SelfAttention,
        {"num_heads": 2, "key_dim": 3, "value_dim": 5, "output_shape": [2, 3]},
        SEQUENCES,
        lambda x, *w: references.attention(x, x, w)[0],
    ),
    (
        SelfAttention,
        {"num_heads": 1, "key_dim": 4, "use_gate": True, "sliding_window": 2},
        SEQUENCES,
        windowed_attention,
    ),
]

# The same with arguments of the call.
CALLS = [
    (
        L.BatchNormalization,
        {"momentum": 0.5},
        IMAGES,
        normalized_in_training,
        {"training": True},
    ),
    (SelfAttention, {"num_heads": 2, "key_dim": 3}, SEQUENCES, causal_attention,
     {"use_causal_mask": True}),
    (
        SelfAttention,
        {"num_heads": 2, "key_dim": 3},
        SEQUENCES,
        lambda x, *w: references.attention(x, x, w),
        {"return_attention_scores": True},
    ),
]  # fmt: skip

# Not called on data of their own, or tested with the layer that holds them.
ELSEWHERE = {"InputLayer", "Layer", "MultiHeadAttention", "RNN", "LSTMCell"}


def _names(cases):
    return [f"{case[0].__name__}-{i}" for i, case in enumerate(cases)]


@pytest.mark.parametrize(("layer", "arguments", "inputs", "expected"), CASES, ids=_names(CASES))
def test_layer(layer, arguments, inputs, expected):
    check_layer(layer, arguments, inputs, expected=expected)


@pytest.mark.parametrize(
    ("layer", "arguments", "inputs", "expected", "call"), CALLS, ids=_names(CALLS)
)
def test_layer_with_arguments_of_the_call(layer, arguments, inputs, expected, call):
    check_layer(layer, arguments, inputs, expected=expected, call_arguments=call)


def test_every_layer_is_here():
    tested = {case[0].__name__ for case in CASES}
    public = {
        value.__name__
        for value in vars(layers).values()
        if inspect.isclass(value) and issubclass(value, layers.Layer)
    }
    assert public - tested == ELSEWHERE
