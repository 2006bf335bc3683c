"""Gradients and compilation on jax: slots are lifted into pure functions and put back."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mlapi import tree
from mlapi.backends.jax.core import Borrowed, assign, convert
from mlapi.errors import not_in_state, not_scalar

# A compiled function knows its Variables from the start: they must all exist.
LIFTS_STATE = True


def is_tracing() -> bool:
    """Steps are compiled here, where unread results cost nothing."""
    return True


def guards_python() -> bool:
    """Tracing here leaves no checks behind."""
    return False


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Any] | None, has_aux: bool
) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        written: list[Any] = []

        def pure(point: Any) -> tuple[Any, tuple[Any, list[Any]]]:
            borrowed = Borrowed() if variables is None else Borrowed(variables, point)
            with borrowed:
                out = fn(point, *args[1:], **kwargs) if variables is None else fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
            if jax.numpy.ndim(loss):
                raise not_scalar(loss.shape)
            written[:] = borrowed.written
            return loss, (aux, borrowed.last)

        point = args[0] if variables is None else [v._storage for v in variables]
        (loss, (aux, last)), grads = jax.value_and_grad(pure, has_aux=True)(point)
        for variable, value in zip(written, last, strict=True):
            assign(variable, value)
        return ((loss, aux), grads) if has_aux else (loss, grads)

    return run


remat = jax.checkpoint


def jit(fn: Callable[..., Any], variables: Sequence[Any], jit_compile: bool | None) -> Callable:
    """One `jax.jit` over (values of the variables, arguments), the values donated."""
    return _lifted(*_pure(fn, variables))


Orders = dict[frozenset, list]


def _pure(fn: Callable[..., Any], variables: Sequence[Any]) -> tuple[Callable, list[Any], Orders]:
    """`fn` of (values of the variables, args, kwargs), which returns the new values too."""
    variables = list(variables)
    known = {id(v) for v in variables}
    orders: Orders = {}

    def pure(values: list[Any], args: tuple, kwargs: dict) -> tuple[Any, list[Any]]:
        borrowed = Borrowed(variables, values)
        with borrowed:
            out = fn(*args, **kwargs)
            new = [v._storage for v in variables]
        for variable in borrowed.written:
            if id(variable) not in known:
                raise not_in_state(variable.path)
        _note_orders(out, orders)
        return out, new

    return pure, variables, orders


def _lifted(pure: Callable, variables: list[Any], orders: Orders) -> Callable[..., Any]:
    """A compiled `pure` that takes the variables' values, and leaves the new ones there."""
    compiled = jax.jit(pure, donate_argnums=0)
    kept = jax.jit(pure)

    def call(*args: Any, **kwargs: Any) -> Any:
        values = [v._storage for v in variables]
        if len({*map(id, values)}) < len(values):  # where one was assigned to another
            values = _apart(values)
        if Borrowed._open:  # inside another trace, which needs the old values and sees the writes
            out, new = kept(values, args, kwargs)
            for variable, value in zip(variables, new, strict=True):
                assign(variable, value)
        else:
            out, new = compiled(values, args, kwargs)
            for variable, value in zip(variables, new):
                variable._storage = value
        return _reordered(out, orders) if orders else out

    return call


def _apart(values: list[Any]) -> list[Any]:
    """Copies of arrays that came before in the list: memory can be donated but once."""
    seen: set[int] = set()
    for i, value in enumerate(values):
        if id(value) in seen:
            values[i] = jnp.copy(value)
        seen.add(id(value))
    return values


def _note_orders(out: Any, orders: dict[frozenset, list]) -> None:
    """Remember the order of each dict's keys: jax gives dicts back with theirs sorted."""
    if isinstance(out, dict):
        orders[frozenset(out)] = list(out)
        out = list(out.values())
    if isinstance(out, (list, tuple)):
        for value in out:
            _note_orders(value, orders)


def _reordered(out: Any, orders: dict[frozenset, list]) -> Any:
    if type(out) is dict:
        return {key: _reordered(out[key], orders) for key in orders[frozenset(out)]}
    if type(out) in (list, tuple):
        return type(out)(_reordered(value, orders) for value in out)
    return out


def step(fn: Callable[[Any], Any], variables: Sequence[Any], jit_compile: bool | None) -> Callable:
    """`fn` of one batch, which may hold NumPy arrays: the compiled call takes them as they are."""
    if jit_compile is False:
        return lambda batch: fn(tree.map_structure(_tensor, batch))
    return jit(fn, variables, jit_compile)


def steps(
    fn: Callable[[Any], Any], variables: Sequence[Any], jit_compile: bool | None
) -> Callable[[list[Any]], Any]:
    """One `lax.scan`, whose carry are the values of the variables."""
    pure, variables, orders = _pure(fn, variables)

    def scanned(values: list[Any], args: tuple, kwargs: dict) -> tuple[Any, list[Any]]:
        def body(values: list[Any], batch: Any) -> tuple[list[Any], Any]:
            out, new = pure(values, (batch,), kwargs)
            return new, out

        new, outs = jax.lax.scan(body, values, *args)
        return jax.tree.map(lambda x: x[-1], outs), new  # a step may return nothing

    run = _lifted(scanned, variables, orders)
    return lambda batches: run(tree.map_structure(_stacked, *batches))


def _stacked(*parts: Any) -> Any:
    if parts[0] is None:
        return None
    return (np if isinstance(parts[0], np.ndarray) else jnp).stack(parts)


def _tensor(x: Any) -> Any:
    return convert(x) if x is not None else None
