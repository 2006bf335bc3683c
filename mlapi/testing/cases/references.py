"""The large kernels in NumPy, by their definitions, element by element where that is clearest."""

import itertools

import numpy as np
from scipy import special


def _each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _windows(x, size, strides, dilation, padding, fill):
    """All windows of channels-last `x`: shape (batch, *places, *window, channels)."""
    rank = x.ndim - 2
    strides, dilation = _each(strides, rank), _each(dilation, rank)
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    if padding == "same":
        counts = [-(-n // s) for n, s in zip(x.shape[1:-1], strides, strict=True)]
        totals = [
            max(0, (c - 1) * s + r - n)
            for c, s, r, n in zip(counts, strides, reach, x.shape[1:-1], strict=True)
        ]
        widths = [(0, 0), *((t // 2, t - t // 2) for t in totals), (0, 0)]
        x = np.pad(x, widths, constant_values=fill)
    else:
        counts = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:-1], reach, strides, strict=True)]
    out = np.empty((x.shape[0], *counts, *size, x.shape[-1]), x.dtype)
    for place in itertools.product(*map(range, counts)):
        at = [
            slice(p * s, p * s + r, d)
            for p, s, r, d in zip(place, strides, reach, dilation, strict=True)
        ]
        out[(slice(None), *place)] = x[(slice(None), *at)]
    return out


def _channels_last(function):
    def call(inputs, *args, data_format="channels_last", **kwargs):
        if data_format == "channels_last":
            return function(inputs, *args, **kwargs)
        return np.moveaxis(function(np.moveaxis(inputs, 1, -1), *args, **kwargs), -1, 1)

    return call


@_channels_last
def conv(inputs, kernel, strides=1, padding="valid", dilation_rate=1, bias=None):
    size, each, filters = kernel.shape[:-2], kernel.shape[-2], kernel.shape[-1]
    windows = _windows(inputs, size, strides, dilation_rate, padding, 0.0)
    rank = len(size)
    groups = inputs.shape[-1] // each
    share = filters // groups
    axes = list(range(1 + rank, 2 * rank + 2)), list(range(rank + 1))
    parts = [
        np.tensordot(
            windows[..., g * each : (g + 1) * each], kernel[..., g * share : (g + 1) * share], axes
        )
        for g in range(groups)
    ]
    y = np.concatenate(parts, -1)
    return y if bias is None else y + bias


@_channels_last
def depthwise_conv(inputs, kernel, strides=1, padding="valid", dilation_rate=1, bias=None):
    channels = inputs.shape[-1]
    parts = [
        conv(inputs[..., c : c + 1], kernel[..., c : c + 1, :], strides, padding,
             dilation_rate=dilation_rate)
        for c in range(channels)
    ]  # fmt: skip
    y = np.concatenate(parts, -1)
    return y if bias is None else y + bias


@_channels_last
def max_pool(inputs, pool_size, strides=None, padding="valid"):
    size = _each(pool_size, inputs.ndim - 2)
    windows = _windows(inputs, size, strides or size, 1, padding, -np.inf)
    return windows.max(tuple(range(len(size) + 1, 2 * len(size) + 1)))


@_channels_last
def average_pool(inputs, pool_size, strides=None, padding="valid"):
    size = _each(pool_size, inputs.ndim - 2)
    windows = _windows(inputs, size, strides or size, 1, padding, np.nan)
    return np.nanmean(windows, tuple(range(len(size) + 1, 2 * len(size) + 1)))


def moments(x, axes, keepdims=False):
    axes = tuple(axes) if isinstance(axes, list) else axes
    return x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    y = (np.moveaxis(x, axis, -1) - mean) / np.sqrt(variance + epsilon)
    y = y if scale is None else y * scale
    return np.moveaxis(y if offset is None else y + offset, -1, axis)


def batch_normalization_training(x, axis, offset=None, scale=None, epsilon=1e-3):
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean, variance = x.mean(others), x.var(others)
    return batch_normalization(x, mean, variance, axis, offset, scale, epsilon), mean, variance


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=1e-7):
    axes = [axis] if isinstance(axis, int) else list(axis)
    last = list(range(-len(axes), 0))
    y = np.moveaxis(x, axes, last)
    over = tuple(last)
    y = (y - y.mean(over, keepdims=True)) / np.sqrt(y.var(over, keepdims=True) + epsilon)
    y = y if gamma is None else y * gamma
    return np.moveaxis(y if beta is None else y + beta, last, axes)


def attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False,
    flash_attention=None, attn_logits_soft_cap=None,
):  # fmt: skip
    share = query.shape[2] // key.shape[2]
    key, value = np.repeat(key, share, 2), np.repeat(value, share, 2)
    logits = np.einsum("btnh,bsnh->bnts", query, key)
    logits = logits * (query.shape[-1] ** -0.5 if scale is None else scale)
    if attn_logits_soft_cap is not None:
        logits = attn_logits_soft_cap * np.tanh(logits / attn_logits_soft_cap)
    if bias is not None:
        logits = logits + bias
    if is_causal:
        causal = np.tril(np.ones(logits.shape[2:], bool))
        mask = causal if mask is None else mask & causal
    if mask is not None:
        logits = np.where(mask, logits, -1e30)
    return np.einsum("bnts,bsnh->btnh", special.softmax(logits, -1), value)


def lstm(
    x, h, c, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
    activation=None, recurrent_activation=None,
):  # fmt: skip
    """A callable activation stands for one of the framework's; it is relu in the cases here."""
    inner = np.tanh if activation is None else lambda z: np.maximum(z, 0)
    gate = special.expit if recurrent_activation is None else lambda z: np.clip(z / 6 + 0.5, 0, 1)
    outputs = []
    times = range(x.shape[1])
    for t in reversed(times) if go_backwards else times:
        z = x[:, t] @ kernel + h @ recurrent_kernel + (0 if bias is None else bias)
        i, f, g, o = np.split(z, 4, -1)
        new_c = gate(f) * c + gate(i) * inner(g)
        new_h = gate(o) * inner(new_c)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        h, c = np.where(keep, new_h, h), np.where(keep, new_c, c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def binary_crossentropy(target, output, from_logits=False):
    if from_logits:
        return np.logaddexp(0, output) - target * output
    p = np.clip(output, 1e-7, 1 - 1e-7)
    return -special.xlogy(target, p) - special.xlog1py(1 - target, -p)


def _log_probability(output, from_logits, axis):
    if from_logits:
        return special.log_softmax(output, axis)
    return np.log(np.clip(output / output.sum(axis, keepdims=True), 1e-7, 1 - 1e-7))


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    return -(target * _log_probability(output, from_logits, axis)).sum(axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    if target.ndim < output.ndim:
        target = np.expand_dims(target, axis)
    log_p = _log_probability(output, from_logits, axis)
    return -np.take_along_axis(log_p, target, axis).squeeze(axis)
