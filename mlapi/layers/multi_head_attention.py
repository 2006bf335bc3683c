"""Attention with several heads: `MultiHeadAttention` and `GroupQueryAttention`."""

from collections.abc import Sequence
from typing import Any

from mlapi.errors import ArgumentError, ShapeError
from mlapi.layers.attention_axes import Fold
from mlapi.layers.base import Layer
from mlapi.layers.heads import Heads
from mlapi.types import Shape
from mlapi.validation import Check, as_integer, checked_axes, integer_axes, optional, positive_int


def _sizes(value: Any) -> tuple[int, ...]:
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError
        return tuple(as_integer(size, 1) for size in value)
    return (as_integer(value, 1),)


_output_shape = Check("an integer of at least 1 or a list of them, or None", _sizes, 0)


class MultiHeadAttention(Heads):
    """Attention with several heads.

        head = softmax(query key^T / sqrt(key_dim)) value
        output = all heads, side by side, times a kernel

    where query, key and value are projections of the arguments of the call. Vaswani et al.,
    "Attention is all you need", 2017 (arXiv:1706.03762). Without dropout on the weights of
    attention, and if these are not asked for, it runs as a fused kernel of the framework.

    Weights, each `kernel` before its `bias`: `query` and `key` of shape
    `(width, num_heads, key_dim)`, `gate` (with `use_gate`) and `value` of shape
    `(width, num_heads, value_dim)`, `attention_output` of shape
    `(num_heads, value_dim, *output_shape)`.

    Args:
        num_heads: number of heads.
        key_dim: width of the queries and keys of a head.
        value_dim: width of the values of a head; None for `key_dim`.
        dropout: share of the weights of attention to drop while training.
        use_bias: whether the projections add a bias.
        output_shape: sizes of the last axes of the output; None for the width of the query.
        attention_axes: the axes along which is attended; None for all but the first and the last.
        sliding_window: how far apart, plus one, a target and a source may be; None for no limit.
        flash_attention: True insists on the framework's flash kernel, False forbids it, None
            leaves the choice to the framework.
        kernel_initializer: first values of the kernels.
        bias_initializer: first values of the biases.
        kernel_regularizer: penalty on each kernel, added to the loss.
        bias_regularizer: penalty on each bias, added to the loss.
        activity_regularizer: penalty on what each projection returns, added to the loss.
        kernel_constraint: function applied to the kernels after each update.
        bias_constraint: function applied to the biases after each update.
        use_gate: whether the heads are multiplied with the sigmoid of another projection of the
            query before they are put together.
        seed: an integer for the same dropout in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: query `(B, T, width)`, value and key `(B, S, width)` → `(B, T, width)`.

    Example:
        >>> from mlapi import layers, ops
        >>> x = ops.ones((2, 6, 16))
        >>> ops.shape(layers.MultiHeadAttention(num_heads=2, key_dim=8)(x, x, use_causal_mask=True))
        (2, 6, 16)
    """

    num_heads: int = 1
    key_dim: int = 1
    value_dim: int = 1
    use_bias: bool = True
    dropout: float = 0.0
    attention_axes: Any = None

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.num_heads = positive_int(self, "num_heads", num_heads)
        self.key_dim = self._width = positive_int(self, "key_dim", key_dim)
        self.value_dim = positive_int(
            self, "value_dim", key_dim if value_dim is None else value_dim
        )
        self.output_shape = optional(_output_shape)(self, "output_shape", output_shape)
        self.attention_axes = optional(integer_axes)(self, "attention_axes", attention_axes)

    def build(  # pyright: ignore[reportIncompatibleMethodOverride]  # one shape for each input
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        """Creates the projections for inputs of these shapes."""
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape)
        if rank < 3 or len(value_shape) != rank or len(key_shape) != rank:
            raise ShapeError(
                f'MultiHeadAttention "{self.path}": query, value and key must have the same rank '
                f"of at least 3, received shapes {query_shape}, {value_shape} and {key_shape}."
            )
        wanted = self.attention_axes
        axes = tuple(range(1, rank - 1)) if wanted is None else checked_axes(self, wanted, rank)
        if not set(axes) <= set(range(1, rank - 1)):
            raise ShapeError(
                f'MultiHeadAttention "{self.path}": attention_axes={wanted} may hold neither the '
                f"first nor the last axis of inputs of rank {rank}."
            )
        self._fold = None if rank == 3 else Fold(rank, axes)
        outputs: tuple[Any, ...] = self.output_shape or (query_shape[-1],)
        shapes = query_shape, value_shape, key_shape
        self._build_projections(shapes, self.num_heads, self.num_heads, self.value_dim, outputs)

    @property
    def query_dense(self) -> Layer:
        """The projection of the query; None before the layer is built, as are the others."""
        return self._query_dense

    @property
    def key_dense(self) -> Layer:
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> Layer:
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> Layer:
        """The projection of all heads together."""
        return self._output_dense


