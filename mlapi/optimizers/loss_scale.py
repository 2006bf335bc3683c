"""Dynamic loss scaling: half precision gradients that do not vanish."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from mlapi import serialization
from mlapi.backends import adapter
from mlapi.errors import ArgumentTypeError
from mlapi.optimizers import scalar
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.state import Variable
from mlapi.types import Tensor
from mlapi.validation import positive, positive_int

_native = adapter.optimizers
_LARGEST = 2.0**126  # twice as much is still a finite float32


class LossScaleOptimizer(Optimizer):
    """Scales the loss up, and gradients down again, as far as they stay finite.

    A step whose gradients hold an infinity or NaN is left out: nothing of the inner optimizer
    changes, and the scale is halved. After `dynamic_growth_steps` good steps in a row it is
    doubled. Micikevicius et al. 2018, "Mixed Precision Training", section 3.2.

    All of this is part of the compiled step. Uncompiled, on torch, the host has to know whether
    the gradients were finite, and waits for that.

    Args:
        inner_optimizer: the Optimizer that updates; clipping, decay, averages, accumulation and
            the learning rate are its own.
        initial_scale: the first scale. A power of two costs no digits.
        dynamic_growth_steps: number of good steps after which the scale is doubled.
        name: first part of the paths of the optimizer's own variables.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.LossScaleOptimizer(mlapi.optimizers.Adam(1e-3))
        >>> float(optimizer.scale_loss(mlapi.ops.convert_to_tensor(2.0)))
        65536.0
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("dynamic", None)  # of older configs
        if kwargs:
            raise ArgumentTypeError(
                f"LossScaleOptimizer does not take {next(iter(kwargs))!r}: give it to the inner "
                "optimizer."
            )
        if not isinstance(inner_optimizer, Optimizer):
            raise ArgumentTypeError(
                "LossScaleOptimizer: inner_optimizer must be an mlapi.optimizers.Optimizer, "
                f"received {inner_optimizer!r}."
            )
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = positive(self, "initial_scale", initial_scale)
        self.dynamic_growth_steps = positive_int(self, "dynamic_growth_steps", dynamic_growth_steps)
        self.step_counter: Variable | None = None
        self._scale: Variable | None = None

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the scale, the count of good steps, and what the inner optimizer needs."""
        if self.built:
            return
        variables = list(variables)
        self.inner_optimizer.build(variables)
        self._trainable_variables = variables
        self.step_counter = self._add_number("step_counter", 0, "int32")
        self._scale = self._add_number("dynamic_scale", self.initial_scale, "float32")
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        """The scale and the count of good steps, then those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    def places_in_files(self) -> list[Any]:
        """As `variables`."""
        return [*self._variables, *self.inner_optimizer.places_in_files()]

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRate) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer made."""
        return self.inner_optimizer.iterations

    @property
    def dynamic_scale(self) -> Any:
        """The present scale, a Variable once the optimizer is built."""
        return self.initial_scale if self._scale is None else self._scale

    def _scale_now(self) -> Any:
        return self.initial_scale if self._scale is None else _native.number(self._scale.value)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Returns the loss times the scale, in single precision if it came in half of that."""
        if adapter.core.dtype_of(loss) in ("float16", "bfloat16"):
            loss = adapter.core.cast(loss, "float32")
        return self.inner_optimizer.scale_loss(loss * self._scale_now())

    def unscale_loss(self, loss: Tensor) -> Tensor:
        """Returns what `scale_loss` was given."""
        return self.inner_optimizer.unscale_loss(loss) / self._scale_now()

    def check_finite(self, grads: Sequence[Tensor]) -> Tensor:
        """Returns whether no gradient holds an infinity or NaN, a scalar tensor."""
        return _native.Bundle([g for g in grads if g is not None]).all_finite()

    def _update(self, variables: list[Variable], grads: list[Any]) -> None:
        inner, scale = self.inner_optimizer, self._scale_now()
        g = _native.Bundle(grads)
        finite = _native.number(g.all_finite())

        def update() -> None:
            inner.apply(g.scaled(1 / scale).tensors, variables)

        _native.when(finite, update, [*inner.variables, *variables])
        assert self.step_counter is not None
        before = scalar.to_float(_native.number(self.step_counter.value))
        good = scalar.where(finite, before + 1, 0.0)
        full = good >= self.dynamic_growth_steps
        grown = scalar.where(full, scalar.minimum(scale * 2, _LARGEST), scale)
        _native.set_number(self._scale, scalar.where(finite, grown, scale / 2))
        _native.set_number(self.step_counter, scalar.where(full, 0.0, good))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """As that of the inner optimizer."""
        self.inner_optimizer.finalize_variable_values(var_list)

    @property
    def lr_multipliers(self) -> dict[str, float] | None:
        """Those of the inner optimizer."""
        return self.inner_optimizer.lr_multipliers

    @lr_multipliers.setter
    def lr_multipliers(self, multipliers: Mapping[str, float] | None) -> None:
        self.inner_optimizer.lr_multipliers = multipliers

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """As that of the inner optimizer."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, the inner optimizer as a record."""
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Returns a new optimizer from what `get_config` returned."""
        config = dict(config)
        config["inner_optimizer"] = serialization.deserialize(
            config["inner_optimizer"], custom_objects, family="optimizers"
        )
        return cls(**config)
