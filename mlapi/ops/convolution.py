"""Convolution and pooling, each a framework's own fused kernel where it has one.

Layout is `channels_last`, `(batch, ..., channels)`, unless `data_format` or the configuration
says otherwise; no backend copies a tensor to change it.
"""

from collections.abc import Sequence

from mlapi.op import op, to_float
from mlapi.types import Tensor, TensorLike


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


@op(dtype=to_float)
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    bias: TensorLike | None = None,
) -> Tensor:
    """Transposed convolution: the gradient of `conv` by its inputs, which makes images larger.

    Args:
        inputs: as for `conv`.
        kernel: shape `(*window, filters, channels)`.
        strides: places between neighbouring inputs in the result.
        padding: `"valid"` keeps all that the windows reach; `"same"` gives `size * stride`.
        output_padding: if given, the sizes are `(size - 1) * stride + reach + output_padding`,
            `reach = (window - 1) * dilation + 1`; for `"same"` less `2 * (reach // 2)`.
        data_format: as for `conv`.
        dilation_rate: as for `conv`.
        bias: shape `(filters,)`, added to the result.

    Example:
        >>> from mlapi import ops
        >>> ops.shape(ops.conv_transpose(ops.ones((1, 4, 4, 3)), ops.ones((3, 3, 8, 3)), 2, "same"))
        (1, 8, 8, 8)
    """
    ...


@op(dtype=to_float)
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
    bias: TensorLike | None = None,
) -> Tensor:
    """`depthwise_conv`, then a convolution by windows of one element.

    Args:
        inputs: as for `conv`.
        depthwise_kernel: shape `(*window, channels, multiplier)`.
        pointwise_kernel: shape `(*ones, channels * multiplier, filters)`.
        strides: of the first, as are `padding` and `dilation_rate`.
        padding: see `strides`.
        data_format: as for `conv`.
        dilation_rate: see `strides`.
        bias: shape `(filters,)`, added in the second kernel.

    Example:
        >>> from mlapi import ops
        >>> x = ops.ones((1, 8, 8, 3))
        >>> ops.shape(ops.separable_conv(x, ops.ones((3, 3, 3, 2)), ops.ones((1, 1, 6, 4))))
        (1, 6, 6, 4)
    """
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format, 1, bias)
