"""`RNN`: a layer that runs a cell, which takes one time step, over a sequence."""

import functools
import logging
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from mlapi import ops, tree
from mlapi.errors import ArgumentError, ShapeError
from mlapi.graph import SymbolicTensor
from mlapi.layers.base import Layer
from mlapi.layers.cells import (
    DropoutCell,
    GatedCell,
    StackedRNNCells,
    build_cell,
    checked_cell,
    initial_state,
    step_of,
)
from mlapi.layers.input_spec import InputSpec
from mlapi.layers.wrapper import read_inner, write_inner
from mlapi.state import Stateful, Variable
from mlapi.types import Shape, Tensor
from mlapi.validation import boolean

_log = logging.getLogger("mlapi")


class _KeptStates(Stateful):
    """States that a stateful layer keeps from one batch to the next; no weights of it."""

    def __init__(self, first: Any, dtype: str, path: str) -> None:
        self._first = tree.map_structure(ops.convert_to_numpy, first)
        self.values = tree.map_structure(
            lambda x: Variable(x, None, dtype, trainable=False, path=f"{path}/state"), self._first
        )

    def reset(self) -> None:
        for variable, first in zip(tree.flatten(self.values), tree.flatten(self._first)):
            variable.assign(first)


class RNN(Layer):
    """Runs a cell over the time steps of a sequence.

    A cell is a layer with an attribute `state_size`, an integer or a list of them, and a method
    `call(inputs, states)`, which returns the output of one step and the list of new states. It
    must not assign to variables there, since the steps of a sequence are compiled as a loop. It may
    have `output_size`, if that is not the size of the first state, and
    `get_initial_state(batch_size)`, if its states do not begin at zero or are no vectors.

    Args:
        cell: the cell, or a list of cells, each of which takes the output of the one before.
        return_sequences: whether to return the outputs of all steps rather than the last one.
        return_state: whether to return the last states too, after the output.
        go_backwards: whether to start at the end; outputs are in the order they are made.
        stateful: whether each batch starts from the states at the end of the batch before. The
            size of the batches must be fixed then: `Input(batch_size=…)`.
        unroll: whether a compiler is to write out the steps, which for short sequences can be
            faster than a loop and takes longer to compile.
        zero_output_for_mask: whether the outputs of masked steps are 0 rather than the output
            of the step before.
        **kwargs: `name`, `trainable`, `dtype`, `activity_regularizer`.

    Shapes: `(batch, time, features)` → `(batch, units)`, or `(batch, time, units)` with
    `return_sequences`; states are `(batch, state_size)`, a mask is `(batch, time)`. Until the first
    step that counts, outputs are 0.

    Raises:
        ArgumentTypeError, ArgumentError: `cell` is none.

    Example:
        >>> from mlapi import layers, ops
        >>> class Sum(layers.Layer):
        ...     state_size = 3
        ...     def call(self, inputs, states):
        ...         total = states[0] + inputs
        ...         return total, [total]
        >>> ops.convert_to_numpy(layers.RNN(Sum())(ops.ones((1, 5, 3))))
        array([[5., 5., 5.]], dtype=float32)
    """

    supports_masking = True
    use_cudnn: bool | str = "auto"

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
        if kwargs.pop("time_major", False):  # from files of older versions, where it was False
            raise ArgumentError(
                f"{type(self).__name__}: time_major=True is not supported. Swap the first two axes "
                "with ops.swapaxes."
            )
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, name="stacked_rnn_cells", dtype=kwargs.get("dtype"))
        self.cell = checked_cell(self, "cell", cell)
        self.return_sequences = boolean(self, "return_sequences", return_sequences)
        self.return_state = boolean(self, "return_state", return_state)
        self.go_backwards = boolean(self, "go_backwards", go_backwards)
        self.stateful = boolean(self, "stateful", stateful)
        self.unroll = boolean(self, "unroll", unroll)
        self.zero_output_for_mask = boolean(self, "zero_output_for_mask", zero_output_for_mask)
        self.input_spec = InputSpec(min_ndim=3)
        self._kept: _KeptStates | None = None

    @property
    def state_size(self) -> list[Any]:
        """Sizes of the states."""
        size = self.cell.state_size
        return list(size) if tree.is_nested(size) else [size]

    @property
    def states(self) -> list[Any] | None:
        """The Variables that a stateful layer keeps its states in, once it is built."""
        return None if self._kept is None else self._kept.values

    def build(  # pyright: ignore[reportIncompatibleMethodOverride]  # one shape for each input
        self, sequences_shape: Shape, initial_state_shape: Any = None
    ) -> None:
        """Builds the cell for steps of `sequences_shape` without its second axis."""
        batch_size, _, *rest = sequences_shape
        step_shape = (batch_size, *rest)
        cell = self.cell
        build_cell(cell, step_shape)
        first = self.get_initial_state(1)
        self._structure = tree.map_structure(lambda _: 0, first)
        if isinstance(cell, Layer) and not all(layer.built for layer in cell._flatten_layers()):
            self._build_inside(cell, (None, *rest), first)
        self.input_spec = InputSpec(ndim=len(sequences_shape), axes={-1: rest[-1]})
        if self.stateful:
            if batch_size is None:
                raise ShapeError(
                    f'{type(self).__name__} "{self.path}": stateful=True needs a fixed batch '
                    "size. Give it in Input(shape=…, batch_size=…)."
                )
            first = self.get_initial_state(batch_size)
            self._kept = _KeptStates(first, self.variable_dtype, self.path)
        if reasons := self._slow_reasons():
            name = type(self).__name__
            _log.debug('%s "%s" goes step by step, because of %s.', name, self.path, reasons)

    def _build_inside(self, cell: Layer, step_shape: Shape, first: list[Any]) -> None:
        """Lets a cell make what it makes when it is called; in a loop that could not be done."""
        symbols = tree.map_structure(
            lambda x: SymbolicTensor((None, *x.shape[1:]), ops.dtype(x)), first
        )
        cell.compute_output_spec(SymbolicTensor(step_shape, cell.compute_dtype), symbols)

    def _slow_reasons(self) -> str:
        """What rules out a fused kernel, as a list for a message."""
        cells = _cells_in(self.cell)
        strange = [f"its cell {type(cell).__name__}" for cell in cells if not _is_gated(cell)]
        reasons = strange or [reason for cell in cells for reason in cell.slow_reasons()]
        if not strange:
            reasons += ["unroll"] * self.unroll + ["use_cudnn=False"] * (self.use_cudnn is False)
        return ", ".join(dict.fromkeys(reasons))

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        """Returns the output or outputs, and with `return_state` the last states after them."""
        kept = None if mask is None else _as_mask(mask)
        states = self._first_states(sequences, initial_state)
        output, outputs, states = self.inner_loop(sequences, states, kept, training)
        if self._kept is not None:
            variables = tree.flatten(self._kept.values)
            for variable, state in zip(variables, tree.flatten(states), strict=True):
                variable.assign(ops.stop_gradient(state))
        output = outputs if self.return_sequences else output
        found = (output, *states) if self.return_state else output
        if getattr(self.cell, "compute_dtype", self.compute_dtype) == self.compute_dtype:
            return found
        return tree.map_structure(lambda x: ops.cast(x, self.compute_dtype), found)

    def _first_states(self, sequences: Tensor, given: Any) -> list[Any]:
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        if given is None:
            given = self.states
        if given is None:
            return self.get_initial_state(ops.shape(sequences)[0])
        flat = tree.flatten(given)
        wanted = len(tree.flatten(self._structure))
        if len(flat) != wanted:
            raise ArgumentError(
                f'{type(self).__name__} "{self.path}" has {wanted} '
                f"{'state' if wanted == 1 else 'states'}, initial_state holds {len(flat)}."
            )
        if self._kept is not None and sequences.shape[0] != flat[0].shape[0]:
            raise ShapeError(
                f'{type(self).__name__} "{self.path}" is stateful and keeps the states of a batch '
                f"of {flat[0].shape[0]}, received a batch of {sequences.shape[0]}. All batches "
                "must have one size."
            )
        return tree.pack_sequence_as(self._structure, [ops.cast(x, dtype) for x in flat])

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Returns the states before the first step: zeros, unless the cell says otherwise."""
        states = initial_state(self.cell, batch_size, self.compute_dtype)
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def inner_loop(
        self,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool | None = False,
    ) -> tuple[Tensor, Tensor, list[Any]]:
        """Returns the last output, all outputs where they are wanted, and the last states."""
        states = list(initial_state) if tree.is_nested(initial_state) else [initial_state]
        every, backwards = self.return_sequences, self.go_backwards
        return self._through(self.cell, sequences, states, mask, training, every, backwards)

    def _through(
        self,
        cell: Any,
        x: Tensor,
        states: list[Any],
        mask: Tensor | None,
        training: bool | None,
        every: bool,
        backwards: bool,
    ) -> tuple[Tensor, Any, list[Any]]:
        """The whole sequence through one cell; through several, one after another."""
        if _is_stack(cell):
            if backwards:
                x, mask = ops.flip(x, 1), None if mask is None else ops.flip(mask, 1)
            output, new_states = x, []
            for i, (inner, own) in enumerate(zip(cell.cells, states, strict=True)):
                wanted = every or i + 1 < len(cell.cells)
                listed = list(own) if tree.is_nested(own) else [own]
                output, x, new = self._through(inner, x, listed, mask, training, wanted, False)
                new_states.append(new if tree.is_nested(own) else new[0])
            return output, x, new_states
        drops = nullcontext()
        if isinstance(cell, DropoutCell):
            if cell.compute_dtype != self.compute_dtype:
                x = ops.cast(x, cell.compute_dtype)
            if training:
                drops = cell.one_sequence(x[:, 0], states[0])
        with drops:
            whole = _is_gated(cell) and not cell.drops_by_step(training)
            if whole and not self.unroll and self.use_cudnn is not False:
                return self._at_once(cell, x, states, mask, training, every, backwards)
            step = step_of(cell, training)
            if _is_gated(cell):
                x = cell.project(x, training)
                step = functools.partial(cell.advance, training=training)
            return self._loop(cell, step, x, states, mask, every, backwards)

    def _at_once(
        self,
        cell: GatedCell,
        x: Tensor,
        states: list[Tensor],
        mask: Tensor | None,
        training: bool | None,
        every: bool,
        backwards: bool,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        if training and cell.dropout > 0:
            x = x * ops.expand_dims(cell.get_dropout_mask(x[:, 0]), 1)
        outputs, new = cell.fused(x, states, mask, backwards)
        if mask is None:
            return new[0], outputs, new
        # The operation has the first state as output until the first step that counts.
        kept = ops.flip(mask, 1) if backwards else mask
        if not self.zero_output_for_mask:
            kept = ops.cumsum(ops.cast(kept, "int32"), 1) > 0
        output = ops.where(kept[:, -1:], new[0], 0.0)
        if every:
            outputs = ops.where(ops.expand_dims(kept, -1), outputs, 0.0)
        return output, outputs, new

    def _loop(
        self,
        cell: Any,
        step: Any,
        x: Tensor,
        states: list[Any],
        mask: Tensor | None,
        every: bool,
        backwards: bool,
    ) -> tuple[Tensor, Any, list[Any]]:
        """Goes through the sequence step by step."""
        xs = ops.swapaxes(x, 0, 1)
        masks = None if mask is None else ops.swapaxes(mask, 0, 1)
        if backwards:
            xs = ops.flip(xs, axis=0)
            masks = None if masks is None else ops.flip(masks, axis=0)
        size = getattr(cell, "output_size", None)
        if isinstance(size, int):
            dtype = getattr(cell, "compute_dtype", self.compute_dtype)
            nothing = ops.zeros((ops.shape(x)[0], size), dtype)
        else:
            nothing = ops.zeros_like(step(xs[0], states)[0])

        def advance(carry: Any, inputs: Any) -> Any:
            old_output, old_states = carry
            output, new_states = step(inputs[0], old_states)
            if masks is not None:
                before = nothing if self.zero_output_for_mask else old_output
                output = _kept(inputs[1], output, before)
                new_states = tree.map_structure(
                    lambda new, old: _kept(inputs[1], new, old), new_states, old_states
                )
            return (output, new_states), output if every else None

        inputs = (xs,) if masks is None else (xs, masks)
        carry, outputs = ops.scan(advance, (nothing, states), inputs, unroll=self.unroll or 1)
        return carry[0], ops.swapaxes(outputs, 0, 1) if every else None, carry[1]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the mask of the outputs: none if only the last is returned."""
        mask = previous_mask if self.return_sequences else None
        if mask is not None:
            mask = tree.flatten(mask)[0]
            mask = ops.flip(mask, axis=1) if self.go_backwards else mask
        return [mask] + [None] * len(self.state_size) if self.return_state else mask

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """Shapes of what the layer returns; those of its initial states do not matter."""
        return super().compute_output_shape(sequences_shape)

    def reset_state(self) -> None:
        """Sets the states that a stateful layer keeps back to what they were at first."""
        if self._kept is not None:
            self._kept.reset()

    reset_states = reset_state

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, those included that subclasses hand on by name."""
        config = {**{name: getattr(self, name) for name in _OPTIONS}, **super().get_config()}
        if "cell" in config:
            config["cell"] = write_inner(self.cell)
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Layer:
        """Returns a new layer from what `get_config` returned."""
        if "cell" in config:
            config = {**config, "cell": read_inner(config["cell"], custom_objects)}
        return super().from_config(config)


_OPTIONS = (
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
    "zero_output_for_mask",
)  # fmt: skip


def _as_mask(mask: Any) -> Tensor:
    """Booleans (batch, time), also of a mask for each of several inputs, or with a last axis."""
    mask = tree.flatten(mask)[0]
    mask = mask if ops.dtype(mask) == "bool" else ops.cast(mask, "bool")
    return mask[:, :, 0] if len(mask.shape) == 3 else mask


def _kept(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` for the samples whose step counts, `old` for the others."""
    return ops.where(ops.reshape(mask, (-1,) + (1,) * (len(new.shape) - 1)), new, old)


