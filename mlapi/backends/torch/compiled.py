"""A function as one compiled graph on torch: run once on stand-ins, what it did is compiled.

`torch.compile` reads a function's bytecode, which takes seconds, refuses what it does not know, and
checks at every call that nothing that it saw has changed. Here the function is run, as jax does it:
autograd, the optimizer's arithmetic and all writes to Variables become one graph of tensors, which
TorchInductor compiles. A call then costs a look at its arguments, and the kernels.
"""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from mlapi import tree
from mlapi.backends.torch import core
from mlapi.errors import ArgumentError


def compiled(fn: Callable[..., Any], variables: Sequence[Any]) -> Callable[..., Any]:
    """`fn` with a graph for every structure, shape and dtype of its arguments.

    Where there can be no graph `fn` itself runs, and one warning says why.
    """
    graphs: dict[Any, Callable[[list[torch.Tensor]], Any] | None] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        tensors: list[torch.Tensor] = []
        key = _signature((args, kwargs), tensors)
        if core.is_compiling() or _takes_part_in_a_gradient(tensors):
            return fn(*args, **kwargs)
        if key in graphs:
            graph = graphs[key]
            return fn(*args, **kwargs) if graph is None else graph(tensors)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of torch about itself
                graph = graphs[key] = _Graph(fn, (args, kwargs), tensors, variables)
        except ArgumentError:
            raise
        except Exception as error:  # noqa: BLE001  # of whatever kind, the graph is a bonus
            out = fn(*args, **kwargs)  # where the mistake is in `fn`, this says so
            if None not in graphs.values():
                _warn(error)
            graphs[key] = None
            return out
        return graph(tensors)

    return call


def _warn(error: Exception) -> None:
    cause = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
    warnings.warn(f"jit_compile=True: this runs uncompiled, because of {cause}", stacklevel=3)


def _takes_part_in_a_gradient(tensors: list[torch.Tensor]) -> bool:
    """Whether somebody outside wants to go back through the call, which a graph cannot."""
    return torch.is_grad_enabled() and any(x.requires_grad for x in tensors)


def _signature(x: Any, tensors: list[torch.Tensor]) -> Any:
    """What a graph is made for: structure, layout and dtype of tensors, other values as they are.

    Collects the tensors.
    """
    kind = type(x)
    if isinstance(x, torch.Tensor):
        tensors.append(x)
        return x.shape, x.stride(), x.dtype, x.device
    if kind is tuple or kind is list:
        return kind, *[_signature(item, tensors) for item in x]
    if kind is dict:
        return kind, *[(name, _signature(item, tensors)) for name, item in x.items()]
    if isinstance(x, np.ndarray):
        tensors.append(core.convert(x))
        return np.ndarray, x.shape, x.dtype
    return kind, x


class _Graph:
    """One compiled graph: of some tensors and of all Variables, which it overwrites in place."""

    def __init__(
        self,
        fn: Callable[..., Any],
        structure: Any,
        tensors: list[torch.Tensor],
        variables: Sequence[Any],
    ) -> None:
        from torch._inductor import compile as compile_graph
        from torch.fx.experimental.proxy_tensor import make_fx

        flat = tree.flatten(structure)
        places = [i for i, x in enumerate(flat) if isinstance(x, torch.Tensor | np.ndarray)]
        count = len(variables)
        out: Any = None

        def run(*given: torch.Tensor) -> list[torch.Tensor]:
            nonlocal out
            filled = list(flat)
            for i, x in zip(places, given[count:], strict=True):
                filled[i] = x
            args, kwargs = tree.pack_sequence_as(structure, filled)
            with core.standing_in(variables, given[:count]):
                out = fn(*args, **kwargs)
            return [x for x in tree.flatten(out) if isinstance(x, torch.Tensor)]

        self._variables = list(variables)
        inputs = [*(v._storage for v in variables), *tensors]
        trace = make_fx(run, tracing_mode="fake", _allow_non_fake_inputs=True)
        graph = trace(*inputs)
        with torch.no_grad():
            self._run = compile_graph(graph, inputs)
        leaves = tree.flatten(out)
        self._others = [None if isinstance(x, torch.Tensor) else x for x in leaves]
        self._places = [i for i, x in enumerate(leaves) if isinstance(x, torch.Tensor)]
        self._structure = tree.map_structure(lambda x: 0, out)

    def __call__(self, tensors: list[torch.Tensor]) -> Any:
        recording = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)
        try:
            found = self._run(*[v._storage for v in self._variables], *tensors)
        finally:
            torch._C._set_grad_enabled(recording)
        leaves = list(self._others)
        for i, x in zip(self._places, found, strict=True):
            leaves[i] = x
        return tree.pack_sequence_as(self._structure, leaves)
