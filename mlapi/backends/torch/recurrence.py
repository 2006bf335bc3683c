"""Recurrent layers over whole sequences on torch: its fused kernels, or a loop."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false

from collections.abc import Callable
from typing import Any

import torch

from mlapi.backends.torch.nn import dense

Tensor = torch.Tensor
Activation = Callable[[Tensor], Tensor] | None


def _in_order(x: Tensor, mask: Tensor | None, go_backwards: bool) -> tuple[Tensor, Tensor | None]:
    if go_backwards:
        return x.flip(1), None if mask is None else mask.flip(1)
    return x, mask


def _options(has_bias: bool) -> tuple[Any, ...]:
    """What the kernels take after the weights: one layer, no dropout, one way, the batch first."""
    # cuDNN keeps what a gradient needs only if told that one will be taken.
    return has_bias, 1, 0.0, torch.is_grad_enabled(), False, True


def lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Activation = None,
    recurrent_activation: Activation = None,
) -> Any:
    fused = activation is None and recurrent_activation is None
    if fused and mask is not None:
        return NotImplemented
    x, mask = _in_order(x, mask, go_backwards)
    if fused:
        # The gates come in the same order in torch; its two biases are added to each other.
        weights = [kernel.t(), recurrent_kernel.t()]
        if bias is not None:
            weights += [bias, torch.zeros_like(bias)]
        y, last_h, last_c = torch._VF.lstm(
            x, (h[None], c[None]), weights, *_options(bias is not None)
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


lstm.declines = True  # type: ignore[attr-defined]


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
    activation: Activation = None,
    recurrent_activation: Activation = None,
    reset_after: bool = True,
) -> Any:
    fused = reset_after and activation is None and recurrent_activation is None
    if fused and mask is not None:
        return NotImplemented
    x, mask = _in_order(x, mask, go_backwards)
    of_inputs, of_states = (bias if reset_after else (bias, None)) if bias is not None else _NONE
    if fused:
        weights = [_reset_first(kernel).t(), _reset_first(recurrent_kernel).t()]
        if bias is not None:
            weights += [_reset_first(of_inputs), _reset_first(of_states)]
        y, last = torch._VF.gru(x, h[None], weights, *_options(bias is not None))
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


gru.declines = True  # type: ignore[attr-defined]

_NONE = (None, None)


def _reset_first(weights: Tensor) -> Tensor:
    """Gates in torch's order: reset, update, new."""
    z, r, g = weights.chunk(3, -1)
    return torch.cat([r, z, g], -1)


def simple_rnn(
    x: Tensor,
    h: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    activation: Activation = None,
) -> Any:
    if activation is None and mask is not None:
        return NotImplemented
    x, mask = _in_order(x, mask, go_backwards)
    if activation is None:
        weights = [kernel.t(), recurrent_kernel.t()]
        if bias is not None:
            weights += [bias, torch.zeros_like(bias)]
        y, last = torch._VF.rnn_tanh(x, h[None], weights, *_options(bias is not None))
        return y, last[0]

    def step(z: Tensor, h: Tensor) -> tuple[Tensor]:
        return (activation(torch.addmm(z, h, recurrent_kernel)),)

    y, (h,) = _loop(step, dense(x, kernel, bias), (h,), mask)
    return y, h


simple_rnn.declines = True  # type: ignore[attr-defined]
