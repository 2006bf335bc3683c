"""Kernels of neural networks on tensorflow: the fused ones, channels last."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportOperatorIssue=false, reportOptionalOperand=false

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from mlapi import config
from mlapi.backends.axes import place, places
from mlapi.backends.losses import check_class_shape, check_same_shape, probability_range
from mlapi.backends.tensorflow.ops import moveaxis, shape
from mlapi.backends.windows import Window, conv_window, transposed_window, window
from mlapi.types import Axis

Tensor = tf.Tensor

# --- activations ---------------------------------------------------------------------------------

relu = tf.nn.relu
relu6 = tf.nn.relu6
selu = tf.nn.selu
silu = tf.nn.silu
sigmoid = tf.sigmoid
log_sigmoid = tf.math.log_sigmoid
softplus = tf.math.softplus
softsign = tf.nn.softsign


def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    return tf.nn.gelu(x, approximate)


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    return tf.nn.leaky_relu(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    y = tf.nn.elu(x)
    return y if alpha == 1.0 else tf.where(x > 0, y, alpha * y)


def hard_sigmoid(x: Tensor) -> Tensor:
    return tf.nn.relu6(x + 3.0) / 6.0


def softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    if isinstance(axis, int) and x.shape.rank <= 5:  # oneDNN's kernel takes no more
        return tf.nn.softmax(x, axis)
    return tf.exp(log_softmax(x, axis))


def log_softmax(x: Tensor, axis: Axis = -1) -> Tensor:
    if isinstance(axis, int):
        return tf.nn.log_softmax(x, axis)
    return x - tf.reduce_logsumexp(x, axis, keepdims=True)


# --- linear maps ---------------------------------------------------------------------------------


def dense(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    y = x if x.shape.rank == 2 else tf.reshape(x, (-1, kernel.shape[0]))
    y = tf.matmul(y, kernel)
    if bias is not None:
        y = tf.nn.bias_add(y, bias)
    return y if x.shape.rank == 2 else tf.reshape(y, (*shape(x)[:-1], kernel.shape[1]))


def embedding(indices: Tensor, table: Tensor) -> Tensor:
    if indices.dtype not in (tf.int32, tf.int64):
        indices = tf.cast(indices, tf.int32)
    return tf.gather(table, indices)


# --- convolution and pooling ---------------------------------------------------------------------

# TensorFlow has no kernels for channels first on the CPU: those inputs are transposed and back.


def _to_last(x: Tensor, w: Window) -> Tensor:
    return x if w.channels_last else moveaxis(x, 1, -1)


def _from_last(y: Tensor, w: Window) -> Tensor:
    return y if w.channels_last else moveaxis(y, -1, 1)


# Named, because gradients over three axes fail where it is left to the default.
_LAST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}

# On the CPU there are no gradients of grouped and of dilated kernels.
_ON_GPU = bool(tf.config.list_physical_devices("GPU"))


def _convolve(x: Tensor, kernel: Tensor, bias: Tensor | None, w: Window, groups: int) -> Tensor:
    x = _to_last(x, w)
    strides, dilation = w.strides, w.dilation
    if w.rank == 1:  # an image of one row
        x, kernel = x[:, None], kernel[None]
        strides, dilation = (1, *strides), (1, *dilation)
    padding = "SAME" if w.same else "VALID"
    if groups == 1 or (_ON_GPU and w.rank < 3):
        y = _convolve_group(x, kernel, strides, padding, dilation)
    else:
        parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
        y = tf.concat([_convolve_group(a, b, strides, padding, dilation) for a, b in parts], -1)
    if w.rank == 1:
        y = tf.squeeze(y, 1)
    if bias is not None:
        y = tf.nn.bias_add(y, bias)
    return _from_last(y, w)


def _convolve_group(
    x: Tensor, kernel: Tensor, strides: tuple[int, ...], padding: str, dilation: tuple[int, ...]
) -> Tensor:
    rank = len(strides)
    if max(dilation) > 1 and max(strides) == 1 and not (_ON_GPU and rank == 2):
        ones = (1,) * rank
        return tf.compat.v1.nn.with_space_to_batch(
            x,
            dilation,
            padding,
            lambda block, _, padding: _convolve_group(block, kernel, ones, padding, ones),
            filter_shape=kernel.shape[:rank],
            spatial_dims=range(1, rank + 1),
        )
    if rank == 2:
        return tf.nn.conv2d(x, kernel, strides, padding, dilations=dilation)
    dilations = (1, *dilation, 1)
    return tf.nn.conv3d(x, kernel, (1, *strides, 1), padding, _LAST[3], dilations)


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
    even = len(set(w.strides)) == 1 and (max(w.dilation) == 1 or max(w.strides) == 1)
    if w.rank > 2 or not even:
        flat = tf.reshape(kernel, (*w.size, 1, -1))
        return _convolve(inputs, flat, bias, w, kernel.shape[-2])
    x, strides, dilation = _to_last(inputs, w), w.strides, w.dilation
    if w.rank == 1:  # an image of one row
        x, kernel, strides, dilation = x[:, None], kernel[None], strides * 2, (1, *dilation)
    padding = "SAME" if w.same else "VALID"
    y = tf.nn.depthwise_conv2d(x, kernel, (1, *strides, 1), padding, dilations=dilation)
    if w.rank == 1:
        y = tf.squeeze(y, 1)
    if bias is not None:
        y = tf.nn.bias_add(y, bias)
    return _from_last(y, w)


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
    x = _to_last(inputs, w)
    if max(w.dilation) > 1:  # there is no kernel for it on the CPU: with zeros in between
        for axis, gap in enumerate(w.dilation):
            kernel = _spread(kernel, axis, gap)
    sizes = shape(x)[1:-1]
    reach = [(size - 1) * gap + 1 for size, gap in zip(w.size, w.dilation, strict=True)]
    whole = [(n - 1) * step + r for n, step, r in zip(sizes, w.strides, reach, strict=True)]
    wanted = [n - before - after for n, (before, after) in zip(whole, cuts, strict=True)]
    native = w.same and output_padding is None
    out = wanted if native else [n - min(after, 0) for n, (_, after) in zip(whole, cuts)]
    strides = w.strides
    if w.rank == 1:  # an image of one row
        x, kernel, strides, out = x[:, None], kernel[None], (1, *strides), [1, *out]
    transposed = tf.nn.conv3d_transpose if w.rank == 3 else tf.nn.conv2d_transpose
    out_shape = tf.stack([tf.shape(x)[0], *out, kernel.shape[-2]])
    y = transposed(x, kernel, out_shape, strides, "SAME" if native else "VALID")
    if w.rank == 1:
        y = tf.squeeze(y, 1)
    if not native and w.same:
        cut = (slice(before, before + n) for (before, _), n in zip(cuts, wanted, strict=True))
        y = y[(slice(None), *cut)]
    if bias is not None:
        y = tf.nn.bias_add(y, bias)
    return _from_last(y, w)


def _spread(kernel: Tensor, axis: int, gap: int) -> Tensor:
    """With `gap - 1` zeros between neighbours along an axis."""
    sizes = kernel.shape.as_list()
    wide = tf.pad(
        tf.expand_dims(kernel, axis + 1),
        [[0, gap - 1] if i == axis + 1 else [0, 0] for i in range(len(sizes) + 1)],
    )
    reach = (sizes[axis] - 1) * gap + 1
    sizes[axis] *= gap
    return tf.reshape(wide, sizes)[(*(slice(None),) * axis, slice(0, reach))]


def _pool(kernels: tuple[Callable[..., Tensor], ...]) -> Any:
    def pool(
        inputs: Tensor,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
    ) -> Tensor:
        w = window(inputs.shape, pool_size, strides, padding, data_format)
        x = _to_last(inputs, w)
        if w.rank == 3 and x.dtype == tf.float16:  # which has no kernel
            x = tf.cast(x, "float32")
        y = kernels[w.rank - 1](x, w.size, w.strides, padding.upper(), _LAST[w.rank])
        return _from_last(tf.cast(y, inputs.dtype), w)

    return pool


max_pool = _pool((tf.nn.max_pool1d, tf.nn.max_pool2d, tf.nn.max_pool3d))
average_pool = _pool((tf.nn.avg_pool1d, tf.nn.avg_pool2d, tf.nn.avg_pool3d))


# --- normalization -------------------------------------------------------------------------------


def moments(
    x: Tensor, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    axes = [axes] if isinstance(axes, int) else list(axes)
    mean, variance = tf.nn.moments(x, axes, keepdims=keepdims)
    if synchronized and _has_peers():
        return _of_all_replicas(mean, variance, tf.size(x) // tf.maximum(tf.size(mean), 1))
    return mean, variance


def _has_peers() -> bool:
    here = tf.distribute.get_replica_context()
    return here is not None and here.num_replicas_in_sync > 1


def _of_all_replicas(mean: Tensor, variance: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Moments of the populations of all replicas together, each of its own size."""

    def add_up(x: Tensor) -> Tensor:
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x)

    share = tf.fill(tf.shape(mean), tf.cast(count, mean.dtype))
    total = add_up(tf.stack([share, share * mean]))
    common = total[1] / total[0]
    spread = add_up(share * (variance + tf.square(mean - common)))
    return common, spread / total[0]


