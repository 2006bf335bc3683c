"""Cases of `mlapi.ops.signal` and `mlapi.ops.patterns`."""

import numpy as np
from hypothesis import strategies as st
from scipy import signal

from mlapi.testing import strategies
from mlapi.testing.case import ALL, Case, real, whole

HALVES = ("float16", "bfloat16", "float32", "int32")


def parts(z):
    return z.real, z.imag


def of_pairs(function):
    return lambda x, *args: parts(function(x[0] + 1j * x[1], *args))


def pairs(name, reference, least=1):
    def draw(draw, kind):
        sizes = strategies.shape(draw, least=least, smallest=1)
        return ([strategies.array(draw, kind, sizes), strategies.array(draw, kind, sizes)],), {}

    shapes = {"": (2, 3, 4), "one": (5,) * least, "rank6": (2, 1, 2, 1, 3, 5), "empty": (0, 3, 4)}
    return [
        Case(name, ([real(*shape), real(*shape, seed=1)],), of_pairs(reference), label=label,
             dtypes=HALVES, result="float", draw=draw)
        for label, shape in shapes.items()
    ]  # fmt: skip


def rfft(x, fft_length=None):
    return parts(np.fft.rfft(x, fft_length))


def irfft(x, fft_length=None):
    return np.fft.irfft(x[0] + 1j * x[1], fft_length)


def draw_rfft(draw, kind):
    sizes = (*strategies.shape(draw, most=3, smallest=1), draw(st.integers(1, 6)))
    length = draw(st.none() | st.integers(1, 9))
    return (strategies.array(draw, kind, sizes), length), {}


def draw_irfft(draw, kind):
    sizes = (*strategies.shape(draw, most=3, smallest=1), draw(st.integers(2, 6)))
    length = draw(st.none() | st.integers(1, 9))
    return ([strategies.array(draw, kind, sizes), strategies.array(draw, kind, sizes)], length), {}


def extract_sequences(x, sequence_length, sequence_stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, sequence_length, -1)
    return windows[..., ::sequence_stride, :]


def draw_sequences(draw, kind):
    size = draw(st.integers(1, 8))
    x = strategies.array(draw, kind, (*strategies.shape(draw, most=2), size))
    return (x, draw(st.integers(1, size)), draw(st.integers(1, 4))), {}


def _kernel(window, sequence_length, fft_length):
    if window is None:
        return np.ones(fft_length)
    if isinstance(window, str):
        window = signal.get_window(window, sequence_length)
    out = np.zeros(fft_length)
    before = (fft_length - sequence_length) // 2
    out[before : before + sequence_length] = window
    return out


def stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    if center:
        sides = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2,) * 2]
        x = np.pad(x, sides, mode="reflect")
    pieces = extract_sequences(x, fft_length, sequence_stride)
    return parts(np.fft.rfft(pieces * _kernel(window, sequence_length, fft_length)))


def istft(x, sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True):
    kernel = _kernel(window, sequence_length, fft_length)
    pieces = np.fft.irfft(x[0] + 1j * x[1], fft_length) * kernel
    whole = fft_length + sequence_stride * (pieces.shape[-2] - 1)
    y, weights = np.zeros((*pieces.shape[:-2], whole)), np.zeros(whole)
    for i in range(pieces.shape[-2]):
        at = slice(i * sequence_stride, i * sequence_stride + fft_length)
        y[..., at] += pieces[..., i, :]
        weights[at] += kernel**2
    y = np.divide(y, weights, out=np.zeros_like(y), where=weights > 1e-10)
    start = fft_length // 2 if center else 0
    end = whole - start if length is None else start + length
    filled = np.zeros((*y.shape[:-1], max(end, whole)))
    filled[..., :whole] = y
    return filled[..., start:end]


