"""`Bidirectional`: a recurrent layer and its mirror image, over the same sequence."""

from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any

from mlapi import ops, tree
from mlapi.catalog import custom_object_scope
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.layers.arguments import signature
from mlapi.layers.base import Layer
from mlapi.layers.wrapper import checked_layer, read_inner, write_inner
from mlapi.types import Shape, Tensor
from mlapi.validation import Choice

_merge_mode = Choice("sum", "mul", "ave", "concat")
_COMMON = ("stateful", "return_sequences", "return_state")


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and another backwards, and puts their outputs together.

    Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997. At each time, the output
    is made of what comes before and of what comes after. Padding that a mask leaves out counts in
    neither direction, and outputs are 0 there.

    Weights: those of `forward_layer`, then those of `backward_layer`.

    Args:
        layer: a layer such as `LSTM`, `GRU`, `RNN`, `ConvLSTM2D`, or one of your own with
            `go_backwards`, `return_sequences`, `return_state` and `stateful`. Both directions get a
            copy of it, so its own weights are not used.
        merge_mode: `"concat"` along the last axis, `"sum"`, `"ave"` (the mean) or `"mul"`; None
            returns both outputs.
        weights: first values of all weights, in their order.
        backward_layer: what goes backwards instead of a copy of `layer`; its `go_backwards` must be
            the opposite of that of `layer`. It is used itself.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, features)` → `(batch, 2 * units)` with `"concat"`, `(batch, units)`
    otherwise; with the time as second axis if the layer has `return_sequences`. With
    `return_state`, the last states follow, those of the forward layer first; `initial_state` has
    them in the same order.

    Raises:
        ArgumentTypeError: `layer` is no layer, or no recurrent one.
        ArgumentError: the two layers do not fit together.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Bidirectional(layers.LSTM(4))(ops.ones((2, 5, 3))))
        (2, 8)
    """

    supports_masking = True

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._checked(layer, "layer")
        if merge_mode is not None:
            merge_mode = _merge_mode(self, "merge_mode", merge_mode)
        self.merge_mode = merge_mode
        self.forward_layer: Any = _copy(layer, "forward", layer.go_backwards)
        if backward_layer is None:
            self.backward_layer: Any = _copy(layer, "backward", not layer.go_backwards)
        else:
            self.backward_layer = self._checked(backward_layer, "backward_layer")
            self._compare(layer, backward_layer)
        for each in (self.forward_layer, self.backward_layer):
            if hasattr(each, "zero_output_for_mask"):
                each.zero_output_for_mask = each.return_sequences
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.input_spec = layer.input_spec
        self._first_weights = None if weights is None else list(weights)

    def _checked(self, layer: Any, name: str) -> Any:
        checked_layer(self, name, layer)
        missing = [part for part in ("go_backwards", *_COMMON) if not hasattr(layer, part)]
        if missing:
            raise ArgumentTypeError(
                f'Bidirectional "{self.name}": {name} must be a recurrent layer, '
                f"{type(layer).__name__} has no {missing[0]!r}."
            )
        return layer

    def _compare(self, layer: Any, other: Any) -> None:
        where = f'Bidirectional "{self.name}": layer and backward_layer must'
        if layer.go_backwards == other.go_backwards:
            raise ArgumentError(
                f"{where} go in different directions, both have go_backwards={other.go_backwards}."
            )
        for name in _COMMON:
            mine, its = getattr(layer, name), getattr(other, name)
            if mine != its:
                raise ArgumentError(f"{where} have the same {name}, received {mine} and {its}.")

    def build(  # pyright: ignore[reportIncompatibleMethodOverride]  # one shape for each input
        self, sequences_shape: Shape, initial_state_shape: Any = None
    ) -> None:
        """Builds both layers."""
        for each in (self.forward_layer, self.backward_layer):
            if not each.built:
                each._build_in_call(sequences_shape)
        self.input_spec = self.forward_layer.input_spec
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        """Returns the outputs of both, put together, and with `return_state` the last states."""
        ahead, back = self._halves(initial_state)
        y, states = self._one_way(self.forward_layer, sequences, ahead, mask, training)
        y_back, states_back = self._one_way(self.backward_layer, sequences, back, mask, training)
        if self.return_sequences:
            y_back = ops.flip(y_back, axis=1)
        merged = self._merged(y, y_back)
        if not self.return_state:
            return merged
        return (*(merged if self.merge_mode is None else (merged,)), *states, *states_back)

    def _halves(self, initial_state: Any) -> tuple[Any, Any]:
        if initial_state is None:
            return None, None
        if not isinstance(initial_state, (list, tuple)) or len(initial_state) % 2:
            raise ArgumentError(
                f'Bidirectional "{self.path}": initial_state must be a list of the states of the '
                "forward layer and, after them, as many of the backward layer."
            )
        half = len(initial_state) // 2
        return list(initial_state[:half]), list(initial_state[half:])

    def _one_way(
        self, layer: Any, sequences: Tensor, states: Any, mask: Any, training: bool | None
    ) -> tuple[Tensor, list[Any]]:
        info = signature(type(layer))
        options: dict[str, Any] = {}
        if states is not None:
            options["initial_state"] = states
        if mask is not None and info.takes_mask:
            options["mask"] = mask
        if info.takes_training:
            options["training"] = training
        out = layer(sequences, **options)
        y, states = (out[0], list(out[1:])) if self.return_state else (out, [])
        return ops.cast(y, self.compute_dtype), states

    def _merged(self, y: Tensor, y_back: Tensor) -> Any:
        if self.merge_mode is None:
            return y, y_back
        if self.merge_mode == "concat":
            return ops.concatenate([y, y_back], axis=-1)
        if self.merge_mode == "mul":
            return y * y_back
        both = y + y_back
        return both / 2 if self.merge_mode == "ave" else both

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the masks of all outputs: none if only the last is returned."""
        mask = None if previous_mask is None else tree.flatten(previous_mask)[0]
        mask = mask if self.return_sequences else None
        masks = [mask] * (2 if self.merge_mode is None else 1)
        if self.return_state:
            states = (each.state_size for each in (self.forward_layer, self.backward_layer))
            masks += [None] * sum(len(tree.flatten(size)) for size in states)
        return masks if len(masks) > 1 else mask

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Shapes of what the layer returns; those of its initial states do not matter."""
        return super().compute_output_shape(sequences_shape)

    @property
    def states(self) -> tuple[Any, ...] | None:
        """The Variables that stateful layers keep their states in, once they are built."""
        ahead, back = self.forward_layer.states, self.backward_layer.states
        return (*ahead, *back) if ahead and back else None

    def reset_state(self) -> None:
        """Sets the states that stateful layers keep back to what they were at first."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments; the layers are those of the two directions."""
        layers = {"layer": self.forward_layer, "backward_layer": self.backward_layer}
        config = {"name": self.name, "trainable": self._trainable, "dtype": self._dtype}
        config["merge_mode"] = self.merge_mode
        return config | {key: write_inner(each) for key, each in layers.items()}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Layer:
        """Returns a new layer from what `get_config` returned."""
        inner = {
            name: read_inner(config[name], custom_objects)
            for name in ("layer", "backward_layer")
            if config.get(name) is not None
        }
        return super().from_config({**config, **inner})


def _copy(layer: Any, direction: str, go_backwards: bool) -> Any:
    """A layer like `layer`, with weights of its own."""
    record = write_inner(layer)
    name = layer.name.removeprefix(f"{direction}_")
    record["config"] |= {"name": f"{direction}_{name}", "go_backwards": go_backwards}
    with custom_object_scope(_classes_and_functions(layer)):
        copy = read_inner(record)
    if hasattr(layer, "use_cudnn"):
        copy.use_cudnn = layer.use_cudnn
    return copy


def _classes_and_functions(layer: Layer) -> dict[str, Any]:
    """What the record of a layer may name: nobody has to register what is at hand."""
    found: dict[str, Any] = {}
    for part in layer._flatten_layers():
        for value in (part, *vars(part).values()):
            if isinstance(value, FunctionType):
                found[value.__name__] = value
            elif hasattr(value, "get_config") and not isinstance(value, type):
                found[type(value).__name__] = type(value)
    return found
