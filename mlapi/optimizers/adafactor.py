"""Adafactor: Adam's second moments in the memory of rows and columns."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np

from mlapi import dtypes, ops
from mlapi.optimizers import scalar
from mlapi.optimizers.arguments import Common
from mlapi.optimizers.base import LearningRate, Optimizer
from mlapi.optimizers.scalar import Scalar
from mlapi.optimizers.state import Start, Unused
from mlapi.state import Variable
from mlapi.types import Tensor
from mlapi.validation import non_negative, number, positive


class Adafactor(Optimizer):
    """Steps over the root of squared gradients whose average is kept as rows and columns.

        β = 1 - tᵈ                                        d is `beta_2_decay`
        r ← β r + (1 - β) mean of rows of g² + ε₁         c likewise of columns
        v = r cᵀ / mean(r)                                v ← β v + (1 - β) (g² + ε₁) for vectors
        s = g / √v
        p ← p - ρ max(ε₂, rms(p)) s / max(1, rms(s) / clip_threshold)

    with ρ = min(lr, 1 / √t) if `relative_step` and the learning rate is a number, else ρ = lr.
    Shazeer and Stern 2018, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost". For a
    variable with more than two axes, rows and columns are those of its last two.

    Files hold, as Keras's do, a full-sized `velocity` for matrices too. It says nothing that rows
    and columns do not say, is written as zeros and takes no memory.

    Args:
        learning_rate: a number, a schedule, or a function without arguments.
        beta_2_decay: d, at most 0.
        epsilon_1: ε₁, which keeps squares above zero.
        epsilon_2: ε₂, the smallest size of a variable, so that one of zeros can move.
        clip_threshold: how large the root of the mean square of a step may be.
        relative_step: whether 1 / √t bounds a fixed learning rate.
        **kwargs: as for `Optimizer`.

    Example:
        >>> import mlapi
        >>> optimizer = mlapi.optimizers.Adafactor(1e-2)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay = number(self, "beta_2_decay", beta_2_decay)
        self.epsilon_1 = non_negative(self, "epsilon_1", epsilon_1)
        self.epsilon_2 = non_negative(self, "epsilon_2", epsilon_2)
        self.clip_threshold = positive(self, "clip_threshold", clip_threshold)
        self.relative_step = bool(relative_step)

    def slot_groups(self) -> Sequence[Mapping[str, Start]]:
        """Averages of rows and of columns for matrices, of all squares for what is less."""
        return [{"r": _rows, "c": _columns, "velocity": _velocity}]

    def places_in_files(self) -> list[Any]:
        """The variables, and Keras's place for each slot that a variable of this rank has not."""
        if not self.built:
            return self.variables
        slots = [self._slots[name] for name in ("r", "c", "velocity")]
        used = sum(slot is not None for row in slots for slot in row)
        places: list[Any] = self._variables[: len(self._variables) - used]
        for variable, r, c, velocity in zip(self._trainable_variables, *slots, strict=True):
            if velocity is None:
                places += [r, c, Unused(variable.path, variable.shape, variable.dtype)]
            else:
                places += [Unused(variable.path, (), "int32") for _ in "rc"] + [velocity]
        return places

    def rule(self, p: Any, g: Any, slots: Mapping[str, Any], lr: Scalar, t: Scalar) -> None:
        """The formula of the class."""
        if self.relative_step and isinstance(self._learning_rate, Variable):
            lr = scalar.minimum(1 / scalar.sqrt(t), lr)
        new = t**self.beta_2_decay
        square = g * g
        square.add_(self.epsilon_1)
        if "r" in slots:
            r, c = slots["r"], slots["c"]
            r.lerp_(square.mean(-1), new)
            c.lerp_(square.mean(-2), new)
            step = g * r.map(_of_rows)
            step.mul_(c.map(_of_columns))
        else:
            v = slots["velocity"]
            v.lerp_(square, new)
            step = g / v.sqrt()
        p.addcmul_(step, p.rms().map(self._length, step.rms()), -lr)

    def _length(self, p: Tensor, step: Tensor) -> Tensor:
        return ops.maximum(p, self.epsilon_2) / ops.maximum(step / self.clip_threshold, 1.0)


def _of_rows(r: Tensor) -> Tensor:
    """The part of 1 / √v that rows have in common."""
    return ops.expand_dims(ops.rsqrt(r / ops.mean(r, axis=-1, keepdims=True)), -1)


def _of_columns(c: Tensor) -> Tensor:
    return ops.expand_dims(ops.rsqrt(c), -2)


def _rows(variable: Variable) -> np.ndarray | None:
    return _zeros(variable, variable.shape[:-1]) if variable.ndim > 1 else None


def _columns(variable: Variable) -> np.ndarray | None:
    shape = (*variable.shape[:-2], *variable.shape[-1:])
    return _zeros(variable, shape) if variable.ndim > 1 else None


def _velocity(variable: Variable) -> np.ndarray | None:
    return _zeros(variable, variable.shape) if variable.ndim < 2 else None


def _zeros(variable: Variable, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape, dtypes.numpy_dtype(variable.dtype))
