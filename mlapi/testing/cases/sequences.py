"""Cases of `mlapi.ops.sequences`, `mlapi.ops.recurrence` and `mlapi.ops.ctc`."""

import numpy as np
from hypothesis import strategies as st

from mlapi import ops
from mlapi.testing import strategies
from mlapi.testing.case import Case, real, truth, whole
from mlapi.testing.cases import references

QUERY, KEY, VALUE = (real(2, length, 4, 3, seed=length) for length in (5, 6, 7))
KEY, VALUE = real(2, 6, 4, 3, seed=1), real(2, 6, 4, 3, seed=2)
FEW_KEYS, FEW_VALUES = KEY[:, :, :2], VALUE[:, :, :2]
NOTHING_SEEN = np.broadcast_to(np.arange(5)[:, None] != 2, (5, 6)).copy()


def attention(label, query=QUERY, key=KEY, value=VALUE, **kwargs):
    return Case("dot_product_attention", (query, key, value), references.attention, kwargs, label,
                draw=None if label else attended)  # fmt: skip


# 2 samples, 4 times, 3 inputs, 5 units
WEIGHTS = (real(3, 20) / 2, real(5, 20) / 2)
STATES = (real(2, 5) / 2, real(2, 5, seed=1) / 2)


def lstm(label, **kwargs):
    return Case("lstm", (real(2, 4, 3), *STATES, *WEIGHTS), references.lstm, kwargs, label,
                draw=None if label else recurrent("lstm", 2, 4))  # fmt: skip


GRU_WEIGHTS = (real(3, 15) / 2, real(5, 15) / 2)


def gru(label, **kwargs):
    return Case("gru", (real(4, 4, 3), real(4, 5) / 2, *GRU_WEIGHTS), references.gru, kwargs, label,
                draw=None if label else recurrent("gru", 1, 3))  # fmt: skip


SIMPLE_WEIGHTS = (real(3, 5) / 2, real(5, 5) / 2)


def simple_rnn(label, **kwargs):
    return Case("simple_rnn", (real(4, 4, 3), real(4, 5) / 2, *SIMPLE_WEIGHTS),
                references.simple_rnn, kwargs, label,
                draw=None if label else recurrent("simple_rnn", 1, 1))  # fmt: skip


def recurrent(name, states, gates):
    """Random sizes, with and without a mask, in either direction."""

    def arguments(draw, kind):
        batch, time, inputs, units = (draw(st.integers(1, 3)) for _ in range(4))

        def numbers(*sizes):
            return strategies.array(draw, kind, sizes) / np.asarray(2, kind)

        kwargs = {"go_backwards": draw(st.booleans())}
        wide = (gates * units,)
        if name == "gru":
            kwargs["reset_after"] = draw(st.booleans())
            wide = (2, *wide) if kwargs["reset_after"] else wide
        if draw(st.booleans()):
            kwargs["bias"] = numbers(*wide)
        if draw(st.booleans()):
            kwargs["mask"] = strategies.array(draw, "bool", (batch, time))
        first = [numbers(batch, units) for _ in range(states)]
        weights = numbers(inputs, gates * units), numbers(units, gates * units)
        return (numbers(batch, time, inputs), *first, *weights), kwargs

    return arguments


def attended(draw, kind):
    batch, target, source, share, heads, width = (draw(st.integers(1, 3)) for _ in range(6))
    query = strategies.array(draw, kind, (batch, target, share * heads, width))
    key, value = (strategies.array(draw, kind, (batch, source, heads, width)) for _ in range(2))
    kwargs = {"is_causal": draw(st.booleans())}
    if draw(st.booleans()):
        sizes = strategies.broadcast(draw, (batch, share * heads, target, source))
        kwargs["bias"] = strategies.array(draw, kind, (1,) * (4 - len(sizes)) + sizes)
    if draw(st.booleans()):
        kwargs["mask"] = strategies.array(draw, "bool", (batch, 1, target, source))
    return (query, key, value), kwargs


# 3 samples, up to 6 times, 4 classes
LOGITS = real(3, 6, 4) * 2
TARGETS, COUNTS, TIMES = np.int32([[1, 2, 2], [3, 1, 0], [2, 0, 0]]), np.int32([3, 2, 1]), [6, 4, 6]


def ctc(label, target=TARGETS, counts=COUNTS, times=TIMES, grad=True, **kwargs):
    arguments = (target, LOGITS, np.int32(counts), np.int32(times))
    return Case("ctc_loss", arguments, references.ctc_loss, kwargs, label, unknown=False,
                grad=grad, draw=labelled, dtypes=() if label else ("float16",),
                result=None)  # fmt: skip


