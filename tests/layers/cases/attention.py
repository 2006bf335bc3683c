"""Attention."""

import numpy as np
from scipy.special import softmax

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import SEQUENCES, normal


def on_itself(library, name, label):
    """Attention of a sequence to itself, as a layer with one input; of mlapi or of Keras."""
    base = getattr(library, name)

    class OnItself(base):
        def build(self, input_shape):
            super().build(input_shape, input_shape)

        def call(self, x, **arguments):
            return super().call(x, x, **arguments)

    OnItself.__name__ = label
    OnItself.of = staticmethod(lambda library: on_itself(library, name, label))
    return OnItself


SelfAttention = on_itself(L, "MultiHeadAttention", "SelfAttention")
WideValues = on_itself(L, "MultiHeadAttention", "WideValues")
SelfGroupAttention = on_itself(L, "GroupQueryAttention", "SelfGroupAttention")
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}


def causal_attention(x, *weights):
    return references.attention(x, x, weights, mask=np.tri(x.shape[1], dtype=bool))[0]


def windowed_attention(x, *weights):
    steps = np.arange(x.shape[1])
    near = abs(steps[:, None] - steps) < 2
    return references.attention(x, x, weights, mask=near, gate=True)[0]


def causal_window(x, *weights):
    steps = np.arange(x.shape[1])
    near = (steps <= steps[:, None]) & (steps > steps[:, None] - 3)
    weights = [w for kernel in weights for w in (kernel, np.zeros(1))]  # no biases
    return references.attention(x, x, weights, mask=near)[0]


PAIR = [normal(2, 5, 4), normal(2, 3, 4)]
TRIPLE = [normal(2, 5, 4), normal(2, 3, 6), normal(2, 3, 4)]


def dots(query, key, scale=1.0):
    return scale * query @ key.swapaxes(1, 2)


def concatenated(query, key, scale=1.0, weight=1.0):
    return weight * np.tanh(scale * (query[:, :, None] + key[:, None])).sum(-1)


def weighted(query, key, weight):
    return concatenated(query, key, weight=weight)


def additive(query, key, scale=1.0):
    return (scale * np.tanh(query[:, :, None] + key[:, None])).sum(-1)


def attended(scores, causal=False, both=False):
    """The output for a function of query and key, and the weights of attention."""

    def expected(inputs, *weights):
        query, value = inputs[:2]
        logits = scores(query, inputs[-1], *weights)
        if causal:
            logits = np.where(np.tri(*logits.shape[1:], dtype=bool), logits, -1e30)
        share = softmax(logits, -1)
        return (share @ value, share) if both else share @ value

    return expected


SCORES, CAUSAL = {"return_attention_scores": True}, {"use_causal_mask": True}

SOURCES, KEYS = normal(2, 3, 6), normal(2, 3, 5)


def other(query, *weights):
    return references.attention(query, SOURCES, weights, KEYS)[0]


CASES = [
    (
        L.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "value_dim": 5},
        PAIR[0],
        other,
        {"value": SOURCES, "key": KEYS},
    ),
    (L.GroupQueryAttention, GROUPS, PAIR[0], other, {"value": SOURCES, "key": KEYS}),
    (
        SelfAttention,
        {"num_heads": 2, "key_dim": 3},
        SEQUENCES,
        lambda x, *w: references.attention(x, x, w)[0],
    ),
    (
        WideValues,
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
    (SelfAttention, {"num_heads": 2, "key_dim": 3}, SEQUENCES, causal_attention, CAUSAL),
    (
        SelfAttention,
        {"num_heads": 2, "key_dim": 3},
        SEQUENCES,
        lambda x, *w: references.attention(x, x, w),
        SCORES,
    ),
    (SelfGroupAttention, GROUPS, SEQUENCES, causal_attention, CAUSAL),
    (
        SelfGroupAttention,
        {**GROUPS, "use_gate": True, "sliding_window": 2},
        SEQUENCES,
        windowed_attention,
    ),
    (
        SelfGroupAttention,
        {**GROUPS, "num_key_value_heads": 1, "use_bias": False, "sliding_window": 3},
        SEQUENCES,
        causal_window,
        CAUSAL,
    ),
    (
        SelfGroupAttention,
        GROUPS,
        SEQUENCES,
        lambda x, *w: references.attention(x, x, w),
        SCORES,
    ),
    (L.Attention, {}, PAIR, attended(dots), {}),
    (L.Attention, {"use_scale": True}, TRIPLE, attended(dots, causal=True), CAUSAL),
    (L.Attention, {"use_scale": True}, TRIPLE, attended(dots, both=True), SCORES),
    (
        L.Attention,
        {"score_mode": "concat"},
        PAIR,
        attended(lambda q, k, w: concatenated(q, k, weight=w)),
    ),
    (
        L.Attention,
        {"score_mode": "concat", "use_scale": True},
        TRIPLE,
        attended(concatenated, causal=True, both=True),
        {**SCORES, **CAUSAL},
    ),
    (L.AdditiveAttention, {}, TRIPLE, attended(additive)),
    (L.AdditiveAttention, {"use_scale": False}, PAIR, attended(additive, causal=True), CAUSAL),
]
