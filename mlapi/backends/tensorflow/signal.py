"""Kernels of Fourier transforms on tensorflow."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false

import tensorflow as tf

Tensor = tf.Tensor

complex_of = tf.complex
fft = tf.signal.fft
fft2 = tf.signal.fft2d
ifft2 = tf.signal.ifft2d
frames = tf.signal.frame


def parts(z: Tensor) -> tuple[Tensor, Tensor]:
    return tf.math.real(z), tf.math.imag(z)


def _resized(x: Tensor, size: int) -> Tensor:
    """The last axis cut or filled with zeros: tensorflow's own way of it has no gradient."""
    x = x[..., :size]
    missing = size - tf.shape(x)[-1]
    return tf.pad(x, [[0, 0]] * (x.shape.rank - 1) + [[0, missing]])


def rfft(x: Tensor, length: int | None) -> Tensor:
    if length is None:
        return tf.signal.rfft(x)
    return tf.signal.rfft(tf.ensure_shape(_resized(x, length), [*x.shape[:-1], length]), [length])


def irfft(z: Tensor, length: int | None) -> Tensor:
    if length is None:
        return tf.signal.irfft(z)
    return tf.signal.irfft(_resized(z, length // 2 + 1), [length])
