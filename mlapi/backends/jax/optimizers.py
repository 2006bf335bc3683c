"""Optimizer updates on jax: plain arithmetic, which the jitted step that holds it fuses."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

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
    mean_leaf = staticmethod(jnp.mean)
    finite_leaf = staticmethod(lambda x: jnp.isfinite(x).all())
    all_leaf = staticmethod(jnp.all)
    zeros_like = staticmethod(jnp.zeros_like)
    maximum_leaf = staticmethod(jnp.maximum)
    minimum_leaf = staticmethod(jnp.minimum)
    where = staticmethod(lambda when, x, y: jnp.where(when, x, y))
    stack = staticmethod(jnp.stack)
    unstack = staticmethod(lambda x: list(x))

    @staticmethod
    def assign(variable: Any, value: jax.Array) -> None:
        core.assign(variable, jnp.asarray(value, variable.dtype))


def keep_on_host(variable: Any) -> None:
    pass


def number(x: Any) -> Any:
    return x


def set_number(variable: Any, value: Any) -> None:
    core.assign(variable, jnp.asarray(value, variable.dtype))


snapshot = core.read  # arrays do not change


def when(condition: Any, update: Callable[[], None], variables: Sequence[Any]) -> None:
    if not isinstance(condition, Tracer):
        if condition:
            update()
        return

    def run(values: list[jax.Array]) -> list[jax.Array]:
        borrowed = core.Borrowed(variables, values)
        with borrowed:
            update()
            after = [core.read(variable) for variable in variables]
        known = {id(variable) for variable in variables}
        for variable in borrowed.written:
            if id(variable) not in known:
                raise ValueError(
                    f"the optimizer assigns to Variable {variable.path!r}, which it does not know; "
                    "make it with the optimizer's add_variable or add_variable_from_reference."
                )
        return after

    before = [core.read(variable) for variable in variables]
    after = jax.lax.cond(condition, run, lambda values: values, before)
    for variable, value in zip(variables, after, strict=True):
        core.assign(variable, value)


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
