"""Convolutions whose windows look at one channel at a time, with or without a mix afterwards."""

from typing import Any

from mlapi import constraints, initializers, ops, regularizers
from mlapi.layers.convolution import BaseConv
from mlapi.layers.weights import weight
from mlapi.state import Variable
from mlapi.types import Shape, Tensor
from mlapi.validation import positive_int


class _DepthwiseConv(BaseConv):
    """A convolution of each channel by itself."""

    kernel: Variable = weight()

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.depth_multiplier = positive_int(self, "depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for inputs with the channels of `input_shape`."""
        channels = self._expect_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self._add_bias(channels * self.depth_multiplier)

    def call(self, x: Tensor) -> Tensor:
        """Returns the convolution of each channel of `x` with its own kernels."""
        y = ops.depthwise_conv(
            x,
            self.kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
            self.bias,
        )
        return self._activate(y)


class DepthwiseConv1D(_DepthwiseConv):
    """Convolution over sequences that does not mix the channels.

    Weights: `kernel` of shape `(kernel_size, channels, depth_multiplier)`, then `bias` of shape
    `(channels * depth_multiplier,)`.

    Args:
        kernel_size: length of the window, in steps.
        strides: steps from one window to the next.
        padding: `"valid"` keeps the windows inside the input, `"same"` adds zeros around it.
        depth_multiplier: number of output channels for each input channel.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        dilation_rate: distance of the steps that a window looks at.
        activation: name or function; None leaves the values as they are.
        use_bias: whether a bias is added.
        depthwise_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        depthwise_regularizer: penalty on the kernel, added to the loss.
        bias_regularizer: penalty on the bias, added to the loss.
        activity_regularizer: penalty on the output, added to the loss.
        depthwise_constraint: function applied to the kernel after each update.
        bias_constraint: function applied to the bias after each update.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, new time, channels * depth_multiplier)`.
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """Convolution over images that does not mix the channels.

    Weights: `kernel` of shape `(height, width, channels, depth_multiplier)`, then `bias` of
    shape `(channels * depth_multiplier,)`. The arguments are those of `DepthwiseConv1D`, save
    that `kernel_size`, `strides` and `dilation_rate` are an integer or two.

    Shapes: `(batch, height, width, channels)` →
    `(batch, new height, new width, channels * depth_multiplier)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.DepthwiseConv2D(3, depth_multiplier=2)(ops.ones((2, 9, 9, 3))))
        (2, 7, 7, 6)
    """

    rank = 2


class _SeparableConv(BaseConv):
    """A convolution of each channel by itself, then one over single places that mixes them."""

    depthwise_kernel: Variable = weight()
    pointwise_kernel: Variable = weight()

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.filters = self._checked_filters(filters)
        self.depth_multiplier = positive_int(self, "depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for inputs with the channels of `input_shape`."""
        channels = self._expect_channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*[1] * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Returns the channels of `x`, each convolved with its own kernels, mixed."""
        y = ops.separable_conv(
            x,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
            self.bias,
        )
        return self._activate(y)


class SeparableConv1D(_SeparableConv):
    """Convolution over sequences, channel by channel, and a mix of the channels.

    It has far fewer weights than a `Conv1D` of the same window, since none of them is for a
    place and a pair of channels. Chollet, "Xception: deep learning with depthwise separable
    convolutions", 2017 (arXiv:1610.02357).

    Weights: `depthwise_kernel` of shape `(kernel_size, channels, depth_multiplier)`,
    `pointwise_kernel` of shape `(1, channels * depth_multiplier, filters)`, then `bias` of shape
    `(filters,)`.

    Args:
        filters: number of output channels.
        kernel_size: length of the window, in steps.
        strides: steps from one window to the next.
        padding: `"valid"` keeps the windows inside the input, `"same"` adds zeros around it.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        dilation_rate: distance of the steps that a window looks at; not above 1 together with
            `strides`.
        depth_multiplier: number of channels made of each input channel before they are mixed.
        activation: name or function; None leaves the values as they are.
        use_bias: whether a bias is added.
        depthwise_initializer: first values of the depthwise kernel.
        pointwise_initializer: first values of the pointwise kernel.
        bias_initializer: first values of the bias.
        depthwise_regularizer: penalty on the depthwise kernel, added to the loss.
        pointwise_regularizer: penalty on the pointwise kernel, added to the loss.
        bias_regularizer: penalty on the bias, added to the loss.
        activity_regularizer: penalty on the output, added to the loss.
        depthwise_constraint: function applied to the depthwise kernel after each update.
        pointwise_constraint: function applied to the pointwise kernel after each update.
        bias_constraint: function applied to the bias after each update.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, new time, filters)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.SeparableConv1D(8, 3, padding="same")(ops.ones((2, 10, 4))))
        (2, 10, 8)
    """

    rank = 1


class SeparableConv2D(_SeparableConv):
    """Convolution over images, channel by channel, and a mix of the channels.

    Weights: `depthwise_kernel` of shape `(height, width, channels, depth_multiplier)`,
    `pointwise_kernel` of shape `(1, 1, channels * depth_multiplier, filters)`, then `bias` of
    shape `(filters,)`. The arguments are those of `SeparableConv1D`, save that `kernel_size`,
    `strides` and `dilation_rate` are an integer or two.

    Shapes: `(batch, height, width, channels)` → `(batch, new height, new width, filters)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.SeparableConv2D(8, 3, strides=2)(ops.ones((2, 9, 9, 3))))
        (2, 4, 4, 8)
    """

    rank = 2


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
