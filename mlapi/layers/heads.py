"""What attention with several heads is made of: projections to heads, and attention in each."""

import math
from functools import reduce
from typing import Any

from mlapi import config, constraints, initializers, ops, random, regularizers, serialization
from mlapi.errors import ArgumentError
from mlapi.layers.attention import hidden_score, seen_before
from mlapi.layers.attention_axes import Fold
from mlapi.layers.base import Layer
from mlapi.layers.call_context import get_mask
from mlapi.types import Shape, Tensor
from mlapi.validation import boolean, fraction, optional, positive_int

# Letters in comments: B batch, T target steps, S source steps, H heads, K width of queries and
# keys of a head, V width of the values of a head.


class Projection(Layer):
    """A dense layer from the last axes of the input to several axes.

    Weights: `kernel` of shape `(*last axes, *units)`, then `bias` of shape `units`.
    """

    def __init__(
        self,
        units: tuple[int, ...],
        contracted: int,
        use_bias: bool,
        opens: bool,
        options: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.contracted = contracted
        self.use_bias = use_bias
        self.opens = opens  # whether a sigmoid follows, as in a gate
        self.options = options
        self.bias = None

    def build(self, input_shape: Shape) -> None:
        """Creates the weights."""
        inputs: tuple[Any, ...] = tuple(input_shape[-self.contracted :])
        shape, options = inputs + self.units, self.options
        axes = list(range(len(shape)))
        summed, others = axes[: len(inputs)], axes[len(inputs) :]
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=initializers.along(options["kernel_initializer"], summed, others),
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
        bias = None if self.bias is None else ops.reshape(self.bias, (outputs,))
        kernel = ops.reshape(self.kernel, (inputs, outputs))
        y = ops.dense(ops.reshape(x, (-1, inputs)), kernel, bias)
        y = ops.reshape(y, (*leading, *self.units))
        return ops.sigmoid(y) if self.opens else y


class Heads(Layer):
    """Projections to heads, attention in each, and a projection of all of them together."""

    supports_masking = True
    _fold: Fold | None = None
    _width: int
    # By the names that they have in Keras, which are places in files.
    _query_dense: Any = None
    _key_dense: Any = None
    _value_dense: Any = None
    _output_dense: Any = None
    _gate_dense: Any = None

    def __init__(
        self,
        *,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = fraction(self, "dropout", dropout)
        self.use_bias = boolean(self, "use_bias", use_bias)
        self.sliding_window = optional(positive_int)(self, "sliding_window", sliding_window)
        self.flash_attention = optional(boolean)(self, "flash_attention", flash_attention)
        if self.flash_attention and self.dropout > 0:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": flash_attention=True rules out dropout, '
                f"received dropout={dropout}. Leave the choice to the framework with None."
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.use_gate = boolean(self, "use_gate", use_gate)
        self.seed = seed
        # Of the projections: not of this layer, whose output is one of theirs.
        self._activity_regularizer = regularizers.get(activity_regularizer)
        if self.dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as plain data: what `from_config` takes."""
        penalty = serialization.serialize(self._activity_regularizer)
        return {**super().get_config(), "activity_regularizer": penalty}

    def _projection(
        self, name: str, units: tuple[int, ...], contracted: int = 1, opens: bool = False
    ) -> Projection:
        options = {
            "kernel_initializer": self.kernel_initializer,
            "bias_initializer": self.bias_initializer,
            "kernel_regularizer": self.kernel_regularizer,
            "bias_regularizer": self.bias_regularizer,
            "kernel_constraint": self.kernel_constraint,
            "bias_constraint": self.bias_constraint,
        }
        return Projection(
            units, contracted, self.use_bias, opens, options,
            activity_regularizer=self._activity_regularizer,
            name=name, trainable=self.trainable, dtype=self.dtype_policy,
        )  # fmt: skip

    def _build_projections(
        self, shapes: tuple[Shape, Shape, Shape], heads: int, shared: int, value_dim: int,
        output_shape: tuple[int, ...],
    ) -> None:  # fmt: skip
        """Creates them in the order in which Keras does: that of the weights."""
        query_shape, value_shape, key_shape = shapes
        self._query_dense = self._projection("query", (heads, self._width))
        self._query_dense.build(query_shape)
        self._key_dense = self._projection("key", (shared, self._width))
        self._key_dense.build(key_shape)
        if self.use_gate:
            self._gate_dense = self._projection("gate", (heads, value_dim), opens=True)
            self._gate_dense.build(query_shape)
        self._value_dense = self._projection("value", (shared, value_dim))
        self._value_dense.build(value_shape)
        self._output_dense = self._projection("attention_output", output_shape, 2)
        self._output_dense.build((*query_shape[:-1], heads, value_dim))

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
            query_mask: booleans `(B, T)`, False for targets that are padding: these see no source.
            value_mask: booleans `(B, S)`, False for sources that are padding.
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
        query_mask = get_mask(query) if query_mask is None else query_mask
        value_mask = get_mask(value) if value_mask is None else value_mask
        key_mask = get_mask(key) if key_mask is None else key_mask
        fold = self._fold
        sizes: Any = None
        if fold is not None:
            sizes = ops.shape(query), ops.shape(value)
            query, value, key = fold.features(query), fold.features(value), fold.features(key)
            query_mask, value_mask, key_mask = (
                mask if mask is None else fold.steps(mask)
                for mask in (query_mask, value_mask, key_mask)
            )
            if attention_mask is not None:
                attention_mask = fold.pairs(attention_mask, *sizes)
        mask = self._mask(query, value, query_mask, (value_mask, key_mask), attention_mask)
        drop = bool(training) and self.dropout > 0
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        scores = None
        if drop or return_attention_scores:
            heads, scores = self._attend(q, k, v, mask, use_causal_mask, drop)
        else:
            flash = self.flash_attention
            flash = config.is_flash_attention_enabled() if flash is None else flash
            heads = ops.dot_product_attention(q, k, v, None, mask, None, use_causal_mask, flash)
        if self._gate_dense is not None:
            heads = heads * self._gate_dense(query)
        output = self._output_dense(heads)
        if fold is not None:
            output = fold.unfold_features(output, sizes[0])
            scores = None if scores is None else fold.unfold_scores(scores, *sizes)
        return (output, scores) if return_attention_scores else output

    def _mask(
        self,
        query: Tensor,
        value: Tensor,
        targets: Tensor | None,
        sources: tuple[Tensor | None, ...],
        pairs: Tensor | None,
    ) -> Tensor | None:
        """All masks but the causal one together, of a shape that broadcasts to (B, H, T, S)."""
        masks = [ops.expand_dims(mask, (1, 2)) for mask in sources if mask is not None]
        if targets is not None:
            masks.append(ops.expand_dims(targets, (1, 3)))
        if pairs is not None:
            masks.append(ops.expand_dims(pairs, 1) if len(pairs.shape) == 3 else pairs)
        masks = [ops.cast(mask, "bool") for mask in masks]
        if self.sliding_window is not None:
            target = ops.expand_dims(ops.arange(ops.shape(query)[1]), 1)
            source = ops.expand_dims(ops.arange(ops.shape(value)[1]), 0)
            masks.append(ops.abs(target - source) < self.sliding_window)
        return reduce(ops.logical_and, masks) if masks else None

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool, drop: bool
    ) -> tuple[Tensor, Tensor]:
        """The heads (B, T, H, V) and the weights of attention (B, H, T, S), in plain steps."""
        if self.flash_attention:
            raise ArgumentError(
                f'{type(self).__name__} "{self.path}": flash attention keeps no scores, so that '
                "flash_attention=True rules out return_attention_scores=True."
            )
        repeats = q.shape[2] // k.shape[2]
        if repeats > 1:
            k, v = ops.repeat(k, repeats, axis=2), ops.repeat(v, repeats, axis=2)
        q = ops.transpose(q, (0, 2, 1, 3)) * (1.0 / math.sqrt(self._width))
        logits = ops.matmul(q, ops.transpose(k, (0, 2, 3, 1)))
        if causal:
            past = seen_before(*ops.shape(logits)[2:])
            mask = past if mask is None else ops.logical_and(mask, past)
        if mask is not None:
            logits = ops.where(mask, logits, hidden_score(self.compute_dtype))
        scores = ops.softmax(logits, axis=-1)
        kept = scores
        if drop:
            kept = random.dropout(scores, self.dropout, seed=self.seed_generator)
        heads = ops.matmul(kept, ops.transpose(v, (0, 2, 1, 3)))
        return ops.transpose(heads, (0, 2, 1, 3)), scores
