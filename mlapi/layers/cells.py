"""What the cells of recurrent layers share: dropout that lasts a sequence, gates, and stacks."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any

from mlapi import activations, constraints, initializers, ops, random, regularizers, tree
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.graph import is_inferring
from mlapi.layers.base import Layer
from mlapi.layers.wrapper import read_inner, write_inner
from mlapi.types import Shape, Tensor
from mlapi.validation import Choice, boolean, fraction, positive_int

# A tensor of factors, or one for each gate.
Factors = Any


class DropoutCell(Layer):
    """A cell that drops inputs, and its own old outputs, the same ones at all steps of a sequence.

    Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural
    networks", 2016 (https://arxiv.org/abs/1512.05287).

    The factors are drawn when first asked for and kept until they are reset. Recurrent layers reset
    them; whoever calls the cell in a loop of their own does so between two sequences.
    """

    _mask_count: int | None = None  # one for each of so many gates, or one for all of them

    def __init__(
        self, dropout: float, recurrent_dropout: float, seed: int | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = fraction(self, "dropout", dropout)
        self.recurrent_dropout = fraction(self, "recurrent_dropout", recurrent_dropout)
        self.seed = seed
        if self.dropout > 0 or self.recurrent_dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self._dropout_mask: Factors = None
        self._recurrent_dropout_mask: Factors = None

    @contextmanager
    def one_sequence(self, step_input: Tensor, state: Tensor) -> Iterator[None]:
        """Draws the factors for a block of code that goes through a sequence."""
        self._dropout_mask = self._drawn(step_input, self.dropout)
        self._recurrent_dropout_mask = self._drawn(state, self.recurrent_dropout)
        try:
            yield
        finally:
            self.reset_dropout_mask()
            self.reset_recurrent_dropout_mask()

    def get_dropout_mask(self, step_input: Tensor) -> Factors:
        """Returns factors for the inputs of one step: a tensor, or one for each gate; or None."""
        mask = self._dropout_mask
        if mask is None:
            mask = self._drawn(step_input, self.dropout)
            self._dropout_mask = None if is_inferring() else mask
        return mask

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Factors:
        """Returns factors for the old output: a tensor, or one for each gate; or None."""
        mask = self._recurrent_dropout_mask
        if mask is None:
            mask = self._drawn(step_input, self.recurrent_dropout)
            self._recurrent_dropout_mask = None if is_inferring() else mask
        return mask

    def reset_dropout_mask(self) -> None:
        """Forgets the factors for the inputs."""
        self._dropout_mask = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Forgets the factors for the old outputs."""
        self._recurrent_dropout_mask = None

    def _drawn(self, like: Tensor, rate: float) -> Factors:
        if rate == 0:
            return None
        ones = ops.ones_like(like)
        masks = [
            random.dropout(ones, rate, seed=self.seed_generator)
            for _ in range(self._mask_count or 1)
        ]
        return masks if self._mask_count else masks[0]


_implementation = Choice("1", "2")


