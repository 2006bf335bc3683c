"""Penalties on weights or outputs, added to the loss."""

from collections.abc import Callable, Mapping
from typing import Any

from mlapi import config, ops, validation
from mlapi.errors import ShapeError
from mlapi.serialization import Configurable
from mlapi.serialization import deserialize as _deserialize
from mlapi.serialization import get as _get
from mlapi.serialization import serialize as _serialize
from mlapi.types import Tensor, TensorLike

_mode = validation.Choice("rows", "columns")


class Regularizer(Configurable):
    """Base of all regularizers.

    Subclasses define `__call__(x)` and return a scalar. Their constructor arguments, kept under
    their own names, are the config. Any function of a tensor will do as well.
    """

    def __call__(self, x: TensorLike) -> Tensor:
        """Returns the penalty for a weight, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__.")


class L1L2(Regularizer):
    """`l1 * sum(abs(x)) + l2 * sum(x**2)`.

    Args:
        l1: factor of the sum of magnitudes.
        l2: factor of the sum of squares.

    Raises:
        ArgumentError: a factor is negative or infinite.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = validation.non_negative(self, "l1", l1)
        self.l2 = validation.non_negative(self, "l2", l2)

    def __call__(self, x: TensorLike) -> Tensor:
        """Returns the penalty, a scalar."""
        if not self.l2:
            return self.l1 * ops.sum(ops.abs(x))
        squares = self.l2 * ops.sum(ops.square(x))
        return self.l1 * ops.sum(ops.abs(x)) + squares if self.l1 else squares


class L1(Regularizer):
    """`l1 * sum(abs(x))`; drives weights to zero.

    Args:
        l1: factor.

    Raises:
        ArgumentError: the factor is negative or infinite.
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = validation.non_negative(self, "l1", l1)

    def __call__(self, x: TensorLike) -> Tensor:
        """Returns the penalty, a scalar."""
        return self.l1 * ops.sum(ops.abs(x))


class L2(Regularizer):
    """`l2 * sum(x**2)`; keeps weights small.

    Args:
        l2: factor.

    Raises:
        ArgumentError: the factor is negative or infinite.

    Example:
        >>> float(L2(0.1)([3.0, 4.0]))
        2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = validation.non_negative(self, "l2", l2)

    def __call__(self, x: TensorLike) -> Tensor:
        """Returns the penalty, a scalar."""
        return self.l2 * ops.sum(ops.square(x))


class OrthogonalRegularizer(Regularizer):
    """Drives the rows or columns of a matrix to be orthogonal to one another.

    The penalty is `factor` times the mean, over all pairs, of the magnitude of their cosine.

    Args:
        factor: factor.
        mode: `"rows"` or `"columns"`.

    Raises:
        ArgumentError: the factor is negative or infinite, or another mode.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = validation.non_negative(self, "factor", factor)
        self.mode = _mode(self, "mode", mode)

    def __call__(self, x: TensorLike) -> Tensor:
        """Returns the penalty of a matrix, a scalar.

        Raises:
            ShapeError: `x` is no matrix.
        """
        shape = ops.shape(x)
        if len(shape) != 2:
            raise ShapeError(f"OrthogonalRegularizer needs a matrix; received shape {shape}.")
        rows = x if self.mode == "rows" else ops.transpose(x)
        lengths = ops.sqrt(ops.sum(ops.square(rows), axis=1, keepdims=True))
        rows = rows / ops.maximum(lengths, config.epsilon())
        number = rows.shape[0]
        cosines = ops.abs(ops.matmul(rows, ops.transpose(rows)))
        others = ops.sum(ops.multiply(cosines, 1.0 - ops.eye(number)))  # each pair twice
        return self.factor * others / max(1, number * (number - 1))


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


def get(identifier: Any) -> Regularizer | Callable[[Any], Any] | None:
    """Returns the regularizer that an argument means.

    Args:
        identifier: `None`, a name (`"l2"`), a config, a class, a regularizer, or a function of a
            tensor.

    Raises:
        ArgumentError: a name that is unknown.
        ArgumentTypeError: none of the above.
    """
    return _get("regularizers", identifier)


def serialize(regularizer: Regularizer | Callable[[Any], Any]) -> dict[str, Any]:
    """Returns the config of a regularizer, from which `deserialize` makes an equal one."""
    return _serialize(regularizer)


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Regularizer | Callable[[Any], Any]:
    """Returns the regularizer of a config.

    Raises:
        LoadError: the config is refused.
    """
    return _deserialize(config, custom_objects, family="regularizers")
