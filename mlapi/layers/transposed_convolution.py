"""Transposed convolutions: they lead from the shape of a convolution's output to its input's."""

from typing import Any

from mlapi import constraints, initializers, ops, regularizers
from mlapi.errors import ArgumentError
from mlapi.layers.convolution import BaseConv
from mlapi.layers.weights import weight
from mlapi.state import Variable
from mlapi.types import Shape, Tensor
from mlapi.validation import ints, optional


class _ConvTranspose(BaseConv):
    """What the three of them share."""

    kernel: Variable = weight()

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.filters = self._checked_filters(filters)
        more = optional(ints(self.rank, least=0))(self, "output_padding", output_padding)
        if more is not None and any(n >= step for n, step in zip(more, self.strides, strict=True)):
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": output_padding={more} must be smaller than '
                f"strides={self.strides}, along each axis."
            )
        self.output_padding = more
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for inputs with the channels of `input_shape`."""
        channels = self._expect_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Returns the transposed convolution of `x` with the kernel."""
        y = ops.conv_transpose(
            x,
            self.kernel,
            self.strides,
            self.padding,
            self.output_padding,
            self.data_format,
            self.dilation_rate,
            self.bias,
        )
        return self._activate(y)


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over sequences, also called deconvolution.

    Each step of the input adds a window, the kernel times its values, to the output; windows of
    neighbouring steps begin `strides` apart. It is the gradient of a convolution with respect to
    its input (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016,
    arXiv:1603.07285).

    Weights: `kernel` of shape `(kernel_size, filters, channels)`, then `bias` of shape
    `(filters,)`.

    Args:
        filters: number of output channels.
        kernel_size: length of the window, in steps.
        strides: steps of the output from one window to the next.
        padding: `"same"` returns a length of `time * strides`, `"valid"` all that the windows
            reach, if that is more.
        output_padding: if given, the length is
            `(time - 1) * strides + reach + output_padding`, where
            `reach = (kernel_size - 1) * dilation_rate + 1`; with `"same"`
            it is less by `2 * (reach // 2)`. Smaller than `strides`.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        dilation_rate: distance of the steps of a window; not above 1 together with `strides`.
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
        >>> ops.shape(layers.Conv1DTranspose(8, 3, strides=2)(ops.ones((2, 10, 4))))
        (2, 21, 8)
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over images, also called deconvolution.

    Weights: `kernel` of shape `(height, width, filters, channels)`, then `bias` of shape
    `(filters,)`. The arguments are those of `Conv1DTranspose`, save that `kernel_size`,
    `strides`, `output_padding` and `dilation_rate` are an integer or two.

    Shapes: `(batch, height, width, channels)` → `(batch, new height, new width, filters)`.

    Example:
        >>> from mlapi import layers, ops
        >>> x = ops.ones((2, 7, 7, 16))
        >>> ops.shape(layers.Conv2DTranspose(8, 3, strides=2, padding="same")(x))
        (2, 14, 14, 8)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes, also called deconvolution.

    Weights: `kernel` of shape `(depth, height, width, filters, channels)`, then `bias` of shape
    `(filters,)`. The arguments are those of `Conv1DTranspose`, save that `kernel_size`,
    `strides`, `output_padding` and `dilation_rate` are an integer or three, and that
    `data_format` comes before `output_padding`.

    Shapes: `(batch, depth, height, width, channels)` → the same with new sizes and `filters`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Conv3DTranspose(2, 2, strides=2)(ops.ones((1, 2, 3, 4, 1))))
        (1, 4, 6, 8, 2)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
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
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
