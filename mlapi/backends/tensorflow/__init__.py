"""The tensorflow adapter: every step is one `tf.function`."""

from mlapi.backends.tensorflow import core, nn, ops, optimizers, random, transforms

__all__ = ["NAME", "core", "nn", "ops", "optimizers", "random", "transforms"]

NAME = "tensorflow"
