"""Several optimizers, each for some of a model's variables."""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Self

from mlapi import serialization
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.optimizers.base import Optimizer
from mlapi.optimizers.loss_scale import LossScaleOptimizer
from mlapi.optimizers.multipliers import Multipliers
from mlapi.state import Variable

_native = adapter.optimizers


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer updates which variables, by their paths.

    Keys are regular expressions. Looked up with a path, the map returns the optimizer of the
    pattern that matches the whole of it, else the default one.

    Args:
        default_optimizer: for variables that no pattern matches.
        optimizer_map: pattern → optimizer.

    Raises:
        ArgumentError: a pattern that is there already, or a path that several patterns match.

    Example:
        >>> from mlapi.optimizers import SGD, Adam
        >>> optimizers = OptimizerMap(SGD(), {"encoder/.*": Adam()})
        >>> type(optimizers["encoder/dense/kernel"]).__name__, type(optimizers["head"]).__name__
        ('Adam', 'SGD')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None
    ) -> None:
        self._default_optimizer = _checked(default_optimizer, "OptimizerMap: default_optimizer")
        self._optimizers: dict[str, Optimizer] = {}
        if not isinstance(optimizer_map or {}, Mapping):
            raise ArgumentTypeError(
                "OptimizerMap: optimizer_map must be a dict of patterns and optimizers, received "
                f"{optimizer_map!r}."
            )
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no pattern matches."""
        return self._default_optimizer

    def __getitem__(self, path: str) -> Optimizer:
        if path in self._optimizers:
            return self._optimizers[path]
        found = [pattern for pattern in self._optimizers if re.fullmatch(pattern, path)]
        if len(found) > 1:
            raise ArgumentError(
                f"OptimizerMap: {path!r} is matched by several patterns: {', '.join(found)}. Make "
                "them narrower."
            )
        return self._optimizers[found[0]] if found else self._default_optimizer

    def __setitem__(self, pattern: str, optimizer: Optimizer) -> None:
        if pattern in self._optimizers:
            raise ArgumentError(
                f"OptimizerMap: {pattern!r} has an optimizer already; delete it first."
            )
        self._optimizers[pattern] = _checked(optimizer, f"OptimizerMap: {pattern!r}")

    def __delitem__(self, pattern: str) -> None:
        del self._optimizers[pattern]

    def __len__(self) -> int:
        return len(self._optimizers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, optimizers as records."""
        return {
            "default_optimizer": serialization.serialize(self._default_optimizer),
            "optimizer_map": serialization.serialize(self._optimizers),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Returns a new map from what `get_config` returned."""
        read = serialization.deserialize
        optimizers = config.get("optimizer_map") or {}
        return cls(
            read(config["default_optimizer"], custom_objects, family="optimizers"),
            {k: read(v, custom_objects, family="optimizers") for k, v in optimizers.items()},
        )


class MultiOptimizer(Optimizer):
    """Lets several optimizers update a model, each its own variables.

    It has no learning rate: those of `optimizers` may differ.

    Args:
        optimizer_map: an `OptimizerMap`, or a function that returns the optimizer of a Variable.
        loss_scale_factor: that of all the optimizers; None for what they were made with.
        name: first part of the paths of its own variables.

    Raises:
        ArgumentError: the optimizers scale the loss differently.

    Example:
        >>> from mlapi.optimizers import SGD, Adam
        >>> optimizer = MultiOptimizer(OptimizerMap(Adam(), {"head/.*": SGD(0.1, momentum=0.9)}))
        >>> [type(each).__name__ for each in optimizer.optimizers]
        ['SGD', 'Adam']
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(optimizer_map, OptimizerMap):
            values = [optimizer_map[pattern] for pattern in optimizer_map]
            self._optimizers = _distinct([*values, optimizer_map.default_optimizer])
        elif callable(optimizer_map):
            self._optimizers: list[Optimizer] = []
        else:
            raise ArgumentTypeError(
                "MultiOptimizer: optimizer_map must be an OptimizerMap, or a function from a "
                f"Variable to its optimizer, received {optimizer_map!r}."
            )
        self.optimizer_map = optimizer_map
        self._of_variable: dict[int, Optimizer] = {}  # by identity
        self._exclusions: list[tuple[Any, Any]] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)

    @property
    def optimizers(self) -> list[Optimizer]:
        """All optimizers, in the order of the map; those of a function once it was asked."""
        return list(self._optimizers)

    def build(self, variables: Sequence[Variable]) -> None:
        """Asks for the optimizer of each variable, and builds the optimizers."""
        if self.built:
            return
        variables = list(variables)
        chosen = [self._choose(variable) for variable in variables]
        self._optimizers = _distinct([*self._optimizers, *chosen])
        self.loss_scale_factor = self._factor
        self._pass_multipliers(self._multipliers, variables)
        for optimizer in self._optimizers:
            for exclusion in self._exclusions:
                optimizer.exclude_from_weight_decay(*exclusion)
            own = [v for v, owner in zip(variables, chosen, strict=True) if owner is optimizer]
            if own:
                optimizer.build(own)
        self._trainable_variables = variables
        self._of_variable = {id(v): owner for v, owner in zip(variables, chosen, strict=True)}
        self.built = True

    def _choose(self, variable: Variable) -> Optimizer:
        if isinstance(self.optimizer_map, OptimizerMap):
            return self.optimizer_map[variable.path]
        return _checked(self.optimizer_map(variable), f"MultiOptimizer: that of {variable.path!r}")

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the optimizers."""
        return [*self._variables, *(v for each in self._optimizers for v in each.variables)]

    def places_in_files(self) -> list[Any]:
        """As `variables`."""
        parts = [each.places_in_files() for each in self._optimizers]
        return [*self._variables, *(place for part in parts for place in part)]

    @property
    def learning_rate(self) -> Any:
        """There is none.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(_NO_RATE)

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(_NO_RATE)

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor that `scale_loss` multiplies by."""
        factors = {each.loss_scale_factor for each in self._optimizers}
        if len(factors) > 1:
            raise ArgumentError(
                "MultiOptimizer: the optimizers have different loss_scale_factors, but there is one"
                f" loss: {', '.join(map(str, factors))}. Pass loss_scale_factor= here."
            )
        return factors.pop() if factors else self._factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        self._factor = factor
        if factor is not None:
            for optimizer in self._optimizers:
                optimizer.loss_scale_factor = factor

    def _update(self, variables: list[Variable], grads: list[Any]) -> None:
        parts: dict[int, tuple[list[Any], list[Variable]]] = {}
        for gradient, variable in zip(grads, variables, strict=True):
            owner = self._of_variable.get(id(variable))
            if owner is None:
                raise self._unknown(variable)
            gradients, own = parts.setdefault(id(owner), ([], []))
            gradients.append(gradient)
            own.append(variable)
        for optimizer in self._optimizers:
            if id(optimizer) in parts:
                optimizer.apply(*parts[id(optimizer)])
        _native.set_number(self._iterations, _native.number(self._iterations.value) + 1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """As those of the optimizers, each for its own variables."""
        for variable in var_list:
            owner = self._of_variable.get(id(variable))
            if owner is not None:
                owner.finalize_variable_values([variable])

    def _use_multipliers(self, multipliers: Multipliers | None) -> None:
        super()._use_multipliers(multipliers)
        if self.built:
            self._pass_multipliers(multipliers, self._trainable_variables)

    def _pass_multipliers(
        self, multipliers: Multipliers | None, variables: Sequence[Variable]
    ) -> None:
        if multipliers is not None:
            multipliers.check(variables)  # before an optimizer does that for its own ones only
            for optimizer in self._optimizers:
                optimizer._use_multipliers(multipliers)

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """As those of the optimizers, for all of them."""
        if self.built:
            super().exclude_from_weight_decay(var_list, var_names)  # raises
        self._exclusions.append((var_list, var_names))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, the map as a record."""
        return {
            "optimizer_map": serialization.serialize(self.optimizer_map),
            "loss_scale_factor": self._factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Returns a new optimizer from what `get_config` returned."""
        config = dict(config)
        config["optimizer_map"] = serialization.deserialize(
            config["optimizer_map"], custom_objects, family="optimizers"
        )
        return cls(**config)


_NO_RATE = (
    "A MultiOptimizer has no learning rate of its own: read and set those of its `optimizers`."
)


def _distinct(optimizers: Sequence[Optimizer]) -> list[Optimizer]:
    return list({id(optimizer): optimizer for optimizer in optimizers}.values())


def _checked(optimizer: Any, what: str) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise ArgumentTypeError(
            f"{what} must be an mlapi.optimizers.Optimizer, received {optimizer!r}."
        )
    if isinstance(optimizer, LossScaleOptimizer):
        raise ArgumentError(
            f"{what} cannot be a LossScaleOptimizer, as there is one loss to scale: make it "
            "LossScaleOptimizer(MultiOptimizer(…))."
        )
    return optimizer
