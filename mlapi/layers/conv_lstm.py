"""Long short-term memory whose products are convolutions: over sequences of images and the like.

The rank of what is convolved is the only difference between the layers: one base class holds the
rest.
"""

from typing import Any

from mlapi import activations, constraints, initializers, ops, regularizers
from mlapi.errors import ArgumentError, ShapeError
from mlapi.layers.cells import DropoutCell, Factors, of_cell, shared_with_cell
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.lstm import OpenForgetGates
from mlapi.layers.recurrent import RNN
from mlapi.types import Shape, Tensor
from mlapi.validation import Choice, boolean, ints, positive_int
from mlapi.validation import data_format as checked_data_format

_padding = Choice("valid", "same")


class ConvLSTMCell(DropoutCell):
    """One time step of a convolutional long short-term memory; see `ConvLSTM2D`."""

    _mask_count = 4

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        recurrent_activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        unit_forget_bias: bool,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout, recurrent_dropout, seed, **kwargs)
        sizes = ints(rank)
        self.rank = rank
        self.filters = positive_int(self, "filters", filters)
        self.kernel_size = sizes(self, "kernel_size", kernel_size)
        self.strides = sizes(self, "strides", strides)
        self.padding = _padding(self, "padding", padding)
        self.data_format = checked_data_format(self, data_format)
        self.dilation_rate = sizes(self, "dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": strides={self.strides} and '
                f"dilation_rate={self.dilation_rate} cannot both be above 1. Set one of them to 1."
            )
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = boolean(self, "use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.unit_forget_bias = boolean(self, "unit_forget_bias", unit_forget_bias)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.state_size = [self.filters, self.filters]
        self.bias = None

    @property
    def _channels_last(self) -> bool:
        return self.data_format == "channels_last"

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for steps of `input_shape`, of which only the batch may be open."""
        self._step_shape: tuple[Any, ...] = tuple(input_shape[1:])
        if None in self._step_shape:
            raise ShapeError(
                f'{type(self).__name__} "{self.path}": the sizes of a step must be known, since '
                f"the states have them too; received {self._step_shape}. Give them in "
                "Input(shape=…)."
            )
        channels = self._step_shape[-1 if self._channels_last else 0]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, 4 * self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(*self.kernel_size, self.filters, 4 * self.filters),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        if self.use_bias:
            first = self.bias_initializer
            self.bias = self.add_weight(
                name="bias",
                shape=(4 * self.filters,),
                initializer=OpenForgetGates(first) if self.unit_forget_bias else first,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(
        self, inputs: Tensor, states: list[Tensor], training: bool | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the output, and output and memory."""
        h, c = states
        of_inputs = self.get_dropout_mask(inputs) if training else None
        of_states = self.get_recurrent_dropout_mask(h) if training else None
        z = self._convolved(inputs, of_inputs, self.kernel, self.bias, self.strides, self.padding,
                            self.dilation_rate)  # fmt: skip
        z = z + self._convolved(h, of_states, self.recurrent_kernel, None, 1, "same", 1)
        i, f, g, o = ops.split(z, 4, axis=-1 if self._channels_last else 1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def _convolved(
        self,
        x: Tensor,
        factors: Factors,
        kernel: Any,
        bias: Any,
        strides: Any,
        padding: str,
        dilation_rate: Any,
    ) -> Tensor:
        """What `x` contributes to the gates; each sees what its own factors leave of it."""
        options = strides, padding, self.data_format, dilation_rate
        if factors is None:
            return ops.conv(x, kernel, *options, bias)
        biases = [None] * 4 if bias is None else ops.split(bias, 4)
        parts = zip(factors, ops.split(kernel, 4, axis=-1), biases, strict=True)
        products = [ops.conv(x * f, part, *options, b) for f, part, b in parts]
        return ops.concatenate(products, axis=-1 if self._channels_last else 1)

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Returns zeros for output and memory."""
        spatial = self._step_shape[:-1] if self._channels_last else self._step_shape[1:]
        sizes = [self._moved(n, axis) for axis, n in enumerate(spatial)]
        sizes = (*sizes, self.filters) if self._channels_last else (self.filters, *sizes)
        return [ops.zeros((batch_size, *sizes), self.compute_dtype) for _ in range(2)]

    def _moved(self, size: int, axis: int) -> int:
        """How many places a window has along an axis."""
        step = self.strides[axis]
        if self.padding == "same":
            return -(-size // step)
        reach = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        if reach > size:
            raise ShapeError(
                f'{type(self).__name__} "{self.path}": the window reaches over {reach} places of '
                f"spatial axis {axis}, which has {size}. Take a smaller kernel_size, or "
                'padding="same".'
            )
        return (size - reach) // step + 1


class _ConvLSTM(RNN):
    """What the three of them share: all but the rank."""

    rank: int  # number of spatial axes

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            recurrent_activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            unit_forget_bias,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            name="conv_lstm_cell",
            **shared_with_cell(kwargs),
        )
        super().__init__(
            cell,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)

    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    strides = of_cell("strides")
    padding = of_cell("padding")
    data_format = of_cell("data_format")
    dilation_rate = of_cell("dilation_rate")
    activation = of_cell("activation")
    recurrent_activation = of_cell("recurrent_activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    unit_forget_bias = of_cell("unit_forget_bias")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")


class ConvLSTM1D(_ConvLSTM):
    """Convolutional long short-term memory over sequences of sequences.

    The arguments and the formulas are those of `ConvLSTM2D`, save that `kernel_size`, `strides` and
    `dilation_rate` are one integer.

    Shapes: `(batch, time, steps, channels)` → `(batch, new steps, filters)`, or
    `(batch, time, new steps, filters)` with `return_sequences`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.ConvLSTM1D(4, 3)(ops.ones((2, 5, 8, 3))))
        (2, 6, 4)
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """Convolutional long short-term memory over sequences of images.

    With the image `x`, the output `h` and the memory `c` of the step before, `*` the convolution,
    σ the recurrent activation and φ the activation:

        i, f, g, o = four equal parts of the channels of x * kernel + h * recurrent_kernel + bias
        c = σ(f) c + σ(i) φ(g)
        h = σ(o) φ(c)

    Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation
    nowcasting", 2015 (https://arxiv.org/abs/1506.04214), without connections from the memory to
    the gates. The convolution of `h` keeps its size.

    Weights, those of `cell`: `kernel` of shape `(height, width, channels, 4 * filters)`,
    `recurrent_kernel` of shape `(height, width, filters, 4 * filters)` and `bias` of shape
    `(4 * filters,)`.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, an integer or two.
        strides: steps from one window to the next, in the convolution of `x`.
        padding: `"valid"`, or `"same"` for zeros around `x`.
        data_format: `"channels_last"`, or `"channels_first"` for channels after the time.
        dilation_rate: distance of the window's elements, in the convolution of `x`.
        activation: function of the memory.
        recurrent_activation: function of the gates.
        use_bias: whether a bias is added.
        kernel_initializer: first values of the kernel.
        recurrent_initializer: first values of the recurrent kernel.
        bias_initializer: first values of the bias.
        unit_forget_bias: whether the bias of the forget gates starts at 1.
        kernel_regularizer: penalty on the kernel, added to the loss.
        recurrent_regularizer: penalty on the recurrent kernel, added to the loss.
        bias_regularizer: penalty on the bias, added to the loss.
        activity_regularizer: penalty on the output, added to the loss.
        kernel_constraint: function applied to the kernel after each update.
        recurrent_constraint: function applied to the recurrent kernel after each update.
        bias_constraint: function applied to the bias after each update.
        dropout: share of the input's values to drop while training, the same at all steps.
        recurrent_dropout: share of the last output to drop while training, the same at all steps.
        seed: an integer for the same dropout in every run.
        return_sequences: whether to return the outputs of all steps rather than the last one.
        return_state: whether to return the last output and memory too, after the output.
        go_backwards: whether to start at the end; outputs are in the order they are made.
        stateful: whether each batch starts from the states at the end of the batch before. The
            size of the batches must be fixed then: `Input(batch_size=…)`.
        **kwargs: `name`, `trainable`, `dtype`; `unroll` and `zero_output_for_mask` as for `RNN`.

    Shapes: `(batch, time, height, width, channels)` → `(batch, new height, new width, filters)`,
    or `(batch, time, new height, new width, filters)` with `return_sequences`; a mask is
    `(batch, time)`. All sizes but those of batch and time must be known.

    Raises:
        ArgumentError, ArgumentTypeError: an argument makes no sense.
        ShapeError: a size is unknown, or smaller than the window.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.ConvLSTM2D(4, 3, padding="same")(ops.ones((2, 5, 8, 8, 3))))
        (2, 8, 8, 4)
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """Convolutional long short-term memory over sequences of volumes.

    The arguments and the formulas are those of `ConvLSTM2D`, save that `kernel_size`, `strides` and
    `dilation_rate` are an integer or three.

    Shapes: `(batch, time, depth, height, width, channels)` →
    `(batch, new depth, new height, new width, filters)`, with the time as second axis if the layer
    has `return_sequences`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.ConvLSTM3D(4, 3)(ops.ones((2, 3, 5, 5, 5, 1))))
        (2, 3, 3, 3, 4)
    """

    rank = 3
