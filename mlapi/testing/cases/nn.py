"""Cases of `mlapi.ops.nn`."""

import numpy as np

from mlapi import ops
from mlapi.testing.case import FLOATS, Case, distinct, positive, real, truth, whole
from mlapi.testing.cases import references

# label: shape of inputs, shape of kernel, arguments
CONVOLUTIONS = {
    "": ((2, 5, 6, 3), (3, 2, 3, 4), {}),
    "same": ((2, 5, 6, 3), (3, 3, 3, 4), {"padding": "same"}),
    "same_even": ((1, 5, 6, 2), (2, 4, 2, 3), {"padding": "same"}),
    "strides": ((1, 7, 6, 2), (3, 3, 2, 3), {"strides": 2}),
    "same_strides": ((1, 7, 6, 2), (3, 3, 2, 3), {"strides": (2, 3), "padding": "same"}),
    "same_odd": ((1, 4, 4, 1), (3, 3, 1, 2), {"strides": 2, "padding": "same"}),
    "dilation": ((1, 7, 8, 2), (3, 2, 2, 3), {"dilation_rate": (2, 3)}),
    "same_dilation": ((1, 6, 7, 2), (3, 3, 2, 3), {"dilation_rate": 2, "padding": "same"}),
    "groups": ((1, 5, 5, 4), (3, 3, 2, 6), {}),
    "channels_first": ((1, 2, 5, 6), (3, 2, 2, 3), {"data_format": "channels_first"}),
    "first_groups": (
        (1, 4, 5, 6), (3, 3, 2, 4),
        {"data_format": "channels_first", "padding": "same", "strides": [2, 2]},
    ),
    "rank1": ((2, 7, 3), (3, 3, 4), {"strides": 2, "padding": "same"}),
    "rank1_dilation": ((2, 9, 4), (3, 2, 4), {"dilation_rate": 2}),
    "rank3": ((1, 4, 5, 4, 2), (2, 3, 2, 2, 3), {"padding": "same"}),
    "rank3_strides": ((1, 4, 5, 4, 4), (2, 2, 2, 2, 2), {"strides": (2, 1, 2)}),
}  # fmt: skip
DEPTHWISE = {
    "": ((2, 5, 6, 3), (3, 2, 3, 2), {}),
    "same": ((1, 5, 6, 3), (3, 3, 3, 1), {"padding": "same", "strides": 2}),
    "strides": ((1, 6, 7, 2), (3, 3, 2, 2), {"strides": (2, 1), "padding": "same"}),
    "dilation": ((1, 7, 7, 2), (3, 3, 2, 1), {"dilation_rate": 2}),
    "channels_first": ((1, 3, 5, 6), (2, 3, 3, 2), {"data_format": "channels_first"}),
    "rank1": ((2, 7, 3), (3, 3, 2), {"strides": 2, "padding": "same"}),
}
POOLS = {
    "": ((2, 4, 6, 3), (2,), {}),
    "rest": ((1, 5, 7, 2), ((2, 3),), {}),
    "overlap": ((1, 5, 7, 2), (3,), {"strides": 2}),
    "same": ((1, 5, 6, 2), (3,), {"strides": 2, "padding": "same"}),
    "same_even": ((1, 5, 5, 2), ((2, 4),), {"strides": 1, "padding": "same"}),
    "same_default": ((1, 5, 5, 2), (2,), {"padding": "same"}),
    "same_large": ((1, 2, 3, 1), (4,), {"strides": 3, "padding": "same"}),
    "channels_first": ((1, 2, 4, 6), (2,), {"data_format": "channels_first", "padding": "same"}),
    "rank1": ((2, 7, 3), (2,), {"padding": "same"}),
    "rank3": ((1, 4, 5, 4, 2), (2,), {}),
}


