"""Learning rates that change with the step count, computed inside the step."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from mlapi import serialization
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.optimizers import scalar
from mlapi.optimizers.scalar import Scalar
from mlapi.serialization import Configurable
from mlapi.types import TensorLike
from mlapi.validation import Choice, fraction, non_negative, number, optional, positive

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "WarmUp",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(Configurable):
    """Base of all schedules; yours overrides `__call__(step)`.

    `step` is the number of updates made before this one: a Python int where the host knows it, or
    a scalar tensor inside a compiled step, so write the formula with operators and `mlapi.ops`.
    Constructor arguments kept under their own names are the config.

    Example:
        >>> import mlapi
        >>> class InverseRoot(mlapi.optimizers.schedules.LearningRateSchedule):
        ...     def __init__(self, peak):
        ...         self.peak = peak
        ...     def __call__(self, step):
        ...         return self.peak * mlapi.ops.rsqrt(step + 1.0)
        >>> optimizer = mlapi.optimizers.SGD(InverseRoot(0.1))
    """

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate, a number or scalar tensor."""
        raise NotImplementedError(f"{type(self).__name__} must override __call__(self, step).")


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate · decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: number of steps in which the rate is multiplied by `decay_rate` once.
        decay_rate: the factor.
        staircase: whether the exponent is rounded down, so that the rate falls in steps.
        name: kept in the config.

    Example:
        >>> schedule = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
        >>> schedule(20)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.decay_rate = non_negative(self, "decay_rate", decay_rate)
        self.staircase = bool(staircase)
        self.name = name

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        periods = scalar.to_float(step) / self.decay_steps
        if self.staircase:
            periods = scalar.floor(periods)
        return self.initial_learning_rate * self.decay_rate**periods


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate · step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: number of steps that count as one unit of time.
        decay_rate: by how much the divisor grows in a unit of time.
        staircase: whether time is rounded down to whole units.
        name: kept in the config.

    Example:
        >>> InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.5)(2)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.decay_rate = non_negative(self, "decay_rate", decay_rate)
        self.staircase = bool(staircase)
        self.name = name

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        periods = scalar.to_float(step) / self.decay_steps
        if self.staircase:
            periods = scalar.floor(periods)
        return self.initial_learning_rate / (1 + self.decay_rate * periods)


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: steps in increasing order.
        values: rates, one more than there are boundaries.
        name: kept in the config.

    Example:
        >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
        >>> schedule(100), schedule(101)
        (0.1, 0.01)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        self.boundaries = [number(self, "boundaries", b) for b in boundaries]
        self.values = [number(self, "values", v) for v in values]
        self.name = name
        if len(self.values) != len(self.boundaries) + 1:
            raise ArgumentError(
                "PiecewiseConstantDecay needs one value more than boundaries, received "
                f"{len(self.boundaries)} boundaries and {len(self.values)} values."
            )
        if self.boundaries != sorted(set(self.boundaries)):
            raise ArgumentError(
                f"PiecewiseConstantDecay: boundaries must increase, received {self.boundaries}."
            )

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        now = scalar.to_float(step)
        rate: Scalar = self.values[-1]
        for boundary, value in zip(self.boundaries[::-1], self.values[-2::-1], strict=True):
            rate = scalar.where(now <= boundary, value, rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) · (1 - step / decay_steps) ** power + end`, constant afterwards.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: number of steps until `end_learning_rate` is reached.
        end_learning_rate: the last rate.
        power: 1 for a straight line.
        cycle: whether, past its end, `decay_steps` is raised to its next multiple, so that the
            rate goes up again and falls more slowly.
        name: kept in the config.

    Example:
        >>> PolynomialDecay(0.5, decay_steps=10, end_learning_rate=0.25)(5)
        0.375
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.end_learning_rate = number(self, "end_learning_rate", end_learning_rate)
        self.power = number(self, "power", power)
        self.cycle = bool(cycle)
        self.name = name

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        periods = scalar.to_float(step) / self.decay_steps
        whole = scalar.maximum(scalar.ceil(periods), 1.0) if self.cycle else 1.0
        left = 1 - scalar.minimum(periods / whole, 1.0)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * left**self.power + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave from a rate down to `alpha` times it, after a linear warm-up if wanted.

    Without `warmup_target` the wave starts at `initial_learning_rate`. With it, the rate first
    rises from there to `warmup_target` in `warmup_steps`, and the wave starts at the target.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: length of the wave.
        alpha: the last rate, as a fraction of the one with which the wave starts.
        name: kept in the config.
        warmup_target: the rate after warm-up, or None for no warm-up.
        warmup_steps: length of the warm-up.

    Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts";
    warm-up: Goyal et al. 2017, "Accurate, Large Minibatch SGD".

    Example:
        >>> schedule = CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
        >>> schedule(5), schedule(10), schedule(110)
        (0.05, 0.1, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = number(self, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.alpha = number(self, "alpha", alpha)
        self.name = name
        self.warmup_target = optional(number)(self, "warmup_target", warmup_target)
        self.warmup_steps = non_negative(self, "warmup_steps", warmup_steps)

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        now = scalar.to_float(step)
        if self.warmup_target is None:
            return self._wave(now, self.initial_learning_rate)
        decayed = self._wave(scalar.maximum(now - self.warmup_steps, 0.0), self.warmup_target)
        if not self.warmup_steps:
            return decayed
        slope = (self.warmup_target - self.initial_learning_rate) / self.warmup_steps
        warming = self.initial_learning_rate + slope * now
        return scalar.where(now < self.warmup_steps, warming, decayed)

    def _wave(self, step: Scalar, peak: float) -> Scalar:
        done = scalar.minimum(step / self.decay_steps, 1.0)
        return peak * _cosine(done, 1.0, self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine waves one after the other, each `t_mul` times as long and `m_mul` times as high.

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: length of the first wave.
        t_mul: how much longer each wave is than the one before it, at least 1.
        m_mul: how much higher it starts.
        alpha: the lowest rate, as a fraction of `initial_learning_rate`.
        name: kept in the config.

    Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts".

    Example:
        >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10, m_mul=0.5)
        >>> schedule(0), schedule(10)
        (0.1, 0.05)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = number(self, "initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul = positive(self, "t_mul", t_mul)
        self.m_mul = positive(self, "m_mul", m_mul)
        self.alpha = number(self, "alpha", alpha)
        self.name = name
        if self.t_mul < 1:
            raise ArgumentError(f"CosineDecayRestarts: t_mul must be at least 1, received {t_mul}.")

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        periods = scalar.to_float(step) / self.first_decay_steps
        if self.t_mul == 1:
            restarts = scalar.floor(periods)
            done = periods - restarts
        else:
            # n waves together last (t_mulⁿ - 1) / (t_mul - 1) times the first.
            growth = self.t_mul - 1
            restarts = scalar.floor(
                scalar.log(1 + growth * periods) / math.log(self.t_mul) + _ROUNDING
            )
            length = self.t_mul**restarts
            done = scalar.maximum((periods - (length - 1) / growth) / length, 0.0)
        return self.initial_learning_rate * _cosine(done, self.m_mul**restarts, self.alpha)


# So that a logarithm which rounding left just below a whole number counts as that number.
_ROUNDING = 1e-6


def _cosine(done: Scalar, height: Scalar, alpha: float) -> Scalar:
    """Half a wave of this height, brought from [0, 1] to [alpha, 1]."""
    return (1 - alpha) * 0.5 * height * (1 + scalar.cos(math.pi * done)) + alpha


class OneCycle(LearningRateSchedule):
    """Up from a small rate to the largest one, then down to almost nothing.

    The rate starts at `max_learning_rate / div_factor`, is at `max_learning_rate` at step
    `pct_start · total_steps - 1`, and at `max_learning_rate / (div_factor · final_div_factor)` at
    step `total_steps - 1`, where it stays. Smith and Topin 2018, "Super-Convergence: Very Fast
    Training of Neural Networks Using Large Learning Rates". The steps and the defaults are those
    of `torch.optim.lr_scheduler.OneCycleLR`, which can change the momentum too; this one leaves
    it alone. `Model.lr_find` helps to choose `max_learning_rate`.

    Args:
        max_learning_rate: the largest rate.
        total_steps: how many steps there are: epochs times batches an epoch.
        pct_start: the part of them in which the rate rises, from 0 to 1.
        anneal_strategy: `"cos"` for half cosine waves, `"linear"` for straight lines.
        div_factor: the largest rate divided by the first.
        final_div_factor: the first rate divided by the last.
        three_phase: whether the rate falls as fast as it rose, to the first rate, and only
            afterwards to the last one.
        name: kept in the config.

    Example:
        >>> schedule = OneCycle(0.1, total_steps=101, pct_start=0.5, div_factor=10.0)
        >>> round(schedule(0), 6), round(schedule(49), 3), schedule(100) < 1e-5
        (0.01, 0.1, True)
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: float,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        name: str = "OneCycle",
    ) -> None:
        self.max_learning_rate = positive(self, "max_learning_rate", max_learning_rate)
        self.total_steps = positive(self, "total_steps", total_steps)
        self.pct_start = fraction(self, "pct_start", pct_start)
        self.anneal_strategy = _anneal_strategy(self, "anneal_strategy", anneal_strategy)
        self.div_factor = positive(self, "div_factor", div_factor)
        self.final_div_factor = positive(self, "final_div_factor", final_div_factor)
        self.three_phase = bool(three_phase)
        self.name = name
        if self.three_phase and self.pct_start > 0.5:
            raise ArgumentError(
                "OneCycle: three_phase=True needs as many steps down as up, so pct_start must be "
                f"at most 0.5, received {pct_start}."
            )

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        now = scalar.to_float(step)
        top = self.pct_start * self.total_steps - 1
        first = self.max_learning_rate / self.div_factor
        corners = [(0.0, first), (top, self.max_learning_rate)]
        if self.three_phase:
            corners.append((2 * top, first))
        corners.append((self.total_steps - 1, first / self.final_div_factor))
        rate: Scalar = corners[-1][1]
        for (start, left), (end, right) in zip(corners[-2::-1], corners[:0:-1], strict=True):
            if end > start:
                done = scalar.minimum(scalar.maximum((now - start) / (end - start), 0.0), 1.0)
                if self.anneal_strategy == "cos":
                    done = 0.5 - 0.5 * scalar.cos(math.pi * done)
                rate = scalar.where(now <= end, left + (right - left) * done, rate)
        return rate


_anneal_strategy = Choice("cos", "linear")


class WarmUp(LearningRateSchedule):
    """Straight up to where another schedule, or a constant rate, begins; then that one.

    The other schedule counts its steps from the end of the warm-up. Goyal et al. 2017, "Accurate,
    Large Minibatch SGD".

    Args:
        learning_rate: a number or a schedule.
        warmup_steps: length of the warm-up.
        initial_learning_rate: the rate at step 0.
        name: kept in the config.

    Example:
        >>> schedule = WarmUp(ExponentialDecay(0.5, 10, 0.5), warmup_steps=4)
        >>> schedule(0), schedule(2), schedule(4), schedule(14)
        (0.0, 0.25, 0.5, 0.25)
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        warmup_steps: float,
        initial_learning_rate: float = 0.0,
        name: str = "WarmUp",
    ) -> None:
        if callable(learning_rate) and not isinstance(learning_rate, LearningRateSchedule):
            raise ArgumentTypeError(
                "WarmUp: learning_rate must be a number or a LearningRateSchedule, received "
                f"{learning_rate!r}."
            )
        if not isinstance(learning_rate, LearningRateSchedule):
            learning_rate = number(self, "learning_rate", learning_rate)
        self.learning_rate = learning_rate
        self.warmup_steps = positive(self, "warmup_steps", warmup_steps)
        self.initial_learning_rate = number(self, "initial_learning_rate", initial_learning_rate)
        self.name = name

    def __call__(self, step: TensorLike) -> Any:
        """Returns the learning rate."""
        now = scalar.to_float(step)
        rate = self._after(scalar.maximum(now - self.warmup_steps, 0.0))
        # At step 0 of the other schedule as long as this lasts.
        rising = scalar.minimum(now / self.warmup_steps, 1.0)
        return self.initial_learning_rate + (rate - self.initial_learning_rate) * rising

    def _after(self, step: Scalar) -> Any:
        rate = self.learning_rate
        return rate(step) if isinstance(rate, LearningRateSchedule) else rate

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, a schedule among them as a record."""
        return {
            **super().get_config(),
            "learning_rate": serialization.serialize(self.learning_rate),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns a new schedule from what `get_config` returned."""
        rate = serialization.deserialize(config["learning_rate"], family="optimizers.schedules")
        return cls(**{**config, "learning_rate": rate})


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Returns the config record of a schedule, from which `deserialize` makes an equal one."""
    return serialization.serialize(learning_rate_schedule)


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> LearningRateSchedule:
    """Returns the schedule of a config record.

    Args:
        config: what `serialize` returned.
        custom_objects: name → class, for schedules of yours.

    Raises:
        LoadError: the record is refused.
    """
    return serialization.deserialize(config, custom_objects, family="optimizers.schedules")
