"""The torch adapter: eager by default, one whole graph when compilation is asked for."""

from mlapi.backends.torch import (
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

NAME = "torch"
IMPLEMENTATIONS = (arrays, elementwise, image, ops, nn, sequences)
"""The modules that hold the implementations of ops, by name."""