class GatedCell(DropoutCell):
    """A cell that multiplies its input with one matrix and its old output with another.

    Each matrix has a part for every gate. What `call` does falls into two: `project` is the same
    for all steps, so that a layer does it for all at once, and `advance` needs the step before.
    """

    gates: int
    states = 1

    def __init__(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        recurrent_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        recurrent_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        recurrent_constraint: Any,
        bias_constraint: Any,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(dropout, recurrent_dropout, seed, **kwargs)
        _implementation(self, "implementation", str(implementation))
        self.units = positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = boolean(self, "use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.state_size: Any = self.units if self.states == 1 else [self.units] * self.states
        self.output_size = self.units
        self.bias = None
        if self.gates > 1 and (self.recurrent_dropout > 0 or int(implementation) == 1):
            self._mask_count = self.gates

    def build(self, input_shape: Shape) -> None:
        """Creates the weights for steps with the features of `input_shape`."""
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], width),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(),
                initializer=self._bias_start(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _bias_shape(self) -> Shape:
        return (self.gates * self.units,)

    def _bias_start(self) -> Any:
        return self.bias_initializer

    def _biases(self) -> tuple[Any, Any]:
        """What is added to the product of the input, and to that of the old output."""
        return self.bias, None

    def call(self, inputs: Tensor, states: Any, training: bool | None = None) -> tuple[Tensor, Any]:
        """Returns the output and the new states, in the structure of `states`."""
        listed = list(states) if tree.is_nested(states) else [states]
        output, new = self.advance(self.project(inputs, training), listed, training)
        return output, new if tree.is_nested(states) else new[0]

    def project(self, inputs: Tensor, training: bool | None) -> Tensor:
        """Returns what the inputs, of one step or of all, contribute to the gates."""
        first = inputs if len(inputs.shape) == 2 else inputs[:, 0]
        factors = self.get_dropout_mask(first) if training else None
        if factors is not None and len(inputs.shape) == 3:
            factors = tree.map_structure(lambda x: ops.expand_dims(x, 1), factors)
        return self._product(inputs, factors, self.kernel, self._biases()[0])

    def advance(
        self, projected: Tensor, states: list[Tensor], training: bool | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the output and the new states of a step whose input is projected already."""
        raise NotImplementedError

    def fused(
        self, inputs: Tensor, states: list[Tensor], mask: Tensor | None, go_backwards: bool
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the outputs of a whole sequence, by one operation, and the last states."""
        raise NotImplementedError

    def slow_reasons(self) -> list[str]:
        """Arguments that rule out a fused kernel."""
        gate = getattr(self, "recurrent_activation", activations.sigmoid)
        reasons = {
            "activation": self.activation is not activations.tanh,
            "recurrent_activation": gate is not activations.sigmoid,
            "recurrent_dropout": self.recurrent_dropout > 0,
            "implementation=1 with dropout": self._mask_count is not None
            and self.recurrent_dropout == 0 < self.dropout,
        }
        return [name for name, holds in reasons.items() if holds]

    def drops_by_step(self, training: bool | None) -> bool:
        """Whether dropout acts on more than the inputs as a whole."""
        return bool(training) and (
            self.recurrent_dropout > 0 or (self._mask_count is not None and self.dropout > 0)
        )

    def _product(self, x: Tensor, factors: Factors, kernel: Any, bias: Any) -> Tensor:
        """`x @ kernel + bias`, of what the factors leave of `x`."""
        if not isinstance(factors, list):
            return ops.dense(x if factors is None else x * factors, kernel, bias)
        parts = ops.split(kernel, len(factors), axis=1)
        products = [ops.dense(x * f, part) for f, part in zip(factors, parts, strict=True)]
        product = ops.concatenate(products, axis=-1)
        return product if bias is None else product + bias

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Returns zeros for each state."""
        return [ops.zeros((batch_size, self.units), self.compute_dtype) for _ in range(self.states)]


class StackedRNNCells(Layer):
    """Cells one above the other, as one cell: each takes the output of the one before.

    A layer that runs it runs the cells one after another over the whole sequence.

    Args:
        cells: the cells, the lowest first; each has `state_size` and `call(inputs, states)`.
        **kwargs: `name`, `trainable`, `dtype`.

    Raises:
        ArgumentError: there is no cell.
        ArgumentTypeError: one of them is none.

    Example:
        >>> from mlapi import layers, ops
        >>> cells = [layers.LSTMCell(4), layers.GRUCell(3)]
        >>> ops.shape(layers.RNN(layers.StackedRNNCells(cells))(ops.ones((2, 5, 6))))
        (2, 3)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ArgumentError(
                f'StackedRNNCells "{self.name}": cells must be a list of at least one cell, '
                f"received {cells!r}."
            )
        self.cells = [checked_cell(self, f"cells[{i}]", cell) for i, cell in enumerate(cells)]

    @property
    def state_size(self) -> list[Any]:
        """The state sizes of all cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Shape) -> None:
        """Builds the cells, each for the outputs of the one before."""
        for cell in self.cells:
            build_cell(cell, input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def call(
        self, inputs: Tensor, states: Sequence[Any], training: bool | None = None
    ) -> tuple[Tensor, list[Any]]:
        """Returns the last cell's output, and the new states of all."""
        new_states = []
        for cell, own in zip(self.cells, states, strict=True):
            listed = list(own) if tree.is_nested(own) else [own]
            inputs, new = step_of(cell, training)(inputs, listed)
            new_states.append(new if tree.is_nested(own) else new[0])
        return inputs, new_states

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Returns the states of all cells before the first step."""
        return [initial_state(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, with the records of the cells."""
        return {**super().get_config(), "cells": write_inner(self.cells)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Layer:
        """Returns new cells from what `get_config` returned."""
        cells = [read_inner(record, custom_objects) for record in config["cells"]]
        return super().from_config({**config, "cells": cells})


def checked_cell(owner: Layer, name: str, cell: Any) -> Any:
    """Returns `cell`.

    Raises:
        ArgumentTypeError: it has no `call` or no `state_size`.
        ArgumentError: its `state_size` holds something that is no size.
    """
    where = f'{type(owner).__name__} "{owner.name}": {name}'
    if isinstance(cell, type) or not callable(getattr(cell, "call", None)):
        raise ArgumentTypeError(
            f"{where} must be a layer with `state_size` and `call(inputs, states)`, "
            f"received {cell!r}."
        )
    sizes = getattr(cell, "state_size", None)
    leaves = [] if sizes is None or isinstance(sizes, dict) else tree.flatten(sizes)
    if not leaves or not all(isinstance(n, Integral) and not isinstance(n, bool) for n in leaves):
        raise ArgumentError(
            f"{where} must have a `state_size`, an integer or a list of one for each state, "
            f"received {type(cell).__name__} with state_size={sizes!r}."
        )
    return cell


def build_cell(cell: Any, input_shape: Shape) -> None:
    """Builds a cell that can be; what has no `build` is built when it is called first."""
    if isinstance(cell, Layer) and not cell.built and type(cell).build is not Layer.build:
        cell.build(input_shape)


def output_size(cell: Any) -> Any:
    """The size of a cell's output: that of its first state, unless the cell says otherwise."""
    size = getattr(cell, "output_size", None)
    return tree.flatten(cell.state_size)[0] if size is None else size


def initial_state(cell: Any, batch_size: Any, dtype: str) -> Any:
    """The states before the first step: zeros, unless the cell says otherwise."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    dtype = getattr(cell, "compute_dtype", dtype)
    return tree.map_structure(lambda n: ops.zeros((batch_size, n), dtype), cell.state_size)


Step = Callable[[Any, list[Any]], tuple[Any, list[Any]]]


def step_of(cell: Any, training: bool | None) -> Step:
    """A function `(inputs, states) -> (output, new states)` of a cell of any kind."""
    # A cell of ours needs nothing of what the call of a layer does besides.
    is_ours = type(cell).__module__.startswith("mlapi.layers.")
    run: Any = cell.call if is_ours or not callable(cell) else cell
    options = {"training": training} if takes_training(type(cell)) else {}

    def step(inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        output, new = run(inputs, states, **options)
        return output, tree.pack_sequence_as(states, tree.flatten(new))

    return step


@functools.cache
def takes_training(cls: type) -> bool:
    """Whether the `call` of a class of cells is to be told."""
    return "training" in inspect.signature(getattr(cls, "call")).parameters  # noqa: B009


def of_cell(name: str) -> property:
    """A property of a recurrent layer that is one of its cell."""
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


def shared_with_cell(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Those arguments of a recurrent layer that are its cell's too, or, taken away, only that's."""
    shared = {name: kwargs[name] for name in ("trainable", "dtype") if name in kwargs}
    if "implementation" in kwargs:
        shared["implementation"] = kwargs.pop("implementation")
    return shared


def unless(function: Any, usual: Any) -> Any:
    """None for the function that a fused kernel computes."""
    return None if function is usual else function
