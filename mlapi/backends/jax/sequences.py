"""Attention and CTC on jax."""

import functools
import logging

import jax
import jax.numpy as jnp
from jax import lax

from mlapi.backends.jax.nn import together
from mlapi.errors import ArgumentError

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
    fits = attn_logits_soft_cap is None and value.shape == key.shape
    if flash_attention and not fits:
        raise ArgumentError(
            "dot_product_attention: jax's flash attention kernel has no attn_logits_soft_cap, and "
            "takes keys and values of one shape."
        )
    if flash_attention or (flash_attention is None and fits and _may_have_flash(query)):
        four = [x if x is None else x.reshape((1,) * (4 - x.ndim) + x.shape) for x in (bias, mask)]
        try:
            return jax.nn.dot_product_attention(
                query, key, value, *four, scale=scale, is_causal=is_causal, implementation="cudnn"
            )
        except Exception as error:
            if flash_attention:
                raise
            _tell_once(f"dot_product_attention without cuDNN's kernel, which refused: {error}")
    # B batch, T targets, S sources, G heads of the key, R of the query to each, K and V widths
    batch, targets, heads, width = query.shape
    sources, shared = key.shape[1:3]
    scale = float(width**-0.5 if scale is None else scale)
    q_BTGRK = (query * scale).reshape(batch, targets, shared, heads // shared, width)
    kind = jnp.promote_types(query.dtype, jnp.float32)
    logits_BGRTS = jnp.einsum("btgrk,bsgk->bgrts", q_BTGRK, key, preferred_element_type=kind)
    logits = logits_BGRTS.reshape(batch, heads, targets, sources)
    if attn_logits_soft_cap is not None:
        logits = attn_logits_soft_cap * jnp.tanh(logits / attn_logits_soft_cap)
    if bias is not None:
        logits = logits + bias
    if is_causal:
        causal = jnp.tril(jnp.ones((targets, sources), bool))
        mask = causal if mask is None else mask & causal
    if mask is not None:
        # Finite, so that a target that sees nothing gets the mean of all and no NaN.
        logits = jnp.where(mask, logits, 0.7 * jnp.finfo(kind).min)
    share = jax.nn.softmax(logits).astype(value.dtype).reshape(logits_BGRTS.shape)
    y = jnp.einsum("bgrts,bsgv->btgrv", share, value)
    return y.reshape(batch, targets, heads, value.shape[-1])


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
