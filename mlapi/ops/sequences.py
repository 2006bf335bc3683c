"""Embedding, attention and recurrence: what models of sequences are made of."""

from collections.abc import Callable
from typing import Any

from mlapi import tree
from mlapi.op import op
from mlapi.ops import rules
from mlapi.ops.control import scan
from mlapi.ops.creation import zeros_like
from mlapi.ops.elementwise import cast
from mlapi.ops.logical import where
from mlapi.ops.shape import flip, reshape, swapaxes
from mlapi.types import Tensor, TensorLike


@op(dtype=None)
def embedding(indices: TensorLike, table: TensorLike) -> Tensor:
    """Rows of a table.

    Args:
        indices: integers in `[0, rows)`, any shape. One outside is an error on the CPU of torch
            and tensorflow and a row of NaN on jax.
        table: shape `(rows, width)`.

    Returns:
        Shape `indices.shape + (width,)`, of the table's dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.embedding([1, 0], [[0.0, 1.0], [2.0, 3.0]]))
        array([[2., 3.],
               [0., 1.]], dtype=float32)
    """
    ...


@op(dtype=rules.keep_bools)
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """`softmax(scale * query · key + bias) · value` for each head.

    Vaswani et al., 2017, https://arxiv.org/abs/1706.03762.

    Args:
        query: shape `(batch, target, heads, width)`.
        key: shape `(batch, source, key_heads, width)`; `heads` is a multiple of `key_heads`, and
            neighbouring heads of the query share one of the key.
        value: shape `(batch, source, key_heads, width)`.
        bias: added to the logits, broadcast to `(batch, heads, target, source)`.
        mask: booleans broadcast to the same; False keeps a target from seeing a source. A target
            that sees nothing gets the mean of all values.
        scale: by default `1 / sqrt(width)`.
        is_causal: whether target `t` sees sources up to `t` only.
        flash_attention: True insists on the framework's flash kernel (an error where there is
            none), False forbids it, None leaves the choice to the framework.
        attn_logits_soft_cap: if given, logits become `cap * tanh(logits / cap)`.

    Returns:
        Shape `(batch, target, heads, width)`.

    Example:
        >>> from mlapi import ops
        >>> x = ops.ones((1, 5, 2, 8))
        >>> ops.shape(ops.dot_product_attention(x, x, x, is_causal=True))
        (1, 5, 2, 8)
    """
    ...


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
    ...


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
    ...


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
