"""Muon: steps whose matrices are orthogonal."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlapi import dtypes, ops
from mlapi.optimizers.adam import relative_step_size, update_moments
from mlapi.optimizers.arguments import share
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.optimizers.scalar import Scalar
from mlapi.optimizers.state import Start
from mlapi.state import Variable
from mlapi.types import Tensor
from mlapi.validation import fraction, non_negative, number, optional, positive, positive_int


class Muon(Optimizer):
    """Momentum, made orthogonal, for matrices; AdamW for all other variables.

        m ← μ m + g
        u = g + μ m                     u = m without `nesterov`
        p ← p - lr λ p - lr rms_rate √max(n, k) O(u)      for n x k matrices

    O(u) is near to U Vᵀ of the singular value decomposition u = U S Vᵀ: from u divided by its
    norm, `ns_steps` Newton-Schulz steps x ← a x + (b x xᵀ + c (x xᵀ)²) x bring the singular values
    close to one. Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the
    factor
    rms_rate √max(n, k), with which learning rates and decays are those of AdamW, is from Liu et al.
    2025, "Muon is Scalable for LLM Training".

    The input and output layers of a model are better off with AdamW. Embeddings are found by their
    names; name the last layer in `exclude_layers`.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        adam_beta_1: β₁ of AdamW.
        adam_beta_2: β₂ of AdamW.
        adam_weight_decay: weight decay of the variables that AdamW updates.
        epsilon: ε of AdamW.
        weight_decay: λ, of the matrices.
        exclude_layers: regular expressions; AdamW updates variables with one of them in their path.
        exclude_embeddings: whether AdamW updates variables with "embedding" in their path.
        muon_a: a.
        muon_b: b.
        muon_c: c.
        adam_lr_ratio: AdamW's learning rate over this one.
        momentum: μ, from 0 to 1.
        ns_steps: number of Newton-Schulz steps.
        nesterov: whether to use Nesterov's form.
        rms_rate: size of the steps' elements; None for O(u) as it is.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Muon(1e-3, exclude_layers=["head"])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.adam_beta_1 = share(self, "adam_beta_1", adam_beta_1)
        self.adam_beta_2 = share(self, "adam_beta_2", adam_beta_2)
        self.adam_weight_decay = optional(non_negative)(
            self, "adam_weight_decay", adam_weight_decay
        )
        self.epsilon = non_negative(self, "epsilon", epsilon)
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = bool(exclude_embeddings)
        self.muon_a = number(self, "muon_a", muon_a)
        self.muon_b = number(self, "muon_b", muon_b)
        self.muon_c = number(self, "muon_c", muon_c)
        self.adam_lr_ratio = non_negative(self, "adam_lr_ratio", adam_lr_ratio)
        self.momentum = fraction(self, "momentum", momentum)
        self.ns_steps = positive_int(self, "ns_steps", ns_steps)
        self.nesterov = bool(nesterov)
        self.rms_rate = optional(positive)(self, "rms_rate", rms_rate)

    def slot_groups(self) -> Sequence[Mapping[str, Start]]:
        """The momentum, and AdamW's mean of squares for the variables that it updates."""
        return [{"momentum": 0.0, "velocity": self._velocity}]

    def _velocity(self, variable: Variable) -> np.ndarray | None:
        if not self._is_for_adam(variable):
            return None
        return np.zeros(variable.shape, dtypes.numpy_dtype(variable.dtype))

    def _is_for_adam(self, variable: Variable) -> bool:
        if variable.ndim != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _decay_of(self, slots: Mapping[str, Any]) -> float | None:
        return self.adam_weight_decay if "velocity" in slots else self.weight_decay

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class, and that of Adam for variables with its slots."""
        m = slots["momentum"]
        if "velocity" in slots:
            v, beta_1, beta_2 = slots["velocity"], self.adam_beta_1, self.adam_beta_2
            update_moments(m, v, g, beta_1, beta_2)
            scale = v.sqrt()
            scale.add_(self.epsilon)
            relative = self.adam_lr_ratio * relative_step_size(t, beta_1, beta_2)
            p.addcdiv_(m, scale, -lr * relative)
            return
        m.mul_(self.momentum)
        m.add_(g)
        p.add_((g + m * self.momentum if self.nesterov else m).map(self._orthogonal), -lr)

    def _orthogonal(self, x: Tensor) -> Tensor:
        return self.lr_adjust(self.zeropower_via_newtonschulz5(x, self.ns_steps))

    def zeropower_via_newtonschulz5(self, x: Tensor, steps: int) -> Tensor:
        """Matrices whose singular values are near one, and the singular vectors those of `x`.

        Args:
            x: tensor of shape `(…, n, k)`.
            steps: number of Newton-Schulz steps.
        """
        tall = x.shape[-2] > x.shape[-1]
        if tall:  # the smaller of both products of a matrix with itself
            x = self.transpose_last_axis(x)
        x = x / (ops.sqrt(ops.sum(x * x, axis=(-2, -1), keepdims=True)) + 1e-7)
        for _ in range(steps):
            gram = ops.matmul(x, self.transpose_last_axis(x))
            gram = self.muon_b * gram + self.muon_c * ops.matmul(gram, gram)
            x = self.muon_a * x + ops.matmul(gram, x)
        return self.transpose_last_axis(x) if tall else x

    def lr_adjust(self, x: Tensor) -> Tensor:
        """Steps of shape `(…, n, k)` times `rms_rate √max(n, k)`, unless `rms_rate` is None."""
        if self.rms_rate is None:
            return x
        return x * (self.rms_rate * max(x.shape[-2:]) ** 0.5)

    def transpose_last_axis(self, X: Tensor) -> Tensor:
        """Matrices `(…, n, k)` with their last two axes exchanged."""
        return ops.swapaxes(X, -1, -2)
