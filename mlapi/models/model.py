"""`Model`: a layer that can be trained, saved, and looked at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from mlapi import saving, tree
from mlapi.errors import ArgumentError
from mlapi.graph import SymbolicTensor, symbols_in
from mlapi.layers import Layer
from mlapi.models import state_tree, summary
from mlapi.models.state_tree import write as write_state_tree
from mlapi.training.trainer import Trainer


class Model(Trainer, Layer):
    """A layer with `fit`, `evaluate`, `predict`, `save` and `summary`.

    Three ways to make one: `Model(inputs, outputs)` from symbolic tensors, `Sequential`, or a
    subclass that defines `call`.

    Example:
        >>> import mlapi
        >>> x = mlapi.Input((4,))
        >>> model = mlapi.Model(x, mlapi.layers.Dense(2)(x))
        >>> model.output_shape
        (None, 2)
    """

    functional_class: type["Model"] | None = None
    _rematerializes = False  # its layers do

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        kind: Any = cls
        if cls is Model and cls.functional_class and _is_functional(args, kwargs):
            kind = cls.functional_class
        return super().__new__(kind, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or "inputs" in kwargs or "outputs" in kwargs:
            raise ArgumentError(
                f"{type(self).__name__}: inputs and outputs must be symbolic tensors, made by "
                "mlapi.Input and by calling layers on them; received "
                f"{', '.join(type(a).__name__ for a in (*args, *kwargs.values()))}."
            )
        super().__init__(**kwargs)

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside this model, in the order of their use or creation."""
        seen: dict[int, Layer] = {}
        for layer in self._sublayers():
            seen.setdefault(id(layer), layer)
        return list(seen.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that place."""
        layers = self.layers
        if index is not None:
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ArgumentError(
            f"{self._where()} has no layer {name!r}; it has "
            f"{', '.join(repr(layer.name) for layer in layers)}."
        )

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers with output shapes and numbers of parameters."""
        summary.show(self, line_length, print_fn, expand_nested, show_trainable)

    def save(
        self,
        filepath: str | Path,
        overwrite: bool = True,
        zipped: bool | None = None,
        *,
        include_optimizer: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write architecture, weights and training state to one file, `.keras` or `.h5`."""
        saving.save_model(
            self, filepath, overwrite, zipped, include_optimizer=include_optimizer, **kwargs
        )

    def save_weights(self, filepath: str | Path, overwrite: bool = True) -> None:
        """Write the weights: `.weights.h5`, `.safetensors`, or legacy `.h5`."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: str | Path, skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Read weights from a file; nothing changes if the file does not fit."""
        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name)

    def build(self, input_shape: Any) -> None:
        """Make all variables by running `call` on shapes alone."""
        dtype = self.input_dtype
        inputs = tree.map_shape_structure(lambda s: SymbolicTensor(s, dtype), input_shape)
        self.built = True  # the call from here must not build again
        try:
            self._infer((inputs,), {})
        finally:
            self.built = False

    def _build_in_call(self, *shapes: Any, **named: Any) -> None:
        if type(self).build is Model.build:  # `call` is about to run: no need to rehearse it
            self._note_built(shapes, named)
        else:
            super()._build_in_call(*shapes, **named)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """The values of all Variables, by kind and by the parts of their paths.

        Args:
            value_format: `"backend_tensor"` or `"numpy_array"`.

        Returns:
            A dict with the nests `trainable_variables`, `non_trainable_variables`,
            `optimizer_variables` and `metrics_variables`.
        """
        return state_tree.read(self, value_format)

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Assigns what `get_state_tree` returned, or a part of it; nothing if it does not fit."""
        write_state_tree(self, state_tree)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON text."""
        return saving.to_json(self, **kwargs)


def _is_functional(args: tuple, kwargs: dict[str, Any]) -> bool:
    return (len(args) >= 2 and bool(symbols_in(args[:2]))) or (
        ("inputs" in kwargs or bool(args and symbols_in(args[0])))
        and ("outputs" in kwargs or len(args) >= 2)
    )
