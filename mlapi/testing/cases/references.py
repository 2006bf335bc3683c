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


def group_normalization(x, groups, axis=-1, offset=None, scale=None, epsilon=1e-3):
    y = np.moveaxis(x, axis, 1)
    form = y.shape
    y = y.reshape(len(y), groups, -1)
    y = (y - y.mean(2, keepdims=True)) / np.sqrt(y.var(2, keepdims=True) + epsilon)
    y = np.moveaxis(y.reshape(form), 1, -1)
    y = y if scale is None else y * scale
    return np.moveaxis(y if offset is None else y + offset, -1, axis)


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


def simple_rnn(
    x, h, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False, activation=None
):
    """As for `lstm`."""
    inner = np.tanh if activation is None else lambda z: np.maximum(z, 0)
    outputs = []
    times = range(x.shape[1])
    for t in reversed(times) if go_backwards else times:
        new = inner(x[:, t] @ kernel + h @ recurrent_kernel + (0 if bias is None else bias))
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        h = np.where(keep, new, h)
        outputs.append(h)
    return np.stack(outputs, 1), h


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


def gru(
    x, h, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
    activation=None, recurrent_activation=None, reset_after=True,
):  # fmt: skip
    """Activations as for `lstm`."""
    inner = np.tanh if activation is None else lambda z: np.maximum(z, 0)
    gate = special.expit if recurrent_activation is None else lambda z: np.clip(z / 6 + 0.5, 0, 1)
    units = h.shape[1]
    bias = np.zeros((2, 3 * units)) if bias is None else bias
    of_inputs, of_states = bias if bias.ndim == 2 else (bias, np.zeros(3 * units))
    outputs = []
    times = range(x.shape[1])
    for t in reversed(times) if go_backwards else times:
        z_x, r_x, g_x = np.split(x[:, t] @ kernel + of_inputs, 3, -1)
        z_h, r_h, g_h = np.split(h @ recurrent_kernel + of_states, 3, -1)
        z, r = gate(z_x + z_h), gate(r_x + r_h)
        g = r * g_h if reset_after else (r * h) @ recurrent_kernel[:, 2 * units :]
        new = z * h + (1 - z) * inner(g_x + g)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        h = np.where(keep, new, h)
        outputs.append(h)
    return np.stack(outputs, 1), h


