"""Recurrent layers: a cell that takes one time step, and layers that run it over a sequence."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlapi import activations, constraints, initializers, ops, random, regularizers
from mlapi.errors import ArgumentError, ArgumentTypeError, ShapeError
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.state import Stateful, Variable
from mlapi.types import Shape, Tensor
from mlapi.validation import boolean, fraction, positive_int

_log = logging.getLogger("mlapi")

Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]


class _KeptStates(Stateful):
    """States that a stateful layer keeps from one batch to the next; no weights of it."""

    def __init__(self, batch_size: int, sizes: Sequence[int], dtype: str, path: str) -> None:
        self.values = [
            Variable(
                np.zeros((batch_size, size)), None, dtype, trainable=False, path=f"{path}/state"
            )
            for size in sizes
        ]


class RNN(Layer):
    """Runs a cell over the time steps of a sequence.

    A cell is a layer with an attribute `state_size`, an integer or a list of them, and a method
    `call(inputs, states)`, which returns the output of one step and the list of new states. It
    must not assign to variables there, since the steps of a sequence are compiled as a loop.

    Args:
        cell: the cell.
        return_sequences: whether to return the outputs of all steps rather than the last one.
        return_state: whether to return the last states too, after the output.
        go_backwards: whether to start at the end; outputs are in the order they are made.
        stateful: whether each batch starts from the states at the end of the batch before. The
            size of the batches must be fixed then: `Input(batch_size=…)`.
        unroll: whether a compiler is to write out the steps, which for short sequences can be
            faster than a loop and takes longer to compile.
        zero_output_for_mask: whether the outputs of masked steps are 0 rather than the output
            of the step before.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, features)` → `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`; states are `(batch, state_size)`, a mask is `(batch, time)`.

    Example:
        >>> from mlapi import layers, ops
        >>> layer = layers.RNN(layers.LSTMCell(4), return_sequences=True)
        >>> ops.shape(layer(ops.ones((2, 5, 3))))
        (2, 5, 4)
    """

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(getattr(cell, "call", None)) or not hasattr(cell, "state_size"):
            raise ArgumentTypeError(
                f'{type(self).__name__} "{self.name}": cell must be a layer with `state_size` and '
                f"`call(inputs, states)`, received {cell!r}."
            )
        self.cell = cell
        self.return_sequences = boolean(self, "return_sequences", return_sequences)
        self.return_state = boolean(self, "return_state", return_state)
        self.go_backwards = boolean(self, "go_backwards", go_backwards)
        self.stateful = boolean(self, "stateful", stateful)
        self.unroll = boolean(self, "unroll", unroll)
        self.zero_output_for_mask = boolean(self, "zero_output_for_mask", zero_output_for_mask)
        self.input_spec = InputSpec(ndim=3)
        self._kept: _KeptStates | None = None

    @property
    def state_size(self) -> list[int]:
        """Sizes of the states."""
        size = self.cell.state_size
        return [size] if isinstance(size, int) else list(size)

    def build(self, input_shape: Shape) -> None:
        """Builds the cell for steps with the features of `input_shape`."""
        batch_size, _, features = input_shape
        if not self.cell.built:
            self.cell.build((batch_size, features))
        self.input_spec = InputSpec(ndim=3, axes={-1: features})
        if self.stateful:
            if batch_size is None:
                raise ShapeError(
                    f'{type(self).__name__} "{self.path}": stateful=True needs a fixed batch '
                    "size. Give it in Input(shape=…, batch_size=…)."
                )
            self._kept = _KeptStates(batch_size, self.state_size, self.variable_dtype, self.path)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        """Returns the output or outputs, and with `return_state` the last states after them."""
        states = self._first_states(sequences, initial_state)
        output, outputs, states = self._over_time(sequences, states, mask, training)
        if self._kept is not None:
            for kept, state in zip(self._kept.values, states, strict=True):
                kept.assign(ops.stop_gradient(state))
        if self.return_sequences:
            if mask is not None and self.zero_output_for_mask:
                mask = ops.flip(mask, axis=1) if self.go_backwards else mask
                outputs = outputs * ops.cast(ops.expand_dims(mask, -1), self.compute_dtype)
            output = outputs
        return (output, *states) if self.return_state else output

    def _first_states(self, sequences: Tensor, initial_state: Any) -> list[Tensor]:
        if initial_state is None:
            if self._kept is not None:
                return [variable.value for variable in self._kept.values]
            return self.get_initial_state(ops.shape(sequences)[0])
        states = initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
        if len(states) != len(self.state_size):
            raise ArgumentError(
                f'{type(self).__name__} "{self.path}" has {len(self.state_size)} states, '
                f"initial_state holds {len(states)}."
            )
        return list(states)

    def get_initial_state(self, batch_size: Any) -> list[Tensor]:
        """Returns the states before the first step: zeros, unless the cell says otherwise."""
        if hasattr(self.cell, "get_initial_state"):
            states = self.cell.get_initial_state(batch_size)
            return list(states) if isinstance(states, (list, tuple)) else [states]
        return [ops.zeros((batch_size, n), self.compute_dtype) for n in self.state_size]

    def _over_time(
        self, x: Tensor, states: list[Tensor], mask: Tensor | None, training: bool | None
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The last output, all outputs (if they are to be returned), and the last states."""
        return self._loop(lambda x_t, states: self.cell(x_t, states), x, states, mask)

    def _loop(
        self, step: Step, x: Tensor, states: list[Tensor], mask: Tensor | None
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Goes through the sequence step by step."""
        size = getattr(self.cell, "output_size", self.state_size[0])
        first_output = ops.zeros((ops.shape(x)[0], size), self.compute_dtype)
        xs = ops.swapaxes(x, 0, 1)
        masks = None if mask is None else ops.expand_dims(ops.swapaxes(mask, 0, 1), -1)
        if self.go_backwards:
            xs = ops.flip(xs, axis=0)
            masks = None if masks is None else ops.flip(masks, axis=0)

        def advance(carry: Any, inputs: Any) -> Any:
            old_output, old_states = carry
            output, new_states = step(inputs[0], list(old_states))
            if masks is not None:
                counts = inputs[1]
                output = ops.where(counts, output, old_output)
                new_states = [
                    ops.where(counts, new, old)
                    for new, old in zip(new_states, old_states, strict=True)
                ]
            carry = (output, list(new_states))
            return carry, output if self.return_sequences else None

        inputs = (xs,) if masks is None else (xs, masks)
        carry, outputs = ops.scan(advance, (first_output, states), inputs, unroll=self.unroll or 1)
        if self.return_sequences:
            outputs = ops.swapaxes(outputs, 0, 1)
        return carry[0], outputs, list(carry[1])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the mask of the outputs: none if only the last is returned."""
        mask = previous_mask if self.return_sequences else None
        if mask is not None and self.go_backwards:
            mask = ops.flip(mask, axis=1)
        return [mask] + [None] * len(self.state_size) if self.return_state else mask

    def reset_state(self) -> None:
        """Sets the states that a stateful layer keeps back to zero."""
        if self._kept is not None:
            for variable in self._kept.values:
                variable.assign(ops.zeros(variable.shape, variable.dtype))

    reset_states = reset_state


class _OpenForgetGates:
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


class LSTMCell(Layer):
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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = positive_int(self, "units", units)
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
        self.dropout = fraction(self, "dropout", dropout)
        self.recurrent_dropout = fraction(self, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        if self.dropout > 0 or self.recurrent_dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.state_size = [self.units, self.units]
        self.output_size = self.units
        self.bias = None

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for steps with the features of `input_shape`."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], 4 * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, 4 * self.units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        if self.use_bias:
            first = self.bias_initializer
            self.bias = self.add_weight(
                name="bias",
                shape=(4 * self.units,),
                initializer=_OpenForgetGates(first) if self.unit_forget_bias else first,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(
        self, inputs: Tensor, states: Sequence[Tensor], training: bool | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the output, and the list of output and memory."""
        if training:
            inputs = self.drop_inputs(inputs)
        return self.step(inputs, states, self.recurrent_mask(states[0]) if training else None)

    def step(
        self, x: Tensor, states: Sequence[Tensor], recurrent_mask: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns what `call` returns, for a given mask on the old output."""
        h, c = states
        if recurrent_mask is not None:
            h = h * recurrent_mask
        z = ops.dense(x, self.kernel, self.bias) + ops.dense(h, self.recurrent_kernel)
        i, f, g, o = ops.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def drop_inputs(self, x: Tensor) -> Tensor:
        """Returns `x` with features dropped, the same ones at every step of a sequence."""
        if self.dropout == 0:
            return x
        shape = (None, 1, None) if len(x.shape) == 3 else None
        return random.dropout(x, self.dropout, shape, seed=self.seed_generator)

    def recurrent_mask(self, h: Tensor) -> Tensor | None:
        """Returns factors for the old output, to be kept for a sequence, or None.

        Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural
        networks", 2016 (arXiv:1512.05287).
        """
        if self.recurrent_dropout == 0:
            return None
        ones = ops.ones_like(h)
        return random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)

    def get_initial_state(self, batch_size: Any) -> list[Tensor]:
        """Returns zeros for output and memory."""
        return [ops.zeros((batch_size, self.units), self.compute_dtype) for _ in range(2)]


def _of_cell(name: str) -> property:
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


class LSTM(RNN):
    """Long short-term memory over a sequence; see `LSTMCell` for the formulas.

    It runs as one fused kernel of the framework where it can. Other activations than tanh and
    sigmoid, `recurrent_dropout`, `unroll` and `use_cudnn=False` make it go step by step; a
    message at debug level of the logger `mlapi` says so.

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
        zero_output_for_mask: whether the outputs of masked steps are 0 rather than the output
            of the step before.
        use_cudnn: `"auto"`; True refuses arguments that rule out a fused kernel, False goes step
            by step.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, features)` → `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`; states are `(batch, units)`, a mask is `(batch, time)`.

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
            trainable=kwargs.get("trainable", True),
            dtype=kwargs.get("dtype"),
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
        if use_cudnn not in ("auto", True, False):
            raise ArgumentError(
                f'LSTM "{self.name}": use_cudnn must be "auto", True or False, '
                f"received {use_cudnn!r}."
            )
        self.use_cudnn = use_cudnn
        self._stepwise = self.recurrent_dropout > 0 or self.unroll or use_cudnn is False
        if use_cudnn is True and (reasons := self._why_not_fused()):
            raise ArgumentError(
                f'LSTM "{self.name}": use_cudnn=True, but {reasons} rules out a fused kernel.'
            )

    units = _of_cell("units")
    activation = _of_cell("activation")
    recurrent_activation = _of_cell("recurrent_activation")
    use_bias = _of_cell("use_bias")
    kernel_initializer = _of_cell("kernel_initializer")
    recurrent_initializer = _of_cell("recurrent_initializer")
    bias_initializer = _of_cell("bias_initializer")
    unit_forget_bias = _of_cell("unit_forget_bias")
    kernel_regularizer = _of_cell("kernel_regularizer")
    recurrent_regularizer = _of_cell("recurrent_regularizer")
    bias_regularizer = _of_cell("bias_regularizer")
    kernel_constraint = _of_cell("kernel_constraint")
    recurrent_constraint = _of_cell("recurrent_constraint")
    bias_constraint = _of_cell("bias_constraint")
    dropout = _of_cell("dropout")
    recurrent_dropout = _of_cell("recurrent_dropout")
    seed = _of_cell("seed")

    def _why_not_fused(self) -> str:
        """What rules out a fused kernel, as a list for a message."""
        cell = self.cell
        reasons = {
            "activation": cell.activation is not activations.tanh,
            "recurrent_activation": cell.recurrent_activation is not activations.sigmoid,
            "recurrent_dropout": cell.recurrent_dropout > 0,
            "unroll": self.unroll,
            "use_cudnn=False": self.use_cudnn is False,
        }
        return ", ".join(name for name, holds in reasons.items() if holds)

    def build(self, input_shape: Shape) -> None:
        """Builds the cell for steps with the features of `input_shape`."""
        super().build(input_shape)
        if reasons := self._why_not_fused():
            _log.debug('LSTM "%s" goes step by step, because of %s.', self.path, reasons)

    def _over_time(
        self, x: Tensor, states: list[Tensor], mask: Tensor | None, training: bool | None
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        cell = self.cell
        if training:
            x = cell.drop_inputs(x)
        if self._stepwise:
            factors = cell.recurrent_mask(states[0]) if training else None
            return self._loop(lambda x_t, old: cell.step(x_t, old, factors), x, states, mask)
        gate = cell.recurrent_activation
        outputs, h, c = ops.lstm(
            x,
            states[0],
            states[1],
            cell.kernel,
            cell.recurrent_kernel,
            cell.bias,
            mask,
            self.go_backwards,
            activation=None if cell.activation is activations.tanh else cell.activation,
            recurrent_activation=None if gate is activations.sigmoid else gate,
        )
        return h, outputs, [h, c]
