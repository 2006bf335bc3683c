"""The large kernels of neural networks, each a framework's own fused kernel where it has one.

Layout is `channels_last`, `(batch, ..., channels)`, unless `data_format` or the configuration
says otherwise; no backend copies a tensor to change it.
"""

from collections.abc import Callable, Sequence

from mlapi import dtypes
from mlapi.op import op, to_float
from mlapi.types import Axis, Tensor, TensorLike


def _keep_bools(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """All become one float type, but for masks."""
    target = dtypes.to_float(*[kind for kind in kinds if kind != "bool"])
    return tuple("bool" if kind == "bool" else target for kind in kinds)


def _class_first(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Integer classes, then floats."""
    wide = kinds[0] in ("int64", "uint32", "uint64")
    return "int64" if wide else "int32", dtypes.to_float(kinds[1])


# --- linear maps ---------------------------------------------------------------------------------


@op
def dense(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """`x @ kernel + bias` in one kernel.

    Args:
        x: shape `(..., inputs)`, at least two-dimensional.
        kernel: shape `(inputs, units)`.
        bias: shape `(units,)`.

    Returns:
        Shape `(..., units)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.dense([[1.0, 2.0]], [[1.0], [1.0]], [0.5]))
        array([[3.5]], dtype=float32)
    """
    ...


@op(dtype=None)
def embedding(indices: TensorLike, table: TensorLike) -> Tensor:
    """Rows of a table.

    Args:
        indices: integers in `[0, rows)`, any shape. One outside is an error on the CPU of torch
            and tensorflow and a row of NaN on jax.
        table: shape `(rows, width)`.

    Returns:
        Shape `indices.shape + (width,)`, of the table's dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.embedding([1, 0], [[0.0, 1.0], [2.0, 3.0]]))
        array([[2., 3.],
               [0., 1.]], dtype=float32)
    """
    ...


# --- convolution and pooling ---------------------------------------------------------------------


@op(dtype=to_float)
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    bias: TensorLike | None = None,
) -> Tensor:
    """Convolution in one, two or three dimensions (cross-correlation, as usual in the field).

    Args:
        inputs: shape `(batch, *sizes, channels)`, or `(batch, channels, *sizes)` for
            `channels_first`.
        kernel: shape `(*window, channels // groups, filters)`. The number of groups follows from
            the channels of both.
        strides: steps of the window, one for all dimensions or one each.
        padding: `"valid"`, no padding; or `"same"`, zeros around so that `ceil(size / stride)`
            results come out, the odd one at the end.
        data_format: `"channels_last"` or `"channels_first"`; by default as configured.
        dilation_rate: distance of the window's elements.
        bias: shape `(filters,)`, added in the same kernel.

    Returns:
        Shape `(batch, *new_sizes, filters)`, or with the filters second.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.conv(ops.ones((1, 8, 8, 3)), ops.ones((3, 3, 3, 4)), 2, "same"))
        (1, 4, 4, 4)
    """
    ...


@op(dtype=to_float)
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    bias: TensorLike | None = None,
) -> Tensor:
    """Convolution of each channel with its own filters.

    Args:
        inputs: as for `conv`.
        kernel: shape `(*window, channels, multiplier)`.
        strides: as for `conv`.
        padding: as for `conv`.
        data_format: as for `conv`.
        dilation_rate: as for `conv`.
        bias: shape `(channels * multiplier,)`.

    Returns:
        As for `conv`, with `channels * multiplier` filters; those of one channel are neighbours.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.depthwise_conv(ops.ones((1, 8, 8, 3)), ops.ones((3, 3, 3, 2))))
        (1, 6, 6, 6)
    """
    ...


@op(dtype=to_float)
def max_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Largest element of each window, channel by channel.

    Args:
        inputs: as for `conv`.
        pool_size: sizes of the window, one for all dimensions or one each.
        strides: steps of the window; by default `pool_size`, so that windows do not overlap.
        padding: `"valid"`, or `"same"`, where windows may reach beyond the edge.
        data_format: as for `conv`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.max_pool([[[1.0], [3.0], [2.0], [5.0]]], 2)).ravel()
        array([3., 5.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def average_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Mean of each window, channel by channel; what is beyond the edge does not count.

    Args:
        inputs: as for `conv`.
        pool_size: as for `max_pool`.
        strides: as for `max_pool`.
        padding: as for `max_pool`.
        data_format: as for `conv`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.average_pool([[[1.0], [3.0], [2.0]]], 2, 2, "same")).ravel()
        array([2., 2.], dtype=float32)
    """
    ...


# --- normalization -------------------------------------------------------------------------------


@op(dtype=to_float)
def moments(
    x: TensorLike, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance of a population over axes.

    Args:
        x: any shape.
        axes: what is reduced.
        keepdims: whether reduced axes stay, with size 1.
        synchronized: must be False; a batch spread over devices is one array here.

    Example:
        >>> from mlapi import ops
        >>> mean, variance = ops.moments([1.0, 3.0], axes=0)
        >>> float(mean), float(variance)
        (2.0, 1.0)
    """
    ...


@op(dtype=to_float)
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, channel by channel.

    Args:
        x: any shape.
        mean: one number for each channel, as are `variance`, `offset` and `scale`.
        variance: see `mean`.
        axis: of the channels.
        offset: by default none.
        scale: by default none.
        epsilon: keeps the divisor away from zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.batch_normalization([[2.0]], [1.0], [4.0], -1, epsilon=0.0))
        array([[0.5]], dtype=float32)
    """
    ...


@op(dtype=to_float)
def batch_normalization_training(
    x: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalization by the batch's own statistics.

    Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167.

    Args:
        x: at least two-dimensional.
        axis: of the channels.
        offset: as for `batch_normalization`.
        scale: as for `batch_normalization`.
        epsilon: as for `batch_normalization`.

    Returns:
        The normalized tensor, and mean and (population) variance of each channel; no gradient
        flows through those two.

    Example:
        >>> from mlapi import ops
        >>> y, mean, variance = ops.batch_normalization_training([[1.0], [3.0]], axis=-1)
        >>> ops.convert_to_numpy(mean)
        array([2.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
) -> Tensor:
    """Moves each sample to mean 0 and variance 1, then scales by `gamma` and shifts by `beta`.

    Ba et al., 2016, https://arxiv.org/abs/1607.06450.

    Args:
        x: any shape.
        gamma: of the sizes of `axis`; by default none.
        beta: of the sizes of `axis`; by default none.
        axis: what is normalized over.
        epsilon: added to the variance, by default that of the configuration.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.layer_normalization([[1.0, 3.0]])).round(3)
        array([[-1.,  1.]], dtype=float32)
    """
    ...


# --- attention and recurrence --------------------------------------------------------------------


@op(dtype=_keep_bools)
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """`softmax(scale * query · key + bias) · value` for each head.

    Vaswani et al., 2017, https://arxiv.org/abs/1706.03762.

    Args:
        query: shape `(batch, target, heads, width)`.
        key: shape `(batch, source, key_heads, width)`; `heads` is a multiple of `key_heads`, and
            neighbouring heads of the query share one of the key.
        value: shape `(batch, source, key_heads, width)`.
        bias: added to the logits, broadcast to `(batch, heads, target, source)`.
        mask: booleans broadcast to the same; False keeps a target from seeing a source. A target
            that sees nothing gets the mean of all values.
        scale: by default `1 / sqrt(width)`.
        is_causal: whether target `t` sees sources up to `t` only.
        flash_attention: True insists on the framework's flash kernel (an error where there is
            none), False forbids it, None leaves the choice to the framework.
        attn_logits_soft_cap: if given, logits become `cap * tanh(logits / cap)`.

    Returns:
        Shape `(batch, target, heads, width)`.

    Example:
        >>> from mlapi import ops
        >>> x = ops.ones((1, 5, 2, 8))
        >>> ops.shape(ops.dot_product_attention(x, x, x, is_causal=True))
        (1, 5, 2, 8)
    """
    ...


@op(dtype=_keep_bools)
def lstm(
    x: TensorLike,
    h: TensorLike,
    c: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    go_backwards: bool = False,
    activation: Callable[[Tensor], Tensor] | None = None,
    recurrent_activation: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory over a whole sequence.

    Hochreiter and Schmidhuber, 1997, with forget gates: from `z = x_t·kernel +
    h·recurrent_kernel + bias`, cut into `i, f, g, o`, follow `c = σ(f)·c + σ(i)·tanh(g)` and
    `h = σ(o)·tanh(c)`.

    Args:
        x: shape `(batch, time, inputs)`.
        h: first output, shape `(batch, units)`.
        c: first memory, shape `(batch, units)`.
        kernel: shape `(inputs, 4 * units)`.
        recurrent_kernel: shape `(units, 4 * units)`.
        bias: shape `(4 * units,)`.
        mask: booleans `(batch, time)`; where False, output and memory stay as they were.
        go_backwards: whether time runs backwards; outputs come in the order they are made.
        activation: in place of `tanh`. Any but the default gives up the fused kernel.
        recurrent_activation: in place of the sigmoid σ; likewise.

    Returns:
        Outputs `(batch, time, units)`, and the last output and memory, `(batch, units)` each.

    Example:
        >>> from mlapi import ops
        >>> h = c = ops.zeros((1, 2))
        >>> outputs, h, c = ops.lstm(
        ...     ops.ones((1, 5, 3)), h, c, ops.ones((3, 8)), ops.ones((2, 8)), ops.zeros((8,))
        ... )
        >>> ops.shape(outputs)
        (1, 5, 2)
    """
    ...


# --- losses --------------------------------------------------------------------------------------


@op(dtype=to_float)
def binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> Tensor:
    """`-target * log(p) - (1 - target) * log(1 - p)`, element by element.

    Args:
        target: 0 or 1, or probabilities between; of the shape of `output`.
        output: probabilities `p`, kept `config.epsilon()` away from 0 and 1; or logits.
        from_logits: whether `p` is the sigmoid of `output`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.binary_crossentropy([0.0, 1.0], [0.5, 0.9])).round(3)
        array([0.693, 0.105], dtype=float32)
    """
    ...


@op(dtype=to_float)
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-sum(target * log(p))` over the classes.

    Args:
        target: probability of each class (one-hot, for instance), of the shape of `output`.
        output: probabilities, divided by their sum and kept `config.epsilon()` away from 0 and 1;
            or logits.
        from_logits: whether `p` is the softmax of `output`.
        axis: of the classes.

    Returns:
        The shape of `output` without `axis`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.categorical_crossentropy([[0, 1]], [[0.5, 0.5]])).round(3)
        array([0.693], dtype=float32)
    """
    ...


@op(dtype=_class_first)
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-log(p[target])`: categorical cross-entropy by the index of the class.

    Args:
        target: integers of the shape of `output` without `axis`, or with size 1 there. One
            that is no class is an error on the CPU of torch and tensorflow and gives NaN elsewhere.
        output: as for `categorical_crossentropy`.
        from_logits: whether `p` is the softmax of `output`.
        axis: of the classes.

    Returns:
        The shape of `output` without `axis`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])).round(3)
        array([0.693], dtype=float32)
    """
    ...
