"""Adam and its relatives: averages of gradients, divided by averages of their size."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from mlapi import ops
from mlapi.backends import adapter
from mlapi.optimizers import scalar
from mlapi.optimizers.arguments import Common, share
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.optimizers.scalar import Scalar, one_minus_power
from mlapi.state import Variable
from mlapi.types import Tensor
from mlapi.validation import non_negative


class _Moments(Optimizer):
    """The arguments that Adam and its relatives have in common."""

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = share(self, "beta_1", beta_1)
        self.beta_2 = share(self, "beta_2", beta_2)
        self.epsilon = non_negative(self, "epsilon", epsilon)


def update_moments(m: Any, v: Any, g: Any, beta_1: float, beta_2: float) -> None:
    """Lets gradients into their mean and into the mean of their squares."""
    m.lerp_(g, 1 - beta_1)
    v.mul_(beta_2)
    v.addcmul_(g, g, 1 - beta_2)


def relative_step_size(t: Scalar, beta_1: float, beta_2: float) -> Scalar:
    """Adam's step size at update `t` over the learning rate: the correction for a zero start."""
    return scalar.sqrt(one_minus_power(beta_2, t)) / one_minus_power(beta_1, t)


class Adam(_Moments):
    """Steps by the mean of gradients over the root of the mean of their squares.

        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        p ← p - lr √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε)

    Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", in the form that precedes
    its section 2.1, so ε is the paper's ε̂. AMSGrad (Reddi et al. 2018) has the largest v so far
    in the place of v.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: β₁, the share of the old mean of gradients.
        beta_2: β₂, the share of the old mean of squares.
        epsilon: ε.
        amsgrad: whether to use AMSGrad.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Adam(3e-4, global_clipnorm=1.0)
    """

    kernel = "adam"

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = bool(amsgrad)

    def slot_groups(self) -> list[dict[str, float]]:
        """Both means, and the largest mean of squares if used."""
        groups = [{"momentum": 0.0, "velocity": 0.0}]
        return [*groups, {"velocity_hat": 0.0}] if self.amsgrad else groups

    relative_step_size = staticmethod(relative_step_size)  # for kernels

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        m, v = slots["momentum"], slots["velocity"]
        update_moments(m, v, g, self.beta_1, self.beta_2)
        if self.amsgrad:
            slots["velocity_hat"].maximum_(v)
            v = slots["velocity_hat"]
        scale = v.sqrt()
        scale.add_(self.epsilon)
        p.addcdiv_(m, scale, -lr * relative_step_size(t, self.beta_1, self.beta_2))


class AdamW(Adam):
    """Adam with weight decay that is not part of the gradient (Loshchilov and Hutter 2019).

        p ← p - lr λ p, then as Adam

    "Decoupled Weight Decay Regularization". `exclude_from_weight_decay` spares biases and scales.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        weight_decay: λ.
        beta_1: as for `Adam`.
        beta_2: as for `Adam`.
        epsilon: as for `Adam`.
        amsgrad: as for `Adam`.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.AdamW(3e-4, weight_decay=0.1)
        >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs["weight_decay"] = weight_decay
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **kwargs)


class Adamax(_Moments):
    """Adam with the largest gradient in the place of the mean of squares.

        m ← β₁ m + (1 - β₁) g
        u ← max(β₂ u, |g|)
        p ← p - lr / (1 - β₁ᵗ) · m / (u + ε)

    Kingma and Ba 2015, section 7.1.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: β₁, the share of the old mean of gradients.
        beta_2: β₂, by which the largest gradient fades.
        epsilon: ε.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Adamax(2e-3)
    """

    def slot_groups(self) -> list[dict[str, float]]:
        """The mean of gradients and the largest one."""
        return [{"momentum": 0.0, "norm": 0.0}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        m, u = slots["momentum"], slots["norm"]
        m.lerp_(g, 1 - self.beta_1)
        u.mul_(self.beta_2)
        u.maximum_(g.abs())
        p.addcdiv_(m, u + self.epsilon, -lr / one_minus_power(self.beta_1, t))


class Nadam(_Moments):
    """Adam with Nesterov's momentum (Dozat 2016).

        μₜ = β₁ (1 - 0.96ᵗ / 2),  Uₜ = μ₁ μ₂ … μₜ
        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        p ← p - lr (μₜ₊₁ m / (1 - Uₜ₊₁) + (1 - μₜ) g / (1 - Uₜ)) / (√(v / (1 - β₂ᵗ)) + ε)

    "Incorporating Nesterov Momentum into Adam".

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: β₁, the share of the old mean of gradients.
        beta_2: β₂, the share of the old mean of squares.
        epsilon: ε.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Nadam(1e-3)
    """

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the slots, and the product of all μ, which the variables share."""
        if not self.built:
            super().build(variables)
            self._shared["u_product"] = [self._add_number("u_product", 1.0, "float32")]

    def slot_groups(self) -> list[dict[str, float]]:
        """Both means."""
        return [{"momentum": 0.0, "velocity": 0.0}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        m, v, product = slots["momentum"], slots["velocity"], slots["u_product"]
        now = self.beta_1 * (1 - 0.5 * 0.96**t)
        following = self.beta_1 * (1 - 0.5 * 0.96 ** (t + 1))
        product.mul_(now)
        product_now = adapter.optimizers.number(product.tensors[0])
        update_moments(m, v, g, self.beta_1, self.beta_2)
        scale = v.sqrt()
        scale.mul_(1 / scalar.sqrt(one_minus_power(self.beta_2, t)))
        scale.add_(self.epsilon)
        p.addcdiv_(m, scale, -lr * following / (1 - product_now * following))
        p.addcdiv_(g, scale, -lr * (1 - now) / (1 - product_now))


class Lamb(_Moments):
    """Adam's steps, made as long as the variables that they change are large (You et al. 2020).

        m ← β₁ m + (1 - β₁) g
        v ← β₂ v + (1 - β₂) g²
        s = m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)
        p ← p - lr |p| / |s| s              with 1 for |p| / |s| if either is zero

    "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes". Norms are L2, of each
    variable by itself.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_1: β₁, the share of the old mean of gradients.
        beta_2: β₂, the share of the old mean of squares.
        epsilon: ε.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Lamb(2e-3, weight_decay=0.01)
    """

    def slot_groups(self) -> list[dict[str, float]]:
        """Both means."""
        return [{"momentum": 0.0, "velocity": 0.0}]

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        m, v = slots["momentum"], slots["velocity"]
        update_moments(m, v, g, self.beta_1, self.beta_2)
        scale = v.sqrt()
        scale.mul_(1 / scalar.sqrt(one_minus_power(self.beta_2, t)))
        scale.add_(self.epsilon)
        step = m / scale
        step.mul_(1 / one_minus_power(self.beta_1, t))
        # Norms have the ratio of the roots of mean squares.
        p.addcmul_(step, p.rms().map(_ratio, step.rms()), -lr)


def _ratio(p: Tensor, step: Tensor) -> Tensor:
    return ops.where(ops.logical_and(p > 0, step > 0), p / step, 1.0)
