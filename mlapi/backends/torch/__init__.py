"""The torch adapter: eager by default, one whole graph when compilation is asked for."""

from mlapi.backends.torch import core, nn, ops, optimizers, random, transforms

__all__ = ["NAME", "core", "nn", "ops", "optimizers", "random", "transforms"]

NAME = "torch"
