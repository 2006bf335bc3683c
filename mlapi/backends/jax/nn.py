"""Kernels of neural networks on jax, in the forms that XLA compiles best."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from mlapi import config
from mlapi.backends.axes import place, places
from mlapi.backends.losses import check_class_shape, check_same_shape, probability_range
from mlapi.backends.windows import Window, conv_window, transposed_window, window
from mlapi.types import Axis

Tensor = jax.Array

# --- activations ---------------------------------------------------------------------------------


def together(*static: str) -> Callable[[Any], Any]:
    """Compiles what would be a dozen calls outside a compiled function; inside it is no matter."""
    return functools.partial(jax.jit, static_argnames=static, inline=True)


relu = together()(jax.nn.relu)
relu6 = together()(lambda x: jnp.clip(x, 0, 6))  # keeps integers, as jax's does not
selu = jax.nn.selu
silu = jax.nn.silu
sigmoid = jax.nn.sigmoid
log_sigmoid = jax.nn.log_sigmoid
hard_sigmoid = jax.nn.hard_sigmoid
softplus = jax.nn.softplus
softsign = jax.nn.soft_sign
elu = jax.nn.elu
gelu = together("approximate")(jax.nn.gelu)
_softmax = together("axis")(jax.nn.softmax)


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    return jax.nn.leaky_relu(x, negative_slope)


def softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    return _softmax(x, axis=axis if isinstance(axis, int) else tuple(axis))


def log_softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    return jax.nn.log_softmax(x, axis if isinstance(axis, int) else tuple(axis))


# --- linear maps ---------------------------------------------------------------------------------


def dense(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    # XLA on the CPU takes half as long again for a product of three axes as for one of two.
    leading = x.shape[:-1]
    if x.ndim > 2:
        x = x.reshape(math.prod(leading), x.shape[-1])
    y = jnp.matmul(x, kernel)
    if bias is not None:
        y = y + bias
    return y.reshape(*leading, kernel.shape[1])


def embedding(indices: Tensor, table: Tensor) -> Tensor:
    return jnp.take(table, indices, axis=0, mode="fill", fill_value=jnp.nan)


# --- convolution and pooling ---------------------------------------------------------------------

_LAST = {1: ("NHC", "HIO", "NHC"), 2: ("NHWC", "HWIO", "NHWC"), 3: ("NDHWC", "DHWIO", "NDHWC")}
_SECOND = {1: ("NCH", "HIO", "NCH"), 2: ("NCHW", "HWIO", "NCHW"), 3: ("NCDHW", "DHWIO", "NCDHW")}


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor | None, w: Window, groups: int) -> Tensor:
    y = lax.conv_general_dilated(
        x,
        kernel,
        w.strides,
        "SAME" if w.same else "VALID",
        rhs_dilation=w.dilation,
        dimension_numbers=(_LAST if w.channels_last else _SECOND)[w.rank],
        feature_group_count=groups,
    )
    return _with_bias(y, bias, w)


def _with_bias(y: Tensor, bias: Tensor | None, w: Window) -> Tensor:
    if bias is None:
        return y
    return y + (bias if w.channels_last else bias.reshape(-1, *[1] * w.rank))


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
    return _convolve(inputs, kernel.reshape(*w.size, 1, -1), bias, w, groups)


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
    reach = [(size - 1) * gap + 1 for size, gap in zip(w.size, w.dilation, strict=True)]
    y = lax.conv_general_dilated(
        inputs,
        jnp.swapaxes(jnp.flip(kernel, range(w.rank)), -1, -2),
        (1,) * w.rank,
        [(r - 1 - before, r - 1 - after) for r, (before, after) in zip(reach, cuts, strict=True)],
        lhs_dilation=w.strides,
        rhs_dilation=w.dilation,
        dimension_numbers=(_LAST if w.channels_last else _SECOND)[w.rank],
    )
    return _with_bias(y, bias, w)


def _fold(x: Tensor, w: Window, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Combines the elements of each window, axis by axis, from strided slices."""
    first = 1 if w.channels_last else 2
    for axis in reversed(range(first, first + w.rank)):
        size, step = w.size[axis - first], w.strides[axis - first]
        count = (x.shape[axis] - size) // step + 1
        slices = [
            lax.slice_in_dim(x, i, i + (count - 1) * step + 1, step, axis) for i in range(size)
        ]
        x = functools.reduce(combine, slices)
    return x


def _padded(x: Tensor, w: Window, value: float) -> Tensor:
    first = 1 if w.channels_last else 2
    pads = w.pads(x.shape[first : first + w.rank])
    if not any(before or after for before, after in pads):
        return x
    widths = [(0, 0, 0)] * x.ndim
    widths[first : first + w.rank] = [(before, after, 0) for before, after in pads]
    return lax.pad(x, jnp.asarray(value, x.dtype), widths)


def _larger(a: Tensor, b: Tensor) -> Tensor:
    """The maximum, whose gradient goes to the first of equals only; NaN if one is."""
    return jnp.where((a < b) | jnp.isnan(b), b, a)


def max_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    return _largest(inputs, window(inputs.shape, pool_size, strides, padding, data_format))


@together("w")
def _largest(x: Tensor, w: Window) -> Tensor:
    return _maximum(_padded(x, w, -jnp.inf), w)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _maximum(x: Tensor, w: Window) -> Tensor:
    """The largest of each window: by `lax.reduce_window`, and with its gradient by comparisons.

    On the CPU (2x2 and 3x3 windows over 28x28x32, batch 64) comparisons alone take four times as
    long as it does, and its gradient 30 to 60 times as long as theirs.
    """
    size, strides = (
        (1, *sides, 1) if w.channels_last else (1, 1, *sides) for sides in (w.size, w.strides)
    )
    return lax.reduce_window(x, jnp.asarray(-jnp.inf, x.dtype), lax.max, size, strides, "VALID")


