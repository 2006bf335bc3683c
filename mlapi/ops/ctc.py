"""Connectionist temporal classification: labels without knowing when each of them comes.

Graves et al., 2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf.
"""

from typing import Any

from mlapi import dtypes
from mlapi.errors import ArgumentError, ShapeError, one_of
from mlapi.op import op
from mlapi.ops import layout
from mlapi.ops.activation import log_softmax
from mlapi.ops.control import scan
from mlapi.ops.creation import arange, full, zeros
from mlapi.ops.elementwise import cast, maximum, negative
from mlapi.ops.exponential import logaddexp
from mlapi.ops.indexing import one_hot, take_along_axis
from mlapi.ops.logical import logical_and, logical_not, where
from mlapi.ops.products import matmul
from mlapi.ops.reduction import all, amax, sum
from mlapi.ops.shape import broadcast_to, concatenate, moveaxis, pad, reshape, shape
from mlapi.ops.sorting import argsort, top_k
from mlapi.types import Tensor, TensorLike

# In place of the logarithm of 0: finite, so that differences are numbers.
_NEVER = -1e30


def _labels_and_logits(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return "int32", dtypes.to_float(kinds[1]), "int32", "int32"


@op(dtype=_labels_and_logits)
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> Tensor:
    """`-log` of the probability of the labels, over all ways to spread them over the times.

    At each time there is a label or a blank; repeated labels count once unless a blank is between.

    Args:
        target: the labels, integers of shape `(batch, longest)`.
        output: logits of shape `(batch, time, classes)`.
        target_length: how many labels count, shape `(batch,)`.
        output_length: how many times count, shape `(batch,)`.
        mask_index: the class that is the blank.

    Returns:
        Shape `(batch,)`; infinite where there are too few times for the labels.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.ctc_loss([[1]], [[[0.0, 0.0]] * 2], [1], [2])).round(3)
        array([0.288], dtype=float32)
    """
    ...


def _lengths(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return dtypes.to_float(kinds[0]), "int32"


@op(dtype=_lengths)
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The labels that a model trained with `ctc_loss` means.

    Args:
        inputs: logits of shape `(batch, time, classes)`.
        sequence_lengths: how many times count, shape `(batch,)`.
        strategy: `"greedy"`, the best class at each time; or `"beam_search"`, the most probable
            labels among those that begin with `beam_width` most probable ones.
        beam_width: see `strategy`.
        top_paths: how many sequences the search returns.
        merge_repeated: for `"greedy"`, whether repeated labels count once.
        mask_index: the class that is the blank.

    Returns:
        Labels as int32 of shape `(paths, batch, time)`, -1 after the last. Then for `"greedy"`
        the negative sum of the best logits, `(batch, 1)`, else the logarithm of the probability
        of each sequence, `(batch, paths)`.

    Example:
        >>> from mlapi import ops
        >>> labels, _ = ops.ctc_decode([[[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]], [3])
        >>> ops.convert_to_numpy(labels)
        array([[[ 1, -1, -1]]], dtype=int32)
    """
    one_of("strategy", strategy, ("greedy", "beam_search"))
    if len(layout.known(inputs)) != 3 or len(layout.known(sequence_lengths)) != 1:
        raise ShapeError(
            "ctc_decode: expected shapes (batch, time, classes) and (batch,); received "
            f"{layout.known(inputs)} and {layout.known(sequence_lengths)}."
        )
    if strategy == "greedy":
        return _greedy(inputs, sequence_lengths, merge_repeated, mask_index)
    if not 1 <= top_paths <= beam_width:
        raise ArgumentError(
            f"ctc_decode: top_paths must be from 1 to beam_width, {beam_width}; received "
            f"{top_paths}."
        )
    return _beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index)


def _greedy(inputs: Any, lengths: Any, merge: bool, blank: int) -> tuple[Any, Any]:
    times = arange(0, shape(inputs)[1])
    counts = times < lengths[:, None]
    scores, best = (part[..., 0] for part in top_k(inputs, 1))
    kept = logical_and(counts, best != blank)
    if merge:
        before = pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=-1)
        kept = logical_and(kept, best != before)
    order = argsort(cast(logical_not(kept), "int32"), -1)  # stable: those that are kept, in order
    found = times < sum(cast(kept, "int32"), -1, keepdims=True)
    labels = where(found, take_along_axis(best, order, -1), -1)
    score = sum(where(counts, scores, 0), -1, keepdims=True)
    return labels[None], negative(score)


def _beam_search(inputs: Any, lengths: Any, width: int, paths: int, blank: int) -> tuple[Any, Any]:
    """A beam holds sequences of labels, and how probable they are with and without a last blank.

    All are different, but for those of probability 0 that it begins with.
    """
    classes = inputs.shape[-1]
    log_p = moveaxis(log_softmax(cast(inputs, "float32")), 1, 0)
    time, batch = shape(log_p)[:2]
    places = arange(0, time)
    start = where(arange(0, width) == 0, 0.0, _NEVER)
    beam = (
        full((batch, width, time), -1, "int32"),
        zeros((batch, width), "int32"),  # how many labels
        full((batch, width), -1, "int32"),  # the last of them
        broadcast_to(cast(start, "float32"), (batch, width)),  # log probability, blank last
        full((batch, width), _NEVER, "float32"),  # the same, label last
    )

    def step(beam: Any, at: Any) -> Any:
        (labels, count, last, blanked, open_), (p, t) = beam, at
        total = logaddexp(blanked, open_)
        alive = total > _NEVER / 2
        hot = one_hot(last, classes, dtype="float32")
        again = sum(hot * p[:, None], -1)  # log p of each one's last label
        longer = p[:, None] + where(hot > 0, blanked[..., None], total[..., None])
        longer = where(arange(0, classes) == blank, _NEVER, longer)
        # Where one with a further label is another of the beam, that one gets its probability.
        parents = where(places == count[..., None] - 1, -1, labels)
        same = all(labels[:, :, None] == parents[:, None], -1)
        same = logical_and(same, count[:, :, None] + 1 == count[:, None])
        same = logical_and(same, alive[:, None])
        gained = take_along_axis(longer, maximum(last, 0)[:, None], 2)
        gained = amax(where(same, gained, _NEVER), 1)
        longer = where(matmul(cast(same, "float32"), hot) > 0, _NEVER, longer)
        stays_blank = where(alive, total + p[:, None, blank], _NEVER)
        stays_open = where(count > 0, logaddexp(open_ + again, gained), _NEVER)
        stays_open = where(alive, stays_open, _NEVER)

        flat = reshape(maximum(longer, _NEVER), (batch, width * classes))
        scores = concatenate([logaddexp(stays_blank, stays_open), flat], 1)
        _, chosen = top_k(scores, width)
        grows = chosen >= width
        source = where(grows, (chosen - width) // classes, chosen)
        label = (chosen - width) % classes
        old = [take_along_axis(x, source, 1) for x in (count, last, stays_blank, stays_open)]
        old_labels = take_along_axis(labels, source[..., None], 1)
        writes = logical_and(grows[..., None], places == old[0][..., None])
        new = (
            where(writes, label[..., None], old_labels),
            old[0] + cast(grows, "int32"),
            where(grows, label, old[1]),
            where(grows, _NEVER, old[2]),
            where(grows, take_along_axis(scores, chosen, 1), old[3]),
        )
        goes_on = (t < lengths)[:, None]
        kept = [where(goes_on, n, o) for n, o in zip(new[1:], beam[1:], strict=True)]
        return (where(goes_on[..., None], new[0], beam[0]), *kept), None

    (labels, _, _, blanked, open_), _ = scan(step, beam, (log_p, places))
    scores, best = top_k(logaddexp(blanked, open_), paths)
    found = scores > _NEVER / 2
    labels = where(found[..., None], take_along_axis(labels, best[..., None], 1), -1)
    scores = where(found, scores, -float("inf"))
    return moveaxis(labels, 1, 0), cast(scores, inputs.dtype)