def _wide(x: Tensor) -> Tensor:
    """With 32 bits at least, in which statistics are taken."""
    return tf.cast(x, tf.float32) if x.dtype.size < 4 else x


def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    factor = tf.math.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    if axis % x.shape.rank != x.shape.rank - 1:
        form = [1] * x.shape.rank
        form[axis] = -1
        factor, shift = tf.reshape(factor, form), tf.reshape(shift, form)
    return tf.cast(_wide(x) * factor + shift, x.dtype)


def batch_normalization_training(
    x: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
    synchronized: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    rank = x.shape.rank
    axis = place(axis, rank)
    synchronized = synchronized and _has_peers()
    if synchronized or x.dtype is tf.float64:  # there is no fused kernel
        others = [i for i in range(rank) if i != axis]
        mean, variance = moments(_wide(x), others, synchronized=synchronized)
        y = batch_normalization(x, mean, variance, axis, offset, scale, epsilon)
        return y, tf.stop_gradient(mean), tf.stop_gradient(variance)
    last = moveaxis(x, axis, -1) if axis != rank - 1 else x
    channels = x.shape[axis]
    # The kernel's numbers for the channels are float32 also where its inputs are narrower.
    scale = tf.ones([channels]) if scale is None else scale
    offset = tf.zeros([channels]) if offset is None else offset
    four = last if rank == 4 else tf.reshape(last, (-1, 1, 1, channels))
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=four, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon, is_training=True
    )
    # It divides by one less than the number of elements.
    count = tf.cast(tf.size(x), tf.float32) / channels
    variance = variance * ((count - 1.0) / count)
    y = y if rank == 4 else tf.reshape(y, tf.shape(last))
    y = moveaxis(y, -1, axis) if last is not x else y
    return y, tf.stop_gradient(mean), tf.stop_gradient(variance)


