"""Layers that give up their intermediate results and compute them anew for the gradient."""

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

from mlapi import activations, tree
from mlapi.graph import infer
from mlapi.layers.arguments import specs_with_others
from mlapi.transforms import remat
from mlapi.validation import Choice, non_negative_int, optional

_mode = optional(Choice("full", "activations", "larger_than", "list_of_layers"))


class _Stack(threading.local):
    innermost: "RematScope | None" = None


_scopes = _Stack()


class RematScope:
    """A stretch of code in which new layers are made to save memory, see `remat`.

    Args:
        mode: which layers: `"full"` for all but models; `"activations"` for those with an argument
            `activation`, and of them the activation only; `"larger_than"` for those whose output
            has more numbers than `output_size_threshold`, the batch axis not counted;
            `"list_of_layers"` for those named in `layer_names`; None for no layer.
        output_size_threshold: see `mode`.
        layer_names: see `mode`.

    Raises:
        ArgumentError: an unknown mode.

    Example:
        >>> import mlapi
        >>> with mlapi.RematScope("full"):
        ...     layer = mlapi.layers.Dense(512, activation="gelu")
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        self.mode = _mode(self, "mode", mode)
        self.output_size_threshold = non_negative_int(
            self, "output_size_threshold", output_size_threshold
        )
        self.layer_names = list(layer_names or ())

    def __enter__(self) -> Self:
        self._outer = _scopes.innermost
        _scopes.innermost = self
        return self

    def __exit__(self, *exc: object) -> None:
        _scopes.innermost = self._outer


def current() -> RematScope | None:
    """The innermost scope around, or None."""
    return _scopes.innermost


def rematerialized(layer: Any, call: Callable[..., Any], scope: RematScope) -> Callable[..., Any]:
    """`call` of a layer, or what takes its place in a scope."""
    if scope.mode == "full" or (scope.mode == "list_of_layers" and layer.name in scope.layer_names):
        return remat(call)
    if scope.mode == "activations":
        return _with_cheap_activation(layer, call)
    if scope.mode == "larger_than":
        return _if_large(layer, call, scope.output_size_threshold)
    return call


def _with_cheap_activation(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        activation = getattr(layer, "activation", None)
        if not callable(activation) or activation is activations.linear:
            return call(*args, **kwargs)
        layer.activation = remat(activation)
        try:
            return call(*args, **kwargs)
        finally:
            layer.activation = activation

    return run


def _if_large(layer: Any, call: Callable[..., Any], threshold: int) -> Callable[..., Any]:
    chosen: list[Callable[..., Any]] = []  # at the first call, when shapes are known

    def run(*args: Any, **kwargs: Any) -> Any:
        if not chosen:
            arguments, named = specs_with_others((args, kwargs))
            outputs = tree.flatten(infer(call, arguments, named, layer.variables))
            sizes = [math.prod(n or 1 for n in getattr(x, "shape", ())[1:]) for x in outputs]
            chosen.append(remat(call) if max(sizes, default=0) > threshold else call)
        return chosen[0](*args, **kwargs)

    return run
