"""Attention: `MultiHeadAttention`, and the projections to and from its heads."""

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

from mlapi import config, constraints, initializers, ops, random, regularizers
from mlapi.errors import ShapeError
from mlapi.layers.base import Layer
from mlapi.layers.call_context import get_mask
from mlapi.types import Shape, Tensor
from mlapi.validation import (
    Check,
    as_integer,
    boolean,
    checked_axes,
    fraction,
    integer_axes,
    optional,
    positive_int,
)

# Letters in comments: B batch, T target steps, S source steps, H heads, K width of queries and
# keys of a head, V width of the values of a head.


def _sizes(value: Any) -> tuple[int, ...]:
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError
        return tuple(as_integer(size, 1) for size in value)
    return (as_integer(value, 1),)


_output_shape = Check("an integer of at least 1 or a list of them, or None", _sizes, 0)


class _Projection(Layer):
    """A dense layer from the last axes of the input to several axes.

    Weights: `kernel` of shape `(*last axes, *units)`, then `bias` of shape `units`.
    """

    def __init__(
        self,
        units: tuple[int, ...],
        contracted: int,
        use_bias: bool,
        options: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.contracted = contracted
        self.use_bias = use_bias
        self.options = options
        self.bias = None

    def build(self, input_shape: Shape) -> None:
        """Creates the weights."""
        inputs: tuple[Any, ...] = tuple(input_shape[-self.contracted :])
        options = self.options
        self.kernel = self.add_weight(
            name="kernel",
            shape=inputs + self.units,
            initializer=options["kernel_initializer"],
            regularizer=options["kernel_regularizer"],
            constraint=options["kernel_constraint"],
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self.units,
                initializer=options["bias_initializer"],
                regularizer=options["bias_regularizer"],
                constraint=options["bias_constraint"],
            )
        self._flat = (math.prod(inputs), math.prod(self.units))

    def call(self, x: Tensor) -> Tensor:
        """Returns the projection of `x`, of shape `(…, *units)`."""
        inputs, outputs = self._flat
        leading = ops.shape(x)[: -self.contracted]
        if self.contracted > 1:
            x = ops.reshape(x, (*leading, inputs))
        bias = None if self.bias is None else ops.reshape(self.bias, (outputs,))
        y = ops.dense(x, ops.reshape(self.kernel, (inputs, outputs)), bias)
        return y if len(self.units) == 1 else ops.reshape(y, (*leading, *self.units))


class MultiHeadAttention(Layer):
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
        activity_regularizer: penalty on the output, added to the loss.
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

    supports_masking = True

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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.num_heads = positive_int(self, "num_heads", num_heads)
        self.key_dim = positive_int(self, "key_dim", key_dim)
        self.value_dim = positive_int(
            self, "value_dim", key_dim if value_dim is None else value_dim
        )
        self.dropout = fraction(self, "dropout", dropout)
        self.use_bias = boolean(self, "use_bias", use_bias)
        self.output_shape = optional(_output_shape)(self, "output_shape", output_shape)
        self.attention_axes = optional(integer_axes)(self, "attention_axes", attention_axes)
        self.sliding_window = optional(positive_int)(self, "sliding_window", sliding_window)
        self.flash_attention = optional(boolean)(self, "flash_attention", flash_attention)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.use_gate = boolean(self, "use_gate", use_gate)
        self.seed = seed
        self.query_dense = self._projection("query", self.key_dim)
        self.key_dense = self._projection("key", self.key_dim)
        self.gate_dense = self._projection("gate", self.value_dim) if self.use_gate else None
        self.value_dense = self._projection("value", self.value_dim)
        if self.dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def _projection(self, name: str, width: int) -> _Projection:
        return self._make(name, (self.num_heads, width), 1)

    def _make(self, name: str, units: tuple[int, ...], contracted: int) -> _Projection:
        options = {
            "kernel_initializer": self.kernel_initializer,
            "bias_initializer": self.bias_initializer,
            "kernel_regularizer": self.kernel_regularizer,
            "bias_regularizer": self.bias_regularizer,
            "kernel_constraint": self.kernel_constraint,
            "bias_constraint": self.bias_constraint,
        }
        return _Projection(
            units, contracted, self.use_bias, options,
            name=name, trainable=self.trainable, dtype=self.dtype,
        )  # fmt: skip

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
        self._fold = None if rank == 3 else _Fold(rank, axes)
        output_shape: tuple[Any, ...] = self.output_shape or (query_shape[-1],)
        self.output_dense = self._make("attention_output", output_shape, 2)
        self.query_dense.build(query_shape)
        self.key_dense.build(key_shape)
        if self.gate_dense is not None:
            self.gate_dense.build(query_shape)
        self.value_dense.build(value_shape)
        self.output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Returns what the query finds in the value.

        Args:
            query: shape `(B, T, width)`.
            value: shape `(B, S, width)`.
            key: shape `(B, S, width)`; by default the value.
            query_mask: booleans `(B, T)`, handed on as the mask of the output.
            value_mask: booleans `(B, S)`, False for steps that are padding.
            key_mask: booleans `(B, S)`; likewise.
            attention_mask: booleans `(B, T, S)` or `(B, H, T, S)`, or sizes of 1 in place of
                these; False keeps a target from seeing a source.
            return_attention_scores: whether to return the weights of attention too, of shape
                `(B, H, T, S)`.
            training: whether weights are dropped.
            use_causal_mask: whether each target sees only sources that are not after it.

        Returns:
            The output, or a tuple of the output and the weights of attention. A target whose
            sources are all masked gets the mean of all values.
        """
        key = value if key is None else key
        value_mask = get_mask(value) if value_mask is None else value_mask
        key_mask = get_mask(key) if key_mask is None else key_mask
        fold = self._fold
        sizes = ops.shape(query), ops.shape(value)
        if fold is not None:
            query, value, key = fold.features(query), fold.features(value), fold.features(key)
            value_mask = None if value_mask is None else fold.steps(value_mask)
            key_mask = None if key_mask is None else fold.steps(key_mask)
            if attention_mask is not None:
                attention_mask = fold.pairs(attention_mask, *sizes)
        mask = self._mask(query, value, value_mask, key_mask, attention_mask)
        drop = bool(training) and self.dropout > 0
        q, k, v = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        scores = None
        if drop or return_attention_scores:
            heads, scores = self._attend(q, k, v, mask, use_causal_mask, drop)
        else:
            heads = ops.dot_product_attention(
                q, k, v, None, mask, None, use_causal_mask, self._flash()
            )
        if self.gate_dense is not None:
            heads = heads * ops.sigmoid(self.gate_dense(query))
        output = self.output_dense(heads)
        if fold is not None:
            output = fold.unfold_features(output, sizes[0])
            scores = None if scores is None else fold.unfold_scores(scores, *sizes)
        return (output, scores) if return_attention_scores else output

    def _flash(self) -> bool | None:
        """The argument, else what `config.enable_flash_attention` and its opposite say."""
        flash = self.flash_attention
        return config.is_flash_attention_enabled() if flash is None else flash

    def _mask(
        self,
        query: Tensor,
        value: Tensor,
        value_mask: Tensor | None,
        key_mask: Tensor | None,
        attention_mask: Tensor | None,
    ) -> Tensor | None:
        """All masks but the causal one together, of a shape that broadcasts to (B, H, T, S)."""
        masks = [ops.expand_dims(m, (1, 2)) for m in (value_mask, key_mask) if m is not None]
        if attention_mask is not None:
            rank = len(attention_mask.shape)
            masks.append(ops.expand_dims(attention_mask, 1) if rank == 3 else attention_mask)
        masks = [ops.cast(mask, "bool") for mask in masks]
        if self.sliding_window is not None:
            target, source = _positions(ops.shape(query)[1], ops.shape(value)[1])
            masks.append(ops.abs(target - source) < self.sliding_window)
        return reduce(ops.logical_and, masks) if masks else None

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool, drop: bool
    ) -> tuple[Tensor, Tensor]:
        """The heads (B, T, H, V) and the weights of attention (B, H, T, S), in plain steps."""
        q = ops.transpose(q, (0, 2, 1, 3)) * (1.0 / math.sqrt(self.key_dim))
        logits = ops.matmul(q, ops.transpose(k, (0, 2, 3, 1)))
        if causal:
            target, source = _positions(*ops.shape(logits)[2:])
            past = source <= target
            mask = past if mask is None else ops.logical_and(mask, past)
        if mask is not None:
            # Finite, so that a row without sources is no 0 / 0.
            logits = ops.where(mask, logits, -6e4 if self.compute_dtype == "float16" else -1e30)
        scores = ops.softmax(logits, axis=-1)
        kept = scores
        if drop:
            kept = random.dropout(scores, self.dropout, seed=self.seed_generator)
        heads = ops.matmul(kept, ops.transpose(v, (0, 2, 1, 3)))
        return ops.transpose(heads, (0, 2, 1, 3)), scores


def _positions(targets: Any, sources: Any) -> tuple[Tensor, Tensor]:
    """Step numbers of shapes (T, 1) and (1, S)."""
    return ops.expand_dims(ops.arange(targets), 1), ops.expand_dims(ops.arange(sources), 0)


class _Fold:
    """Brings attention along chosen axes to the usual three: batch, time, width.

    The axes along which is not attended join the batch; those along which is, become the time.
    """

    def __init__(self, rank: int, axes: tuple[int, ...]) -> None:
        self.axes = axes
        self.free = tuple(axis for axis in range(1, rank - 1) if axis not in axes)
        self.order = (0, *self.free, *axes)
        self.back = tuple(self.order.index(axis) for axis in range(rank - 1))

    def _batch(self, sizes: Sequence[Any]) -> list[Any]:
        return [sizes[axis] for axis in (0, *self.free)]

    def _time(self, sizes: Sequence[Any]) -> list[Any]:
        return [sizes[axis] for axis in self.axes]

    def features(self, x: Tensor) -> Tensor:
        """`(batch, …, width)` to `(B, T, width)`."""
        sizes = ops.shape(x)
        x = ops.transpose(x, (*self.order, len(self.order)))
        new = (math.prod(self._batch(sizes)), math.prod(self._time(sizes)), sizes[-1])
        return ops.reshape(x, new)

    def steps(self, mask: Tensor) -> Tensor:
        """`(batch, …)` to `(B, T)`."""
        sizes = ops.shape(mask)
        mask = ops.transpose(mask, self.order)
        return ops.reshape(mask, (math.prod(self._batch(sizes)), math.prod(self._time(sizes))))

    def pairs(self, mask: Tensor, query: Sequence[Any], value: Sequence[Any]) -> Tensor:
        """`(batch, free axes, [heads,] target axes, source axes)` to `(B, heads or 1, T, S)`."""
        batch, target, source = self._batch(query), self._time(query), self._time(value)
        if len(mask.shape) == len(batch) + len(target) + len(source):
            mask = ops.expand_dims(mask, len(batch))
        heads = ops.shape(mask)[len(batch)]
        mask = ops.broadcast_to(mask, (*batch, heads, *target, *source))
        new = (math.prod(batch), heads, math.prod(target), math.prod(source))
        return ops.reshape(mask, new)

    def unfold_features(self, x: Tensor, query: Sequence[Any]) -> Tensor:
        """The output `(B, T, …)` to the axes of the query, and its own last ones."""
        last = ops.shape(x)[2:]
        x = ops.reshape(x, (*self._batch(query), *self._time(query), *last))
        rank = len(self.back)
        return ops.transpose(x, (*self.back, *range(rank, rank + len(last))))

    def unfold_scores(self, x: Tensor, query: Sequence[Any], value: Sequence[Any]) -> Tensor:
        """`(B, H, T, S)` to `(batch, free axes, H, target axes, source axes)`."""
        heads = ops.shape(x)[1]
        new = (*self._batch(query), heads, *self._time(query), *self._time(value))
        return ops.reshape(x, new)
