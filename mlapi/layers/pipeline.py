"""`Pipeline`: layers in a row that are one layer, and no model."""

from collections.abc import Sequence
from typing import Any, Self

from mlapi import serialization
from mlapi.errors import ArgumentTypeError
from mlapi.layers.arguments import signature
from mlapi.layers.base import Layer


class Pipeline(Layer):
    """Calls layers in a row, each on what the one before returned.

    Args:
        layers: the layers.
        name: by default made from the class's.

    Raises:
        ArgumentTypeError: one of them is no layer.

    Example:
        >>> from mlapi import layers, ops
        >>> scaled = layers.Pipeline([layers.Rescaling(1 / 255), layers.Flatten()])
        >>> ops.shape(scaled(ops.ones((2, 3, 3))))
        (2, 9)
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        for layer in layers:
            if not isinstance(layer, Layer):
                raise ArgumentTypeError(
                    f'Pipeline "{self.name}": only layers can stand in it, received '
                    f"{type(layer).__name__}."
                )
        self._stages = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return list(self._stages)

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        """Returns what the last layer returns."""
        for layer in self._stages:
            takes_training = signature(type(layer)).takes_training
            inputs = layer(inputs, training=training) if takes_training else layer(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Returns the configs of the layers."""
        return {
            "name": self.name,
            "layers": [serialization.serialize(layer) for layer in self._stages],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns a new pipeline from what `get_config` returned."""
        layers = [serialization.deserialize(layer, family="layers") for layer in config["layers"]]
        return cls(layers, config.get("name"))
