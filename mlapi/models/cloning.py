"""Copies of models, with other layers or other inputs where asked for."""

from collections.abc import Callable
from typing import Any

from mlapi import tree
from mlapi.errors import ArgumentError
from mlapi.graph import SymbolicTensor, symbols_in
from mlapi.layers import InputLayer, Layer
from mlapi.models.functional import Functional
from mlapi.models.model import Model
from mlapi.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A new model of the same architecture, with weights of its own.

    Args:
        model: the model.
        input_tensors: symbolic tensors to be its inputs, in the structure of `model.inputs`.
        clone_function: makes the copy of each layer; by default from its config. For functional and
            sequential models only, as what follows.
        call_function: `call_function(layer, *args, **kwargs)` calls the copies, in place of
            `layer(*args, **kwargs)`.
        recursive: whether the two functions reach into models inside the model.
        **kwargs: kept for programs written for Keras.

    Raises:
        ArgumentError: arguments that a subclassed model cannot follow, or inputs that do not fit.

    Example:
        >>> import mlapi
        >>> model = mlapi.Sequential([mlapi.Input((4,)), mlapi.layers.Dense(2)])
        >>> mlapi.models.clone_model(model).output_shape
        (None, 2)
    """
    chosen = clone_function, call_function, input_tensors
    if all(argument is None for argument in chosen):
        return _from_config(model)
    if not isinstance(model, Functional):
        raise ArgumentError(
            f'clone_model: "{model.name}" is a subclassed model, which is copied from its config '
            "alone: leave input_tensors, clone_function and call_function out."
        )
    return _Cloner(clone_function, call_function, recursive).functional(model, input_tensors)


def _from_config(layer: Any) -> Any:
    clone = type(layer).from_config(layer.get_config())
    if layer.built and not clone.built:
        clone.build_from_config(layer.get_build_config() or {})
    return clone


class _Cloner:
    def __init__(
        self,
        clone: Callable[[Layer], Layer] | None,
        call: Callable[..., Any] | None,
        recursive: bool,
    ) -> None:
        self.clone = clone or (lambda layer: type(layer).from_config(layer.get_config()))
        self.call = call or (lambda layer, *args, **kwargs: layer(*args, **kwargs))
        self.recursive = recursive

    def functional(self, model: Functional, input_tensors: Any) -> Model:
        """The calls of the model made again, on the copies of its layers."""
        if isinstance(model, Sequential) and not model.built:
            return Sequential(
                list(map(self.layer, model.layers)), name=model.name, trainable=model.trainable
            )
        inputs = model.inputs
        new_inputs = self._inputs(model, input_tensors)
        known = {id(old): new for old, new in zip(inputs, new_inputs, strict=True)}
        copies: dict[int, Any] = {}
        for node in model._compile().nodes:
            fn = node.fn
            if isinstance(fn, Layer):
                if id(fn) not in copies:
                    copies[id(fn)] = self.layer(fn)
                fn = copies[id(fn)]
            given = tree.map_structure(lambda x: known.get(id(x), x), (node.args, node.kwargs))
            args, kwargs = given
            out = self.call(fn, *args, **kwargs) if isinstance(fn, Layer) else fn(*args, **kwargs)
            known.update((id(t), o) for t, o in zip(node.outputs, symbols_in(out), strict=True))

        def new(structure: Any) -> Any:
            return tree.map_structure(
                lambda x: known[id(x)] if type(x) is SymbolicTensor else x, structure
            )

        if isinstance(model, Sequential):
            stack = [copies[id(layer)] for layer in model.layers]
            return Sequential([new_inputs[0], *stack], name=model.name, trainable=model.trainable)
        return Functional(new(model.input), new(model.output), name=model.name)

    def layer(self, layer: Layer) -> Any:
        if self.recursive and isinstance(layer, Functional):
            return self.functional(layer, None)
        return self.clone(layer)

    def _inputs(self, model: Functional, given: Any) -> list[SymbolicTensor]:
        if given is None:
            return [
                InputLayer(batch_shape=t.shape, dtype=t.dtype, name=t.name).output
                for t in model.inputs
            ]
        flat = tree.flatten(given)
        if len(flat) != len(model.inputs) or any(type(t) is not SymbolicTensor for t in flat):
            raise ArgumentError(
                f"clone_model: input_tensors must be {len(model.inputs)} symbolic tensors, made by "
                f"mlapi.Input; received {given!r}."
            )
        return flat