def _is_stack(cell: Any) -> bool:
    return isinstance(cell, StackedRNNCells) and type(cell).call is StackedRNNCells.call


@functools.cache
def _is_gated_class(cls: type) -> bool:
    if not issubclass(cls, GatedCell):
        return False
    own = (cls.call, cls.project, cls.advance, cls.fused)
    return all(method.__module__.startswith("mlapi.layers.") for method in own)


def _is_gated(cell: Any) -> bool:
    """Whether it is one of ours, and nobody has changed what it does at a step."""
    return _is_gated_class(type(cell))


def _cells_in(cell: Any) -> list[Any]:
    if _is_stack(cell):
        return [inner for each in cell.cells for inner in _cells_in(each)]
    return [cell]


def checked_use_cudnn(layer: RNN, value: bool | str) -> bool | str:
    """Returns `value`.

    Raises:
        ArgumentError: it is none of the choices, or True where other arguments rule it out.
    """
    where = f'{type(layer).__name__} "{layer.name}"'
    if value not in ("auto", True, False):
        raise ArgumentError(
            f'{where}: use_cudnn must be "auto", True or False, received {value!r}.'
        )
    if value is True and (reasons := layer._slow_reasons()):
        raise ArgumentError(f"{where}: use_cudnn=True, but {reasons} rules out a fused kernel.")
    return value
