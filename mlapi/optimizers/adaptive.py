"""Optimizers that scale each step by the size of past gradients: Adagrad and its heirs."""

from collections.abc import Mapping
from typing import Any, Unpack

from mlapi.optimizers.arguments import Common, share
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.optimizers.scalar import Scalar
from mlapi.validation import fraction, non_negative


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squared gradients (Duchi et al. 2011).

        a ← a + g²
        p ← p - lr g / √(a + ε)

    "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization".

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        initial_accumulator_value: the sum's first value.
        epsilon: ε.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Adagrad(0.01)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = non_negative(
            self, "initial_accumulator_value", initial_accumulator_value
        )
        self.epsilon = non_negative(self, "epsilon", epsilon)

    def slot_groups(self) -> list[dict[str, float]]:
        """The sum of squares."""
        return [{"accumulator": self.initial_accumulator_value}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        a = slots["accumulator"]
        a.addcmul_(g, g)
        scale = a + self.epsilon
        scale.sqrt_()
        p.addcdiv_(g, scale, -lr)


class RMSprop(Optimizer):
    """Steps divided by the root of an average of squared gradients (Hinton 2012).

        v ← ρ v + (1 - ρ) g²
        s = lr g / √(v + ε)              centered: √(v - a² + ε), a ← ρ a + (1 - ρ) g
        p ← p - s                        with momentum μ: m ← μ m + s;  p ← p - m

    Lecture 6e of "Neural Networks for Machine Learning"; centered form: Graves 2013.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        rho: ρ, the share of the old average.
        momentum: μ, from 0 to 1.
        epsilon: ε.
        centered: whether to divide by the estimated variance rather than the second moment.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.RMSprop(1e-3, momentum=0.9)
    """

    kernel = "rmsprop"

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = share(self, "rho", rho)
        self.momentum = fraction(self, "momentum", momentum)
        self.epsilon = non_negative(self, "epsilon", epsilon)
        self.centered = bool(centered)

    def slot_groups(self) -> list[dict[str, float]]:
        """The average of squares, and those of momentum and of gradients if used."""
        groups = [{"velocity": 0.0}]
        if self.momentum:
            groups.append({"momentum": 0.0})
        if self.centered:
            groups.append({"average_gradient": 0.0})
        return groups

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        v = slots["velocity"]
        v.mul_(self.rho)
        v.addcmul_(g, g, 1 - self.rho)
        scale = v + self.epsilon
        if self.centered:
            a = slots["average_gradient"]
            a.lerp_(g, 1 - self.rho)
            scale.addcmul_(a, a, -1)
        scale.sqrt_()
        if self.momentum:
            m = slots["momentum"]
            m.mul_(self.momentum)
            m.addcdiv_(g, scale, lr)
            p.add_(m, -1)
        else:
            p.addcdiv_(g, scale, -lr)


class Adadelta(Optimizer):
    """Steps in the units of the variables themselves (Zeiler 2012).

        a ← ρ a + (1 - ρ) g²
        d = g √(b + ε) / √(a + ε)
        b ← ρ b + (1 - ρ) d²
        p ← p - lr d

    "ADADELTA: An Adaptive Learning Rate Method", whose learning rate is 1.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        rho: ρ, the share of the old averages.
        epsilon: ε.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Adadelta(1.0)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = share(self, "rho", rho)
        self.epsilon = non_negative(self, "epsilon", epsilon)

    def slot_groups(self) -> list[dict[str, float]]:
        """The averages of squared gradients and of squared steps."""
        return [{"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        a, b = slots["accumulated_grad"], slots["accumulated_delta_var"]
        a.mul_(self.rho)
        a.addcmul_(g, g, 1 - self.rho)
        d = (b + self.epsilon) / (a + self.epsilon)
        d.sqrt_()
        d.mul_(g)
        b.mul_(self.rho)
        b.addcmul_(d, d, 1 - self.rho)
        p.add_(d, -lr)
