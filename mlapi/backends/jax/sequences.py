"""Attention and CTC on jax."""

import functools
import logging
from typing import Literal

import jax
import jax.numpy as jnp
from jax import lax

from mlapi.backends.jax.nn import together

Tensor = jax.Array


def _may_have_flash(query: Tensor) -> bool:
    """Whether cuDNN's kernel is worth a try: it has narrow floats only."""
    return jax.default_backend() == "gpu" and query.dtype.itemsize == 2


@functools.cache
def _tell_once(message: str) -> None:
    logging.getLogger("mlapi").debug(message)


@together("scale", "is_causal", "flash_attention", "attn_logits_soft_cap")
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
    if attn_logits_soft_cap is None and value.shape == key.shape:  # all that it takes
        four = [x if x is None else x.reshape((1,) * (4 - x.ndim) + x.shape) for x in (bias, mask)]

        def attend(kernel: Literal["xla", "cudnn"]) -> Tensor:
            return jax.nn.dot_product_attention(
                query, key, value, *four, scale=scale, is_causal=is_causal, implementation=kernel
            )

        if flash_attention or (flash_attention is None and _may_have_flash(query)):
            try:
                return attend("cudnn")
            except Exception as error:
                if flash_attention:
                    raise
                _tell_once(f"dot_product_attention without cuDNN's kernel, which refused: {error}")
        return attend("xla")
    # B batch, N heads, T targets, S sources, H width of a head
    q_BNTH, k_BNSH, v_BNSH = (jnp.swapaxes(x, 1, 2) for x in (query, key, value))
    share = q_BNTH.shape[1] // k_BNSH.shape[1]
    if share > 1:
        k_BNSH, v_BNSH = (jnp.repeat(x, share, 1) for x in (k_BNSH, v_BNSH))
    scale = float(query.shape[-1] ** -0.5 if scale is None else scale)
    logits_BNTS = jnp.matmul(q_BNTH * scale, jnp.swapaxes(k_BNSH, 2, 3))
    if attn_logits_soft_cap is not None:
        logits_BNTS = attn_logits_soft_cap * jnp.tanh(logits_BNTS / attn_logits_soft_cap)
    if bias is not None:
        logits_BNTS = logits_BNTS + bias
    if is_causal:
        causal = jnp.tril(jnp.ones(logits_BNTS.shape[2:], bool))
        mask = causal if mask is None else mask & causal
    if mask is not None:
        # Finite, so that a target that sees nothing gets the mean of all and no NaN.
        logits_BNTS = jnp.where(mask, logits_BNTS, 0.7 * jnp.finfo(query.dtype).min)
    return jnp.swapaxes(jnp.matmul(jax.nn.softmax(logits_BNTS), v_BNSH), 1, 2)


# In place of the logarithm of 0: finite, so that gradients are numbers.
_NEVER = -1e30


@together("mask_index")
def ctc_loss(
    target: Tensor,
    output: Tensor,
    target_length: Tensor,
    output_length: Tensor,
    mask_index: int = 0,
) -> Tensor:
    """The forward algorithm over the labels with blanks around each."""
    batch, labels = target.shape
    log_p = jax.nn.log_softmax(output.astype(jnp.promote_types(output.dtype, jnp.float32)))
    spaced = jnp.full((batch, 2 * labels + 1), mask_index, target.dtype).at[:, 1::2].set(target)
    seen = jnp.take_along_axis(log_p, spaced[:, None], 2, mode="clip")  # batch, time, 2 labels + 1
    places = jnp.arange(2 * labels + 1)
    skips = (spaced != mask_index) & (spaced != jnp.roll(spaced, 2, 1)) & (places >= 2)

    def moved(x: Tensor, by: int) -> Tensor:
        return jnp.pad(x, ((0, 0), (by, 0)), constant_values=_NEVER)[:, : x.shape[1]]

    def step(state: Tensor, at: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        p, t = at
        new = jnp.logaddexp(state, moved(state, 1))
        new = jnp.logaddexp(new, jnp.where(skips, moved(state, 2), _NEVER)) + p
        return jnp.where((t < output_length)[:, None], new, state), None

    # Before the first time: from there, the first blank and the first label can be reached.
    first = jnp.where(places == 0, 0.0, _NEVER).astype(log_p.dtype)
    start = jnp.broadcast_to(jnp.where(places < 2, 0.0, _NEVER), spaced.shape) + seen[:, 0]
    start = jnp.where((output_length > 0)[:, None], start, first)
    times = jnp.arange(1, log_p.shape[1])
    state, _ = lax.scan(step, start, (jnp.swapaxes(seen, 0, 1)[1:], times))
    end = 2 * target_length[:, None]
    at_blank = jnp.take_along_axis(state, end, 1)[:, 0]
    at_label = jnp.take_along_axis(state, jnp.maximum(end - 1, 0), 1)[:, 0]
    at_label = jnp.where(target_length > 0, at_label, _NEVER)
    loss = -jnp.logaddexp(at_blank, at_label)
    return jnp.where(loss > -_NEVER / 2, jnp.inf, loss).astype(output.dtype)
