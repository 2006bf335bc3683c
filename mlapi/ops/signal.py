"""Fourier transforms. Complex tensors are pairs `(real, imaginary)` of real ones."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ShapeError, one_of
from mlapi.op import op, to_float
from mlapi.ops.conversion import convert_to_tensor
from mlapi.ops.creation import arange, ones
from mlapi.ops.elementwise import square
from mlapi.ops.logical import where
from mlapi.ops.precision import in_single
from mlapi.ops.reduction import sum
from mlapi.ops.shape import broadcast_to, moveaxis, pad, reshape
from mlapi.ops.shape import shape as shape_of
from mlapi.ops.trigonometry import cos
from mlapi.types import Tensor, TensorLike

_native = adapter.signal


def _pair(name: str, x: Any, rank: int = 1) -> tuple[Any, Any]:
    if not isinstance(x, tuple | list) or len(x) != 2 or x[0].shape != x[1].shape:
        raise ArgumentError(
            f"{name}: x must be a pair of tensors of equal shape, the real and imaginary parts."
        )
    if len(x[0].shape) < rank:
        raise ShapeError(f"{name} needs {rank} axes at least; received {tuple(x[0].shape)}.")
    return x[0], x[1]


def _complex(function: Callable[[Any], Any], real: Any, imaginary: Any) -> tuple[Any, Any]:
    """A function of complex numbers as one of their parts."""
    run = lambda a, b: _native.parts(function(_native.complex_of(a, b)))  # noqa: E731
    return in_single(run, real, imaginary)


@op(dtype=to_float)
def fft(x: Sequence[TensorLike]) -> tuple[Tensor, Tensor]:
    """Discrete Fourier transform over the last axis.

    Example:
        >>> from mlapi import ops
        >>> real, imaginary = ops.fft(([1.0, 0.0], [0.0, 0.0]))
        >>> ops.convert_to_numpy(real)
        array([1., 1.], dtype=float32)
    """
    return _complex(_native.fft, *_pair("fft", x))


@op(dtype=to_float)
def fft2(x: Sequence[TensorLike]) -> tuple[Tensor, Tensor]:
    """Discrete Fourier transform over the last two axes.

    Example:
        >>> from mlapi import ops
        >>> real, imaginary = ops.fft2((ops.ones((2, 2)), ops.zeros((2, 2))))
        >>> float(real[0, 0])
        4.0
    """
    return _complex(_native.fft2, *_pair("fft2", x, 2))


@op(dtype=to_float)
def ifft2(x: Sequence[TensorLike]) -> tuple[Tensor, Tensor]:
    """The inverse of `fft2`.

    Example:
        >>> from mlapi import ops
        >>> real, imaginary = ops.ifft2((ops.ones((2, 2)), ops.zeros((2, 2))))
        >>> float(real[0, 0])
        1.0
    """
    return _complex(_native.ifft2, *_pair("ifft2", x, 2))


def _length(name: str, value: int | None) -> int | None:
    if value is not None and value < 1:
        raise ArgumentError(f"{name}: fft_length must be at least 1, received {value}.")
    return value


@op(dtype=to_float)
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """Fourier transform of real numbers over the last axis: the half with positive frequencies.

    Args:
        x: shape (..., N).
        fft_length: the last axis is cut, or filled with zeros, to this size first.

    Returns:
        Two tensors of shape (..., fft_length // 2 + 1).

    Example:
        >>> from mlapi import ops
        >>> real, imaginary = ops.rfft([0, 1, 0, -1])
        >>> ops.convert_to_numpy(imaginary)
        array([ 0., -2.,  0.], dtype=float32)
    """
    length = _length("rfft", fft_length)
    return in_single(lambda x: _native.parts(_native.rfft(x, length)), x)


@op(dtype=to_float)
def irfft(x: Sequence[TensorLike], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    Args:
        x: two tensors of shape (..., M).
        fft_length: last size of the result, by default 2 * (M - 1).

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.irfft(([0, 0, 0], [0, -2, 0])))
        array([ 0.,  1.,  0., -1.], dtype=float32)
    """
    length = _length("irfft", fft_length)
    run = lambda a, b: _native.irfft(_native.complex_of(a, b), length)  # noqa: E731
    return in_single(run, *_pair("irfft", x))


@op
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Windows over the last axis, as many as fit whole.

    Args:
        x: shape (..., N).
        sequence_length: size of a window.
        sequence_stride: how far each begins after the one before.

    Returns:
        Shape (..., 1 + (N - sequence_length) // sequence_stride, sequence_length).

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.extract_sequences([1, 2, 3, 4, 5], 3, 2))
        array([[1, 2, 3],
               [3, 4, 5]], dtype=int32)
    """
    tensor: Any = x
    if sequence_length < 1 or sequence_stride < 1:
        raise ArgumentError(
            "extract_sequences: sequence_length and sequence_stride must be at least 1, received "
            f"{sequence_length} and {sequence_stride}."
        )
    size = tensor.shape[-1] if len(tensor.shape) else 0
    if size is not None and size < sequence_length:
        raise ShapeError(
            f"extract_sequences: no window of {sequence_length} fits; received shape "
            f"{tuple(tensor.shape)}."
        )
    return _native.frames(tensor, sequence_length, sequence_stride)


def _window(window: Any, sequence_length: int, fft_length: int, like: Any) -> Any:
    """The window in the middle of as many zeros as the transform is long."""
    if fft_length < sequence_length:
        raise ArgumentError(
            f"fft_length must be at least sequence_length, received {fft_length} and "
            f"{sequence_length}."
        )
    if window is None:
        window, sequence_length = ones((fft_length,)), fft_length
    elif isinstance(window, str):
        low = {"hann": 0.5, "hamming": 0.46}[one_of("window", window, ("hann", "hamming"))]
        turns = arange(sequence_length, dtype=like.dtype) / sequence_length
        window = 1 - low - low * cos(2 * math.pi * turns) if sequence_length > 1 else ones((1,))
    window = convert_to_tensor(window, like.dtype)
    if tuple(window.shape) != (sequence_length,):
        raise ShapeError(
            f"window must have shape ({sequence_length},), received {tuple(window.shape)}."
        )
    before = (fft_length - sequence_length) // 2
    return pad(window, [(before, fft_length - sequence_length - before)])


@op(dtype=to_float)
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """Short-time Fourier transform: `rfft` of windows over the last axis.

    Args:
        x: shape (..., N).
        sequence_length: size of the window.
        sequence_stride: how far each window begins after the one before.
        fft_length: size of the transform, at least that of the window, which sits in its middle.
        window: `"hann"` or `"hamming"` (both periodic), a tensor of shape (sequence_length,), or
            None for ones all over `fft_length`.
        center: whether `x` is mirrored at both ends, so that windows are around their place.

    Returns:
        Two tensors of shape (..., windows, fft_length // 2 + 1).

    Example:
        >>> from mlapi import ops
        >>> real, imaginary = ops.stft(ops.ones((16,)), 4, 2, 4)
        >>> ops.shape(real)
        (9, 3)
    """
    tensor: Any = x

    def run(x: Any) -> Any:
        if center:
            sides = [(0, 0)] * (len(x.shape) - 1) + [(fft_length // 2, fft_length // 2)]
            x = pad(x, sides, mode="reflect")
        kernel = _window(window, sequence_length, fft_length, x)
        pieces = extract_sequences(x, fft_length, sequence_stride)
        return _native.parts(_native.rfft(pieces * kernel, fft_length))

    return in_single(run, tensor)


@op(dtype=to_float)
def istft(
    x: Sequence[TensorLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft`, where the windows overlap.

    Of signals whose transform is nearest to `x`: Griffin and Lim, "Signal estimation from modified
    short-time Fourier transform", 1984. Where all windows are zero, so is the result.

    Args:
        x: two tensors of shape (..., windows, fft_length // 2 + 1).
        sequence_length: as it was for `stft`, as are the others.
        sequence_stride: as it was.
        fft_length: as it was.
        length: last size of the result; by default as far as the windows reach, without what
            `center` added.
        window: as it was.
        center: as it was.

    Example:
        >>> from mlapi import ops
        >>> x = ops.stft(ops.ones((16,)), 4, 2, 4)
        >>> ops.convert_to_numpy(ops.istft(x, 4, 2, 4)[:3]).round(4)
        array([1., 1., 1.], dtype=float32)
    """

    def run(real: Any, imaginary: Any) -> Any:
        kernel = _window(window, sequence_length, fft_length, real)
        pieces = _native.irfft(_native.complex_of(real, imaginary), fft_length)
        y = _overlapped(pieces * kernel, sequence_stride)
        count = tuple(real.shape)[-2]
        weights = broadcast_to(square(kernel), (count, fft_length))
        weights = _overlapped(weights, sequence_stride)
        y = where(weights > 1e-10, y / where(weights > 1e-10, weights, 1.0), 0.0)
        start = fft_length // 2 if center else 0
        whole = fft_length + sequence_stride * (count - 1)
        end = whole - start if length is None else min(start + length, whole)
        y = y[..., start:end]
        missing = 0 if length is None else length - (end - start)
        return pad(y, [(0, 0)] * (len(y.shape) - 1) + [(0, missing)]) if missing > 0 else y

    return in_single(run, *_pair("istft", x, 2))


def _overlapped(x: Any, stride: int) -> Any:
    """Sum of rows (..., rows, n), each moved by `stride` against the one before.

    A row is cut into pieces of `stride`. Piece j of row i belongs to place i + j: with one piece
    less to a line than there are, reshaping moves every line by one more.
    """
    *batch, rows, size = shape_of(x)
    pieces = -(-size // stride)
    x = reshape(x, (-1, rows, size))
    x = reshape(pad(x, [(0, 0), (0, 0), (0, pieces * stride - size)]), (-1, rows, pieces, stride))
    x = pad(moveaxis(x, 2, 1), [(0, 0), (0, 0), (0, pieces), (0, 0)])
    x = reshape(x, (-1, pieces * (rows + pieces), stride))[:, :-pieces]
    x = sum(reshape(x, (-1, pieces, rows + pieces - 1, stride)), 1)
    x = reshape(x, (-1, (rows + pieces - 1) * stride))[:, : size + stride * (rows - 1)]
    return reshape(x, (*batch, size + stride * (rows - 1)))
