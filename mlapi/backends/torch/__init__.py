"""The torch adapter: eager by default, one whole graph when compilation is asked for."""

from mlapi.backends.torch import core, elementwise, nn, ops, optimizers, random, transforms

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

NAME = "torch"
IMPLEMENTATIONS = (elementwise, ops, nn)
"""The modules that hold the implementations of ops, by name."""