def convolutions(name, reference, table):
    for label, (shape, kernel, kwargs) in table.items():
        yield Case(name, (real(*shape), real(*kernel)), reference, kwargs, label,
                   dtypes=() if label else FLOATS)  # fmt: skip
    shape, kernel, kwargs = table[""]
    filters = kernel[-1] if name == "conv" else kernel[-1] * kernel[-2]
    for data_format in ("channels_last", "channels_first"):
        x = real(*shape) if data_format == "channels_last" else np.moveaxis(real(*shape), -1, 1)
        more = {"data_format": data_format, "bias": real(filters)}
        yield Case(name, (x, real(*kernel)), reference, more, f"bias_{data_format}")


def pools(name, reference):
    return [
        Case(name, (distinct(*shape), *size), reference, kwargs, label,
             dtypes=() if label else FLOATS)
        for label, (shape, size, kwargs) in POOLS.items()
    ]  # fmt: skip


def batch_norm(label, shape, axis, **kwargs):
    channels = shape[axis]
    more = {"offset": real(channels), "scale": positive(channels), **kwargs}
    x = real(*shape)
    return [
        Case("batch_normalization", (x, real(channels, seed=2), positive(channels), axis),
             references.batch_normalization, more, label, unknown=axis != 0),
        Case("batch_normalization_training", (x, axis), references.batch_normalization_training,
             more, label, unknown=axis != 0, slopes=1),
    ]  # fmt: skip


QUERY, KEY, VALUE = (real(2, length, 4, 3, seed=length) for length in (5, 6, 7))
KEY, VALUE = real(2, 6, 4, 3, seed=1), real(2, 6, 4, 3, seed=2)
FEW_KEYS, FEW_VALUES = KEY[:, :, :2], VALUE[:, :, :2]
NOTHING_SEEN = np.broadcast_to(np.arange(5)[:, None] != 2, (5, 6)).copy()


def attention(label, query=QUERY, key=KEY, value=VALUE, **kwargs):
    return Case("dot_product_attention", (query, key, value), references.attention, kwargs, label)


# 2 samples, 4 times, 3 inputs, 5 units
WEIGHTS = (real(3, 20) / 2, real(5, 20) / 2)
STATES = (real(2, 5) / 2, real(2, 5, seed=1) / 2)


def lstm(label, **kwargs):
    return Case("lstm", (real(2, 4, 3), *STATES, *WEIGHTS), references.lstm, kwargs, label)


def loss(name, label, target, output, **kwargs):
    return Case(name, (target, output), getattr(references, name), kwargs, label)


SHARES = positive(4, 3) / positive(4, 3).sum(1, keepdims=True)

