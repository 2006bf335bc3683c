"""Dropout and noise, which do nothing outside of training."""

from mlapi import layers as L
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS

CASES = [
    (L.Dropout, {"rate": 0.4, "noise_shape": [None, 1, None]}, SEQUENCES, SEQUENCES),
    (L.SpatialDropout1D, {"rate": 0.4}, SEQUENCES, SEQUENCES),
    (L.SpatialDropout2D, {"rate": 0.4}, IMAGES, IMAGES),
    (L.GaussianNoise, {"stddev": 0.4}, VECTORS, VECTORS),
]
