"""Pooling to an output of a given size, whatever the size of the input."""

from collections.abc import Callable
from typing import Any

from mlapi import ops
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Tensor
from mlapi.validation import data_format as checked_data_format
from mlapi.validation import ints


class _AdaptivePooling(Layer):
    """As many windows as asked for, and one number for each of them and each channel."""

    rank: int  # number of spatial axes
    _pool: Callable[..., Tensor]

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = ints(self.rank)(self, "output_size", output_size)
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, x: Tensor) -> Tensor:
        """Returns the pooled windows of `x`."""
        return self._pool(x, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptivePooling):
    """Means over as many windows of a sequence as asked for, channel by channel.

    Window `i` of `n` goes from step `floor(i * time / n)` up to `ceil((i + 1) * time / n)`, so
    that together they cover the sequence, and may overlap.

    Args:
        output_size: how many windows.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, output_size, channels)`.

    Example:
        >>> from mlapi import layers, ops
        >>> y = layers.AdaptiveAveragePooling1D(2)([[[1.0], [2.0], [6.0]]])
        >>> ops.convert_to_numpy(y).ravel().tolist()
        [1.5, 4.0]
    """

    rank = 1
    _pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling2D(_AdaptivePooling):
    """Means over as many windows of an image as asked for, channel by channel.

    The arguments are those of `AdaptiveAveragePooling1D`; `output_size` is an integer or two.

    Shapes: `(batch, height, width, channels)` → `(batch, *output_size, channels)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.AdaptiveAveragePooling2D((3, 2))(ops.ones((1, 8, 7, 5))))
        (1, 3, 2, 5)
    """

    rank = 2
    _pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling3D(_AdaptivePooling):
    """Means over as many windows of a volume as asked for, channel by channel.

    The arguments are those of `AdaptiveAveragePooling1D`; `output_size` is an integer or three.

    Shapes: `(batch, depth, height, width, channels)` → `(batch, *output_size, channels)`.
    """

    rank = 3
    _pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveMaxPooling1D(_AdaptivePooling):
    """The largest values of as many windows of a sequence as asked for, channel by channel.

    The windows are those of `AdaptiveAveragePooling1D`.

    Args:
        output_size: how many windows.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, output_size, channels)`.

    Example:
        >>> from mlapi import layers, ops
        >>> y = layers.AdaptiveMaxPooling1D(2)([[[1.0], [2.0], [6.0]]])
        >>> ops.convert_to_numpy(y).ravel().tolist()
        [2.0, 6.0]
    """

    rank = 1
    _pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """The largest values of as many windows of an image as asked for, channel by channel.

    The arguments are those of `AdaptiveMaxPooling1D`; `output_size` is an integer or two.

    Shapes: `(batch, height, width, channels)` → `(batch, *output_size, channels)`.
    """

    rank = 2
    _pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """The largest values of as many windows of a volume as asked for, channel by channel.

    The arguments are those of `AdaptiveMaxPooling1D`; `output_size` is an integer or three.

    Shapes: `(batch, depth, height, width, channels)` → `(batch, *output_size, channels)`.
    """

    rank = 3
    _pool = staticmethod(ops.adaptive_max_pool)
