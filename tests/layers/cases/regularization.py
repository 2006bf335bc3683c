"""Dropout and noise, which do nothing outside of training."""

from mlapi import layers as L
from tests.layers.cases.inputs import IMAGES, SEQUENCES, VECTORS, VOLUMES

CASES = [
    (L.Dropout, {"rate": 0.4, "noise_shape": [None, 1, None]}, SEQUENCES, SEQUENCES),
    (L.SpatialDropout1D, {"rate": 0.4}, SEQUENCES, SEQUENCES),
    (L.SpatialDropout2D, {"rate": 0.4}, IMAGES, IMAGES),
    (L.SpatialDropout3D, {"rate": 0.4, "data_format": "channels_first"}, VOLUMES, VOLUMES),
    (L.AlphaDropout, {"rate": 0.4, "noise_shape": [None, 1]}, VECTORS, VECTORS),
    (L.GaussianDropout, {"rate": 0.4}, VECTORS, VECTORS),
    (L.ActivityRegularization, {"l1": 0.1, "l2": 0.2}, VECTORS, VECTORS),
    (L.GaussianNoise, {"stddev": 0.4}, VECTORS, VECTORS),
]
