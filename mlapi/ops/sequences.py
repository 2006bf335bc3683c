"""Embedding and attention: what models of sequences are made of, besides `recurrence`."""

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
