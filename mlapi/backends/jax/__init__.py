"""The jax adapter: every step is one jitted function over (state, arguments)."""

from mlapi.backends.jax import core, nn, ops, optimizers, random, transforms

__all__ = ["NAME", "core", "nn", "ops", "optimizers", "random", "transforms"]

NAME = "jax"
