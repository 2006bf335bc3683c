"""`Wrapper`: what layers around another layer have in common."""

from typing import Any

from mlapi.errors import ArgumentTypeError
from mlapi.layers.base import Layer


class Wrapper(Layer):
    """A layer around another one, which it builds with itself; base of `SpectralNormalization`.

    Weights: those of the layer.

    Args:
        layer: the layer inside.
        **kwargs: `name`, `trainable`, `dtype`.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(
                f"{type(self).__name__}: layer must be a layer, received {layer!r}."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside for inputs of this shape."""
        if not self.layer.built:
            self.layer.build(input_shape)
