"""Activation functions: what layers apply to their outputs, element by element unless stated."""

from collections.abc import Callable, Mapping
from typing import Any

from mlapi import ops
from mlapi.catalog import custom_object_scope
from mlapi.serialization import deserialize as _deserialize
from mlapi.serialization import get as _get
from mlapi.serialization import serialize as _serialize
from mlapi.types import Tensor, TensorLike

celu = ops.celu
elu = ops.elu
exponential = ops.exp
glu = ops.glu
hard_shrink = ops.hard_shrink
hard_sigmoid = ops.hard_sigmoid
hard_tanh = ops.hard_tanh
leaky_relu = ops.leaky_relu
log_sigmoid = ops.log_sigmoid
log_softmax = ops.log_softmax
relu6 = ops.relu6
selu = ops.selu
sigmoid = ops.sigmoid
silu = swish = ops.silu
soft_shrink = ops.soft_shrink
softmax = ops.softmax
softplus = ops.softplus
softsign = ops.softsign
sparse_plus = ops.sparse_plus
sparse_sigmoid = ops.sparse_sigmoid
sparsemax = ops.sparsemax
squareplus = ops.squareplus
tanh = ops.tanh
tanh_shrink = ops.tanh_shrink
threshold = ops.threshold


def linear(x: TensorLike) -> TensorLike:
    """Returns `x` itself."""
    return x


def relu(
    x: TensorLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Tensor:
    """Returns `x` above `threshold`, and `negative_slope * (x - threshold)` below.

    Args:
        x: a tensor of any shape.
        negative_slope: slope below the threshold.
        max_value: where larger values are cut off.
        threshold: where the function bends.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(relu([-2.0, 1.0, 9.0], negative_slope=0.5, max_value=6.0))
        array([-1.,  1.,  6.], dtype=float32)
    """
    if threshold:
        above = ops.greater_equal(x, threshold)
        y = ops.where(above, x, ops.multiply(ops.subtract(x, threshold), negative_slope))
    elif negative_slope:
        y = ops.leaky_relu(x, negative_slope)
    else:
        y = ops.relu(x)
    return y if max_value is None else ops.minimum(y, max_value)


def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """Returns `x` times the normal distribution function of `x`.

    Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    Args:
        x: a tensor of any shape.
        approximate: whether the distribution function is approximated through `tanh`.
    """
    return ops.gelu(x, approximate)


def mish(x: TensorLike) -> Tensor:
    """Returns `x * tanh(softplus(x))`.

    Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    """
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


def hard_silu(x: TensorLike) -> Tensor:
    """Returns `x * hard_sigmoid(x)`.

    Howard et al., "Searching for MobileNetV3", 2019.
    """
    return ops.multiply(x, ops.hard_sigmoid(x))


hard_swish = hard_silu

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def get(identifier: Any) -> Callable[..., Any]:
    """Returns the activation function that an argument means.

    Args:
        identifier: a name (`"relu"`), `None` for `linear`, a config, a function, or a layer.

    Raises:
        ArgumentError: a name that is unknown.
        ArgumentTypeError: none of the above.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):  # of a function, or of a layer
        identifier = _deserialize(identifier)
    return _get("activations", identifier, "activation")


def serialize(activation: Callable[..., Any]) -> str | dict[str, Any]:
    """Returns the name of an activation function, or the config of one of your own."""
    return _serialize(activation)


def deserialize(
    config: str | dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """Returns the activation function of a name or config.

    Raises:
        ArgumentError: a name that is unknown.
        LoadError: the config is refused.
    """
    with custom_object_scope(custom_objects):
        return get(config)