@_channels_last
def conv_transpose(
    inputs, kernel, strides=1, padding="valid", output_padding=None, dilation_rate=1, bias=None
):
    """Each input adds a window to the result."""
    rank = inputs.ndim - 2
    sizes, window = inputs.shape[1:-1], kernel.shape[:-2]
    strides, dilation = _each(strides, rank), _each(dilation_rate, rank)
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    whole = [(n - 1) * s + r for n, s, r in zip(sizes, strides, reach, strict=True)]
    y = np.zeros((len(inputs), *(n + 2 * max(strides) for n in whole), kernel.shape[-2]))
    for place in itertools.product(*map(range, sizes)):
        at = [
            slice(p * s, p * s + r, d)
            for p, s, r, d in zip(place, strides, reach, dilation, strict=True)
        ]
        y[(slice(None), *at)] += np.tensordot(inputs[(slice(None), *place)], kernel, (-1, -1))
    cuts = []
    for i in range(rank):
        if output_padding is not None:
            total = 2 * (reach[i] // 2) if padding == "same" else 0
            total -= _each(output_padding, rank)[i]
            first, size = max(total, 0) // 2, whole[i] - total
        else:
            first = max(reach[i] - strides[i], 0) // 2 if padding == "same" else 0
            more = max(reach[i] - strides[i], 0) if padding == "valid" else 0
            size = sizes[i] * strides[i] + more
        cuts.append(slice(first, first + size))
    y = y[(slice(None), *cuts)]
    return y if bias is None else y + bias


def separable_conv(
    inputs, depthwise, pointwise, strides=1, padding="valid", data_format="channels_last",
    dilation_rate=1, bias=None,
):  # fmt: skip
    y = depthwise_conv(
        inputs, depthwise, strides, padding, dilation_rate=dilation_rate, data_format=data_format
    )
    return conv(y, pointwise, data_format=data_format, bias=bias)


def _adaptive(inputs, output_size, reduce):
    sizes = inputs.shape[1:-1]
    counts = _each(output_size, len(sizes))
    out = np.empty((len(inputs), *counts, inputs.shape[-1]))
    for place in itertools.product(*map(range, counts)):
        at = [
            slice(int(np.floor(i * n / m)), int(np.ceil((i + 1) * n / m)))
            for i, n, m in zip(place, sizes, counts, strict=True)
        ]
        out[(slice(None), *place)] = reduce(
            inputs[(slice(None), *at)], tuple(range(1, len(sizes) + 1))
        )
    return out


@_channels_last
def adaptive_average_pool(inputs, output_size):
    return _adaptive(inputs, output_size, np.mean)


@_channels_last
def adaptive_max_pool(inputs, output_size):
    return _adaptive(inputs, output_size, np.max)


def depth_to_space(x, block_size, data_format="channels_last"):
    first, b = data_format == "channels_first", block_size
    n, height, width, depth = np.moveaxis(x, 1, -1).shape if first else x.shape
    channels = depth // b**2
    y = np.empty((n, height * b, width * b, channels), x.dtype)
    for i, j, c in itertools.product(range(b), range(b), range(channels)):
        source = c * b * b + i * b + j if first else (i * b + j) * channels + c
        y[:, i::b, j::b, c] = x[:, source] if first else x[..., source]
    return np.moveaxis(y, -1, 1) if first else y


def space_to_depth(x, block_size, data_format="channels_last"):
    first, b = data_format == "channels_first", block_size
    x = np.moveaxis(x, 1, -1) if first else x
    pieces = {(i, j): x[:, i::b, j::b] for i in range(b) for j in range(b)}
    if not first:
        return np.concatenate(list(pieces.values()), -1)
    return np.moveaxis(
        np.stack(list(pieces.values()), -1).reshape(*pieces[0, 0].shape[:-1], -1), -1, 1
    )


def _places(sizes, kernel_size, dilation, padding, stride):
    """The slices of padded images that the windows are, row by row."""
    each = [_each(v, 2) for v in (kernel_size, dilation, padding, stride)]
    starts = [
        range(0, n + 2 * p - (k - 1) * d, s) for n, k, d, p, s in zip(sizes, *each, strict=True)
    ]
    size, gap = each[:2]
    return [
        tuple(slice(a, a + (k - 1) * d + 1, d) for a, k, d in zip(at, size, gap, strict=True))
        for at in itertools.product(*starts)
    ]


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    high, wide = _each(padding, 2)
    padded = np.pad(x, ((0, 0), (0, 0), (high, high), (wide, wide)))
    places = _places(x.shape[2:], kernel_size, dilation, padding, stride)
    return np.stack([padded[(..., *at)].reshape(len(x), -1) for at in places], -1)


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    size, (high, wide), (k, m) = _each(output_size, 2), _each(padding, 2), _each(kernel_size, 2)
    y = np.zeros((len(x), x.shape[1] // (k * m), size[0] + 2 * high, size[1] + 2 * wide), x.dtype)
    for i, at in enumerate(_places(size, kernel_size, dilation, padding, stride)):
        y[(..., *at)] += x[..., i].reshape(*y.shape[:2], k, m)
    return y[:, :, high : high + size[0], wide : wide + size[1]]


def rms_normalization(x, scale=None, axis=-1, epsilon=1e-7):
    axes = [axis] if isinstance(axis, int) else list(axis)
    last = list(range(-len(axes), 0))
    y = np.moveaxis(x, axes, last)
    y = y / np.sqrt(np.square(y).mean(tuple(last), keepdims=True) + epsilon)
    return np.moveaxis(y if scale is None else y * scale, last, axes)


def normalize(x, axis=-1, order=2, epsilon=1e-7):
    ord = None if order == 2 else order  # over two axes, None is the Frobenius norm
    return x / np.maximum(np.linalg.norm(x, ord, axis, keepdims=True), epsilon)


def psnr(x1, x2, max_val):
    return 10 * np.log10(max_val**2 / np.mean((x1 - x2) ** 2))


def _collapsed(path, blank):
    """Without repetitions, then without blanks."""
    return tuple(c for i, c in enumerate(path) if c != blank and (i == 0 or path[i - 1] != c))


def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """By the probabilities of all paths."""
    losses = []
    for labels, logits, count, time in zip(
        target, output, target_length, output_length, strict=True
    ):
        log_p = special.log_softmax(logits[:time], -1)
        found = [
            sum(log_p[t, c] for t, c in enumerate(path))
            for path in itertools.product(range(logits.shape[-1]), repeat=int(time))
            if _collapsed(path, mask_index) == tuple(labels[:count])
        ]
        losses.append(-special.logsumexp(found) if found else np.inf)
    return np.array(losses)


def ctc_decode(
    inputs, lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True,
    mask_index=0,
):  # fmt: skip
    paths = 1 if strategy == "greedy" else top_paths
    labels = np.full((paths, *inputs.shape[:2]), -1, "int32")
    scores = np.full((len(inputs), paths), -np.inf)
    for n, (logits, time) in enumerate(zip(inputs, lengths, strict=True)):
        logits = logits[:time]
        if strategy == "greedy":
            best = logits.argmax(-1)
            kept = _collapsed(best, mask_index)
            found = [(kept if merge_repeated else best[best != mask_index], -logits.max(-1).sum())]
        else:
            beam = _search(special.log_softmax(logits, -1), beam_width, mask_index)
            found = [(key, np.logaddexp(*value)) for key, value in beam[:top_paths]]
        for i, (sequence, score) in enumerate(found):
            labels[i, n, : len(sequence)] = sequence
            scores[n, i] = score
    return labels, scores


def _search(log_p, width, blank):
    """Prefixes, with log probabilities of ending in a blank and in their last label."""
    beam = [((), (0.0, -np.inf))]
    for p in log_p:
        new = {}

        def add(key, which, value, new=new):
            pair = list(new.get(key, (-np.inf, -np.inf)))
            pair[which] = np.logaddexp(pair[which], value)
            new[key] = tuple(pair)

        for key, (blanked, open_) in beam:
            total = np.logaddexp(blanked, open_)
            add(key, 0, total + p[blank])
            for c in range(len(p)):
                if c == blank:
                    continue
                if key and key[-1] == c:
                    add(key, 1, open_ + p[c])
                    add((*key, c), 1, blanked + p[c])
                else:
                    add((*key, c), 1, total + p[c])
        new = {key: pair for key, pair in new.items() if np.logaddexp(*pair) > -np.inf}
        beam = sorted(new.items(), key=lambda item: -np.logaddexp(*item[1]))[:width]
    return beam
