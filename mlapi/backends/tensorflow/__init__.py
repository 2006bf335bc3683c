"""The tensorflow adapter: every step is one `tf.function`."""

from mlapi.backends.tensorflow import (
    arrays,
    control,
    core,
    elementwise,
    foreign,
    image,
    linalg,
    nn,
    ops,
    optimizers,
    random,
    sequences,
    signal,
    transforms,
)

__all__ = [
    "IMPLEMENTATIONS",
    "NAME",
    "arrays",
    "control",
    "core",
    "elementwise",
    "foreign",
    "image",
    "linalg",
    "nn",
    "ops",
    "optimizers",
    "random",
    "sequences",
    "signal",
    "transforms",
]

NAME = "tensorflow"
IMPLEMENTATIONS = (arrays, elementwise, image, ops, nn, sequences)
"""The modules that hold the implementations of ops, by name."""
