"""Activation functions: nonlinear functions of single elements, and softmax over an axis.

Integers and booleans become the default float type, except for `relu` and `relu6`.
"""

from mlapi.op import op, to_float
from mlapi.ops import rules
from mlapi.ops.creation import ones_like
from mlapi.ops.elementwise import (
    absolute,
    cast,
    clip,
    negative,
    sqrt,
    square,
    subtract,
    true_divide,
)
from mlapi.ops.logical import greater_equal, less_equal, where
from mlapi.ops.reduction import cumsum, sum
from mlapi.ops.shape import flip, moveaxis, split
from mlapi.ops.sorting import sort
from mlapi.ops.trigonometry import tanh
from mlapi.types import Axis, Tensor, TensorLike


@op(dtype=rules.real)
def relu(x: TensorLike) -> Tensor:
    """Rectified linear unit, `max(x, 0)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.relu([-1.0, 2.0]))
        array([0., 2.], dtype=float32)
    """
    ...


@op
def relu6(x: TensorLike) -> Tensor:
    """`min(max(x, 0), 6)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.relu6([-1.0, 2.0, 9.0]))
        array([0., 2., 6.], dtype=float32)
    """
    ...


@op(dtype=to_float)
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` above zero, `negative_slope * x` below.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.leaky_relu([-1.0, 2.0], 0.5))
        array([-0.5,  2. ], dtype=float32)
    """
    ...


@op(dtype=to_float)
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: `x` above zero, `alpha * (exp(x) - 1)` below.

    Clevert et al., 2015, https://arxiv.org/abs/1511.07289.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.elu([-1.0, 2.0])).round(3)
        array([-0.632,  2.   ], dtype=float32)
    """
    ...


@op(dtype=to_float)
def selu(x: TensorLike) -> Tensor:
    """Scaled exponential linear unit: `1.0507 * elu(x, 1.67326)`, self-normalizing.

    Klambauer et al., 2017, https://arxiv.org/abs/1706.02515.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.selu([-1.0, 2.0])).round(3)
        array([-1.111,  2.101], dtype=float32)
    """
    ...


@op(dtype=to_float)
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """Gaussian error linear unit: `x` times the normal distribution function of `x`.

    Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415.

    Args:
        x: any shape.
        approximate: whether the distribution function is approximated through `tanh`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.gelu([-1.0, 2.0], approximate=False)).round(3)
        array([-0.159,  1.954], dtype=float32)
    """
    ...


@op(dtype=to_float)
def silu(x: TensorLike) -> Tensor:
    """Sigmoid linear unit or swish, `x * sigmoid(x)`.

    Ramachandran et al., 2017, https://arxiv.org/abs/1710.05941.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.silu([-1.0, 2.0])).round(3)
        array([-0.269,  1.762], dtype=float32)
    """
    ...


@op(dtype=to_float)
def swish(x: TensorLike) -> Tensor:
    """Another name of `silu`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.swish([-1.0, 2.0])).round(3)
        array([-0.269,  1.762], dtype=float32)
    """
    return silu(x)


@op(dtype=to_float)
def sigmoid(x: TensorLike) -> Tensor:
    """Logistic function, `1 / (1 + exp(-x))`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sigmoid([0.0, 2.0])).round(3)
        array([0.5  , 0.881], dtype=float32)
    """
    ...


@op(dtype=to_float)
def log_sigmoid(x: TensorLike) -> Tensor:
    """`log(sigmoid(x))`, accurate far from zero.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.log_sigmoid([-100.0, 0.0])).round(3)
        array([-100.   ,   -0.693], dtype=float32)
    """
    return -softplus(negative(x))


@op(dtype=to_float)
def hard_sigmoid(x: TensorLike) -> Tensor:
    """Straight line from 0 at -3 to 1 at 3, flat outside: `relu6(x + 3) / 6`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hard_sigmoid([-4.0, 0.0, 1.5]))
        array([0.  , 0.5 , 0.75], dtype=float32)
    """
    ...


@op(dtype=to_float)
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + exp(x))`, a smooth `relu`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.softplus([0.0, 100.0])).round(3)
        array([  0.693, 100.   ], dtype=float32)
    """
    ...


@op(dtype=to_float)
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.softsign([-1.0, 3.0]))
        array([-0.5 ,  0.75], dtype=float32)
    """
    return x / (1 + absolute(x))


@op(dtype=to_float)
def softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """`exp(x) / sum(exp(x))` over an axis or several: positive numbers that sum to 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.softmax([1.0, 1.0]))
        array([0.5, 0.5], dtype=float32)
    """
    ...


