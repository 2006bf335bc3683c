"""A plain stack of layers."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlapi import naming, serialization, tree
from mlapi.errors import ArgumentError, NotBuiltError
from mlapi.graph import SymbolicTensor
from mlapi.layers import Input, InputLayer, Layer
from mlapi.models.functional import Functional
from mlapi.state import scope


class Sequential(Functional):
    """Layers that feed one another in order.

    Args:
        layers: list of layers; the first may be an `Input`, else the shape is taken from the
            first layer's `input_shape` argument or from the first data.
        name: of the model.

    Example:
        >>> import mlapi
        >>> model = mlapi.Sequential([mlapi.Input((4,)), mlapi.layers.Dense(2)])
        >>> model.output_shape
        (None, 2)
    """

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        Layer.__init__(self, name=name, trainable=trainable, **kwargs)
        self._stack: list[Layer] = []
        self._program_layers: list[Layer] = []
        self._first: SymbolicTensor | None = None
        self._last: SymbolicTensor | None = None
        self._program = None
        self._single_input = True
        self._input_dtypes: list[str] = []
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top."""
        if type(layer) is SymbolicTensor:
            layer = layer.node.fn if layer.node is not None else layer
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f'Sequential "{self.name}": only layers can be added, received '
                f"{type(layer).__name__}. Wrap a function as mlapi.layers.Lambda(function)."
            )
        if any(layer.name == other.name for other in self._stack) and layer not in self._stack:
            if layer.built:
                raise ArgumentError(
                    f'Sequential "{self.name}" has a layer named "{layer.name}" already; give '
                    "the new one another name."
                )
            layer.name = naming.unique_name(layer.name, {other.name for other in self._stack})
        if isinstance(layer, InputLayer):
            if self._stack or self._first is not None:
                raise ArgumentError(
                    f'Sequential "{self.name}": the input must be added before all layers.'
                )
            self._first = self._last = layer.output
            return
        if not self._stack and self._first is None:
            if layer.declared_shape is not None:
                self._first = Input(batch_shape=layer.declared_shape)
            elif isinstance(layer, Functional) and layer.built:
                first = layer.inputs[0]
                self._first = Input(batch_shape=first.shape, dtype=first.dtype)
            self._last = self._first
        self._stack.append(layer)
        if self._last is not None:
            try:
                self._extend(layer)
            except BaseException:
                self._stack.pop()
                raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the topmost layer off."""
        if not self._stack:
            raise ArgumentError(f'Sequential "{self.name}" has no layers to pop.')
        layer = self._stack.pop()
        if self._first is not None:
            self._restart(self._first)
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Make the variables for inputs of this shape."""
        if self._first is None:
            if input_shape is None or not tree.is_shape(input_shape):
                raise NotBuiltError(
                    f'Sequential "{self.name}" takes one tensor; received {input_shape!r}.'
                )
            if not self._stack:
                raise NotBuiltError(f'Sequential "{self.name}" has no layers; add some first.')
            self._restart(Input(batch_shape=input_shape))

    def _build_in_call(self, *shapes: Any, **named: Any) -> None:
        if shapes and tree.is_shape(shapes[0]):
            shapes = ((None, *shapes[0][1:]),)  # the next batch may have another size
        super()._build_in_call(*shapes, **named)

    def _extend(self, layer: Layer) -> None:
        outer = scope.path
        if not self._building:  # else the path ends with this model already
            scope.path = (*outer, self.name)
        try:
            out = layer(self._last)
        finally:
            scope.path = outer
        if type(out) is not SymbolicTensor and layer is not self._stack[-1]:
            raise ArgumentError(
                f'Sequential "{self.name}": {layer.name} has several outputs, which the next '
                "layer cannot take; use the functional interface, Model(inputs, outputs)."
            )
        self._last = out
        self._set_program(self._first, out)

    def _restart(self, first: SymbolicTensor) -> None:
        self._first = self._last = first
        self.built = False
        for layer in self._stack:
            self._extend(layer)

    @property
    def layers(self) -> list[Layer]:
        return list(self._stack)

    def _state_of(self) -> Iterator[tuple[str, Any]]:
        yield from ((layer.name, layer) for layer in self._stack)
        yield from (
            (n, v)
            for n, v in Layer._state_of(self)
            if not n.startswith(("_stack", "_program_layers"))
        )

    @property
    def input_shape(self) -> Any:
        self._check_built()
        return super().input_shape

    @property
    def output_shape(self) -> Any:
        self._check_built()
        return super().output_shape

    @property
    def inputs(self) -> list[SymbolicTensor]:
        self._check_built()
        return super().inputs

    @property
    def outputs(self) -> list[SymbolicTensor]:
        self._check_built()
        return super().outputs

    @property
    def output_names(self) -> list[str]:
        return super().output_names if self.built else [self._stack[-1].name]

    def _check_built(self) -> None:
        if not self.built:
            raise NotBuiltError(
                f'Sequential "{self.name}" is not built: add an Input first, or call it on data.'
            )

    def get_config(self) -> dict[str, Any]:
        layers = list(self._stack)
        if self._first is not None:
            layers.insert(0, self._first.node.fn)
        return {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self.dtype_policy.name,
            "layers": [serialization.serialize(layer) for layer in layers],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Sequential":
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        for layer in config["layers"]:
            model.add(serialization.deserialize(layer, custom_objects=custom_objects))
        if model._first is None and config.get("build_input_shape"):
            model.build(tuple(config["build_input_shape"]))
        return model
