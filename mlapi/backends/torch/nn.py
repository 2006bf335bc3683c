"""Kernels of neural networks on torch: the fused ones, on strided views instead of copies."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOperatorIssue=false

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from mlapi import config
from mlapi.backends.axes import place, places
from mlapi.backends.losses import check_class_shape, check_same_shape, probability_range
from mlapi.backends.torch import core
from mlapi.backends.windows import Window, conv_window, per_axis, transposed_window, window
from mlapi.types import Axis

Tensor = torch.Tensor

# --- activations ---------------------------------------------------------------------------------

relu = torch.relu
relu6 = F.relu6
selu = F.selu
silu = F.silu
sigmoid = torch.sigmoid
log_sigmoid = F.logsigmoid
hard_sigmoid = F.hardsigmoid
softplus = F.softplus
softsign = F.softsign
hard_tanh = F.hardtanh
hard_silu = F.hardswish
hard_swish = F.hardswish


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    return F.leaky_relu(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return F.elu(x, alpha)


def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    return F.gelu(x, approximate="tanh" if approximate else "none")


def softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    if isinstance(axis, int):
        return torch.softmax(x, axis)
    return torch.exp(log_softmax(x, axis))


def log_softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    if isinstance(axis, int):
        return torch.log_softmax(x, axis)
    return x - torch.logsumexp(x, tuple(axis), keepdim=True)


# --- linear maps ---------------------------------------------------------------------------------


def dense(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    if x.ndim == 2:
        return torch.mm(x, kernel) if bias is None else torch.addmm(bias, x, kernel)
    # `F.linear` comes to the same, by way of two transposed kernels.
    rows = x.flatten(0, -2)
    y = torch.mm(rows, kernel) if bias is None else torch.addmm(bias, rows, kernel)
    return y.view(*x.shape[:-1], kernel.shape[1])


def embedding(indices: Tensor, table: Tensor) -> Tensor:
    if indices.dtype is not torch.int32 and indices.dtype is not torch.int64:
        indices = indices.to(torch.int64)
    return F.embedding(indices, table)


# --- convolution and pooling ---------------------------------------------------------------------

# Torch has the channels second. A permuted view of a channels-last tensor is what its kernels call
# the channels-last memory format: they compute in it, and the result permuted back is contiguous.
_TO_SECOND = {3: (0, 2, 1), 4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}
_TO_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}

# From (*window, channels, filters) to (filters, channels, *window), by the number of axes.
_KERNEL = {3: (2, 1, 0), 4: (3, 2, 0, 1), 5: (4, 3, 0, 1, 2)}

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX_POOL = {1: torch.max_pool1d, 2: torch.max_pool2d, 3: torch.max_pool3d}
_HALVES = (torch.float16, torch.bfloat16)
_AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def _pads(x: Tensor, w: Window) -> tuple[tuple[int, ...], list[int]]:
    """Padding that is equal on both sides, which the kernels do, else a list for `F.pad`."""
    if not w.same:
        return (0,) * w.rank, []
    pads = w.pads(x.shape[2:])
    if all(before == after for before, after in pads):
        return tuple(before for before, _ in pads), []
    return (0,) * w.rank, [n for pair in reversed(pads) for n in pair]


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor | None, w: Window, groups: int) -> Tensor:
    kernel = kernel.permute(_KERNEL[kernel.ndim])
    if w.channels_last:
        x = x.permute(_TO_SECOND[x.ndim])
    padding, uneven = _pads(x, w)
    if uneven:
        x = F.pad(x, uneven)
    y = _CONV[w.rank](x, kernel, bias, w.strides, padding, w.dilation, groups)
    return y.permute(_TO_LAST[y.ndim]) if w.channels_last else y


def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    bias: Tensor | None = None,
) -> Tensor:
    w, groups = conv_window(
        inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate
    )
    return _convolve(inputs, kernel, bias, w, groups)


def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    bias: Tensor | None = None,
) -> Tensor:
    w, _ = conv_window(
        inputs.shape, kernel.shape, strides, padding, data_format, dilation_rate, depthwise=True
    )
    groups = kernel.shape[-2]
    kernel = kernel.reshape(*w.size, 1, -1)
    return _convolve(inputs, kernel, bias, w, groups)


def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    bias: Tensor | None = None,
) -> Tensor:
    w, cuts = transposed_window(
        inputs.shape, kernel.shape, strides, padding, output_padding, data_format, dilation_rate
    )
    x = inputs.permute(_TO_SECOND[inputs.ndim]) if w.channels_last else inputs
    even = [min(before, max(after, 0)) for before, after in cuts]
    y = _CONV_TRANSPOSE[w.rank](
        x, kernel.permute(_KERNEL[kernel.ndim]), None, w.strides, even, 0, 1, w.dilation
    )
    rest = [n - even[i // 2] for i, n in enumerate(n for pair in cuts for n in pair)]
    if any(rest):
        y = F.pad(y, [-n for i in reversed(range(w.rank)) for n in rest[2 * i : 2 * i + 2]])
    y = y.permute(_TO_LAST[y.ndim]) if w.channels_last else y
    if bias is None:
        return y
    # Not left to the kernel: on the CPU its gradient took up to twice as long with a bias.
    return y + (bias if w.channels_last else bias.reshape(-1, *[1] * w.rank))


def max_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    w = window(inputs.shape, pool_size, strides, padding, data_format)
    x = inputs.permute(_TO_SECOND[inputs.ndim]) if w.channels_last else inputs
    around, uneven = _pads(x, w)
    # The kernels take up to half a window of padding, which is all that "same" can ask for unless
    # a window is larger than what it moves over.
    if w.same and not uneven and any(2 * n > size for n, size in zip(around, w.size, strict=True)):
        around, uneven = (0,) * w.rank, [n for pair in reversed(w.pads(x.shape[2:])) for n in pair]
    if uneven:
        x = F.pad(x, uneven, value=-torch.inf)
    y = _MAX_POOL[w.rank](x, w.size, w.strides, around)
    return y.permute(_TO_LAST[y.ndim]) if w.channels_last else y


def average_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    w = window(inputs.shape, pool_size, strides, padding, data_format)
    x = inputs.permute(_TO_SECOND[inputs.ndim]) if w.channels_last else inputs
    pool = _AVERAGE_POOL[w.rank]
    if w.rank == 3 and x.dtype in _HALVES and x.device.type == "cpu":  # which have no kernel
        y = average_pool(inputs.float(), pool_size, strides, padding, data_format)
        return y.to(x.dtype)
    pads = [n for pair in reversed(w.pads(x.shape[2:])) for n in pair] if w.same else []
    if any(pads):
        inside = F.pad(torch.ones_like(x[:1, :1]), pads)
        y = pool(F.pad(x, pads), w.size, w.strides) / pool(inside, w.size, w.strides)
    else:
        y = pool(x, w.size, w.strides)
    return y.permute(_TO_LAST[y.ndim]) if w.channels_last else y


def _adaptive(kernels: tuple[Callable[..., Tensor], ...]) -> Any:
    def pool(
        inputs: Tensor, output_size: int | Sequence[int], data_format: str | None = None
    ) -> Tensor:
        w = window(inputs.shape, 1, 1, "valid", data_format)
        x = inputs.permute(_TO_SECOND[inputs.ndim]) if w.channels_last else inputs
        y = kernels[w.rank - 1](x, per_axis("output_size", output_size, w.rank))
        return y.permute(_TO_LAST[y.ndim]) if w.channels_last else y

    return pool


adaptive_average_pool = _adaptive(
    (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
)
adaptive_max_pool = _adaptive((F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d))

# --- normalization -------------------------------------------------------------------------------


def moments(
    x: Tensor, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    if not isinstance(axes, int) and len(axes) == 0:
        return x, torch.zeros_like(x)
    variance, mean = torch.var_mean(x, axes, correction=0, keepdim=keepdims)
    if synchronized and _has_peers():
        return _of_all_processes(mean, variance, x.numel() // max(mean.numel(), 1))
    return mean, variance


def _has_peers() -> bool:
    distributed = torch.distributed
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


def _of_all_processes(mean: Tensor, variance: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Moments of the populations of all processes together, each of its own size."""
    from torch.distributed.nn.functional import all_reduce  # differentiable

    share = torch.full_like(mean, count)
    total = all_reduce(torch.stack([share, share * mean]))
    common = total[1] / total[0]
    spread = all_reduce(share * (variance + (mean - common).square()))
    return common, spread / total[0]


