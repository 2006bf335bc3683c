"""The jax adapter: every step is one jitted function over (state, arguments)."""

from mlapi.backends.jax import (
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

NAME = "jax"
IMPLEMENTATIONS = (arrays, elementwise, image, ops, nn, sequences)
"""The modules that hold the implementations of ops, by name."""
