"""Recurrence over whole sequences: the usual kinds as one operation each, and any step."""

from collections.abc import Callable
from typing import Any

from mlapi import tree
from mlapi.op import op
from mlapi.ops import rules
from mlapi.ops.control import scan
from mlapi.ops.conversion import dtype
from mlapi.ops.creation import arange, zeros, zeros_like
from mlapi.ops.elementwise import cast, maximum
from mlapi.ops.logical import where
from mlapi.ops.reduction import cumsum
from mlapi.ops.sequences import embedding
from mlapi.ops.shape import concatenate, flip, reshape, shape, swapaxes
from mlapi.ops.sorting import argsort
from mlapi.types import Tensor, TensorLike

# The logarithm of the odds of a gate that is to be open; it is closed at as much below zero.
_CERTAIN = 1e4


@op(dtype=rules.keep_bools)
def lstm(
    x: TensorLike,
    h: TensorLike,
    c: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    go_backwards: bool = False,
    activation: Callable[[Tensor], Tensor] | None = None,
    recurrent_activation: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory over a whole sequence.

    Hochreiter and Schmidhuber, 1997, with forget gates: from `z = x_t·kernel +
    h·recurrent_kernel + bias`, cut into `i, f, g, o`, follow `c = σ(f)·c + σ(i)·tanh(g)` and
    `h = σ(o)·tanh(c)`.

    Args:
        x: shape `(batch, time, inputs)`.
        h: first output, shape `(batch, units)`.
        c: first memory, shape `(batch, units)`.
        kernel: shape `(inputs, 4 * units)`.
        recurrent_kernel: shape `(units, 4 * units)`.
        bias: shape `(4 * units,)`.
        mask: booleans `(batch, time)`; where False, output and memory stay as they were.
        go_backwards: whether time runs backwards; outputs come in the order they are made.
        activation: in place of `tanh`. Any but the default gives up the fused kernel.
        recurrent_activation: in place of the sigmoid σ; likewise.

    Returns:
        Outputs `(batch, time, units)`, and the last output and memory, `(batch, units)` each.

    Example:
        >>> from mlapi import ops
        >>> h = c = ops.zeros((1, 2))
        >>> outputs, h, c = ops.lstm(
        ...     ops.ones((1, 5, 3)), h, c, ops.ones((3, 8)), ops.ones((2, 8)), ops.zeros((8,))
        ... )
        >>> ops.shape(outputs)
        (1, 5, 2)
    """
    # For adapters whose kernels know no masks.
    packed = _Packed(x, mask, go_backwards)
    # A further input, at the steps that are left over, closes the input gates and opens the forget
    # gates, so that the memory stays.
    units = shape(h)[1]
    row = concatenate(
        [zeros((1, units)) - _CERTAIN, zeros((1, units)) + _CERTAIN, zeros((1, 2 * units))], -1
    )
    steps = concatenate([packed.steps, cast(packed.is_left_over, dtype(x))], -1)
    kernel = concatenate([kernel, cast(row, dtype(kernel))], 0)
    outputs, _, last_c = lstm(steps, h, c, kernel, recurrent_kernel, bias)
    outputs = packed.in_place(outputs, h)
    return outputs, outputs[:, -1], last_c


@op(dtype=rules.keep_bools)
def gru(
    x: TensorLike,
    h: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    go_backwards: bool = False,
    activation: Callable[[Tensor], Tensor] | None = None,
    recurrent_activation: Callable[[Tensor], Tensor] | None = None,
    reset_after: bool = True,
) -> tuple[Tensor, Tensor]:
    """Gated recurrent units over a whole sequence.

    Cho et al., 2014, https://arxiv.org/abs/1406.1078. From the products with the kernels, cut
    into `z, r, g`, follow `h = σ(z)·h + (1 - σ(z))·tanh(g)`, with `g = x_t·kernel + σ(r)·(h·
    recurrent_kernel)`, or `(σ(r)·h)·recurrent_kernel` for `reset_after=False`.

    Args:
        x: shape `(batch, time, inputs)`.
        h: first output, shape `(batch, units)`.
        kernel: shape `(inputs, 3 * units)`.
        recurrent_kernel: shape `(units, 3 * units)`.
        bias: shape `(2, 3 * units)`, for the inputs and for the recurrence; or `(3 * units,)` for
            the inputs alone with `reset_after=False`.
        mask: booleans `(batch, time)`; where False, the output stays as it was.
        go_backwards: whether time runs backwards; outputs come in the order they are made.
        activation: in place of `tanh`. Any but the default gives up the fused kernel.
        recurrent_activation: in place of the sigmoid σ; likewise.
        reset_after: whether the reset gate `r` comes after the product. The original is False;
            fused kernels have True.

    Returns:
        Outputs `(batch, time, units)`, and the last one.

    Example:
        >>> from mlapi import ops
        >>> h = ops.zeros((1, 2))
        >>> outputs, h = ops.gru(ops.ones((1, 5, 3)), h, ops.ones((3, 6)), ops.ones((2, 6)))
        >>> ops.shape(outputs)
        (1, 5, 2)
    """
    packed = _Packed(x, mask, go_backwards)  # see `lstm`
    outputs, _ = gru(packed.steps, h, kernel, recurrent_kernel, bias)
    outputs = packed.in_place(outputs, h)
    return outputs, outputs[:, -1]


@op(dtype=rules.keep_bools)
def simple_rnn(
    x: TensorLike,
    h: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    go_backwards: bool = False,
    activation: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """The simplest recurrent network over a whole sequence.

    Elman, "Finding structure in time", 1990: `h = tanh(x_t·kernel + h·recurrent_kernel + bias)`.

    Args:
        x: shape `(batch, time, inputs)`.
        h: first output, shape `(batch, units)`.
        kernel: shape `(inputs, units)`.
        recurrent_kernel: shape `(units, units)`.
        bias: shape `(units,)`.
        mask: booleans `(batch, time)`; where False, the output stays as it was.
        go_backwards: whether time runs backwards; outputs come in the order they are made.
        activation: in place of `tanh`. Any but the default gives up the fused kernel.

    Returns:
        Outputs `(batch, time, units)`, and the last one.

    Example:
        >>> from mlapi import ops
        >>> h = ops.zeros((1, 2))
        >>> outputs, h = ops.simple_rnn(ops.ones((1, 5, 3)), h, ops.ones((3, 2)), ops.ones((2, 2)))
        >>> ops.shape(outputs)
        (1, 5, 2)
    """
    packed = _Packed(x, mask, go_backwards)  # see `lstm`
    outputs, _ = simple_rnn(packed.steps, h, kernel, recurrent_kernel, bias)
    outputs = packed.in_place(outputs, h)
    return outputs, outputs[:, -1]


class _Packed:
    """The steps that a mask leaves, moved to the front of each row: any mask, and no look at it.

    Attributes:
        steps: `(batch, time, inputs)`, in the order in which they are taken.
        is_left_over: `(batch, time, 1)`, True for the steps behind those that count.
    """

    def __init__(self, x: Any, mask: Any, go_backwards: bool) -> None:
        if go_backwards:
            x, mask = flip(x, 1), flip(mask, 1)
        self._sizes = batch, time = shape(x)[:2]
        times = arange(time)
        place = argsort(where(mask, times, times + time), 1)
        # How many have counted up to each step, and where the row of each sample begins.
        counted = cumsum(cast(mask, "int32"), 1)
        self._start = reshape(arange(batch) * time, (-1, 1))
        self._place = counted - 1
        self.steps = self._rows(x, place)
        self.is_left_over = reshape(times >= counted[:, -1:], (batch, time, 1))

    def _rows(self, x: Any, place: Any) -> Any:
        batch, time = self._sizes
        flat = reshape(x, (batch * time, x.shape[-1]))
        return embedding(place + self._start, flat)

    def in_place(self, outputs: Any, first: Any) -> Any:
        """Outputs of the packed steps, at the times of the steps and until the next that counts."""
        found = self._rows(outputs, maximum(self._place, 0))
        return where(reshape(self._place >= 0, (*self._sizes, 1)), found, first[:, None])


def rnn(
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    states: Any,
    mask: TensorLike | None = None,
    go_backwards: bool = False,
) -> tuple[Any, Any]:
    """Any step over a sequence.

    Args:
        step: `(inputs at one time, states) -> (outputs, new states)`; the states keep their
            structure, shapes and dtypes.
        inputs: a nest of tensors of shape `(batch, time, ...)`.
        states: the first ones, a nest of tensors `(batch, ...)`.
        mask: booleans `(batch, time)`; where False, outputs (0 at first) and states stay as they
            were.
        go_backwards: whether time runs backwards; outputs come in the order they are made.

    Returns:
        The outputs `(batch, time, ...)`, and the last states.

    Example:
        >>> from mlapi import ops
        >>> y, total = ops.rnn(lambda x, s: (x + s, x + s), ops.ones((1, 3, 1)), ops.zeros((1, 1)))
        >>> ops.convert_to_numpy(y).ravel()
        array([1., 2., 3.], dtype=float32)
    """

    def in_order(x: Any) -> Any:
        x = swapaxes(x, 0, 1)
        return flip(x, 0) if go_backwards else x

    xs = tree.map_structure(in_order, inputs)
    if mask is None:

        def plain(states: Any, x: Any) -> Any:
            return step(x, states)[::-1]

        states, outputs = scan(plain, states, xs)
    else:
        first, _ = step(tree.map_structure(lambda x: x[0], xs), states)
        before = tree.map_structure(zeros_like, first)

        def masked(carry: Any, at: Any) -> Any:
            x, keep = at
            outputs, states = step(x, carry[1])
            kept = tree.map_structure(
                lambda new, old: where(
                    reshape(keep, (-1,) + (1,) * (len(new.shape) - 1)), new, old
                ),
                (outputs, states),
                carry,
            )
            return kept, kept[0]

        (_, states), outputs = scan(masked, (before, states), (xs, in_order(cast(mask, "bool"))))
    return tree.map_structure(lambda y: swapaxes(y, 0, 1), outputs), states
