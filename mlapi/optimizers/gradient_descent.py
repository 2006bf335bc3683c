"""Stochastic gradient descent, and descent by the sign of an average."""

from collections.abc import Mapping
from typing import Any, Unpack

from mlapi.errors import ArgumentError
from mlapi.optimizers.arguments import Common, share
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.optimizers.scalar import Scalar
from mlapi.validation import fraction


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

        p ← p - lr g                     without momentum
        m ← μ m - lr g;  p ← p + m       with momentum μ (Polyak 1964)
        p ← p + μ m - lr g               Nesterov's form (Sutskever et al. 2013)

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        momentum: μ, from 0 to 1.
        nesterov: whether to use Nesterov's form.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    """

    kernel = "sgd"

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = fraction(self, "momentum", momentum)
        self.nesterov = bool(nesterov)

    def slot_groups(self) -> list[dict[str, float]]:
        """The momentum, if any."""
        return [{"momentum": 0.0}] if self.momentum else []

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        if not self.momentum:
            p.add_(g, -lr)
            return
        m = slots["momentum"]
        m.mul_(self.momentum)
        m.add_(g, -lr)
        if self.nesterov:
            p.add_(m, self.momentum)
            p.add_(g, -lr)
        else:
            p.add_(m)


class Lion(Optimizer):
    """Steps of one size in the direction of an average's sign (Chen et al. 2023).

        p ← p - lr sign(β₁ m + (1 - β₁) g)
        m ← β₂ m + (1 - β₂) g

    "Symbolic Discovery of Optimization Algorithms". Compared with Adam, learning rates are 3 to 10
    times smaller and weight decays as much larger.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: β₁, the share of the old average in the direction.
        beta_2: β₂, the share of the old average in the new one.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Lion(1e-4, weight_decay=0.1)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = share(self, "beta_1", beta_1)
        self.beta_2 = share(self, "beta_2", beta_2)
        if not self.beta_1:
            raise ArgumentError("Lion: beta_1 must be above 0, received 0.")

    def slot_groups(self) -> list[dict[str, float]]:
        """The average of gradients."""
        return [{"momentum": 0.0}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        m = slots["momentum"]
        p.add_(m.lerp(g, 1 - self.beta_1).sign(), -lr)
        m.lerp_(g, 1 - self.beta_2)
