"""Attention without projections: `Attention` and `AdditiveAttention`."""

from functools import reduce
from typing import Any

from mlapi import config, ops, random
from mlapi.errors import ArgumentError
from mlapi.layers.base import Layer
from mlapi.types import Tensor
from mlapi.validation import Choice, boolean, fraction

# Letters in comments: B batch, T target steps, S source steps, W width.

_score_mode = Choice("dot", "concat")


def hidden_score(dtype: str) -> float:
    """What takes the place of the score of a masked source.

    Its weight is then 0, unless all are masked; finite, so that these are no 0 / 0.
    """
    return -6e4 if dtype == "float16" else -1e30


def seen_before(targets: Any, sources: Any) -> Tensor:
    """Booleans `(T, S)`: whether a source is not after the target."""
    return ops.expand_dims(ops.arange(sources), 0) <= ops.expand_dims(ops.arange(targets), 1)


class Attention(Layer):
    """Weighted means of values, by how well the keys of these fit a query.

        output = softmax(scores) value
        scores = scale query key^T                                       score_mode="dot"
        scores = concat_score_weight sum(tanh(scale (query + key)))      score_mode="concat"

    Luong, Pham and Manning, "Effective approaches to attention-based neural machine translation",
    2015 (arXiv:1508.04025). Dot products run as a fused kernel of the framework, unless weights of
    attention are dropped or asked for.

    Weights, each a single number: `scale` (with `use_scale`), then `concat_score_weight` (with
    `score_mode="concat"`).

    Args:
        use_scale: whether scores are multiplied by a number that is learnt.
        score_mode: `"dot"` for dot products, `"concat"` for the sums of hyperbolic tangents.
        dropout: share of the weights of attention to drop while training.
        seed: an integer for the same dropout in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: a list of query `(batch, …, T, W)`, value `(batch, …, S, V)` and, unless it is the
    value, key `(batch, …, S, W)` → `(batch, …, T, V)`. Masks are a list of those of query
    `(batch, …, T)` and value `(batch, …, S)`, or None in their places: masked sources get no
    weight, and the output is 0 at masked targets.

    Example:
        >>> from mlapi import layers, ops
        >>> query, value = ops.ones((2, 3, 8)), ops.ones((2, 5, 8))
        >>> ops.shape(layers.Attention()([query, value]))
        (2, 3, 8)
    """

    supports_masking = True
    scale: Any = None
    concat_score_weight: Any = None

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = boolean(self, "use_scale", use_scale)
        self.score_mode = _score_mode(self, "score_mode", score_mode)
        self.dropout = fraction(self, "dropout", dropout)
        self.seed = seed
        if self.dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Creates the weights; the shapes do not matter."""
        self._check_list(input_shape, tuple)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def call(
        self,
        inputs: list[Tensor],
        mask: list[Tensor | None] | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Returns what the query finds in the value.

        Args:
            inputs: query and value, or query, value and key.
            mask: booleans of query and value, or None.
            training: whether weights are dropped.
            return_attention_scores: whether to return the weights of attention too, of shape
                `(batch, …, T, S)`.
            use_causal_mask: whether each target sees only sources that are not after it.

        Returns:
            The output, or a tuple of the output and the weights of attention.
        """
        self._check_list(inputs)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = None, None
        if mask is not None:
            self._check_list(mask)
            query_mask, value_mask = mask[0], mask[1]
        scores = None
        drop = bool(training) and self.dropout > 0
        if drop or return_attention_scores or not self._is_fused(query):
            output, scores = self._attend(query, key, value, value_mask, use_causal_mask, drop)
        else:
            output = self._attend_fused(query, key, value, value_mask, use_causal_mask)
        if query_mask is not None:
            output = ops.where(ops.expand_dims(query_mask, -1), output, 0.0)
        return (output, scores) if return_attention_scores else output

    def _check_list(self, values: Any, kind: type = object) -> None:
        is_list = isinstance(values, (list, tuple)) and all(isinstance(v, kind) for v in values)
        if not is_list or not 2 <= len(values) <= 3:
            found = f"{len(values)} of them" if is_list else f"a {type(values).__name__}"
            raise ArgumentError(
                f'{type(self).__name__} "{self.path}": inputs and masks are lists [query, value] '
                f"or [query, value, key], received {found}."
            )

    def _is_fused(self, query: Tensor) -> bool:
        return self.score_mode == "dot" and len(query.shape) == 3

    def _attend_fused(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool
    ) -> Tensor:
        """The output by the framework's kernel, to which all is one head."""
        if self.scale is not None:
            query = ops.multiply(query, self.scale)
        q, k, v = (ops.expand_dims(x, 2) for x in (query, key, value))
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, "bool"), (1, 2))
        flash = config.is_flash_attention_enabled()
        output = ops.dot_product_attention(q, k, v, None, mask, 1.0, causal, flash)
        return ops.squeeze(output, 2)

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        causal: bool,
        drop: bool,
    ) -> tuple[Tensor, Tensor]:
        """Output and weights of attention, in plain steps."""
        scores = self._scores(query, key)
        masks = [] if mask is None else [ops.expand_dims(ops.cast(mask, "bool"), -2)]
        if causal:
            masks.append(seen_before(*ops.shape(scores)[-2:]))
        if masks:
            seen = reduce(ops.logical_and, masks)
            scores = ops.where(seen, scores, hidden_score(self.compute_dtype))
        weights = ops.softmax(scores, axis=-1)
        if drop:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        return ops.matmul(weights, value), weights

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        sums = _pairs(query, key)
        sums = sums if self.scale is None else ops.multiply(sums, self.scale)
        return ops.multiply(ops.sum(ops.tanh(sums), axis=-1), self.concat_score_weight)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Tensor | None:
        """Returns the mask of the query."""
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else None


def _pairs(query: Tensor, key: Tensor) -> Tensor:
    """The sum of each target and each source, `(…, T, S, W)`."""
    return ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))


class AdditiveAttention(Attention):
    """Weighted means of values, by how well the keys of these fit a query, after Bahdanau.

        output = softmax(scores) value
        scores = sum(scale tanh(query + key))

    Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and
    translate", 2014 (arXiv:1409.0473). Between target and source `T S W` numbers are kept for the
    gradient; `Attention` keeps `T S`.

    Weights: `scale` of shape `(W,)`, with `use_scale`.

    Args:
        use_scale: whether the features are weighted by numbers that are learnt.
        dropout: share of the weights of attention to drop while training.
        seed: an integer for the same dropout in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: as those of `Attention`.

    Example:
        >>> from mlapi import layers, ops
        >>> query, value = ops.ones((2, 3, 8)), ops.ones((2, 5, 8))
        >>> ops.shape(layers.AdditiveAttention()([query, value]))
        (2, 3, 8)
    """

    def __init__(
        self, use_scale: bool = True, dropout: float = 0.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, seed=seed, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Creates the scale, of the width of the query."""
        self._check_list(input_shape, tuple)
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale", shape=(input_shape[0][-1],), initializer="glorot_uniform"
            )

    def _is_fused(self, query: Tensor) -> bool:
        return False

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        features = ops.tanh(_pairs(query, key))
        if self.scale is None:
            return ops.sum(features, axis=-1)
        return ops.matmul(features, self.scale)