def _channels_second(x: Tensor, axis: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """A view with the channels second, and the way back from it."""
    axis = place(axis, x.ndim)
    if axis == 1:
        return x, lambda y: y
    if axis == x.ndim - 1 and x.ndim in (4, 5):
        return x.permute(_TO_SECOND[x.ndim]), lambda y: y.permute(_TO_LAST[y.ndim])
    if x.ndim == 3:  # with a fourth axis the view has the channels-last format, else it is copied
        return x.movedim(axis, 1).unsqueeze(-1), lambda y: y.squeeze(-1).movedim(1, axis)
    return x.movedim(axis, 1), lambda y: y.movedim(1, axis)


def _for_kernel(x: Tensor) -> Tensor:
    """Off the CPU, scales of more bits than `x` has are known to batch normalization only."""
    return x.float() if x.dtype in _HALVES and x.device.type != "cpu" else x


def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    if mean.requires_grad or variance.requires_grad:  # constants to the fused kernel
        shape = [1] * x.ndim
        shape[axis] = -1
        factor = torch.rsqrt(variance + epsilon)
        factor = factor if scale is None else factor * scale
        shift = -mean * factor if offset is None else offset - mean * factor
        return (x * factor.reshape(shape) + shift.reshape(shape)).to(x.dtype)
    x, back = _channels_second(x, axis)
    return back(F.batch_norm(x, mean, variance, scale, offset, training=False, eps=epsilon))


def batch_normalization_training(
    x: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
    synchronized: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    if synchronized and _has_peers():
        axis = place(axis, x.ndim)
        others = [i for i in range(x.ndim) if i != axis]
        wide = x.float() if x.dtype in _HALVES else x
        mean, variance = moments(wide, others, synchronized=True)
        y = batch_normalization(wide, mean, variance, axis, offset, scale, epsilon)
        return y.to(x.dtype), mean.detach(), variance.detach()
    x, back = _channels_second(x, axis)
    y, mean, inverse = torch.native_batch_norm(x, scale, offset, None, None, True, 0.0, epsilon)
    return back(y), mean, inverse.pow(-2) - epsilon  # to the kernel, the two are constants


def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
) -> Tensor:
    kind, x = x.dtype, _for_kernel(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    axes = places(axis, x.ndim)
    last = list(range(x.ndim - len(axes), x.ndim))
    sizes = [x.shape[one] for one in axes]
    if axes == last:
        return F.layer_norm(x, sizes, gamma, beta, epsilon).to(kind)
    y = F.layer_norm(x.movedim(axes, last), sizes, gamma, beta, epsilon)
    return y.movedim(last, axes).to(kind)


def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: Axis = -1, epsilon: float | None = None
) -> Tensor:
    kind = x.dtype
    x = x.float() if kind in _HALVES else x
    epsilon = config.epsilon() if epsilon is None else epsilon
    axes = places(axis, x.ndim)
    last = list(range(x.ndim - len(axes), x.ndim))
    sizes = [x.shape[one] for one in axes]
    if axes == last:
        return F.rms_norm(x, sizes, scale, epsilon).to(kind)
    y = F.rms_norm(x.movedim(axes, last), sizes, scale, epsilon)
    return y.movedim(last, axes).to(kind)


class _Tied(torch.autograd.Function):
    """A tensor whose gradient is taken where one of others is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *others: Tensor) -> Tensor:
        ctx.count = len(others)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return grad, *[None] * ctx.count


def group_normalization(
    x: Tensor,
    groups: int,
    axis: int = -1,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    y, back = _channels_second(_for_kernel(x), axis)
    moving = [each for each in (scale, offset) if each is not None and each.requires_grad]
    if moving and y.device.type == "cpu" and not y.is_contiguous():
        # In the channels-last format the kernel ends the process where it is asked for the
        # gradients of these but not for that of `x`.
        y = _Tied.apply(y, *moving)
    if offset is not None and scale is None:  # of which there is no gradient
        scale = torch.ones_like(offset)
    return back(F.group_norm(y, groups, scale, offset, epsilon)).to(x.dtype)


# --- losses --------------------------------------------------------------------------------------


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    check_same_shape("binary_crossentropy", target.shape, output.shape)
    return _binary(target, output, from_logits, "none")


def mean_binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    return _binary(target, output, from_logits, "mean")


def _binary(target: Tensor, output: Tensor, from_logits: bool, reduction: str) -> Tensor:
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction=reduction)
    low, high = probability_range(core.NAMES[output.dtype])
    return F.binary_cross_entropy(torch.clamp(output, low, high), target, reduction=reduction)


def _log_probability(output: Tensor, axis: int) -> Tensor:
    low, high = probability_range(core.NAMES[output.dtype])
    return torch.log(torch.clamp(output / output.sum(axis, keepdim=True), low, high))


def _rows(x: Tensor, axis: int) -> Tensor:
    """Shape `(samples, classes)`, in which the fused kernels are fastest."""
    x = x if place(axis, x.ndim) == x.ndim - 1 else x.movedim(axis, -1)
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _unflattened(loss: Tensor, output: Tensor, axis: int) -> Tensor:
    if output.ndim == 2:
        return loss
    sizes = list(output.shape)
    del sizes[axis]
    return loss.reshape(sizes)


def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    check_same_shape("categorical_crossentropy", target.shape, output.shape)
    if not from_logits:
        return -(target * _log_probability(output, axis)).sum(axis)
    loss = F.cross_entropy(_rows(output, axis), _rows(target, axis), reduction="none")
    return _unflattened(loss, output, axis)


def mean_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    if not from_logits:
        return -(target * _log_probability(output, axis)).sum(axis).mean()
    return F.cross_entropy(_rows(output, axis), _rows(target, axis))


# Torch would leave out classes of this index, -100 by default, without a word.
_NO_CLASS = -(2**62)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    name = "sparse_categorical_crossentropy"
    check_class_shape(name, target.shape, output.shape, axis)
    loss = _sparse_categorical(target, output, from_logits, axis, "none")
    return _unflattened(loss, output, axis)


def mean_sparse_categorical_crossentropy(
    target: Tensor,
    output: Tensor,
    from_logits: bool = False,
    axis: int = -1,
    ignore_class: int | None = None,
) -> Tensor:
    if ignore_class is None:
        return _sparse_categorical(target, output, from_logits, axis, "mean")
    target = target.to(torch.int64)
    total = _sparse_categorical(target, output, from_logits, axis, "sum", ignore_class)
    return total / torch.clamp_min((target != ignore_class).sum(), 1)


def _sparse_categorical(
    target: Tensor,
    output: Tensor,
    from_logits: bool,
    axis: int,
    reduction: str,
    ignored: int = _NO_CLASS,
) -> Tensor:
    target = target.to(torch.int64)
    target = target if target.ndim == 1 else target.reshape(-1)
    output = _rows(output, axis)
    if from_logits:
        return F.cross_entropy(output, target, reduction=reduction, ignore_index=ignored)
    log_p = _log_probability(output, 1)
    return F.nll_loss(log_p, target, reduction=reduction, ignore_index=ignored)


def huber_distance(y_true: Tensor, y_pred: Tensor, delta: float) -> Tensor:
    return F.huber_loss(y_pred, y_true, reduction="none", delta=delta)


def class_scores(y_pred: Tensor, numbers: Tensor) -> Tensor:
    return torch.gather(y_pred, -1, numbers.to(torch.int64).unsqueeze(-1)).squeeze(-1)


def class_hits(y_true: Tensor, y_pred: Tensor) -> Tensor:
    return torch.argmax(y_pred, -1) == y_true


def top_hits(right: Tensor, y_pred: Tensor, k: int) -> Tensor:
    return ((y_pred > right.unsqueeze(-1)).sum(-1) < k) & torch.isfinite(right)


# --- activations that would be several kernels ---------------------------------------------------

celu = F.celu


def glu(x: Tensor, axis: int = -1) -> Tensor:
    return F.glu(x, axis)


def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    return F.hardshrink(x, threshold)


def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    return F.softshrink(x, threshold)


def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    return F.threshold(x, threshold, default_value)
