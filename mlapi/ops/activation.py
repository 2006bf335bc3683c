"""Activation functions: nonlinear functions of single elements, and softmax over an axis.

Integers and booleans become the default float type, except for `relu` and `relu6`.
"""

from mlapi.op import op, to_float
from mlapi.ops.elementwise import absolute, negative
from mlapi.types import Axis, Tensor, TensorLike


@op
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
