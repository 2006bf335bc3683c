"""Dense and its kin, Activation, Embedding and its kin, Masking, Identity."""

import numpy as np

from mlapi import layers as L
from mlapi import ops
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS, WORDS


class RoundTrip(L.ReversibleEmbedding):
    """From words to vectors and back to logits."""

    def call(self, x):
        return super().call(super().call(x), reverse=True)


CASES = [
    (L.Dense, {"units": 4, "activation": "tanh"}, VECTORS, lambda x, k, b: np.tanh(x @ k + b)),
    (L.Dense, {"units": 4, "use_bias": False}, SEQUENCES, lambda x, k: x @ k),
    (L.Activation, {"activation": "softplus"}, VECTORS, np.logaddexp(VECTORS, 0)),
    (L.Embedding, {"input_dim": 7, "output_dim": 3}, WORDS, lambda x, table: table[x]),
    (L.Masking, {"mask_value": 0.0}, SEQUENCES, SEQUENCES),
    (L.Identity, {}, IMAGES, IMAGES),
    (
        L.EinsumDense,
        {"equation": "ab,bc->ac", "output_shape": 4, "bias_axes": "c", "activation": "tanh"},
        VECTORS,
        lambda x, k, b: np.tanh(x @ k + b),
    ),
    (
        L.EinsumDense,
        {"equation": "abc,cde->abde", "output_shape": [None, 3, 2], "bias_axes": "de"},
        SEQUENCES,
        lambda x, k, b: np.einsum("abc,cde->abde", x, k) + b,
    ),
    (
        L.EinsumDense,
        {"equation": "abde,dec->abc", "output_shape": [7, 3], "bias_axes": "bc"},
        IMAGES,
        lambda x, k, b: np.tensordot(x, k, 2) + b,
    ),
    (
        L.EinsumDense,
        {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"},
        IMAGES,
        lambda x, k, b: x @ k + b,
    ),
    (
        L.EinsumDense,
        {"equation": "...ab,bc->...ac", "output_shape": [None, 3]},
        SEQUENCES,
        lambda x, k: x @ k,
    ),
    (
        L.EinsumDense,
        {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"},
        IMAGES,
        lambda x, k, b: np.einsum("abde,bc->acde", x, k) + b,
    ),
    (
        L.EinsumDense,
        {"equation": "abc,bd->adc", "output_shape": [3, None], "bias_axes": "d"},
        SEQUENCES,
        lambda x, k, b: np.einsum("abc,bd->adc", x, k) + b,
    ),
    (
        L.EinsumDense,
        {"equation": "abc,bc->ab", "output_shape": 6},
        SEQUENCES,
        lambda x, k: (x * k).sum(-1),
    ),
    (
        L.ReversibleEmbedding,
        {"input_dim": 7, "output_dim": 3, "mask_zero": True},
        WORDS,
        lambda x, table: table[x],
    ),
    (
        RoundTrip,
        {"input_dim": 7, "output_dim": 3, "tie_weights": False},
        WORDS,
        lambda x, table, back: table[x] @ back,
    ),
    (
        L.ReversibleEmbedding,
        {"input_dim": 7, "output_dim": 4, "logit_soft_cap": 0.2},
        SEQUENCES,
        lambda x, table: 0.2 * np.tanh(x @ table.T / 0.2),
        {"reverse": True},
    ),
    (
        L.ReversibleEmbedding,
        {"input_dim": 7, "output_dim": 5, "tie_weights": False, "reverse_dtype": "float32"},
        VECTORS,
        lambda x, table, back: x @ back,
        {"reverse": True},
        {"gradients": False, "mixed": False},  # the table has none; logits are float32
    ),
    (L.Lambda, {"function": ops.relu}, VECTORS, np.maximum(VECTORS, 0)),
    (
        L.Lambda,
        {"function": ops.leaky_relu, "arguments": {"negative_slope": 0.5}, "output_shape": [5]},
        VECTORS,
        np.where(VECTORS > 0, VECTORS, 0.5 * VECTORS),
    ),
    (
        L.Pipeline,
        {"layers": [L.Dense(3, name="first"), L.Rescaling(2.0), L.Dense(2, "tanh", name="second")]},
        VECTORS,
        lambda x, k1, b1, k2, b2: np.tanh(2 * (x @ k1 + b1) @ k2 + b2),
        {},
        {"mixed": False},
    ),
]