def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
) -> Tensor:
    axes = places(axis, x.shape.rank)
    wide = _wide(x)
    # `tf.nn.moments` would work the deviation out once more.
    deviation = wide - tf.reduce_mean(wide, axes, keepdims=True)
    variance = tf.reduce_mean(tf.square(deviation), axes, keepdims=True)
    factor = tf.math.rsqrt(variance + (config.epsilon() if epsilon is None else epsilon))
    if gamma is not None:
        factor *= _along(gamma, x, axes)
    y = deviation * factor
    return tf.cast(y if beta is None else y + _along(beta, x, axes), x.dtype)


def _along(numbers: Tensor, x: Tensor, axes: list[int]) -> Tensor:
    """Numbers that have their axes in the order of `axes`, so that they broadcast to `x`."""
    rank = x.shape.rank
    if axes == list(range(rank - len(axes), rank)):
        return numbers
    order = sorted(range(len(axes)), key=axes.__getitem__)
    form = [x.shape[i] if i in axes else 1 for i in range(rank)]
    return tf.reshape(tf.transpose(numbers, order), form)


# --- losses --------------------------------------------------------------------------------------


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    check_same_shape("binary_crossentropy", target.shape, output.shape)
    if from_logits:
        return tf.nn.sigmoid_cross_entropy_with_logits(target, output)
    p = tf.clip_by_value(output, *probability_range(output.dtype.name))
    return -(target * tf.math.log(p) + (1.0 - target) * tf.math.log1p(-p))


def _log_probability(output: Tensor, axis: int) -> Tensor:
    low, high = probability_range(output.dtype.name)
    p = output / tf.reduce_sum(output, axis, keepdims=True)
    return tf.math.log(tf.clip_by_value(p, low, high))


def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    check_same_shape("categorical_crossentropy", target.shape, output.shape)
    if from_logits:
        # The fused kernel's gradient is wrong for targets that do not sum to 1.
        return -tf.reduce_sum(target * log_softmax(output, axis), axis)
    return -tf.reduce_sum(target * _log_probability(output, axis), axis)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    name = "sparse_categorical_crossentropy"
    if check_class_shape(name, target.shape, output.shape, axis):
        target = tf.squeeze(target, axis)
    rank = output.shape.rank
    if place(axis, rank) != rank - 1:
        output = moveaxis(output, axis, -1)
    if from_logits:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(target, output)
    log_p = _log_probability(output, -1)
    return -tf.gather(log_p, target, batch_dims=rank - 1, axis=-1)
