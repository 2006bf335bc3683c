"""Layers that make sequences, images and volumes a whole multiple as large."""

from typing import Any

from mlapi import ops
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Tensor
from mlapi.validation import Choice, ints, positive_int
from mlapi.validation import data_format as checked_data_format

_interpolation = Choice("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class _UpSampling(Layer):
    """What the three of them share."""

    rank: int  # number of spatial axes
    size: Any
    data_format = "channels_last"
    interpolation = "nearest"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x`, enlarged."""
        return ops.image.enlarge(x, self.size, self.interpolation, self.data_format)


class UpSampling1D(_UpSampling):
    """Repeats each step of a sequence.

    Args:
        size: how many times.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, time * size, channels)`.

    Example:
        >>> from mlapi import layers, ops
        >>> y = layers.UpSampling1D(2)([[[1.0], [2.0]]])
        >>> ops.convert_to_numpy(y).ravel().tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive_int(self, "size", size)


class UpSampling2D(_UpSampling):
    """Makes images a whole multiple as high and as wide.

    Args:
        size: how many times, an integer or two for height and width.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        interpolation: `"nearest"` repeats pixels; `"bilinear"`, `"bicubic"`, `"lanczos3"` and
            `"lanczos5"` mix neighbours, see `mlapi.ops.image.resize`.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, height, width, channels)` → `(batch, height * size[0], width * size[1],
    channels)`. Images of integers stay integers.

    Example:
        >>> from mlapi import layers, ops
        >>> y = layers.UpSampling2D((1, 2), interpolation="bilinear")([[[[0.0], [4.0]]]])
        >>> ops.convert_to_numpy(y).ravel().tolist()
        [0.0, 1.0, 3.0, 4.0]
    """

    rank = 2

    def __init__(
        self,
        size: int | tuple[int, int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = ints(2)(self, "size", size)
        self.data_format = checked_data_format(self, data_format)
        self.interpolation = _interpolation(self, "interpolation", interpolation)


class UpSampling3D(_UpSampling):
    """Repeats the values of volumes along all three axes.

    Args:
        size: how many times, an integer or three.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, depth, height, width, channels)` → the same with each size multiplied.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.UpSampling3D((1, 2, 3))(ops.ones((1, 2, 2, 2, 4))))
        (1, 2, 4, 6, 4)
    """

    rank = 3

    def __init__(
        self,
        size: int | tuple[int, int, int] = (2, 2, 2),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = ints(3)(self, "size", size)
        self.data_format = checked_data_format(self, data_format)