@op(dtype=to_float)
def log_softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """`x - logsumexp(x)` over an axis or several, the logarithm of `softmax`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.log_softmax([1.0, 1.0])).round(3)
        array([-0.693, -0.693], dtype=float32)
    """
    ...


@op(dtype=to_float)
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)`: `elu` with a continuous slope.

    Barron, 2017, https://arxiv.org/abs/1704.07483.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.celu([-1.0, 2.0])).round(3)
        array([-0.632,  2.   ], dtype=float32)
    """
    return elu(x) if alpha == 1 else alpha * elu(true_divide(x, alpha))


@op(dtype=to_float)
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """Gated linear unit: the first half along an axis, times the sigmoid of the second.

    Dauphin et al., 2016, https://arxiv.org/abs/1612.08083.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.glu([1.0, 2.0, 0.0, 0.0]))
        array([0.5, 1. ], dtype=float32)
    """
    value, gate = split(x, 2, axis)
    return value * sigmoid(gate)


@op(dtype=to_float)
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`.

    Howard et al., 2019, https://arxiv.org/abs/1905.02244.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hard_silu([-4.0, 1.5, 4.0]))
        array([-0.   ,  1.125,  4.   ], dtype=float32)
    """
    return x * hard_sigmoid(x)


@op(dtype=to_float)
def hard_swish(x: TensorLike) -> Tensor:
    """Another name of `hard_silu`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hard_swish([-4.0, 1.5, 4.0]))
        array([-0.   ,  1.125,  4.   ], dtype=float32)
    """
    return hard_silu(x)


@op(dtype=to_float)
def hard_tanh(x: TensorLike) -> Tensor:
    """`x`, kept within -1 and 1.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hard_tanh([-4.0, 0.5, 4.0]))
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    return clip(x, -1, 1)


@op(dtype=to_float)
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x`, but 0 within `threshold` of 0.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hard_shrink([-1.0, 0.5, 2.0]))
        array([-1.,  0.,  2.], dtype=float32)
    """
    return where(absolute(x) <= threshold, 0, x)


@op(dtype=to_float)
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`, and 0 within that distance.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.soft_shrink([-1.0, 0.5, 2.0]))
        array([-0.5,  0. ,  1.5], dtype=float32)
    """
    return x - clip(x, -threshold, threshold)


@op(dtype=to_float)
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.tanh_shrink([-1.0, 2.0])).round(3)
        array([-0.238,  1.036], dtype=float32)
    """
    return x - tanh(x)


@op(dtype=to_float)
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` above the threshold, `default_value` at it and below.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.threshold([-1.0, 1.0, 2.0], 1.0, 0.0))
        array([0., 0., 2.], dtype=float32)
    """
    return where(less_equal(x, threshold), default_value, x)


@op(dtype=to_float)
def sparse_plus(x: TensorLike) -> Tensor:
    """0 up to -1, `(x + 1)² / 4` up to 1, `x` from there on.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sparse_plus([-2.0, 0.0, 3.0]))
        array([0.  , 0.25, 3.  ], dtype=float32)
    """
    return square(clip(x, -1, 1) + 1) / 4 + relu(subtract(x, 1))


@op(dtype=to_float)
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """Straight line from 0 at -1 to 1 at 1, flat outside: the slope of `sparse_plus`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sparse_sigmoid([-2.0, 0.0, 3.0]))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return clip(true_divide(x, 2) + 0.5, 0, 1)


@op(dtype=to_float)
def squareplus(x: TensorLike, b: int = 4) -> Tensor:
    """`(x + sqrt(x² + b)) / 2`, a smooth `relu` without exponentials.

    Barron, 2021, https://arxiv.org/abs/2112.11687.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.squareplus([0.0, 1.5]))
        array([1., 2.], dtype=float32)
    """
    size = absolute(x) + sqrt(square(x) + b)
    return (
        where(greater_equal(x, 0), size, b / size) / 2
    )  # without a difference of nearly equal numbers


@op(dtype=to_float)
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The nearest point to `x` among those of positive numbers that sum to 1; many become 0.

    Martins and Astudillo, 2016, https://arxiv.org/abs/1602.02068.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.sparsemax([0.0, 1.0, 1.5]))
        array([0.  , 0.25, 0.75], dtype=float32)
    """
    x = moveaxis(x, axis, -1)
    falling = flip(sort(x), -1)
    rank = cumsum(ones_like(x), -1)
    kept = 1 + rank * falling > cumsum(falling, -1)
    count = sum(cast(kept, x.dtype), -1, keepdims=True)
    total = sum(where(kept, falling, 0), -1, keepdims=True)
    return moveaxis(relu(x - (total - 1) / count), -1, axis)
