"""The jax adapter: every step is one jitted function over (state, arguments)."""

from mlapi.backends.jax import core, elementwise, nn, ops, optimizers, random, transforms

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

NAME = "jax"
IMPLEMENTATIONS = (elementwise, ops, nn)
"""The modules that hold the implementations of ops, by name."""
