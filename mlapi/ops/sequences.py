"""Embedding, attention and recurrence: what models of sequences are made of."""

from collections.abc import Callable

from mlapi.op import op
from mlapi.ops import rules
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