def draw_stft(draw, kind):
    size = draw(st.integers(1, 6))
    fft_length = size + draw(st.integers(0, 3))
    sizes = (*strategies.shape(draw, most=2, smallest=1), draw(st.integers(9, 12)))
    x = strategies.array(draw, kind, sizes)
    kwargs = {"window": draw(st.sampled_from(["hann", "hamming", None])),
              "center": draw(st.booleans())}  # fmt: skip
    return (x, size, draw(st.integers(1, 4)), fft_length), kwargs


def spectrum(*shape):
    return [real(*shape), real(*shape, seed=1)]


def draw_istft(draw, kind):
    size = draw(st.integers(2, 6))
    fft_length = size + draw(st.integers(0, 3))
    shape = (
        *strategies.shape(draw, most=2, smallest=1),
        draw(st.integers(4, 5)),
        fft_length // 2 + 1,
    )
    pair = [strategies.array(draw, kind, shape), strategies.array(draw, kind, shape)]
    kwargs = {"window": draw(st.sampled_from(["hamming", None])), "center": draw(st.booleans()),
              "length": draw(st.none() | st.integers(1, 12))}  # fmt: skip
    return (pair, size, draw(st.integers(1, size)), fft_length), kwargs


def rearranged(pattern, lengths, shape, reference, label=""):
    return Case("rearrange_by", (real(*shape), pattern, lengths),
                lambda x, *_: reference(x), label=label, dtypes=ALL)  # fmt: skip


CASES = [
    *pairs("fft", np.fft.fft),
    *pairs("fft2", np.fft.fft2, least=2),
    *pairs("ifft2", np.fft.ifft2, least=2),
    Case("rfft", (real(2, 3, 4),), rfft, dtypes=HALVES, result="float", draw=draw_rfft),
    Case("rfft", (real(2, 5), 3), rfft, label="cut"),
    Case("rfft", (real(2, 3), 8), rfft, label="filled"),
    Case("rfft", (real(0, 3),), rfft, label="empty"),
    Case("irfft", (spectrum(2, 3, 4),), irfft, dtypes=HALVES, result="float", draw=draw_irfft),
    Case("irfft", (spectrum(2, 4), 5), irfft, label="odd"),
    Case("irfft", (spectrum(2, 3), 9), irfft, label="filled"),
    Case("extract_sequences", (real(2, 7), 3, 2), extract_sequences, dtypes=ALL,
         draw=draw_sequences),
    Case("extract_sequences", (whole(2, 1, 2, 1, 3, 7), 7, 1), extract_sequences, label="rank6"),
    Case("extract_sequences", (real(0, 7), 3, 2), extract_sequences, label="empty"),
    Case("stft", (real(2, 16), 5, 2, 8), stft, dtypes=HALVES, result="float", draw=draw_stft),
    Case("stft", (real(16), 5, 2, 8), stft, {"window": "hamming", "center": False}, "hamming"),
    Case("stft", (real(2, 16), 5, 3, 6), stft, {"window": None}, "none"),
    Case("istft", (spectrum(2, 4, 5), 6, 2, 8), istft, dtypes=HALVES, result="float",
         draw=draw_istft, tolerance=1e-4),
    Case("istft", (spectrum(4, 5), 6, 3, 8), istft,
         {"window": "hamming", "center": False, "length": 19}, "hamming", tolerance=1e-4),
    Case("istft", (spectrum(2, 4, 4), 5, 2, 6), istft, {"window": None, "length": 5}, "none",
         tolerance=1e-4),
    rearranged("b (h d) c -> b c h d", {"h": 3}, (2, 6, 4),
               lambda x: x.reshape(-1, 3, 2, 4).transpose(0, 3, 1, 2)),
    rearranged("... a b -> ... (b a)", None, (2, 3, 4, 5),
               lambda x: x.swapaxes(-1, -2).reshape(-1, 3, 20), "rest"),
    rearranged("a 1 b -> b (a) 1 1", {}, (2, 1, 3), lambda x: x[:, 0].T[..., None, None], "ones"),
    rearranged("a ... -> a ()...", {}, (4,), lambda x: x[:, None], "none"),
]  # fmt: skip