class GroupQueryAttention(Heads):
    """Attention with several heads, groups of which share keys and values.

        head = softmax(query key^T / sqrt(head_dim)) value
        output = all heads, side by side, times a kernel

    where query, key and value are projections of the arguments of the call, and neighbouring
    heads of the query have one key and value between them. Ainslie et al., "GQA: Training
    generalized multi-query transformer models from multi-head checkpoints", 2023
    (arXiv:2305.13245). With one head of keys for each of the queries it is `MultiHeadAttention`,
    with a single one the multi-query attention of Shazeer, 2019 (arXiv:1911.02150).

    Weights, each `kernel` before its `bias`: `query` of shape
    `(width, num_query_heads, head_dim)`, `key` of shape `(width, num_key_value_heads, head_dim)`,
    `gate` (with `use_gate`) as `query`, `value` as `key`, `attention_output` of shape
    `(num_query_heads, head_dim, width)`.

    Args:
        head_dim: width of the queries, keys and values of a head.
        num_query_heads: number of heads.
        num_key_value_heads: number of heads of the keys and values; a divisor of the other.
        dropout: share of the weights of attention to drop while training.
        use_bias: whether the projections add a bias.
        sliding_window: how far apart, plus one, a target and a source may be; None for no limit.
        flash_attention: True insists on the framework's flash kernel, False forbids it, None
            leaves the choice to the framework.
        kernel_initializer: first values of the kernels.
        bias_initializer: first values of the biases.
        kernel_regularizer: penalty on each kernel, added to the loss.
        bias_regularizer: penalty on each bias, added to the loss.
        activity_regularizer: penalty on what each projection returns, added to the loss.
        kernel_constraint: function applied to the kernels after each update.
        bias_constraint: function applied to the biases after each update.
        use_gate: whether the heads are multiplied with the sigmoid of another projection of the
            query before they are put together.
        seed: an integer for the same dropout in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: query `(B, T, width)`, value and key `(B, S, width)` → `(B, T, width)`.

    Example:
        >>> from mlapi import layers, ops
        >>> x = ops.ones((2, 6, 16))
        >>> layer = layers.GroupQueryAttention(8, num_query_heads=4, num_key_value_heads=2)
        >>> ops.shape(layer(x, x, use_causal_mask=True))
        (2, 6, 16)
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self.head_dim = self._width = positive_int(self, "head_dim", head_dim)
        self.num_query_heads = positive_int(self, "num_query_heads", num_query_heads)
        self.num_key_value_heads = positive_int(self, "num_key_value_heads", num_key_value_heads)
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                f'GroupQueryAttention "{self.name}": num_query_heads={num_query_heads} must be a '
                f"multiple of num_key_value_heads={num_key_value_heads}."
            )

    def build(  # pyright: ignore[reportIncompatibleMethodOverride]  # one shape for each input
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        """Creates the projections for inputs of these shapes."""
        shapes = query_shape, value_shape, value_shape if key_shape is None else key_shape
        if any(len(shape) != 3 for shape in shapes):
            raise ShapeError(
                f'GroupQueryAttention "{self.path}": query, value and key must have rank 3, '
                f"received shapes {', '.join(map(str, shapes))}."
            )
        width: Any = query_shape[-1]
        heads, shared = self.num_query_heads, self.num_key_value_heads
        self._build_projections(shapes, heads, shared, self.head_dim, (width,))
