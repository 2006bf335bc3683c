"""How ops without a kernel of the adapter are best written in tensorflow by hand."""

import tensorflow as tf


def compile(function):
    """A graph."""
    return tf.function(function, autograph=False)


def _pairs(function):
    """Of complex tensors, for ops that take and give real and imaginary parts."""

    def call(x):
        y = function(tf.complex(*x))
        return tf.math.real(y), tf.math.imag(y)

    return call


BEST = {
    "abs": tf.abs,
    "amax": tf.reduce_max,
    "amin": tf.reduce_min,
    "angle": tf.math.angle,
    "append": lambda x, y: tf.concat([tf.reshape(x, [-1]), tf.reshape(y, [-1])], 0),
    "cholesky": tf.linalg.cholesky,
    "count_nonzero": lambda x: tf.math.count_nonzero(x, dtype=tf.int32),
    "cross": tf.linalg.cross,
    "depth_to_space": tf.nn.depth_to_space,
    "det": tf.linalg.det,
    "diagonal": tf.linalg.diag_part,
    "divide_no_nan": tf.math.divide_no_nan,
    "fabs": tf.abs,
    "fft": _pairs(tf.signal.fft),
    "fft2": _pairs(tf.signal.fft2d),
    "hsv_to_rgb": tf.image.hsv_to_rgb,
    "ifft2": _pairs(tf.signal.ifft2d),
    "inv": tf.linalg.inv,
    "logdet": lambda x: tf.linalg.slogdet(x).log_abs_determinant,
    "lstsq": tf.linalg.lstsq,
    "matrix_rank": tf.linalg.matrix_rank,
    "nextafter": tf.math.nextafter,
    "norm": tf.norm,
    "normalize": tf.nn.l2_normalize,
    "pinv": tf.linalg.pinv,
    "qr": lambda x: tuple(tf.linalg.qr(x)),
    "ravel": lambda x: tf.reshape(x, [-1]),
    "rgb_to_grayscale": tf.image.rgb_to_grayscale,
    "rgb_to_hsv": tf.image.rgb_to_hsv,
    "searchsorted": lambda s, v: tf.searchsorted(s, v),
    "segment_max": tf.math.unsorted_segment_max,
    "segment_min": tf.math.unsorted_segment_min,
    "segment_prod": tf.math.unsorted_segment_prod,
    "segment_sum": tf.math.unsorted_segment_sum,
    "slogdet": lambda x: tuple(tf.linalg.slogdet(x)),
    "solve": tf.linalg.solve,
    "solve_triangular": lambda a, b: tf.linalg.triangular_solve(a, b, lower=False),
    "space_to_depth": tf.nn.space_to_depth,
    "svd": lambda x, compute_uv: tf.linalg.svd(x, compute_uv=False),
    "swish": tf.nn.silu,
    "trace": tf.linalg.trace,
    "tril": lambda x: tf.linalg.band_part(x, -1, 0),
    "triu": lambda x: tf.linalg.band_part(x, 0, -1),
    "true_divide": tf.divide,
}
