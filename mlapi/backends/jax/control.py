"""Control flow and transformations of functions on jax."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import lax
from jax.core import Tracer

from mlapi import tree

Tensor = jax.Array

cond = lax.cond


def switch(index: Tensor, branches: Sequence[Callable[[], Any]]) -> Any:
    return lax.switch(index, branches)


def while_loop(
    test: Callable[..., Tensor],
    step: Callable[..., tuple[Any, ...]],
    values: tuple[Any, ...],
    maximum_iterations: int | None,
) -> tuple[Any, ...]:
    left = math.inf if maximum_iterations is None else maximum_iterations
    try:
        # Where a gradient is taken, step by step: jax has none for its own loop.
        while left > 0 and test(*values):
            values, left = step(*values), left - 1
            if not any(isinstance(x, Tracer) for x in tree.flatten(values)):
                return _loop(test, step, values, left)
        return values
    except jax.errors.TracerBoolConversionError:
        if left == math.inf:
            return _loop(test, step, values, left)
        return _bounded_loop(test, step, values, int(left))


def _loop(
    test: Callable[..., Tensor], step: Callable[..., Any], values: Any, left: float
) -> tuple[Any, ...]:
    if left == math.inf:
        return lax.while_loop(lambda state: test(*state), lambda state: step(*state), values)

    def go_on(state: tuple[int, Any]) -> Tensor:
        return (state[0] < left) & test(*state[1])

    def advance(state: tuple[int, Any]) -> tuple[int, Any]:
        return state[0] + 1, step(*state[1])

    return lax.while_loop(go_on, advance, (0, values))[1]


def _bounded_loop(
    test: Callable[..., Tensor], step: Callable[..., Any], values: Any, left: int
) -> tuple[Any, ...]:
    """Has a gradient, and nothing but the test to do once that fails."""

    def advance(state: Any, _: None) -> tuple[Any, None]:
        return lax.cond(test(*state), lambda: step(*state), lambda: state), None

    return lax.scan(advance, values, length=left)[0]


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any,
    length: int | None,
    reverse: bool,
    unroll: int | bool,
) -> tuple[Any, Any]:
    return lax.scan(step, carry, xs, length, reverse, unroll)


# --- transformations -----------------------------------------------------------------------------


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    return jax.vmap(function)(elements)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    return jax.jvp(fun, tuple(primals), tuple(tangents), has_aux)


def custom_gradient(function: Callable[..., Any], args: tuple[Tensor, ...]) -> Any:
    def run(*args: Tensor) -> Any:
        value, gradient = function(*args)

        def back(upstream: Any) -> Any:
            found = gradient(*tree.flatten(upstream))
            return found if len(found) > 1 else found[0]

        return value, back

    return jax.custom_gradient(run)(*args)
