"""Attention and CTC on torch: the fused kernels."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOperatorIssue=false

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

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
