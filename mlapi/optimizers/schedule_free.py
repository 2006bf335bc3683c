"""AdamW whose averages take the place of a learning rate schedule."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from mlapi.errors import ArgumentError
from mlapi.optimizers import scalar
from mlapi.optimizers.arguments import Common, share
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.optimizers.scalar import Scalar, one_minus_power
from mlapi.optimizers.state import Start
from mlapi.state import Variable
from mlapi.validation import non_negative, non_negative_int


class ScheduleFreeAdamW(Optimizer):
    """Gradients at a point between a fast sequence and its average (Defazio et al. 2024).

        v ← β₂ v + (1 - β₂) g²
        z ← z - lr min(1, t / warmup_steps) g / (√(v / (1 - β₂ᵗ)) + ε)
        x ← x + (z - x) / t
        p ← (1 - β₁) z + β₁ x

    "The Road Less Scheduled". No stopping time needs to be known: the average x is what a schedule
    would lead to. The variables are p. x is not stored, being (p - (1 - β₁) z) / β₁, and z is kept
    in the slot `momentum`.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: β₁, the share of the average, above 0.
        beta_2: β₂, the share of the old mean of squares.
        epsilon: ε.
        warmup_steps: number of updates in which the learning rate rises from zero.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.ScheduleFreeAdamW(2.5e-3, warmup_steps=100)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = share(self, "beta_1", beta_1)
        self.beta_2 = share(self, "beta_2", beta_2)
        self.epsilon = non_negative(self, "epsilon", epsilon)
        self.warmup_steps = non_negative_int(self, "warmup_steps", warmup_steps)
        if not self.beta_1:
            raise ArgumentError("ScheduleFreeAdamW: beta_1 must be above 0, received 0.")

    def slot_groups(self) -> Sequence[Mapping[str, Start]]:
        """z, which starts where the variables do, and the mean of squares."""
        return [{"momentum": Variable.numpy, "velocity": 0.0}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        z, v = slots["momentum"], slots["velocity"]
        if self.warmup_steps:
            lr = lr * scalar.minimum(t / self.warmup_steps, 1.0)
        v.mul_(self.beta_2)
        v.addcmul_(g, g, 1 - self.beta_2)
        scale = v.sqrt()
        scale.mul_(1 / scalar.sqrt(one_minus_power(self.beta_2, t)))
        scale.add_(self.epsilon)
        p.add_(z, self.beta_1 - 1)  # β₁ x until the last line
        z.addcdiv_(g, scale, -lr)
        p.lerp_(z * self.beta_1, 1 / t)
        p.add_(z, 1 - self.beta_1)
