"""An Embedding that also leads back from vectors to words."""

from typing import Any

from mlapi import dtypes, ops
from mlapi.errors import DTypeError
from mlapi.layers.core import Embedding
from mlapi.layers.weights import weight
from mlapi.state import Variable
from mlapi.types import DTypeLike, Shape, Tensor
from mlapi.validation import boolean, optional, positive


class ReversibleEmbedding(Embedding):
    """Looks up a vector for each word; called with `reverse=True`, gives a logit to each word.

    A language model begins with the first and ends with the second, `x @ embeddings^T`. With
    one table for both it has fewer weights and often learns better (Press and Wolf, "Using the
    output embedding to improve language models", 2017, arXiv:1608.05859).

    Weights: `embeddings` of shape `(input_dim, output_dim)`; without `tie_weights` also
    `reverse_embeddings` of shape `(output_dim, input_dim)`.

    Args:
        input_dim: size of the vocabulary.
        output_dim: size of the vectors.
        tie_weights: whether the way back has the table's weights rather than some of its own.
        embeddings_initializer: first values of the table, and of `reverse_embeddings`.
        embeddings_regularizer: penalty on the table, added to the loss.
        embeddings_constraint: function applied to the table after each update.
        mask_zero: whether 0 marks padding, as in `Embedding`.
        reverse_dtype: float dtype in which logits are computed; by default the layer's.
        logit_soft_cap: a number `c` that logits `z` do not exceed: they become
            `c * tanh(z / c)`. None for no limit.
        **kwargs: those of `Embedding`.

    Shapes: integers `(batch, …)` → `(batch, …, output_dim)`; with `reverse=True`
    `(batch, …, output_dim)` → `(batch, …, input_dim)`.

    Example:
        >>> from mlapi import layers, ops
        >>> embedding = layers.ReversibleEmbedding(100, 16)
        >>> x = embedding(ops.ones((2, 7), dtype="int32"))
        >>> ops.shape(x), ops.shape(embedding(x, reverse=True))
        ((2, 7, 16), (2, 7, 100))
    """

    reverse_embeddings: Variable = weight()

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: DTypeLike | None = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.tie_weights = boolean(self, "tie_weights", tie_weights)
        self.reverse_dtype = None if reverse_dtype is None else dtypes.standardize(reverse_dtype)
        if self.reverse_dtype is not None and not dtypes.is_float(self.reverse_dtype):
            raise DTypeError(
                f'ReversibleEmbedding "{self.name}": reverse_dtype must be a floating-point dtype, '
                f"received {reverse_dtype!r}."
            )
        self.logit_soft_cap = optional(positive)(self, "logit_soft_cap", logit_soft_cap)

    def build(self, input_shape: Shape | None = None) -> None:
        """Creates the weights; the shape of the input does not matter."""
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                autocast=False,
            )

    def call(self, x: Tensor, reverse: bool = False) -> Tensor:
        """Returns the vectors of the words `x`; with `reverse`, the logits of the vectors `x`."""
        if not reverse:
            return super().call(x)
        dtype = self.reverse_dtype or self.compute_dtype
        if self.tie_weights:
            kernel = ops.transpose(ops.cast(self.embeddings, dtype))
        else:
            kernel = ops.cast(self.reverse_embeddings, dtype)
        logits = ops.dense(ops.cast(x, dtype), kernel)
        if self.logit_soft_cap is None:
            return logits
        return ops.tanh(logits / self.logit_soft_cap) * self.logit_soft_cap

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> Tensor | None:
        """Returns True where words are not padding; None for vectors or without `mask_zero`."""
        if dtypes.is_float(ops.dtype(inputs)):
            return None
        return super().compute_mask(inputs, previous_mask)
