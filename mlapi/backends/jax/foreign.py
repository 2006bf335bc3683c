"""Functions of jax, with their trees of parameters, as layers."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from mlapi.backends.jax.random import key


def flatten(nest: Any) -> tuple[list[tuple[str, Any]], Callable[[list[Any]], Any]]:
    """Names and leaves of a tree, and the function that makes the tree of other leaves."""
    leaves, structure = jax.tree_util.tree_flatten_with_path(nest)
    named = [(_name(path) or "value", leaf) for path, leaf in leaves]
    return named, lambda values: jax.tree_util.tree_unflatten(structure, values)


def _name(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".").replace("/", ".")


def random_key(seed: Any) -> jax.Array:
    """A key of the two numbers that a `SeedGenerator` gives."""
    return key(seed)


def initialize(init_fn: Callable[..., Any], shapes: Any, arguments: dict[str, Any]) -> Any:
    """What `init_fn` returns for inputs of ones; real numbers, even while something is traced."""
    with jax.ensure_compile_time_eval():
        inputs = jax.tree.map(
            lambda s: np.ones([n or 1 for n in s.shape], s.dtype),
            shapes,
            is_leaf=lambda s: hasattr(s, "shape"),
        )
        return init_fn(inputs=inputs, **arguments)