@_maximum.defjvp
def _(w: Window, primals: tuple[Tensor], tangents: tuple[Tensor]) -> tuple[Tensor, Tensor]:
    return jax.jvp(lambda x: _fold(x, w, _larger), primals, tangents)


def average_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    return _average(inputs, window(inputs.shape, pool_size, strides, padding, data_format))


@together("w")
def _average(x: Tensor, w: Window) -> Tensor:
    total = _fold(_padded(x, w, 0.0), w, jnp.add)
    if not w.same:
        return total / math.prod(w.size)
    shape = list(x.shape)
    shape[0] = shape[-1 if w.channels_last else 1] = 1
    return total / _fold(_padded(jnp.ones(shape, x.dtype), w, 0.0), w, jnp.add)


# --- normalization -------------------------------------------------------------------------------


def moments(
    x: Tensor, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    axes = axes if isinstance(axes, int) else tuple(axes)
    mean = jnp.mean(x, axes, keepdims=True)
    variance = jnp.mean(jnp.square(x - mean), axes, keepdims=keepdims)
    return mean if keepdims else jnp.squeeze(mean, axes), variance


def _wide(x: Tensor) -> Tensor:
    """With 32 bits at least, in which statistics are taken."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


@together("axis", "epsilon")
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    factor = lax.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    shape = [1] * x.ndim
    shape[axis] = -1
    return (_wide(x) * factor.reshape(shape) + shift.reshape(shape)).astype(x.dtype)


@together("axis", "epsilon", "synchronized")
def batch_normalization_training(
    x: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
    synchronized: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    others = [i for i in range(x.ndim) if i != place(axis, x.ndim)]
    mean, variance = moments(_wide(x), others)
    y = batch_normalization(x, mean, variance, axis, offset, scale, epsilon)
    return y, lax.stop_gradient(mean), lax.stop_gradient(variance)


def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
) -> Tensor:
    epsilon = config.epsilon() if epsilon is None else epsilon
    return _layer_normalization(x, gamma, beta, tuple(places(axis, x.ndim)), epsilon)


@together("axes", "epsilon")
def _layer_normalization(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, axes: tuple[int, ...], epsilon: float
) -> Tensor:
    wide = _wide(x)
    mean, variance = moments(wide, axes, keepdims=True)
    y = _along((wide - mean) * lax.rsqrt(variance + epsilon), gamma, beta, axes)
    return y.astype(x.dtype)


def _along(y: Tensor, scale: Tensor | None, offset: Tensor | None, axes: tuple[int, ...]) -> Tensor:
    """Scaled and moved by numbers that have their axes in the order of `axes`."""
    order = sorted(range(len(axes)), key=axes.__getitem__)
    shape = [y.shape[i] if i in axes else 1 for i in range(y.ndim)]
    if scale is not None:
        y = y * jnp.transpose(scale, order).reshape(shape)
    if offset is not None:
        y = y + jnp.transpose(offset, order).reshape(shape)
    return y


def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: Axis = -1, epsilon: float | None = None
) -> Tensor:
    epsilon = config.epsilon() if epsilon is None else epsilon
    return _rms_normalization(x, scale, tuple(places(axis, x.ndim)), epsilon)


@together("axes", "epsilon")
def _rms_normalization(
    x: Tensor, scale: Tensor | None, axes: tuple[int, ...], epsilon: float
) -> Tensor:
    wide = _wide(x)
    y = wide * lax.rsqrt(jnp.mean(jnp.square(wide), axes, keepdims=True) + epsilon)
    return _along(y, scale, None, axes).astype(x.dtype)


@together("groups", "axis", "epsilon")
def group_normalization(
    x: Tensor,
    groups: int,
    axis: int = -1,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    axis = place(axis, x.ndim)
    channels = x.shape[axis] // groups
    y = _wide(x).reshape(*x.shape[:axis], groups, channels, *x.shape[axis + 1 :])
    mean, variance = moments(y, [i for i in range(1, y.ndim) if i != axis], keepdims=True)
    y = ((y - mean) * lax.rsqrt(variance + epsilon)).reshape(x.shape)
    return _along(y, scale, offset, (axis,)).astype(x.dtype)


# --- losses --------------------------------------------------------------------------------------


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    check_same_shape("binary_crossentropy", target.shape, output.shape)
    if from_logits:
        tail = jnp.log1p(jnp.exp(-jnp.abs(output)))
        return jnp.maximum(output, 0.0) - target * output + tail
    p = jnp.clip(output, *probability_range(output.dtype.name))
    return -(target * jnp.log(p) + (1.0 - target) * jnp.log1p(-p))


def _log_probability(output: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return jax.nn.log_softmax(output, axis)
    low, high = probability_range(output.dtype.name)
    return jnp.log(jnp.clip(output / jnp.sum(output, axis, keepdims=True), low, high))


def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    check_same_shape("categorical_crossentropy", target.shape, output.shape)
    return -jnp.sum(target * _log_probability(output, from_logits, axis), axis)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    name = "sparse_categorical_crossentropy"
    if not check_class_shape(name, target.shape, output.shape, axis):
        target = jnp.expand_dims(target, axis)
    log_p = _log_probability(output, from_logits, axis)
    target = target.astype("int32")
    # A comparison becomes part of the loops over log_p, forth and back; a gather would not.
    classes = jax.lax.broadcasted_iota("int32", log_p.shape, axis % log_p.ndim)
    picked = jnp.sum(jnp.where(classes == target, log_p, 0), axis)
    known = jnp.squeeze((target >= 0) & (target < log_p.shape[axis]), axis)
    return jnp.where(known, -picked, jnp.nan)
