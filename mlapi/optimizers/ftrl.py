"""FTRL: the variables that would have been best so far."""

from collections.abc import Mapping
from typing import Any, Unpack

from mlapi.errors import ArgumentError
from mlapi.optimizers.arguments import Common
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.optimizers.scalar import Scalar
from mlapi.validation import non_negative, number


class Ftrl(Optimizer):
    """Follows the regularized leader, so that small weights become zeros (McMahan et al. 2013).

        n' = n + g²
        z ← z + g + 2 λ₃ p - (n'^q - n^q) / lr · p            q is minus `learning_rate_power`
        p ← (clip(z, -λ₁, λ₁) - z) / ((β + n'^q) / lr + 2 λ₂)
        n ← n'

    "Ad Click Prediction: a View from the Trenches", whose λ₂ is twice this one. It suits linear
    models of many sparse features.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        learning_rate_power: at most 0; at 0 the learning rate stays.
        initial_accumulator_value: first value of n.
        l1_regularization_strength: λ₁, which makes weights zero.
        l2_regularization_strength: λ₂, which keeps the variables near zero.
        l2_shrinkage_regularization_strength: λ₃, the factor of a squared norm added to the loss.
        beta: β.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Ftrl(0.1, l1_regularization_strength=0.01)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power = number(self, "learning_rate_power", learning_rate_power)
        if self.learning_rate_power > 0:
            raise ArgumentError(
                f"Ftrl: learning_rate_power must be at most 0, received {learning_rate_power}."
            )
        self.initial_accumulator_value = non_negative(
            self, "initial_accumulator_value", initial_accumulator_value
        )
        self.l1_regularization_strength = non_negative(
            self, "l1_regularization_strength", l1_regularization_strength
        )
        self.l2_regularization_strength = non_negative(
            self, "l2_regularization_strength", l2_regularization_strength
        )
        self.l2_shrinkage_regularization_strength = non_negative(
            self, "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength
        )
        self.beta = non_negative(self, "beta", beta)

    def slot_groups(self) -> list[dict[str, float]]:
        """N and z."""
        return [{"accumulator": self.initial_accumulator_value, "linear": 0.0}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        n, z = slots["accumulator"], slots["linear"]
        l1, power = self.l1_regularization_strength, -self.learning_rate_power
        before = n.pow(power)
        n.addcmul_(g, g)
        scale = n.pow(power)
        z.add_(g)
        if self.l2_shrinkage_regularization_strength:
            z.add_(p, 2 * self.l2_shrinkage_regularization_strength)
        z.addcmul_(scale - before, p, -1 / lr)
        scale.add_(self.beta + 2 * self.l2_regularization_strength * lr)
        scale.mul_(1 / lr)
        step = z.clip(-l1, l1) - z if l1 else z * -1
        p.copy_(step / scale)
