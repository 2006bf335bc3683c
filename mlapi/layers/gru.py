"""Gated recurrent units: the cell, and the layer over sequences."""

from typing import Any

from mlapi import activations, ops
from mlapi.layers.cells import GatedCell, of_cell, shared_with_cell, unless
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.recurrent import RNN, checked_use_cudnn
from mlapi.types import Shape, Tensor
from mlapi.validation import boolean


class GRUCell(GatedCell):
    """One time step of gated recurrent units.

    With the input `x`, the output `h` of the step before, σ the recurrent activation and φ the
    activation, and with what the kernels and biases have for the update gate `z`, the reset gate
    `r` and the candidate `g`:

        z = σ(x W_z + h U_z + b_z)
        r = σ(x W_r + h U_r + b_r)
        g = φ(x W_g + b_g + r (h U_g + b'_g))     with reset_after
        g = φ(x W_g + b_g + (r h) U_g)            without
        h = z h + (1 - z) g

    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", 2014 (https://arxiv.org/abs/1406.1078), who reset before; `reset_after` is the
    form of fused kernels.

    Weights: `kernel` of shape `(inputs, 3 * units)`, `recurrent_kernel` of shape
    `(units, 3 * units)` and `bias`: of shape `(2, 3 * units)`, for inputs and old outputs, with
    `reset_after`; of shape `(3 * units,)` without.

    The arguments are those of `GRU`. Called with `(inputs, [h])`, of shapes `(batch, inputs)` and
    `(batch, units)`, it returns `h` and `[h]`.

    Example:
        >>> from mlapi import layers, ops
        >>> cell = layers.GRUCell(4)
        >>> output, states = cell(ops.ones((2, 3)), cell.get_initial_state(2))
        >>> ops.shape(output), len(states)
        ((2, 4), 1)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
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
        reset_after: bool = True,
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
        self.reset_after = boolean(self, "reset_after", reset_after)

    def _bias_shape(self) -> Shape:
        width = 3 * self.units
        return (2, width) if self.reset_after else (width,)

    def _biases(self) -> tuple[Any, Any]:
        if self.bias is None or not self.reset_after:
            return self.bias, None
        return self.bias[0], self.bias[1]

    def slow_reasons(self) -> list[str]:
        """Arguments that rule out a fused kernel."""
        return [*super().slow_reasons(), *["reset_after=False"] * (not self.reset_after)]

    def advance(
        self, projected: Tensor, states: list[Tensor], training: bool | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the new output, twice."""
        (h,) = states
        factors = self.get_recurrent_dropout_mask(h) if training else None
        bias = self._biases()[1]
        gate, two = self.recurrent_activation, 2 * self.units
        if self.reset_after:
            product = self._product(h, factors, self.recurrent_kernel, bias)
            z, r = ops.split(gate(projected[:, :two] + product[:, :two]), 2, axis=-1)
            of_state = r * product[:, two:]
        else:
            of_gates, of_candidate = ops.split(self.recurrent_kernel, [two], axis=1)
            several = isinstance(factors, list)
            product = self._product(h, factors[:2] if several else factors, of_gates, None)
            z, r = ops.split(gate(projected[:, :two] + product), 2, axis=-1)
            kept = factors[2:] if several else factors
            of_state = self._product(r * h, kept, of_candidate, None)
        h = z * h + (1 - z) * self.activation(projected[:, two:] + of_state)
        return h, [h]

    def fused(
        self, inputs: Tensor, states: list[Tensor], mask: Tensor | None, go_backwards: bool
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns all outputs, and the last one."""
        (h,) = states
        outputs, h = ops.gru(
            inputs,
            h,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            mask,
            go_backwards,
            activation=unless(self.activation, activations.tanh),
            recurrent_activation=unless(self.recurrent_activation, activations.sigmoid),
            reset_after=self.reset_after,
        )
        return outputs, [h]


class GRU(RNN):
    """Gated recurrent units over a sequence; see `GRUCell` for the formulas.

    It runs as one fused kernel of the framework where it can, masks included. Other activations
    than tanh and sigmoid, `reset_after=False`, `recurrent_dropout` while training, `unroll` and
    `use_cudnn=False` make it go step by step; a message at debug level of the logger `mlapi` says
    so.

    Weights, those of `cell`: `kernel` of shape `(inputs, 3 * units)`, `recurrent_kernel` of shape
    `(units, 3 * units)` and `bias` of shape `(2, 3 * units)`, or `(3 * units,)` without
    `reset_after`; their three parts belong to the update gates, the reset gates and the candidate.

    Args:
        units: size of the output.
        activation: function of the candidate.
        recurrent_activation: function of the gates.
        use_bias: whether biases are added.
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
        seed: an integer for the same dropout in every run.
        return_sequences: whether to return the outputs of all steps rather than the last one.
        return_state: whether to return the last output too, after the output.
        go_backwards: whether to start at the end; outputs are in the order they are made.
        stateful: whether each batch starts from the states at the end of the batch before. The
            size of the batches must be fixed then: `Input(batch_size=…)`.
        unroll: whether a compiler is to write out the steps.
        reset_after: whether the reset gate acts after the product with the recurrent kernel.
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
        >>> ops.shape(layers.GRU(4, return_sequences=True)(ops.ones((2, 5, 3))))
        (2, 5, 4)
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
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units,
            activation,
            recurrent_activation,
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
            reset_after,
            seed,
            name="gru_cell",
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
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    reset_after = of_cell("reset_after")
    seed = of_cell("seed")