CASES = [
    Case("dense", (real(2, 3), real(3, 4), real(4)), lambda x, k, b: x @ k + b, dtypes=FLOATS),
    Case("dense", (real(2, 3), real(3, 4)), np.matmul, label="without_bias"),
    Case("dense", (real(2, 2, 5, 3), real(3, 4), real(4)), lambda x, k, b: x @ k + b,
         label="rank4"),
    Case("dense", (real(0, 5, 3), real(3, 4), real(4)), lambda x, k, b: x @ k + b, label="empty"),
    Case("embedding", (whole(2, 3, low=0, high=5), real(5, 4)), lambda i, t: t[i]),
    Case("embedding", (np.uint8([[4, 0]]), real(5, 4)), lambda i, t: t[i], label="uint8"),
    *convolutions("conv", references.conv, CONVOLUTIONS),
    *convolutions("depthwise_conv", references.depthwise_conv, DEPTHWISE),
    *pools("max_pool", references.max_pool),
    *pools("average_pool", references.average_pool),
    Case("moments", (real(2, 3, 4), 1), references.moments, dtypes=FLOATS),
    Case("moments", (real(2, 3, 4), [0, -1]), references.moments, {"keepdims": True}, "axes"),
    *batch_norm("", (4, 3), -1),
    *batch_norm("image", (2, 3, 4, 5), -1),
    *batch_norm("first", (2, 3, 4, 5), 1),
    *batch_norm("sequence", (2, 5, 3), 2, offset=None),
    *batch_norm("batch_axis", (3, 4), 0, scale=None),
    *batch_norm("plain", (3, 2, 3, 2, 2), 4, offset=None, scale=None, epsilon=0.1),
    Case("layer_normalization", (real(3, 4), positive(4), real(4)),
         references.layer_normalization, dtypes=FLOATS),
    Case("layer_normalization", (real(3, 4),), references.layer_normalization, {"epsilon": 0.1},
         "plain"),
    Case("layer_normalization", (real(2, 3, 4), positive(3, 4), real(3, 4)),
         references.layer_normalization, {"axis": [1, 2]}, "axes"),
    Case("layer_normalization", (real(2, 3, 4), positive(4, 3), real(4, 3)),
         references.layer_normalization, {"axis": (-1, 1)}, "swapped"),
    Case("layer_normalization", (real(2, 3, 4), positive(3)), references.layer_normalization,
         {"axis": 1}, "middle"),
    attention(""),
    attention("causal", is_causal=True),
    attention("scale", scale=0.3),
    attention("bias", bias=real(2, 4, 5, 6)),
    attention("bias_causal", bias=real(4, 5, 6), is_causal=True),
    attention("mask", mask=truth(2, 1, 5, 6) | np.eye(5, 6, dtype=bool)),
    attention("mask_causal", mask=truth(2, 4, 5, 6) | np.eye(5, 6, dtype=bool), is_causal=True),
    attention("nothing_seen", mask=NOTHING_SEEN),
    attention("grouped", key=FEW_KEYS, value=FEW_VALUES),
    attention("soft_cap", attn_logits_soft_cap=0.7, bias=real(1, 4, 5, 6), is_causal=True),
    attention("grouped_soft_cap", key=FEW_KEYS, value=FEW_VALUES, attn_logits_soft_cap=2.0),
    lstm("", bias=real(20) / 2),
    lstm("without_bias"),
    lstm("backwards", bias=real(20) / 2, go_backwards=True),
    lstm("mask", bias=real(20) / 2, mask=np.array([[1, 0, 1, 1], [0, 1, 1, 0]], bool)),
    lstm("mask_backwards", mask=np.array([[1, 1, 0, 0], [0, 1, 1, 1]], bool), go_backwards=True),
    lstm("activations", activation=ops.relu, recurrent_activation=ops.hard_sigmoid),
    loss("binary_crossentropy", "", truth(3, 2).astype("float32"), positive(3, 2) / 3),
    loss("binary_crossentropy", "logits", truth(3, 2).astype("int32"), 4 * real(3, 2),
         from_logits=True),
    Case("binary_crossentropy", (np.float32([0, 1, 0, 1]), np.float32([0, 0, 1, 1])),
         references.binary_crossentropy, {}, "certain", grad=False, tolerance=0.02),
    loss("categorical_crossentropy", "", SHARES, positive(4, 3, seed=1)),
    loss("categorical_crossentropy", "logits", SHARES, real(4, 3), from_logits=True),
    loss("categorical_crossentropy", "axis", positive(2, 3, 4) / 4, real(2, 3, 4),
         from_logits=True, axis=1),
    loss("categorical_crossentropy", "rank4", positive(2, 2, 3, 4) / 4, real(2, 2, 3, 4),
         from_logits=True),
    loss("categorical_crossentropy", "one_sample", positive(3) / 4, real(3), from_logits=True),
    loss("sparse_categorical_crossentropy", "", whole(4, low=0, high=3), positive(4, 3)),
    loss("sparse_categorical_crossentropy", "logits", whole(4, low=0, high=3), real(4, 3),
         from_logits=True),
    loss("sparse_categorical_crossentropy", "column", whole(4, 1, low=0, high=3), real(4, 3),
         from_logits=True),
    loss("sparse_categorical_crossentropy", "axis", whole(2, 4, low=0, high=3), real(2, 3, 4),
         from_logits=True, axis=1),
    loss("sparse_categorical_crossentropy", "rank4", whole(2, 3, 2, low=0, high=4),
         positive(2, 3, 2, 4)),
    loss("sparse_categorical_crossentropy", "rank3_logits", whole(2, 3, low=0, high=4),
         real(2, 3, 4), from_logits=True),
]  # fmt: skip
