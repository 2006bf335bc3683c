"""Optimizer updates on jax: plain arithmetic, which the jitted step that holds it fuses."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from mlapi.backends.bundles import Leaves
from mlapi.backends.jax import core
from mlapi.errors import ShapeError


class Bundle(Leaves):
    """Leaves that are jax arrays."""

    __slots__ = ()

    read = staticmethod(core.read)
    cast = staticmethod(lambda x, dtype: jnp.asarray(x, dtype))
    sqrt_leaf = staticmethod(jnp.sqrt)
    sign_leaf = staticmethod(jnp.sign)
    norm_leaf = staticmethod(jnp.linalg.norm)
    zeros_like = staticmethod(jnp.zeros_like)
    maximum_leaf = staticmethod(jnp.maximum)
    minimum_leaf = staticmethod(jnp.minimum)
    where = staticmethod(lambda when, x, y: jnp.where(when, x, y))

    @staticmethod
    def assign(variable: Any, value: jax.Array) -> None:
        core.assign(variable, jnp.asarray(value, variable.dtype))


def keep_on_host(variable: Any) -> None:
    pass


def number(x: Any) -> Any:
    return x


def set_number(variable: Any, value: Any) -> None:
    core.assign(variable, jnp.asarray(value, variable.dtype))


def accept(gradients: Sequence[Any], variables: Sequence[Any]) -> list[jax.Array]:
    """The gradients as arrays with the shapes of the variables."""
    pairs = zip(gradients, variables, strict=True)
    gradients = [core.convert(g, v.dtype) for g, v in pairs]
    for gradient, variable in zip(gradients, variables, strict=True):
        if gradient.shape != variable.shape:
            raise ShapeError(
                f"The gradient of {variable.path!r} has shape {gradient.shape}, "
                f"the variable {variable.shape}."
            )
    return gradients


def unrecorded(function: Callable[..., None], *args: Any) -> None:
    function(*args)


kernels: dict[str, Callable[..., bool]] = {}
