"""Gradients and compilation on torch."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false

from collections.abc import Callable, Sequence
from typing import Any

import torch

from mlapi import tree
from mlapi.backends.torch import core, profiling
from mlapi.backends.torch.compiled import compiled
from mlapi.backends.torch.core import convert
from mlapi.errors import not_scalar

profiler = profiling.profiler

# Variables may be made while a step runs: nothing is traced.
LIFTS_STATE = False

# How many gradients are being taken around the current one: inner ones must stay differentiable.
_depth = 0


def _detach(x: Any) -> Any:
    return x.detach() if isinstance(x, torch.Tensor) else x


def is_tracing() -> bool:
    """Whether what runs now becomes part of a graph, where unread results cost nothing."""
    return core.is_compiling()


def guards_python() -> bool:
    """Whether Python state that changes now would be checked again at every call."""
    return core.is_compiling()


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Any] | None, has_aux: bool
) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        global _depth
        if variables is None:
            leaves = [_differentiable(x) for x in tree.flatten(args[0])]
            args = (tree.pack_sequence_as(args[0], leaves), *args[1:])
        else:
            leaves = [v._storage for v in variables]
        _depth += 1
        try:
            with torch.enable_grad():
                out = fn(*args, **kwargs)
                loss, aux = out if has_aux else (out, None)
                grads = _gradients(loss, leaves, create_graph=_depth > 1)
        finally:
            _depth -= 1
        if _depth == 0:
            loss = loss.detach()
            aux = aux.detach() if type(aux) is torch.Tensor else tree.map_structure(_detach, aux)
        if variables is None:
            grads = tree.pack_sequence_as(args[0], grads)
        return ((loss, aux), grads) if has_aux else (loss, grads)

    return run


# What `torch.autograd.grad` calls in the end; its checks in Python take as long as the forward
# pass of a small network.
_run_backward = torch.autograd.Variable._execution_engine.run_backward
_ones: dict[tuple[torch.dtype, torch.device], torch.Tensor] = {}


def _gradients(
    loss: torch.Tensor, leaves: list[torch.Tensor], create_graph: bool
) -> list[torch.Tensor]:
    if loss.ndim:
        raise not_scalar(loss.shape)
    if not leaves:
        return []
    if create_graph or core.is_compiling():
        options = {"create_graph": create_graph, "materialize_grads": True}
        return list(torch.autograd.grad(loss, leaves, **options))
    kind = loss.dtype, loss.device
    one = _ones.get(kind)
    if one is None:
        one = _ones[kind] = torch.ones((), dtype=loss.dtype, device=loss.device)
    grads = _run_backward(
        (loss,), (one,), False, False, tuple(leaves), allow_unreachable=True, accumulate_grad=False
    )
    return [torch.zeros_like(x) if g is None else g for g, x in zip(grads, leaves, strict=True)]


def _differentiable(x: torch.Tensor) -> torch.Tensor:
    return x if x.requires_grad else x.detach().requires_grad_()


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    from torch.utils.checkpoint import checkpoint

    return lambda *tensors: checkpoint(fn, *tensors, use_reentrant=False)


def jit(fn: Callable[..., Any], variables: Sequence[Any], jit_compile: bool | None) -> Callable:
    if not jit_compile:
        return fn
    run = compiled(fn, variables)
    # A gradient that is taken around the call has to go through it.
    return lambda *args, **kwargs: (fn if _depth else run)(*args, **kwargs)


def step(fn: Callable[[Any], Any], variables: Sequence[Any], jit_compile: bool | None) -> Callable:
    """`fn` of one batch, which may hold NumPy arrays."""
    run = compiled(fn, variables) if jit_compile else fn

    def call(batch: Any) -> Any:
        return run(tree.map_structure(_tensor, batch))

    return call


def steps(
    fn: Callable[[Any], Any], variables: Sequence[Any], jit_compile: bool | None
) -> Callable[[list[Any]], Any]:
    """A loop: calls are not what takes the time here."""
    run = step(fn, variables, jit_compile)

    def call(batches: list[Any]) -> Any:
        for batch in batches[:-1]:
            run(batch)
        return run(batches[-1])

    return call


def _tensor(x: Any) -> Any:
    return convert(x) if x is not None else None