def labelled(draw, kind):
    batch, time, classes = draw(st.integers(1, 2)), draw(st.integers(1, 5)), draw(st.integers(2, 4))
    longest = draw(st.integers(1, 3))
    target = strategies.integers(draw, (batch, longest), 1, classes)
    counts = strategies.integers(draw, (batch,), 0, longest + 1)
    times = strategies.integers(draw, (batch,), 1, time + 1)
    return (target, strategies.array(draw, kind, (batch, time, classes)), counts, times), {}


def decoded(draw, kind):
    batch, time, classes = draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(2, 4))
    # No two sequences are equally probable.
    logits = np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=(batch, time, classes))
    kwargs = {"mask_index": draw(st.integers(0, classes - 1))}
    if draw(st.booleans()):
        kwargs |= {"strategy": "beam_search", "top_paths": draw(st.integers(1, 3))}
        kwargs["beam_width"] = draw(st.sampled_from((3, 5, 30)))
    else:
        kwargs["merge_repeated"] = draw(st.booleans())
    times = strategies.integers(draw, (batch,), 1, time + 1)
    return (logits.astype("float32"), times), kwargs


def decode(label, **kwargs):
    return Case("ctc_decode", (LOGITS, np.int32(TIMES)), references.ctc_decode, kwargs, label,
                result="int32", grad=False, unknown=False, draw=decoded)  # fmt: skip


CASES = [
    Case("embedding", (whole(2, 3, low=0, high=5), real(5, 4)), lambda i, t: t[i]),
    Case("embedding", (np.uint8([[4, 0]]), real(5, 4)), lambda i, t: t[i], label="uint8"),
    attention(""),
    attention("causal", is_causal=True),
    attention("scale", scale=0.3),
    attention("width", value=real(2, 6, 4, 2, seed=2)),
    attention("bias", bias=real(2, 4, 5, 6)),
    attention("bias_causal", bias=real(4, 5, 6), is_causal=True),
    attention("mask", mask=truth(2, 1, 5, 6) | np.eye(5, 6, dtype=bool)),
    attention("mask_causal", mask=truth(2, 4, 5, 6) | np.eye(5, 6, dtype=bool), is_causal=True),
    attention("nothing_seen", mask=NOTHING_SEEN),
    attention("grouped", key=FEW_KEYS, value=FEW_VALUES),
    attention("soft_cap", attn_logits_soft_cap=0.7, bias=real(1, 4, 5, 6), is_causal=True),
    attention("grouped_soft_cap", key=FEW_KEYS, value=FEW_VALUES, attn_logits_soft_cap=2.0),
    lstm("", bias=real(20) / 2),
    lstm("without_bias"),
    lstm("backwards", bias=real(20) / 2, go_backwards=True),
    lstm("mask", bias=real(20) / 2, mask=np.array([[1, 0, 1, 1], [0, 1, 1, 0]], bool)),
    lstm("nothing_left", mask=np.array([[0, 0, 0, 0], [1, 1, 1, 1]], bool)),
    lstm("mask_backwards", mask=np.array([[1, 1, 0, 0], [0, 1, 1, 1]], bool), go_backwards=True),
    lstm("activations", activation=ops.relu, recurrent_activation=ops.hard_sigmoid),
    gru("", bias=real(2, 15) / 2),
    gru("without_bias"),
    gru("before", bias=real(15) / 2, reset_after=False),
    gru("backwards", bias=real(2, 15) / 2, go_backwards=True),
    gru("mask", bias=real(2, 15) / 2, mask=truth(4, 4)),
    gru("before_mask", reset_after=False, mask=truth(4, 4),
        go_backwards=True),
    gru("activations", activation=ops.relu, recurrent_activation=ops.hard_sigmoid),
    simple_rnn("", bias=real(5) / 2),
    simple_rnn("without_bias"),
    simple_rnn("mask", bias=real(5) / 2, mask=truth(4, 4)),
    simple_rnn("mask_backwards", mask=truth(4, 4), go_backwards=True),
    simple_rnn("activation", mask=truth(4, 4), activation=ops.relu),
    ctc(""),
    ctc("mask_index", target=TARGETS - 1 + (TARGETS < 1), mask_index=3, counts=[3, 1, 1]),
    ctc("nothing", counts=[0, 1, 0]),
    ctc("impossible", times=[3, 4, 6], grad=False),
    decode(""),
    decode("repeated", merge_repeated=False, mask_index=3),
    decode("beams", strategy="beam_search", beam_width=20, top_paths=3),
    decode("few_beams", strategy="beam_search", beam_width=3, top_paths=2, mask_index=2),
]  # fmt: skip
