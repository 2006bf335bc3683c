"""What the layers compute, written in NumPy loops straight from the definitions."""

import math

import numpy as np
from scipy.special import expit, softmax


def same_padding(x, size, strides, dilation, fill):
    """`x` with `fill` around its spatial axes, so that windows cover ceil(n / stride) places."""
    pads = [(0, 0)]
    for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation, strict=True):
        total = max((math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, [*pads, (0, 0)], constant_values=fill)


def windows(x, size, strides, dilation):
    """`(place, window)` for every place of the windows in `x`, of shape (batch, …, channels)."""
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    spatial = x.shape[1:-1]
    counts = [(n - r) // s + 1 for n, r, s in zip(spatial, reach, strides, strict=True)]
    for place in np.ndindex(*counts):
        start = [i * s for i, s in zip(place, strides, strict=True)]
        cut = [slice(a, a + r, d) for a, r, d in zip(start, reach, dilation, strict=True)]
        yield place, counts, x[(slice(None), *cut)]


def sweep(x, size, strides, dilation, padding, fill, function):
    """`function(window)`, of shape (batch, channels), at every place."""
    x = x.astype("float64")
    if padding == "same":
        x = same_padding(x, size, strides, dilation, fill)
    result = None
    for place, counts, window in windows(x, size, strides, dilation):
        value = function(window)
        if result is None:
            result = np.zeros((len(x), *counts, value.shape[-1]))
        result[(slice(None), *place)] = value
    return result


def conv(x, kernel, strides=None, padding="valid", dilation=None, groups=1):
    rank = x.ndim - 2
    inputs, outputs = kernel.shape[-2], kernel.shape[-1] // groups

    def one(window):
        parts = [
            np.tensordot(
                window[..., g * inputs : (g + 1) * inputs],
                kernel[..., g * outputs : (g + 1) * outputs],
                rank + 1,
            )
            for g in range(groups)
        ]
        return np.concatenate(parts, -1)

    ones = (1,) * rank
    return sweep(x, kernel.shape[:rank], strides or ones, dilation or ones, padding, 0.0, one)


def depthwise_conv(x, kernel, strides=None, padding="valid", dilation=None):
    rank = x.ndim - 2

    def one(window):
        flat = window.reshape(len(x), -1, x.shape[-1])
        weights = kernel.reshape(-1, *kernel.shape[-2:])
        return np.einsum("bkc,kcm->bcm", flat, weights).reshape(len(x), -1)

    ones = (1,) * rank
    return sweep(x, kernel.shape[:rank], strides or ones, dilation or ones, padding, 0.0, one)


def separable_conv(x, depthwise, pointwise, *arguments, **keywords):
    return depthwise_conv(x, depthwise, *arguments, **keywords) @ pointwise.reshape(
        pointwise.shape[-2:]
    )


def conv_transpose(x, kernel, strides, padding="valid", more=None, dilation=None):
    """Every place of the input adds a window to a wide output, which is then cut."""
    rank = x.ndim - 2
    dilation = dilation or (1,) * rank
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    spatial = x.shape[1:-1]
    wide = [n * s + r + s for n, s, r in zip(spatial, strides, reach, strict=True)]
    y = np.zeros((len(x), *wide, kernel.shape[-2]))
    for place in np.ndindex(*spatial):
        start = [i * s for i, s in zip(place, strides, strict=True)]
        cut = [slice(a, a + r, d) for a, r, d in zip(start, reach, dilation, strict=True)]
        y[(slice(None), *cut)] += np.tensordot(x[(slice(None), *place)], kernel, (-1, -1))
    kept = []
    for i, (n, s, r) in enumerate(zip(spatial, strides, reach, strict=True)):
        if more is None:
            size = n * s if padding == "same" else n * s + max(r - s, 0)
            first = max(r - s, 0) // 2 if padding == "same" else 0
        else:
            cut = (2 * (r // 2) if padding == "same" else 0) - more[i]
            size, first = (n - 1) * s + r - cut, max(cut, 0) // 2
        kept.append(slice(first, first + size))
    return y[(slice(None), *kept)]


def adaptive_pool(x, size, reduce):
    """Windows from floor(i n / m) to ceil((i + 1) n / m) along each axis."""
    y = np.zeros((len(x), *size, x.shape[-1]))
    for place in np.ndindex(*size):
        cut = [
            slice(i * n // m, math.ceil((i + 1) * n / m))
            for i, n, m in zip(place, x.shape[1:-1], size, strict=True)
        ]
        y[(slice(None), *place)] = reduce(x[(slice(None), *cut)], tuple(range(1, x.ndim - 1)))
    return y


def resample(x, axis, factor, kernel, radius):
    """A multiple as long along an axis; weights of pixels beyond the edges go to the others."""
    size = x.shape[axis]
    centers = (np.arange(size * factor) + 0.5) / factor
    distance = abs(centers[:, None] - (np.arange(size) + 0.5))
    weights = np.where(distance < radius, kernel(distance), 0)
    weights /= weights.sum(1, keepdims=True)
    return np.moveaxis(np.tensordot(weights, x, (1, axis)), 0, axis)


def keys(x):
    """Cubic convolution, a = -1/2 (Keys, 1981)."""
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, far)


def lanczos3(x):
    return np.sinc(x) * np.sinc(x / 3)


def pool(x, size, strides, padding, reduce):
    rank = x.ndim - 2
    spatial = tuple(range(1, rank + 1))

    def one(window):
        return reduce(window, axis=spatial)

    return sweep(x, size, strides, (1,) * rank, padding, np.nan, one)


def over_time(step, x, states, mask=None, zeros=False):
    """All outputs (batch, time, …), then the last states, of a step `(x, *states) -> states`.

    The first state is the output. Steps that the mask leaves out change nothing; their output is
    that of the step before, or 0: at the beginning, and everywhere with `zeros`.
    """
    outputs = []
    for t in range(x.shape[1]):
        new = step(x[:, t], *states)
        counts = np.ones(len(x), bool) if mask is None else mask[:, t]
        counts = counts.reshape(-1, *(1,) * (new[0].ndim - 1))
        before = np.zeros_like(new[0]) if zeros or not outputs else outputs[-1]
        outputs.append(np.where(counts, new[0], before))
        states = [np.where(counts, a, b) for a, b in zip(new, states, strict=True)]
    return np.stack(outputs, 1), *states


def nothing(x, kernel, count=1):
    return [np.zeros((len(x), kernel.shape[0]))] * count


def lstm(
    x, kernel, recurrent_kernel, bias=0.0, mask=None, states=None, activation=np.tanh, zeros=False
):
    """All outputs, and the last output and memory."""

    def step(x, h, c):
        i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, -1)
        c = expit(f) * c + expit(i) * activation(g)
        return expit(o) * activation(c), c

    return over_time(step, x, states or nothing(x, recurrent_kernel, 2), mask, zeros)


def gru(x, kernel, recurrent_kernel, bias=0.0, mask=None, states=None, activation=np.tanh):
    """All outputs, and the last one; the form follows from the shape of the bias."""
    units = len(recurrent_kernel)

    def after(x, h):
        of_x, of_h = x @ kernel + bias[0], h @ recurrent_kernel + bias[1]
        z, r = (expit(a + b) for a, b in zip(parts(of_x)[:2], parts(of_h)[:2], strict=True))
        g = activation(parts(of_x)[2] + r * parts(of_h)[2])
        return (z * h + (1 - z) * g,)

    def before(x, h):
        of_x, kernels = x @ kernel + bias, parts(recurrent_kernel)
        z, r = (expit(a + h @ b) for a, b in zip(parts(of_x)[:2], kernels[:2], strict=True))
        g = activation(parts(of_x)[2] + (r * h) @ kernels[2])
        return (z * h + (1 - z) * g,)

    def parts(x):
        return [x[:, i * units : (i + 1) * units] for i in range(3)]

    step = after if np.ndim(bias) == 2 else before
    return over_time(step, x, states or nothing(x, recurrent_kernel), mask)


def simple_rnn(x, kernel, recurrent_kernel, bias=0.0, mask=None, states=None, activation=np.tanh):
    """All outputs, and the last one."""

    def step(x, h):
        return (activation(x @ kernel + h @ recurrent_kernel + bias),)

    return over_time(step, x, states or nothing(x, recurrent_kernel), mask)


def conv_lstm(x, kernel, recurrent_kernel, bias, mask=None, **how):
    """All outputs, and the last output and memory; `how` the inputs are convolved."""

    def step(x, h, c):
        z = conv(x, kernel, **how) + conv(h, recurrent_kernel, padding="same") + bias
        i, f, g, o = np.split(z, 4, -1)
        c = expit(f) * c + expit(i) * np.tanh(g)
        return expit(o) * np.tanh(c), c

    first = conv(x[:, 0], kernel, **how)
    zero = np.zeros((*first.shape[:-1], recurrent_kernel.shape[-2]))
    return over_time(step, x, [zero, zero], mask)


def attention(query, value, weights, key=None, mask=None, gate=False):
    """Output (batch, T, width) and weights of attention (batch, heads, T, S).

    `weights` are kernels and biases of query, key, (gate,) value and output.
    """
    pairs = iter(zip(weights[::2], weights[1::2], strict=True))

    def project(x):
        kernel, bias = next(pairs)
        return np.einsum("btd,dhk->bhtk", x, kernel) + bias[:, None]

    q, k = project(query), project(value if key is None else key)
    opening = expit(project(query)) if gate else 1.0
    v = project(value)
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], 1) for x in (k, v))  # shared by neighbours
    logits = np.einsum("bhtk,bhsk->bhts", q, k) / math.sqrt(q.shape[-1])
    if mask is not None:
        logits = np.where(mask, logits, -1e30)
    scores = softmax(logits, -1)
    heads = np.einsum("bhts,bhsv->bhtv", scores, v) * opening
    kernel, bias = next(pairs)
    return np.tensordot(heads.swapaxes(1, 2), kernel, 2) + bias, scores


def normalize(x, axes, epsilon=1e-3):
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)
