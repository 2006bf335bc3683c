"""Control flow and transformations of functions on torch."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch._higher_order_ops import while_loop as compiled_while_loop

from mlapi import tree
from mlapi.backends.torch import core

Tensor = torch.Tensor


def cond(pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    if core.is_imagining():  # both give the same shapes
        return true_fn()
    if core.is_compiling():
        return torch.cond(pred, _copied(true_fn), _copied(false_fn), ())
    return true_fn() if pred else false_fn()


def _copied(branch: Callable[[], Any]) -> Callable[[], Any]:
    """A compiled branch may not return a tensor that came from outside."""
    return lambda: tree.map_structure(torch.clone, branch())


def switch(index: Tensor, branches: Sequence[Callable[[], Any]]) -> Any:
    if core.is_imagining():
        return branches[0]()
    if not core.is_compiling():
        return branches[min(max(int(index), 0), len(branches) - 1)]()
    if len(branches) == 1:
        return branches[0]()
    return cond(index <= 0, branches[0], lambda: switch(index - 1, branches[1:]))


def while_loop(
    test: Callable[..., Tensor],
    step: Callable[..., tuple[Any, ...]],
    values: tuple[Any, ...],
    maximum_iterations: int | None,
) -> tuple[Any, ...]:
    if core.is_imagining():  # the numbers might never end the loop
        return step(*values)
    if core.is_compiling():
        return _compiled_loop(test, step, values, maximum_iterations)
    left = math.inf if maximum_iterations is None else maximum_iterations
    while left > 0 and test(*values):
        values = step(*values)
        left -= 1
    return values


def _compiled_loop(
    test: Callable[..., Tensor],
    step: Callable[..., tuple[Any, ...]],
    values: tuple[Any, ...],
    maximum_iterations: int | None,
) -> tuple[Any, ...]:
    def go_on(left: Tensor, *state: Any) -> Tensor:
        return (left != 0) & test(*state)

    def advance(left: Tensor, *state: Any) -> tuple[Any, ...]:
        return left - 1, *step(*state)

    left = torch.full((), -1 if maximum_iterations is None else maximum_iterations)
    return tuple(compiled_while_loop(go_on, advance, (left, *values))[1:])


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any,
    length: int | None,
    reverse: bool,
    unroll: int | bool,
) -> tuple[Any, Any]:
    rows = [torch.unbind(x) for x in tree.flatten(xs)] if xs is not None else []
    count = len(rows[0]) if rows else length or 0
    ys: list[Any] = []
    for i in reversed(range(count)) if reverse else range(count):
        x = tree.pack_sequence_as(xs, [row[i] for row in rows]) if rows else None
        carry, y = step(carry, x)
        ys.append(y)
    if reverse:
        ys.reverse()
    return carry, tree.map_structure(lambda *y: torch.stack(y) if y[0] is not None else None, *ys)


# --- transformations -----------------------------------------------------------------------------


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    return torch.vmap(function)(elements)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    return torch.func.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)


class _Replaced(torch.autograd.Function):
    """Passes the last tensors on; their gradient, as a function makes it, goes to the first."""

    @staticmethod
    def forward(ctx: Any, gradient: Callable[..., Any], count: int, *tensors: Tensor) -> Any:
        ctx.gradient = gradient
        ctx.rest = len(tensors) - count
        return tuple(x.view_as(x) for x in tensors[count:])

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Any:
        return None, None, *ctx.gradient(*upstream), *(None,) * ctx.rest


def custom_gradient(function: Callable[..., Any], args: tuple[Tensor, ...]) -> Any:
    value, gradient = function(*args)
    if not any(x.requires_grad for x in args):
        return value
    leaves = [x.detach() for x in tree.flatten(value)]
    return tree.pack_sequence_as(value, _Replaced.apply(gradient, len(args), *args, *leaves))
