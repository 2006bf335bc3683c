"""Dense, Activation, Embedding, Masking, Identity."""

import numpy as np

from mlapi import layers as L
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS, WORDS

CASES = [
    (L.Dense, {"units": 4, "activation": "tanh"}, VECTORS, lambda x, k, b: np.tanh(x @ k + b)),
    (L.Dense, {"units": 4, "use_bias": False}, SEQUENCES, lambda x, k: x @ k),
    (L.Activation, {"activation": "softplus"}, VECTORS, np.logaddexp(VECTORS, 0)),
    (L.Embedding, {"input_dim": 7, "output_dim": 3}, WORDS, lambda x, table: table[x]),
    (L.Masking, {"mask_value": 0.0}, SEQUENCES, SEQUENCES),
    (L.Identity, {}, IMAGES, IMAGES),
]
