"""The simplest recurrent network: the cell, and the layer over sequences."""

from typing import Any

from mlapi import activations, ops
from mlapi.layers.cells import GatedCell, of_cell, shared_with_cell, unless
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.recurrent import RNN
from mlapi.types import Tensor


class SimpleRNNCell(GatedCell):
    """One time step of a recurrent network whose output is all that it remembers.

    `h = activation(x @ kernel + h @ recurrent_kernel + bias)`, with the input `x` and the output
    `h` of the step before. Elman, "Finding structure in time", 1990.

    Weights: `kernel` of shape `(inputs, units)`, `recurrent_kernel` of shape `(units, units)` and
    `bias` of shape `(units,)`.

    The arguments are those of `SimpleRNN`. Called with `(inputs, [h])`, of shapes
    `(batch, inputs)` and `(batch, units)`, it returns `h` and `[h]`.

    Example:
        >>> from mlapi import layers, ops
        >>> cell = layers.SimpleRNNCell(4)
        >>> output, states = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> ops.shape(output), len(states)
        ((2, 4), 1)
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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

    def advance(
        self, projected: Tensor, states: list[Tensor], training: bool | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the new output, twice."""
        (h,) = states
        factors = self.get_recurrent_dropout_mask(h) if training else None
        h = self.activation(projected + self._product(h, factors, self.recurrent_kernel, None))
        return h, [h]

    def fused(
        self, inputs: Tensor, states: list[Tensor], mask: Tensor | None, go_backwards: bool
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns all outputs, and the last one."""
        (h,) = states
        outputs, h = ops.simple_rnn(
            inputs,
            h,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            mask,
            go_backwards,
            activation=unless(self.activation, activations.tanh),
        )
        return outputs, [h]


class SimpleRNN(RNN):
    """The simplest recurrent network over a sequence; see `SimpleRNNCell` for the formula.

    It runs as one fused kernel of the framework where it can, masks included. Another activation
    than tanh, `recurrent_dropout` while training and `unroll` make it go step by step; a message
    at debug level of the logger `mlapi` says so.

    Weights, those of `cell`: `kernel` of shape `(inputs, units)`, `recurrent_kernel` of shape
    `(units, units)` and `bias` of shape `(units,)`.

    Args:
        units: size of the output.
        activation: function of the sum.
        use_bias: whether a bias is added.
        kernel_initializer: first values of the kernel.
        recurrent_initializer: first values of the recurrent kernel.
        bias_initializer: first values of the bias.
        kernel_regularizer: penalty on the kernel, added to the loss.
        recurrent_regularizer: penalty on the recurrent kernel, added to the loss.
        bias_regularizer: penalty on the bias, added to the loss.
        activity_regularizer: penalty on the output, added to the loss.
        kernel_constraint: function applied to the kernel after each update.
        recurrent_constraint: function applied to the recurrent kernel after each update.
        bias_constraint: function applied to the bias after each update.
        dropout: share of the input's features to drop while training, the same at all steps.
        recurrent_dropout: share of the last output to drop while training, the same at all steps.
        return_sequences: whether to return the outputs of all steps rather than the last one.
        return_state: whether to return the last output too, after the output.
        go_backwards: whether to start at the end; outputs are in the order they are made.
        stateful: whether each batch starts from the states at the end of the batch before. The
            size of the batches must be fixed then: `Input(batch_size=…)`.
        unroll: whether a compiler is to write out the steps.
        seed: an integer for the same dropout in every run.
        zero_output_for_mask: whether the outputs of masked steps are 0 rather than the output
            of the step before.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, features)` → `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`; states are `(batch, units)`, a mask is `(batch, time)`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument makes no sense.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.SimpleRNN(4)(ops.ones((2, 5, 3))))
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
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
            name="simple_rnn_cell",
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

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")
