"""Dense, Activation, Embedding, Masking, Identity."""

import numpy as np

from mlapi import layers as L
from mlapi import ops
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS, WORDS

CASES = [
    (L.Dense, {"units": 4, "activation": "tanh"}, VECTORS, lambda x, k, b: np.tanh(x @ k + b)),
    (L.Dense, {"units": 4, "use_bias": False}, SEQUENCES, lambda x, k: x @ k),
    (L.Activation, {"activation": "softplus"}, VECTORS, np.logaddexp(VECTORS, 0)),
    (L.Embedding, {"input_dim": 7, "output_dim": 3}, WORDS, lambda x, table: table[x]),
    (L.Masking, {"mask_value": 0.0}, SEQUENCES, SEQUENCES),
    (L.Identity, {}, IMAGES, IMAGES),
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
