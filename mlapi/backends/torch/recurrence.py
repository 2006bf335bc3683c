"""Recurrent layers over whole sequences on torch: its fused kernels, or a loop."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false

from collections.abc import Callable, Sequence
from typing import Any

import torch

from mlapi.backends.torch import core
from mlapi.backends.torch.nn import dense

Tensor = torch.Tensor
Activation = Callable[[Tensor], Tensor] | None


def _in_order(x: Tensor, mask: Tensor | None, go_backwards: bool) -> tuple[Tensor, Tensor | None]:
    if go_backwards:
        return x.flip(1), None if mask is None else mask.flip(1)
    return x, mask


# --- the kernels, and what a compiler sees of them -----------------------------------------------

_KERNELS = {"lstm": torch._VF.lstm, "gru": torch._VF.gru, "rnn": torch._VF.rnn_tanh}


def _run(kind: str, x: Tensor, states: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
    """Outputs of a sequence, the batch first, and the last states; weights as in `torch.nn`."""
    if any(len(state) != len(x) for state in states):  # the kernels would read past the end
        raise ValueError(f"{len(x)} sequences need as many states, not {len(states[0])}")
    first: Any = [state[None] for state in states]
    # One layer, no dropout, one way, the batch first. cuDNN keeps what a gradient needs only if
    # told that one will be taken.
    options = len(weights) > 2, 1, 0.0, torch.is_grad_enabled(), False, True
    y, *last = _KERNELS[kind](x, first if kind == "lstm" else first[0], weights, *options)
    return [y, *(state[0] for state in last)]


def _fused(
    kind: str, x: Tensor, states: list[Tensor], weights: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    if core.is_compiling():  # which would write out all steps, and take minutes for it
        if kind == "lstm" and x.device.type == "cpu" and x.dtype is torch.float32:
            return _one_dnn(x, states, weights)
        y, *last = _compiled(kind, len(states), [x, *states, *weights])
    else:
        y, *last = _run(kind, x, states, weights)
    return y, last


@torch.library.custom_op("mlapi::recurrence", mutates_args=())
def _compiled(kind: str, count: int, tensors: list[Tensor]) -> list[Tensor]:
    """`_run` as one operation, with as many states as `count`."""
    x, rest = tensors[0], tensors[1:]
    return [_own(y) for y in _run(kind, x, rest[:count], rest[count:])]


@_compiled.register_fake
def _(kind: str, count: int, tensors: list[Tensor]) -> list[Tensor]:
    x, *states = tensors[: count + 1]
    y = x.new_empty((*x.shape[:2], states[0].shape[1]))
    return [y, *(state.new_empty(state.shape) for state in states)]


@torch.library.custom_op("mlapi::recurrence_gradient", mutates_args=())
def _compiled_gradient(
    kind: str, count: int, tensors: list[Tensor], upstream: list[Tensor]
) -> list[Tensor]:
    """Its gradient. The kernel runs again, since what it keeps for that is known to torch alone."""
    keys = torch._C.DispatchKey
    on = keys.AutogradCUDA if tensors[0].is_cuda else keys.AutogradCPU
    with (  # inside of an operation torch takes no gradients, unless asked to
        torch._C._SetExcludeDispatchKeyGuard(on, False),
        torch._C._SetExcludeDispatchKeyGuard(keys.AutogradFunctionality, False),
        torch.enable_grad(),
    ):
        leaves = [x.detach().requires_grad_() for x in tensors]
        outputs = _run(kind, leaves[0], leaves[1 : count + 1], leaves[count + 1 :])
        gradients = torch.autograd.grad(outputs, leaves, upstream)
    return [_own(gradient) for gradient in gradients]


@_compiled_gradient.register_fake
def _(kind: str, count: int, tensors: list[Tensor], upstream: list[Tensor]) -> list[Tensor]:
    return [x.new_empty(x.shape) for x in tensors]


def _own(x: Tensor) -> Tensor:
    """In memory of its own, and in order: what a compiler expects of an operation."""
    return x.clone(memory_format=torch.contiguous_format)


def _remember(ctx: Any, inputs: tuple[str, int, list[Tensor]], output: list[Tensor]) -> None:
    ctx.kind, ctx.count, tensors = inputs
    ctx.save_for_backward(*tensors)


def _go_back(ctx: Any, upstream: list[Tensor]) -> tuple[None, None, list[Tensor]]:
    tensors = list(ctx.saved_tensors)
    return None, None, _compiled_gradient(ctx.kind, ctx.count, tensors, list(upstream))


_compiled.register_autograd(_go_back, setup_context=_remember)

# --- oneDNN's LSTM, which hands out what its gradient needs ---------------------------------------

_KIND_OF_LSTM = 2


def _one_dnn(x: Tensor, states: list[Tensor], weights: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    if len(weights) == 2:
        weights = [*weights, *[x.new_zeros(len(weights[0]))] * 2]
    y, h, c, _ = _lstm([x.transpose(0, 1).contiguous(), *weights, *states])
    return y.transpose(0, 1), [h, c]


def _run_lstm(tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """Outputs, one row a step, the last states, and the gradient's workspace."""
    units = tensors[2].shape[1]
    options = False, [], _KIND_OF_LSTM, units, 1, True, False, False, True
    given = [x.contiguous() for x in tensors]
    with torch.enable_grad():  # else it keeps nothing
        return torch.ops.aten.mkldnn_rnn_layer(*given, *options)


