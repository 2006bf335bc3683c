"""Losses for labels that are no classes of an output: of embeddings, and of sequences."""

from collections.abc import Sequence

import numpy as np

from mlapi import ops, validation
from mlapi.errors import ShapeError
from mlapi.losses.base import Loss, dtype_name, float_tensor
from mlapi.losses.classification import check_labels
from mlapi.types import DTypeLike, Tensor, TensorLike

# The logarithm of next to nothing: finite, so that slopes are numbers.
_NEVER = {"float16": -3e4}


def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    ref_labels: TensorLike | None = None,
    ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Circle loss of every embedding: same labels are drawn together, others apart.

    `softplus(lse(-gamma (m + d₊) (m - d₊)) + lse(gamma (1 + m - d₋) (1 - m - d₋)))`, where `m` is
    the margin, and `lse` the logarithm of the sum of exponentials over the embeddings of the same
    label, at cosine distances `d₊`, and over those of others, at `d₋`. The first factor of each
    pair is 0 where it would be negative (Sun et al., "Circle loss: a unified perspective of pair
    similarity optimization", 2020).

    Args:
        y_true: integer labels, shape `(batch,)` or `(batch, 1)`.
        y_pred: embeddings of length 1, shape `(batch, width)`.
        ref_labels: labels of the embeddings that are compared with, by default `y_true`.
        ref_embeddings: what the embeddings are compared with, by default `y_pred`.
        remove_diagonal: whether the embedding and the reference of the same number are no pair.
        gamma: the higher, the more the hardest pairs decide.
        margin: how much nearer than others those of the same label should be.

    Returns:
        Shape `(batch,)`; 0 for an embedding without any of the same label, or of another.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> [round(float(x), 4) for x in loss]
        [0.0, 0.0, 0.0]
    """
    embeddings = float_tensor(y_pred)
    labels = _column(y_true, embeddings, "y_true")
    others = embeddings if ref_embeddings is None else float_tensor(ref_embeddings)
    other_labels = labels if ref_labels is None else _column(ref_labels, others, "ref_labels")
    distance = ops.relu(1.0 - ops.matmul(embeddings, ops.transpose(others)))
    same = ops.equal(labels, ops.transpose(other_labels))
    positive = same
    if remove_diagonal:
        rows, columns = (ops.arange(0, ops.shape(x)[0]) for x in (embeddings, others))
        itself = ops.equal(ops.expand_dims(rows, 1), columns)
        positive = ops.logical_and(same, ops.logical_not(itself))
    pull = ops.relu(distance + margin) * (distance - margin) * gamma
    push = ops.relu(1.0 + margin - distance) * (1.0 - margin - distance) * gamma
    never = _NEVER.get(dtype_name(distance), -1e30)
    pulls = ops.logsumexp(ops.where(positive, pull, never), axis=1)
    pushes = ops.logsumexp(ops.where(ops.logical_not(same), push, never), axis=1)
    return ops.softplus(pulls + pushes)


def _column(labels: TensorLike, embeddings: Tensor, name: str) -> Tensor:
    column = ops.cast(labels, "int32")
    received, rows = tuple(column.shape), tuple(embeddings.shape)
    if len(received) == 1:
        column = ops.expand_dims(column, 1)
    known = [n for n in (column.shape[0], rows[0]) if n is not None]
    if len(rows) != 2 or len(column.shape) != 2 or column.shape[1] != 1 or len(set(known)) > 1:
        raise ShapeError(
            f"circle: {name} of shape {received} does not fit embeddings of shape {rows}. "
            "Give one integer for each of the embeddings, which have shape (batch, width)."
        )
    return column


def ctc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """`-log` of the probability of a sequence of labels that come at unknown times.

    Connectionist temporal classification: Graves et al., 2006. Class 0 is the blank; zeros in
    `y_true` are no labels but fill shorter sequences up.

    Args:
        y_true: labels from 1, shape `(batch, longest)`.
        y_pred: logits, shape `(batch, time, classes)`; all times count.

    Returns:
        Shape `(batch,)`; infinite where there are too few times for the labels.

    Raises:
        ShapeError: the ranks are others.

    Example:
        >>> from mlapi import losses
        >>> [round(float(x), 3) for x in losses.ctc([[1]], [[[0.0, 0.0], [0.0, 0.0]]])]
        [0.288]
    """
    logits = float_tensor(y_pred)
    labels = ops.cast(y_true, "int32")
    if len(labels.shape) != 2 or len(logits.shape) != 3:
        raise ShapeError(
            "ctc: expected labels of shape (batch, longest) and logits of shape (batch, time, "
            f"classes), received {tuple(labels.shape)} and {tuple(logits.shape)}."
        )
    counted = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=-1)
    times = ops.zeros_like(counted) + ops.shape(logits)[1]
    return ops.ctc_loss(labels, logits, counted, times)


class Circle(Loss):
    """Circle loss, for embeddings that tell labels apart.

    Embeddings of the same label are drawn together and others pushed apart, each pair the more the
    further it is from where it should be (Sun et al., "Circle loss: a unified perspective of pair
    similarity optimization", 2020). The model's outputs must have length 1: end it with a
    `UnitNormalization` layer.

    Args:
        gamma: the higher, the more the hardest pairs decide.
        margin: how much nearer than others those of the same label should be.
        remove_diagonal: whether an embedding is no pair with itself.
        reduction: as for `Loss`; means are over the embeddings whose loss is not 0.
        name: for logs.
        dtype: as for `Loss`.

    Raises:
        ArgumentError: `gamma` is not positive, or `margin` negative.

    Example:
        >>> from mlapi import losses
        >>> loss = losses.Circle(gamma=1.0)
        >>> round(float(loss([0, 0, 1], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])), 3)
        1.47
    """

    integer_targets = True
    selective = True

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.gamma = validation.positive(self, "gamma", gamma)
        self.margin = validation.non_negative(self, "margin", margin)
        self.remove_diagonal = validation.boolean(self, "remove_diagonal", remove_diagonal)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the loss of every embedding."""
        return circle(y_true, y_pred, None, None, self.remove_diagonal, self.gamma, self.margin)

    def valid(self, y_true: Tensor, y_pred: Tensor, values: Tensor) -> Tensor:
        """Returns which embeddings have a loss."""
        return values > 0.0


class CTC(Loss):
    """Connectionist temporal classification: sequences of labels that come at unknown times.

    Class 0 is the blank, and zeros in the targets fill shorter sequences up (Graves et al.,
    "Connectionist temporal classification: labelling unsegmented sequence data with recurrent
    neural networks", 2006).

    Args:
        reduction: as for `Loss`.
        name: for logs.
        dtype: as for `Loss`.

    Example:
        >>> from mlapi import losses
        >>> round(float(losses.CTC()([[1]], [[[0.0, 0.0], [0.0, 0.0]]])), 3)
        0.288
    """

    integer_targets = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the loss of every sequence."""
        return ctc(y_true, y_pred)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Sequence[int | None]) -> None:
        """Checks that the labels are classes of the output."""
        check_labels(y_true, y_pred_shape[-1])
