"""Projections of weights onto a set of allowed values, applied after each update."""

from collections.abc import Callable, Mapping
from typing import Any

from mlapi import config, ops, validation
from mlapi.errors import ArgumentError
from mlapi.serialization import Configurable
from mlapi.serialization import deserialize as _deserialize
from mlapi.serialization import get as _get
from mlapi.serialization import serialize as _serialize
from mlapi.types import Axis, Tensor, TensorLike


class Constraint(Configurable):
    """Base of all constraints.

    Subclasses define `__call__(w)` and return the projected weight. Their constructor arguments,
    kept under their own names, are the config. Any function of a tensor will do as well.
    """

    def __call__(self, w: TensorLike) -> Tensor:
        """Returns the allowed weight nearest to `w`, of the same shape."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__.")


class NonNeg(Constraint):
    """No negative weights: they become zero."""

    def __call__(self, w: TensorLike) -> Tensor:
        """Returns `max(w, 0)`."""
        return ops.relu(w)


class MaxNorm(Constraint):
    """Norms of at most `max_value`; longer vectors of weights are shortened.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.

    Args:
        max_value: largest norm.
        axis: the axes that make up a vector: 0 for the kernel of `Dense`, whose columns are the
            units, and `[0, 1, 2]` for the kernel of `Conv2D`.
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value = validation.non_negative(self, "max_value", max_value)
        self.axis = validation.integer_axes(self, "axis", axis)

    def __call__(self, w: TensorLike) -> Tensor:
        """Returns the weight with its long vectors shortened."""
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (norms + config.epsilon()))


class UnitNorm(Constraint):
    """Norms of one.

    Args:
        axis: the axes that make up a vector, as in `MaxNorm`.
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = validation.integer_axes(self, "axis", axis)

    def __call__(self, w: TensorLike) -> Tensor:
        """Returns the weight with its vectors scaled."""
        return w / (_norms(w, self.axis) + config.epsilon())


class MinMaxNorm(Constraint):
    """Norms between `min_value` and `max_value`.

    Args:
        min_value: smallest norm.
        max_value: largest norm.
        rate: how far vectors outside are moved: 1 to the bound at once, less only that part of
            the way.
        axis: the axes that make up a vector, as in `MaxNorm`.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Axis = 0,
    ) -> None:
        self.min_value = validation.non_negative(self, "min_value", min_value)
        self.max_value = validation.non_negative(self, "max_value", max_value)
        self.rate = validation.fraction(self, "rate", rate)
        self.axis = validation.integer_axes(self, "axis", axis)
        if min_value > max_value:
            raise ArgumentError(
                f"MinMaxNorm: min_value={min_value} must not be above max_value={max_value}."
            )

    def __call__(self, w: TensorLike) -> Tensor:
        """Returns the weight with its vectors scaled towards the bounds."""
        norms = _norms(w, self.axis)
        bounded = ops.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * bounded + (1 - self.rate) * norms
        return w * (wanted / (norms + config.epsilon()))


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


def _norms(w: TensorLike, axis: Axis) -> Tensor:
    """Returns the Euclidean norms over `axis`, which stays with size one."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


def get(identifier: Any) -> Constraint | Callable[[Any], Any] | None:
    """Returns the constraint that an argument means.

    Args:
        identifier: `None`, a name (`"max_norm"`), a config, a class, a constraint, or a function
            of a tensor.

    Raises:
        ArgumentError: a name that is unknown.
        ArgumentTypeError: none of the above.
    """
    return _get("constraints", identifier)


def serialize(constraint: Constraint | Callable[[Any], Any]) -> dict[str, Any]:
    """Returns the config of a constraint, from which `deserialize` makes an equal one."""
    return _serialize(constraint)


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Constraint | Callable[[Any], Any]:
    """Returns the constraint of a config.

    Raises:
        LoadError: the config is refused.
    """
    return _deserialize(config, custom_objects, family="constraints")
