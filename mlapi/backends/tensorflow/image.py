"""Images on tensorflow: bilinear interpolation."""

import tensorflow as tf

Tensor = tf.Tensor


def bilinear(x: Tensor, sizes: tuple[int, int]) -> Tensor:
    """Images (batch, height, width, channels) at other sizes, pixels being centers of squares."""
    return tf.cast(tf.image.resize(x, sizes), x.dtype)
