"""Moments, and what is normalized by them."""

from mlapi.op import op, to_float
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
