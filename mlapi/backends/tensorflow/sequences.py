"""Attention and CTC on tensorflow."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOperatorIssue=false, reportOptionalOperand=false

import numpy as np
import tensorflow as tf

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
