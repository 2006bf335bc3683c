"""Attention."""

import numpy as np

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import SEQUENCES


class SelfAttention(L.MultiHeadAttention):
    """Attention of a sequence to itself, as a layer with one input."""

    def build(self, input_shape):
        super().build(input_shape, input_shape)

    def call(self, x, **arguments):
        return super().call(x, x, **arguments)


def causal_attention(x, *weights):
    return references.attention(x, x, weights, mask=np.tri(x.shape[1], dtype=bool))[0]


def windowed_attention(x, *weights):
    steps = np.arange(x.shape[1])
    near = abs(steps[:, None] - steps) < 2
    return references.attention(x, x, weights, mask=near, gate=True)[0]


CASES = [
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
    (
        SelfAttention,
        {"num_heads": 2, "key_dim": 3},
        SEQUENCES,
        causal_attention,
        {"use_causal_mask": True},
    ),
    (
        SelfAttention,
        {"num_heads": 2, "key_dim": 3},
        SEQUENCES,
        lambda x, *w: references.attention(x, x, w),
        {"return_attention_scores": True},
    ),
]
