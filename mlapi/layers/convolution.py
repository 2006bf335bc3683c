"""Convolutions over sequences, images and volumes.

The rank is the only difference between them: one base class holds the arguments and the weights.
Those that enlarge are in `transposed_convolution`, those that treat channels one by one in
`separable_convolution`.
"""

from typing import Any

from mlapi import activations, constraints, initializers, ops, regularizers
from mlapi.errors import ArgumentError
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.weights import weight
from mlapi.state import Variable
from mlapi.types import Shape, Tensor
from mlapi.validation import Choice, boolean, ints, positive_int
from mlapi.validation import data_format as checked_data_format

_padding = Choice("valid", "same")
_padding_1d = Choice("valid", "same", "causal")


class BaseConv(Layer):
    """What all convolutions share: geometry, filters, bias and activation."""

    rank: int  # number of spatial axes
    _paddings = _padding

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sizes = ints(self.rank)
        self.kernel_size = sizes(self, "kernel_size", kernel_size)
        self.strides = sizes(self, "strides", strides)
        self.padding = self._paddings(self, "padding", padding)
        self.data_format = checked_data_format(self, data_format)
        self.dilation_rate = sizes(self, "dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": strides={self.strides} and '
                f"dilation_rate={self.dilation_rate} cannot both be above 1. Set one of them to 1."
            )
        self.activation = activations.get(activation)
        self.use_bias = boolean(self, "use_bias", use_bias)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.bias = None
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _expect_channels(self, input_shape: Shape) -> int:
        """The number of input channels, which later inputs must have too."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        if channels is None:
            raise ArgumentError(
                f'{type(self).__name__} "{self.path}": the number of channels of the input '
                f"{tuple(input_shape)} is unknown. Give it in Input(shape=…)."
            )
        return channels

    def _checked_filters(self, filters: int, groups: int = 1) -> int:
        filters = positive_int(self, "filters", filters)
        if filters % groups:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": filters={filters} must be a multiple of '
                f"groups={groups}."
            )
        return filters

    def _add_bias(self, filters: int) -> None:
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _activate(self, y: Tensor) -> Tensor:
        return y if self.activation is activations.linear else self.activation(y)


class _Conv(BaseConv):
    """A convolution that mixes the channels."""

    kernel: Variable = weight()

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
        self.groups = positive_int(self, "groups", groups)
        self.filters = self._checked_filters(filters, self.groups)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self._own_op = type(self).convolution_op is not _Conv.convolution_op

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for inputs with the channels of `input_shape`."""
        channels = self._expect_channels(input_shape)
        if channels % self.groups:
            raise ArgumentError(
                f'{type(self).__name__} "{self.path}": the {channels} channels of the input '
                f"cannot be divided into groups={self.groups}."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Returns the convolution of `x` with the kernel."""
        if not self._own_op:
            return self._activate(self._convolve(x, self.kernel, self.bias))
        y = self.convolution_op(x, self.kernel)
        if self.bias is not None:
            last = self.data_format == "channels_last"
            y = y + (self.bias if last else ops.reshape(self.bias, (-1, *[1] * self.rank)))
        return self._activate(y)

    def convolution_op(self, inputs: Tensor, kernel: Any) -> Tensor:
        """Returns the convolution without bias and activation, for subclasses to override.

        Args:
            inputs: what the layer is called on.
            kernel: the layer's, or one computed from it.
        """
        return self._convolve(inputs, kernel, None)

    def _convolve(self, x: Tensor, kernel: Any, bias: Any) -> Tensor:
        return ops.conv(
            x, kernel, self.strides, self.padding, self.data_format, self.dilation_rate, bias
        )


class Conv1D(_Conv):
    """Convolution over sequences.

    Weights: `kernel` of shape `(kernel_size, channels / groups, filters)`, then `bias` of shape
    `(filters,)`.

    Args:
        filters: number of output channels.
        kernel_size: length of the window, in steps.
        strides: steps from one window to the next.
        padding: `"valid"` keeps the windows inside the input, `"same"` adds zeros at both ends
            (with strides of 1 the length stays), `"causal"` adds them in front, so that no
            output sees a later input.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        dilation_rate: distance of the steps that a window looks at.
        groups: how many groups the channels are divided into, each with filters of its own.
        activation: name or function; None leaves the values as they are.
        use_bias: whether a bias is added.
        kernel_initializer: first values of the kernel.
        bias_initializer: first values of the bias.
        kernel_regularizer: penalty on the kernel, added to the loss.
        bias_regularizer: penalty on the bias, added to the loss.
        activity_regularizer: penalty on the output, added to the loss.
        kernel_constraint: function applied to the kernel after each update.
        bias_constraint: function applied to the bias after each update.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, new time, filters)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Conv1D(8, 3, padding="causal")(ops.ones((2, 10, 4))))
        (2, 10, 8)
    """

    rank = 1
    _paddings = _padding_1d

    def _convolve(self, x: Tensor, kernel: Any, bias: Any) -> Tensor:
        if self.padding != "causal":
            return super()._convolve(x, kernel, bias)
        before = (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)
        none = (0, 0)
        last = self.data_format == "channels_last"
        x = ops.pad(x, (none, before, none) if last else (none, none, before))
        return ops.conv(
            x, kernel, self.strides, "valid", self.data_format, self.dilation_rate, bias
        )


class Conv2D(_Conv):
    """Convolution over images.

    Weights: `kernel` of shape `(height, width, channels / groups, filters)`, then `bias` of
    shape `(filters,)`. The arguments are those of `Conv1D`, save that `kernel_size`, `strides`
    and `dilation_rate` are an integer or two, and `padding` is `"valid"` or `"same"`.

    Shapes: `(batch, height, width, channels)` → `(batch, new height, new width, filters)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Conv2D(8, 3, padding="same")(ops.ones((2, 9, 9, 3))))
        (2, 9, 9, 8)
    """

    rank = 2


class Conv3D(_Conv):
    """Convolution over volumes.

    Weights: `kernel` of shape `(depth, height, width, channels / groups, filters)`, then `bias`
    of shape `(filters,)`. The arguments are those of `Conv1D`, save that `kernel_size`,
    `strides` and `dilation_rate` are an integer or three, and `padding` is `"valid"` or
    `"same"`.

    Shapes: `(batch, depth, height, width, channels)` → the same with new sizes and `filters`.
    """

    rank = 3


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
