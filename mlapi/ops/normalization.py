"""Moments, and what is normalized by them."""

from mlapi import config
from mlapi.errors import ArgumentError
from mlapi.op import op, to_float
from mlapi.ops.elementwise import maximum, rsqrt, square
from mlapi.ops.linalg import norm
from mlapi.ops.reduction import mean, sum
from mlapi.ops.shape import moveaxis
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


@op(dtype=to_float)
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
    y = x * rsqrt(mean(square(x), axis, keepdims=True) + epsilon)
    if scale is None:
        return y
    axes = [axis] if isinstance(axis, int) else list(axis)
    last = list(range(-len(axes), 0))
    return moveaxis(moveaxis(y, axes, last) * scale, last, axes)


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
    if order == 2:  # the root of what is not zero, for its gradient
        return x * rsqrt(maximum(sum(square(x), axis, keepdims=True), epsilon**2))
    return x / maximum(norm(x, order, axis, keepdims=True), epsilon)
