"""Attention and recurrence on torch: the fused kernels, and loops where there is none."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOperatorIssue=false

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from mlapi.backends.torch.nn import dense

Tensor = torch.Tensor


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
    # B batch, N heads, T targets, S sources, H width of a head
    q_BNTH, k_BNSH, v_BNSH = (x.transpose(1, 2) for x in (query, key, value))
    if is_causal and (mask is not None or attn_logits_soft_cap is not None):
        causal = torch.ones(
            q_BNTH.shape[2], k_BNSH.shape[2], dtype=torch.bool, device=query.device
        ).tril()
        mask, is_causal = causal if mask is None else mask & causal, False
    if is_causal and bias is not None:
        mask = torch.ones(
            q_BNTH.shape[2], k_BNSH.shape[2], dtype=torch.bool, device=query.device
        ).tril()
        is_causal = False
    if mask is not None:
        # Finite, so that a target that sees nothing gets the mean of all and no NaN.
        hidden = 0.7 * torch.finfo(query.dtype).min
        added = torch.zeros(mask.shape, dtype=query.dtype, device=query.device)
        added = added.masked_fill(~mask, hidden)
        bias = added if bias is None else bias + added
    grouped = q_BNTH.shape[1] != k_BNSH.shape[1]
    if attn_logits_soft_cap is not None:
        if grouped:
            share = q_BNTH.shape[1] // k_BNSH.shape[1]
            k_BNSH, v_BNSH = (x.repeat_interleave(share, 1) for x in (k_BNSH, v_BNSH))
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        logits_BNTS = torch.matmul(q_BNTH * scale, k_BNSH.transpose(-1, -2))
        logits_BNTS = attn_logits_soft_cap * torch.tanh(logits_BNTS / attn_logits_soft_cap)
        if bias is not None:
            logits_BNTS = logits_BNTS + bias
        return torch.matmul(torch.softmax(logits_BNTS, -1), v_BNSH).transpose(1, 2)
    with _NO_CHOICE if flash_attention is None else _attention_kernels(flash_attention):
        y_BNTH = F.scaled_dot_product_attention(
            q_BNTH, k_BNSH, v_BNSH, bias, is_causal=is_causal, scale=scale, enable_gqa=grouped
        )
    return y_BNTH.transpose(1, 2)


_NO_CHOICE = nullcontext()


def _attention_kernels(flash: bool) -> AbstractContextManager[Any]:
    if flash:
        return sdpa_kernel(SDPBackend.FLASH_ATTENTION)
    return sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH])


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
    if go_backwards:
        x, mask = x.flip(1), None if mask is None else mask.flip(1)
    if mask is None and activation is None and recurrent_activation is None:
        # The gates come in the same order in torch; its two biases are added to each other.
        weights = [kernel.t(), recurrent_kernel.t()]
        if bias is not None:
            weights += [bias, torch.zeros_like(bias)]
        # cuDNN keeps what a gradient needs only if told that one will be taken.
        train = torch.is_grad_enabled()
        y, last_h, last_c = torch._VF.lstm(
            x, (h[None], c[None]), weights, bias is not None, 1, 0.0, train, False, True
        )
        return y, last_h[0], last_c[0]
    inner = activation or torch.tanh
    gate = recurrent_activation or torch.sigmoid

    def step(z: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        i, f, g, o = torch.addmm(z, h, recurrent_kernel).chunk(4, -1)
        c = gate(f) * c + gate(i) * inner(g)
        return gate(o) * inner(c), c

    y, (h, c) = _loop(step, dense(x, kernel, bias), (h, c), mask)
    return y, h, c


def _loop(
    step: Callable[..., tuple[Tensor, ...]], zs: Tensor, states: tuple[Tensor, ...], mask: Any
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """All first states, and the last of all; where the mask is False, they stay as they were."""
    kept = [None] * zs.shape[1] if mask is None else mask[:, :, None].unbind(1)
    outputs = []
    for z, keep in zip(zs.unbind(1), kept, strict=True):
        new = step(z, *states)
        if keep is not None:
            new = tuple(torch.where(keep, a, b) for a, b in zip(new, states, strict=True))
        states = new
        outputs.append(states[0])
    return torch.stack(outputs, 1), states


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
    if go_backwards:
        x, mask = x.flip(1), None if mask is None else mask.flip(1)
    of_inputs, of_states = (bias if reset_after else (bias, None)) if bias is not None else _NONE
    if reset_after and mask is None and activation is None and recurrent_activation is None:
        weights = [_reset_first(kernel).t(), _reset_first(recurrent_kernel).t()]
        if bias is not None:
            weights += [_reset_first(of_inputs), _reset_first(of_states)]
        train = torch.is_grad_enabled()  # see `lstm`
        y, last = torch._VF.gru(x, h[None], weights, bias is not None, 1, 0.0, train, False, True)
        return y, last[0]
    inner = activation or torch.tanh
    gate = recurrent_activation or torch.sigmoid
    units = h.shape[1]

    def step(at: Tensor, h: Tensor) -> tuple[Tensor]:
        if reset_after:
            z, r, g = dense(h, recurrent_kernel, of_states).chunk(3, -1)
            z, r = gate(at[:, :units] + z), gate(at[:, units : 2 * units] + r)
            g = r * g
        else:
            z, r = gate(torch.addmm(at[:, : 2 * units], h, recurrent_kernel[:, : 2 * units])).chunk(
                2, -1
            )
            g = torch.mm(r * h, recurrent_kernel[:, 2 * units :])
        return (z * h + (1 - z) * inner(at[:, 2 * units :] + g),)

    y, (h,) = _loop(step, dense(x, kernel, of_inputs), (h,), mask)
    return y, h


_NONE = (None, None)


def _reset_first(weights: Tensor) -> Tensor:
    """Gates in torch's order: reset, update, new."""
    z, r, g = weights.chunk(3, -1)
    return torch.cat([r, z, g], -1)


def ctc_loss(
    target: Tensor,
    output: Tensor,
    target_length: Tensor,
    output_length: Tensor,
    mask_index: int = 0,
) -> Tensor:
    kind = output.dtype
    if kind in (torch.float16, torch.bfloat16):  # there is no kernel
        output = output.float()
    log_p = torch.log_softmax(output, -1).transpose(0, 1)
    lengths = output_length.to(torch.int64), target_length.to(torch.int64)
    loss = F.ctc_loss(log_p, target.to(torch.int64), *lengths, mask_index, reduction="none")
    return loss.to(kind)
