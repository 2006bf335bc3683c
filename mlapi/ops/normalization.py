"""Moments, and what is normalized by them.

Results have the dtype of what is normalized; statistics, scales and offsets have 32 bits at least,
since sums of squares soon leave the range of float16.
"""

from mlapi import config
from mlapi.errors import ArgumentError
from mlapi.op import op, to_float
from mlapi.ops import rules
from mlapi.ops.conversion import dtype
from mlapi.ops.elementwise import cast, maximum, rsqrt, square
from mlapi.ops.linalg import norm
from mlapi.ops.reduction import mean, sum
from mlapi.ops.shape import moveaxis, reshape, shape
from mlapi.types import Axis, Tensor, TensorLike


@op(dtype=to_float)
def moments(
    x: TensorLike, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance of a population over axes.

    Args:
        x: any shape.
        axes: what is reduced.
        keepdims: whether reduced axes stay, with size 1.
        synchronized: whether the population is that of all processes (torch: of the default process
            group, if there is one; tensorflow: of all replicas of a strategy; on jax an array that
            is spread over devices is one population in any case).

    Example:
        >>> from mlapi import ops
        >>> mean, variance = ops.moments([1.0, 3.0], axes=0)
        >>> float(mean), float(variance)
        (2.0, 1.0)
    """
    ...


@op(dtype=rules.float_and_wide)
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


@op(dtype=rules.float_and_wide)
def batch_normalization_training(
    x: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
    synchronized: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalization by the batch's own statistics.

    Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167.

    Args:
        x: at least two-dimensional.
        axis: of the channels.
        offset: as for `batch_normalization`.
        scale: as for `batch_normalization`.
        epsilon: as for `batch_normalization`.
        synchronized: as for `moments`.

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


@op(dtype=rules.float_and_wide)
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


@op(dtype=rules.float_and_wide)
def group_normalization(
    x: TensorLike,
    groups: int,
    axis: int = -1,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Moves each group of channels of a sample to mean 0 and variance 1.

    Wu and He, 2018, https://arxiv.org/abs/1803.08494.

    Args:
        x: shape `(batch, …)`.
        groups: into how many groups of neighbours the channels are cut; a divisor of their number.
        axis: of the channels.
        offset: one number for each channel; by default none.
        scale: likewise.
        epsilon: added to the variance.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.group_normalization([[1.0, 3.0, 5.0, 5.0]], 2)).round(2)
        array([[-1.,  1.,  0.,  0.]], dtype=float32)
    """
    sizes = shape(x)
    channels, axis = sizes[axis], axis % len(sizes)
    parts = (*sizes[:axis], groups, channels // groups, *sizes[axis + 1 :])
    y = reshape(cast(x, _wide(x)), parts)
    over = [i for i in range(1, len(parts)) if i != axis]
    center, variance = moments(y, over, keepdims=True)
    form = [1] * len(parts)
    form[axis : axis + 2] = groups, channels // groups
    factor = rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * reshape(scale, form)
    shift = -center * factor
    shift = shift if offset is None else shift + reshape(offset, form)
    return cast(reshape(y * factor + shift, sizes), dtype(x))


@op(dtype=rules.float_and_wide)
def rms_normalization(
    x: TensorLike,
    scale: TensorLike | None = None,
    axis: Axis = -1,
    epsilon: float | None = None,
) -> Tensor:
    """`x / sqrt(mean(x²) + epsilon) * scale`.

    Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467.

    Args:
        x: any shape.
        scale: of the sizes of `axis`; by default none.
        axis: what the mean is taken over.
        epsilon: by default that of the configuration.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.rms_normalization([3.0, 3.0])).round(3)
        array([1., 1.], dtype=float32)
    """
    epsilon = config.epsilon() if epsilon is None else epsilon
    kind, x = dtype(x), cast(x, _wide(x))
    y = x * rsqrt(mean(square(x), axis, keepdims=True) + epsilon)
    if scale is not None:
        axes = [axis] if isinstance(axis, int) else list(axis)
        last = list(range(-len(axes), 0))
        y = moveaxis(moveaxis(y, axes, last) * scale, last, axes)
    return cast(y, kind)


@op(dtype=to_float)
def normalize(
    x: TensorLike, axis: Axis = -1, order: int = 2, epsilon: float | None = None
) -> Tensor:
    """`x / max(norm(x), epsilon)`.

    Args:
        x: any shape.
        axis: what the norm is taken over; over two it is that of matrices, but for `order=2`.
        order: of the norm, 1 or more.
        epsilon: by default that of the configuration.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.normalize([3.0, 4.0]))
        array([0.6, 0.8], dtype=float32)
    """
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(f"normalize: order must be an int of 1 or more; received {order!r}.")
    epsilon = config.epsilon() if epsilon is None else epsilon
    kind, x = dtype(x), cast(x, _wide(x))
    if order == 2:  # the root of what is not zero, for its gradient
        y = x * rsqrt(maximum(sum(square(x), axis, keepdims=True), epsilon**2))
    else:
        y = x / maximum(norm(x, order, axis, keepdims=True), epsilon)
    return cast(y, kind)


def _wide(x: TensorLike) -> str:
    """The dtype of a tensor of floats, or float32 if it has fewer bits than that."""
    kind = dtype(x)
    return "float32" if kind in ("float16", "bfloat16") else kind
