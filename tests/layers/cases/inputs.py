"""What the layers of the table are called on."""

import numpy as np

_random = np.random.default_rng(7)


def normal(*shape):
    return _random.standard_normal(shape).astype("float32")


VECTORS = normal(3, 5)
SEQUENCES = normal(2, 6, 4)
IMAGES = normal(2, 7, 6, 4)
VOLUMES = normal(2, 5, 4, 6, 2)
WORDS = np.array([[1, 2, 0], [0, 6, 3]])


def channels_first(function):
    """The same layer where channels are second."""

    def reference(x, *weights):
        return np.moveaxis(function(np.moveaxis(x, 1, -1), *weights), -1, 1)

    return reference
