"""The tensorflow adapter: every step is one `tf.function`."""

from mlapi.backends.tensorflow import core, elementwise, nn, ops, optimizers, random, transforms

__all__ = [
    "IMPLEMENTATIONS",
    "NAME",
    "core",
    "elementwise",
    "nn",
    "ops",
    "optimizers",
    "random",
    "transforms",
]

NAME = "tensorflow"
IMPLEMENTATIONS = (elementwise, ops, nn)
"""The modules that hold the implementations of ops, by name."""
