"""Pooling over sequences, images and volumes: by windows, and over the whole input.

The rank is the only difference between the layers of one kind.
"""

from collections.abc import Callable
from typing import Any

from mlapi import ops
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Tensor
from mlapi.validation import Choice, boolean, ints
from mlapi.validation import data_format as checked_data_format

_padding = Choice("valid", "same")


class _Pooling(Layer):
    """One number for each window and channel."""

    rank: int  # number of spatial axes
    _pool: Callable[..., Tensor]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        sizes = ints(self.rank)
        self.pool_size = sizes(self, "pool_size", pool_size)
        self.strides = self.pool_size if strides is None else sizes(self, "strides", strides)
        self.padding = _padding(self, "padding", padding)
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, x: Tensor) -> Tensor:
        """Returns the pooled windows of `x`."""
        return self._pool(x, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(_Pooling):
    """The largest value of each window of a sequence, channel by channel.

    Args:
        pool_size: length of the window, in steps.
        strides: steps from one window to the next; None for `pool_size`.
        padding: `"valid"` keeps the windows inside the input, `"same"` lets them reach beyond
            it, so that nothing at the end is lost.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        name: name of the layer.
        **kwargs: `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, new time, channels)`.
    """

    rank = 1
    _pool = staticmethod(ops.max_pool)


class MaxPooling2D(_Pooling):
    """The largest value of each window of an image, channel by channel.

    The arguments are those of `MaxPooling1D`; sizes are an integer or two.

    Shapes: `(batch, height, width, channels)` → `(batch, new height, new width, channels)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.MaxPooling2D(2)(ops.ones((1, 8, 8, 3))))
        (1, 4, 4, 3)
    """

    rank = 2
    _pool = staticmethod(ops.max_pool)


class MaxPooling3D(_Pooling):
    """The largest value of each window of a volume, channel by channel.

    The arguments are those of `MaxPooling1D`; sizes are an integer or three.

    Shapes: `(batch, depth, height, width, channels)` → the same with new sizes.
    """

    rank = 3
    _pool = staticmethod(ops.max_pool)


class AveragePooling1D(_Pooling):
    """The mean of each window of a sequence, channel by channel.

    Args:
        pool_size: length of the window, in steps.
        strides: steps from one window to the next; None for `pool_size`.
        padding: `"valid"` keeps the windows inside the input, `"same"` lets them reach beyond
            it; only values of the input count for the mean.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        name: name of the layer.
        **kwargs: `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, new time, channels)`.
    """

    rank = 1
    _pool = staticmethod(ops.average_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window of an image, channel by channel.

    The arguments are those of `AveragePooling1D`; sizes are an integer or two.

    Shapes: `(batch, height, width, channels)` → `(batch, new height, new width, channels)`.
    """

    rank = 2
    _pool = staticmethod(ops.average_pool)


class AveragePooling3D(_Pooling):
    """The mean of each window of a volume, channel by channel.

    The arguments are those of `AveragePooling1D`; sizes are an integer or three.

    Shapes: `(batch, depth, height, width, channels)` → the same with new sizes.
    """

    rank = 3
    _pool = staticmethod(ops.average_pool)


class _GlobalPooling(Layer):
    """One number for each channel."""

    rank: int
    _reduce: Callable[..., Tensor]

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(self, data_format)
        self.keepdims = boolean(self, "keepdims", keepdims)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))

    def call(self, x: Tensor) -> Tensor:
        """Returns one number for each channel of `x`."""
        return self._reduce(x, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over all time steps that the mask lets count.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        keepdims: whether the time axis stays, with size 1.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, channels)`; a mask is `(batch, time)`.
    """

    rank = 1
    _reduce = staticmethod(ops.mean)

    def call(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the mean of the steps of `x` where `mask` is True, 0 where there are none."""
        if mask is None:
            return super().call(x)
        time = self._axes[0]
        weights = ops.expand_dims(ops.cast(mask, self.compute_dtype), 3 - time)
        total = ops.sum(x * weights, axis=time, keepdims=self.keepdims)
        count = ops.sum(weights, axis=time, keepdims=self.keepdims)
        return total / ops.maximum(count, 1.0)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> None:
        """Returns None: there is no time axis any more."""


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel of an image.

    The arguments are those of `GlobalAveragePooling1D`.

    Shapes: `(batch, height, width, channels)` → `(batch, channels)`.
    """

    rank = 2
    _reduce = staticmethod(ops.mean)


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean of each channel of a volume.

    The arguments are those of `GlobalAveragePooling1D`.

    Shapes: `(batch, depth, height, width, channels)` → `(batch, channels)`.
    """

    rank = 3
    _reduce = staticmethod(ops.mean)


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest value of each channel of a sequence.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        keepdims: whether the pooled axes stay, with size 1.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, channels)`.
    """

    rank = 1
    _reduce = staticmethod(ops.max)


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest value of each channel of an image.

    The arguments are those of `GlobalMaxPooling1D`.

    Shapes: `(batch, height, width, channels)` → `(batch, channels)`.
    """

    rank = 2
    _reduce = staticmethod(ops.max)


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest value of each channel of a volume.

    The arguments are those of `GlobalMaxPooling1D`.

    Shapes: `(batch, depth, height, width, channels)` → `(batch, channels)`.
    """

    rank = 3
    _reduce = staticmethod(ops.max)


MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
