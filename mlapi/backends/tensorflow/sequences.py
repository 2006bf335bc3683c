"""Attention and recurrence on tensorflow: the fused kernel of whole sequences, and loops."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOperatorIssue=false, reportOptionalOperand=false

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from mlapi.backends.tensorflow import transforms
from mlapi.backends.tensorflow.nn import dense
from mlapi.backends.tensorflow.ops import shape
from mlapi.errors import ArgumentError

Tensor = tf.Tensor


def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    if flash_attention:
        raise ArgumentError("dot_product_attention: tensorflow has no flash attention kernel.")
    # B batch, N heads, T targets, S sources, H width of a head
    q_BNTH, k_BNSH, v_BNSH = (tf.transpose(x, (0, 2, 1, 3)) for x in (query, key, value))
    share = query.shape[2] // key.shape[2]
    if share > 1:
        k_BNSH, v_BNSH = (tf.repeat(x, share, 1) for x in (k_BNSH, v_BNSH))
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    logits_BNTS = tf.matmul(q_BNTH * scale, k_BNSH, transpose_b=True)
    if query.dtype.size < 4:  # exponentials of many sources are added up
        logits_BNTS = tf.cast(logits_BNTS, tf.float32)
    if attn_logits_soft_cap is not None:
        logits_BNTS = attn_logits_soft_cap * tf.tanh(logits_BNTS / attn_logits_soft_cap)
    if bias is not None:
        logits_BNTS = logits_BNTS + tf.cast(bias, logits_BNTS.dtype)
    if is_causal:
        causal = tf.range(shape(query)[1])[:, None] >= tf.range(shape(key)[1])
        mask = causal if mask is None else mask & causal
    if mask is not None:
        # Finite, so that a target that sees nothing gets the mean of all and no NaN.
        hidden = tf.cast(0.7 * query.dtype.min, logits_BNTS.dtype)
        logits_BNTS = tf.where(mask, logits_BNTS, hidden)
    share_BNTS = tf.cast(tf.nn.softmax(logits_BNTS), value.dtype)
    return tf.transpose(tf.matmul(share_BNTS, v_BNSH), (0, 2, 1, 3))


def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Callable[[Tensor], Tensor] | None = None,
    recurrent_activation: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    steps = tf.transpose(x, (1, 0, 2))
    kept = None if mask is None else tf.transpose(mask)[:, :, None]
    if go_backwards:
        steps = tf.reverse(steps, [0])
        kept = kept if kept is None else tf.reverse(kept, [0])
    plain = mask is None and activation is None and recurrent_activation is None
    if plain and x.dtype in (tf.float32, tf.float16) and not transforms.under_xla:
        y, last_h, last_c = _block_lstm(steps, h, c, kernel, recurrent_kernel, bias)
        return tf.transpose(y, (1, 0, 2)), last_h, last_c
    inner, gate = activation or tf.tanh, recurrent_activation or tf.sigmoid

    def step(z: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = tf.split(z + tf.matmul(h, recurrent_kernel), 4, -1)
        c = gate(f) * c + gate(i) * inner(g)
        return gate(o) * inner(c), c

    y, (h, c) = _loop(step, dense(steps, kernel, bias), (h, c), kept)
    return tf.transpose(y, (1, 0, 2)), h, c


def _block_lstm(
    steps: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """The kernel over whole sequences; twice as fast as a loop, and so is its gradient."""
    if bias is None:
        bias = tf.zeros([kernel.shape[1]], steps.dtype)

    def reorder(weights: Tensor) -> Tensor:  # the kernel has its gates in the order i, g, f, o
        i, f, g, o = tf.split(weights, 4, -1)
        return tf.concat([i, g, f, o], -1)

    none = tf.zeros([h.shape[1]], steps.dtype)  # connections from the memory to the gates
    out = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(steps)[0], tf.int64),
        x=steps, cs_prev=c, h_prev=h, b=reorder(bias),
        w=reorder(tf.concat([kernel, recurrent], 0)),
        wci=none, wcf=none, wco=none, forget_bias=0.0, cell_clip=-1.0,
    )  # fmt: skip
    return out.h, out.h[-1], out.cs[-1]


def _loop(
    step: Callable[..., tuple[Tensor, ...]],
    projected: Tensor,
    states: tuple[Tensor, ...],
    kept: Tensor | None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """All first states, and the last of all; where they are not kept, they stay as they were."""
    count = shape(projected)[0]

    def array(x: Tensor) -> tf.TensorArray:
        return tf.TensorArray(x.dtype, count, element_shape=x.shape[1:]).unstack(x)

    zs, keeps = array(projected), None if kept is None else array(kept)
    out = tf.TensorArray(states[0].dtype, count, element_shape=states[0].shape)

    def advance(t: Tensor, states: Any, out: tf.TensorArray) -> Any:
        new = step(zs.read(t), *states)
        if keeps is not None:
            keep = keeps.read(t)
            new = tuple(tf.where(keep, a, b) for a, b in zip(new, states, strict=True))
        return t + 1, new, out.write(t, new[0])

    # XLA differentiates loops of a known length only.
    _, states, out = tf.while_loop(
        lambda t, *_: t < count, advance, (0, states, out), maximum_iterations=count
    )
    return out.stack(), states


def gru(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Callable[[Tensor], Tensor] | None = None,
    recurrent_activation: Callable[[Tensor], Tensor] | None = None,
    reset_after: bool = True,
) -> tuple[Tensor, Tensor]:
    steps = tf.transpose(x, (1, 0, 2))
    kept = None if mask is None else tf.transpose(mask)[:, :, None]
    if go_backwards:
        steps = tf.reverse(steps, [0])
        kept = kept if kept is None else tf.reverse(kept, [0])
    inner, gate = activation or tf.tanh, recurrent_activation or tf.sigmoid
    units = recurrent_kernel.shape[0]
    of_inputs, of_states = (None, None) if bias is None else (bias, None)
    if bias is not None and reset_after:
        of_inputs, of_states = bias[0], bias[1]

    def step(at: Tensor, h: Tensor) -> tuple[Tensor]:
        z_x, r_x, g_x = tf.split(at, 3, -1)
        if reset_after:
            z, r, g = tf.split(dense(h, recurrent_kernel, of_states), 3, -1)
            z, r = gate(z_x + z), gate(r_x + r)
            g = r * g
        else:
            z, r = tf.split(tf.matmul(h, recurrent_kernel[:, : 2 * units]), 2, -1)
            z, r = gate(z_x + z), gate(r_x + r)
            g = tf.matmul(r * h, recurrent_kernel[:, 2 * units :])
        return (z * h + (1.0 - z) * inner(g_x + g),)

    y, (h,) = _loop(step, dense(steps, kernel, of_inputs), (h,), kept)
    return tf.transpose(y, (1, 0, 2)), h


def ctc_loss(
    target: Tensor,
    output: Tensor,
    target_length: Tensor,
    output_length: Tensor,
    mask_index: int = 0,
) -> Tensor:
    logits = tf.cast(output, tf.float64 if output.dtype is tf.float64 else tf.float32)
    loss = tf.nn.ctc_loss(
        target, logits, target_length, output_length,
        logits_time_major=False, blank_index=mask_index,
    )  # fmt: skip
    # Labels that do not fit into the times come out as some large number.
    again = tf.cast(target[:, 1:] == target[:, :-1], tf.int32)
    again *= tf.cast(tf.range(1, tf.shape(target)[1]) < target_length[:, None], tf.int32)
    needed = target_length + tf.reduce_sum(again, 1)
    loss = tf.where(needed > output_length, tf.cast(np.inf, loss.dtype), loss)
    return tf.cast(loss, output.dtype)
