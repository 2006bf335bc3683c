"""Layers that prepare raw data inside the model: Rescaling."""

from typing import Any

import numpy as np

from mlapi import ops
from mlapi.errors import ArgumentTypeError
from mlapi.layers.base import Layer
from mlapi.types import Tensor


class Rescaling(Layer):
    """Computes `x * scale + offset`, in training and in prediction alike.

    `Rescaling(1 / 255)` brings bytes to the range 0 to 1, `Rescaling(1 / 127.5, offset=-1)` to
    -1 to 1. Integer inputs become the layer's float dtype.

    Args:
        scale: a number, or a list with one number for each channel.
        offset: a number, or a list with one number for each channel.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input; lists go along its last axis.

    Example:
        >>> from mlapi import layers, ops
        >>> y = layers.Rescaling(0.5, offset=-1)([[0, 2, 4]])
        >>> ops.convert_to_numpy(y).tolist()
        [[-1.0, 0.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _numbers(self, "scale", scale)
        self.offset = _numbers(self, "offset", offset)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x * scale + offset`."""
        scale, offset = self.convert_weight(self.scale), self.convert_weight(self.offset)
        return ops.add(ops.multiply(ops.cast(x, self.compute_dtype), scale), offset)

    def convert_weight(self, w: Any) -> Any:
        """Returns a list of numbers as a tensor of the computation's dtype, a number as it is."""
        return ops.cast(w, self.compute_dtype) if isinstance(w, list) else w


def _numbers(layer: Layer, name: str, value: Any) -> Any:
    """A float, or a list of one number a channel."""
    try:
        array = np.asarray(value, "float64")
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f'Rescaling "{layer.name}": {name} must be a number or a list of numbers, '
            f"received {value!r}."
        ) from None
    return array.tolist()