@torch.library.custom_op("mlapi::lstm", mutates_args=())
def _lstm(tensors: list[Tensor]) -> list[Tensor]:
    return list(_run_lstm(tensors))


@_lstm.register_fake
def _(tensors: list[Tensor]) -> list[Tensor]:
    from torch._subclasses.fake_tensor import unset_fake_temporarily

    with unset_fake_temporarily():  # only the kernel knows how large its workspace is
        real = _run_lstm([torch.zeros(tuple(x.shape)) for x in tensors])
    return [tensors[0].new_empty(tuple(y.shape), dtype=y.dtype) for y in real]


@torch.library.custom_op("mlapi::lstm_gradient", mutates_args=())
def _lstm_gradient(
    tensors: list[Tensor], outputs: list[Tensor], upstream: list[Tensor]
) -> list[Tensor]:
    y, h, c, workspace = outputs
    options = False, _KIND_OF_LSTM, tensors[2].shape[1], 1, True, True, False, [], False
    given = [x.contiguous() for x in tensors]
    gradients = torch.ops.aten.mkldnn_rnn_layer_backward(
        *given, y, h, c, *upstream, *options, workspace
    )
    return [_own(x.reshape(given[i].shape)) for i, x in enumerate(gradients)]


@_lstm_gradient.register_fake
def _(tensors: list[Tensor], outputs: list[Tensor], upstream: list[Tensor]) -> list[Tensor]:
    return [x.new_empty(x.shape) for x in tensors]


def _keep(ctx: Any, inputs: tuple[list[Tensor]], output: list[Tensor]) -> None:
    ctx.save_for_backward(*inputs[0], *output)


def _lstm_back(ctx: Any, upstream: list[Tensor]) -> tuple[list[Tensor]]:
    saved = list(ctx.saved_tensors)
    return (_lstm_gradient(saved[:7], saved[7:], [g.contiguous() for g in upstream[:3]]),)


_lstm.register_autograd(_lstm_back, setup_context=_keep)

# --- the operations ------------------------------------------------------------------------------


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
        y, (h, c) = _fused("lstm", x, [h, c], weights)
        return y, h, c
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
        y, (h,) = _fused("gru", x, [h], weights)
        return y, h
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
        y, (h,) = _fused("rnn", x, [h], weights)
        return y, h

    def step(z: Tensor, h: Tensor) -> tuple[Tensor]:
        return (activation(torch.addmm(z, h, recurrent_kernel)),)

    y, (h,) = _loop(step, dense(x, kernel, bias), (h,), mask)
    return y, h


simple_rnn.declines = True  # type: ignore[attr-defined]
