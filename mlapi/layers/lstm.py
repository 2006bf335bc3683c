"""Long short-term memory: the cell, and the layer over sequences."""

from typing import Any

import numpy as np

from mlapi import activations, ops
from mlapi.layers.cells import GatedCell, of_cell, shared_with_cell, unless
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.recurrent import RNN, checked_use_cudnn
from mlapi.types import Tensor
from mlapi.validation import boolean


class OpenForgetGates:
    """First values of a bias whose second quarter, that of the forget gates, is 1.

    Cells remember from the start then (Jozefowicz et al., "An empirical exploration of
    recurrent network architectures", 2015).
    """

    def __init__(self, initializer: Any) -> None:
        self.initializer = initializer

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns the values."""
        bias = np.array(getattr(self.initializer, "draw", self.initializer)(shape, dtype))
        units = shape[0] // 4
        bias[units : 2 * units] = 1
        return bias

    def __call__(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns the values."""
        return self.draw(shape, dtype)


class LSTMCell(GatedCell):
    """One time step of a long short-term memory.

    With the input `x`, the output `h` and the memory `c` of the step before, σ the recurrent
    activation and φ the activation:

        i, f, g, o = four equal parts of x @ kernel + h @ recurrent_kernel + bias
        c = σ(f) c + σ(i) φ(g)
        h = σ(o) φ(c)

    Hochreiter and Schmidhuber, "Long short-term memory", 1997; forget gates by Gers et al., 2000.

    Weights: `kernel` of shape `(inputs, 4 * units)`, `recurrent_kernel` of shape
    `(units, 4 * units)` and `bias` of shape `(4 * units,)`.

    The arguments are those of `LSTM`. Called with `(inputs, [h, c])`, of shapes
    `(batch, inputs)` and `(batch, units)`, it returns `h` and `[h, c]`.

    Example:
        >>> from mlapi import layers, ops
        >>> cell = layers.LSTMCell(4)
        >>> output, states = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> ops.shape(output), len(states)
        ((2, 4), 2)
    """

    gates = 4
    states = 2

    def __init__(
        self,
        units: int,
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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = boolean(self, "unit_forget_bias", unit_forget_bias)

    def _bias_start(self) -> Any:
        first = self.bias_initializer
        return OpenForgetGates(first) if self.unit_forget_bias else first

    def advance(
        self, projected: Tensor, states: list[Tensor], training: bool | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the output, and output and memory."""
        h, c = states
        factors = self.get_recurrent_dropout_mask(h) if training else None
        z = projected + self._product(h, factors, self.recurrent_kernel, None)
        i, f, g, o = ops.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def fused(
        self, inputs: Tensor, states: list[Tensor], mask: Tensor | None, go_backwards: bool
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns all outputs, and the last output and memory."""
        h, c = states
        outputs, h, c = ops.lstm(
            inputs,
            h,
            c,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            mask,
            go_backwards,
            activation=unless(self.activation, activations.tanh),
            recurrent_activation=unless(self.recurrent_activation, activations.sigmoid),
        )
        return outputs, [h, c]


class LSTM(RNN):
    """Long short-term memory over a sequence; see `LSTMCell` for the formulas.

    It runs as one fused kernel of the framework where it can, masks included. Other activations
    than tanh and sigmoid, `recurrent_dropout` while training, `unroll` and `use_cudnn=False` make
    it go step by step; a message at debug level of the logger `mlapi` says so.

    Weights, those of `cell`: `kernel` of shape `(inputs, 4 * units)`, `recurrent_kernel` of
    shape `(units, 4 * units)` and `bias` of shape `(4 * units,)`, whose four parts belong to the
    input gates, the forget gates, the memory and the output gates.

    Args:
        units: size of output and memory.
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
        dropout: share of the input's features to drop while training, the same at all steps.
        recurrent_dropout: share of the last output to drop while training, the same at all steps.
        seed: an integer for the same dropout in every run.
        return_sequences: whether to return the outputs of all steps rather than the last one.
        return_state: whether to return the last output and memory too, after the output.
        go_backwards: whether to start at the end; outputs are in the order they are made.
        stateful: whether each batch starts from the states at the end of the batch before. The
            size of the batches must be fixed then: `Input(batch_size=…)`.
        unroll: whether a compiler is to write out the steps.
        use_cudnn: `"auto"`; True refuses arguments that rule out a fused kernel, False goes step
            by step.
        zero_output_for_mask: whether the outputs of masked steps are 0 rather than the output
            of the step before.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, features)` → `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`; states are `(batch, units)`, a mask is `(batch, time)`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument makes no sense.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.LSTM(4)(ops.ones((2, 5, 3))))
        (2, 4)
    """

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units,
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
            name="lstm_cell",
            **shared_with_cell(kwargs),
        )
        super().__init__(
            cell,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            unroll,
            zero_output_for_mask,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = checked_use_cudnn(self, use_cudnn)

    units = of_cell("units")
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
