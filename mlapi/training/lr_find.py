"""Which learning rates a model learns with: a short run in which the rate grows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from mlapi.data import Data
from mlapi.errors import ArgumentError, DataError
from mlapi.optimizers import LossScaleOptimizer, MultiOptimizer
from mlapi.state import Variable
from mlapi.training import randomness
from mlapi.training.figure import new_figure
from mlapi.validation import fraction, positive, positive_int

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STOP = 4.0  # times the best loss
_CURVE, _POINT = "#1f6fb4", "#d1600e"


@dataclass(frozen=True)
class LearningRates:
    """How the loss changed while the learning rate grew.

    Attributes:
        rates: the learning rates, each larger than the one before.
        losses: the smoothed loss of the batches up to there.
        batch_losses: the loss of the batches that were trained on with that rate.
        suggestion: the rate at which the smoothed loss fell fastest, a good one to begin with;
            None if it never fell.
    """

    rates: list[float]
    losses: list[float]
    batch_losses: list[float]
    suggestion: float | None

    def plot(self, path: str | PathLike[str] | None = None) -> "Figure":
        """Draws the loss over the rates.

        Args:
            path: file to write, in the format of its ending. No display is needed for that.

        Returns:
            The matplotlib figure; without `path` it is one of pyplot's, for
            `matplotlib.pyplot.show()`.
        """
        figure, (axes,) = new_figure(1, by_pyplot=path is None)
        axes.plot(self.rates, self.batch_losses, color="0.8", lw=1.0, label="of each batch")
        axes.plot(self.rates, self.losses, color=_CURVE, lw=1.8, label="smoothed")
        if self.suggestion is not None:
            at = self.rates.index(self.suggestion)
            label = f"suggestion {self.suggestion:.2g}"
            axes.plot(self.suggestion, self.losses[at], "o", color=_POINT, label=label)
        # Where the loss goes up at the end, the rest is what there is to see.
        low = min(*self.losses, *self.batch_losses)
        span = (max(self.losses[: int(np.argmin(self.losses)) + 1]) - low) or 1.0
        axes.set_ylim(low - 0.1 * span, low + 1.5 * span)
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure


def lr_find(
    model: Any, data: Data, min_rate: float, max_rate: float, steps: int, smoothing: float
) -> LearningRates:
    """See `Trainer.lr_find`."""
    positive("lr_find", "min_rate", min_rate)
    positive("lr_find", "max_rate", max_rate)
    fraction("lr_find", "smoothing", smoothing)
    if min_rate >= max_rate or smoothing == 1:
        raise ArgumentError(
            "lr_find: min_rate must be below max_rate, and smoothing below 1, received "
            f"{min_rate=}, {max_rate=}, {smoothing=}."
        )
    if positive_int("lr_find", "steps", steps) < 3:
        raise ArgumentError(f"lr_find: at least 3 steps are needed, received {steps}.")
    optimizer = _with_rate(model.optimizer)
    before = randomness.state()
    batches = _endless(data)
    first = next(batches)
    randomness.restore(before)
    rates, raw, smoothed = [], [], []
    with _rate_of(model, optimizer) as rate:
        function = model._function("train", first)
        with _put_back(model):
            batches = chain([first], batches)
            mean, best = 0.0, np.inf
            for value in np.geomspace(min_rate, max_rate, steps).tolist():
                rate.assign(value)
                loss = _loss_of(model, function, batches, optimizer.gradient_accumulation_steps)
                if not np.isfinite(loss):
                    break
                mean = smoothing * mean + (1 - smoothing) * loss
                rates.append(value)
                raw.append(loss)
                smoothed.append(mean / (1 - smoothing ** len(rates)))
                best = min(best, smoothed[-1])
                if smoothed[-1] > _STOP * best > 0:
                    break
    if not rates:
        raise DataError(
            f"lr_find: the loss of the first batch, at the rate {min_rate}, is not finite already. "
            "Check the data, or let fit(detect_nan=True) find where that comes from."
        )
    return LearningRates(rates, smoothed, raw, _steepest(rates, smoothed))


def _with_rate(optimizer: Any) -> Any:
    """The optimizer whose learning rate counts."""
    if isinstance(optimizer, LossScaleOptimizer):
        return _with_rate(optimizer.inner_optimizer)
    if optimizer is None or isinstance(optimizer, MultiOptimizer):
        raise ArgumentError(
            f"lr_find: a model compiled with {optimizer!r} as its optimizer has no one learning "
            "rate that could grow. Compile it with one optimizer."
        )
    return optimizer


def _endless(data: Data) -> Iterator[Any]:
    while True:
        batch = None
        for batch in data.batches():
            yield batch
        if batch is None:
            raise DataError("lr_find: the data ran out; pass more, or fewer steps.")


def _loss_of(model: Any, function: Any, batches: Iterator[Any], updates: int | None) -> float:
    """The mean loss of the batches of one update."""
    model.reset_metrics()
    logs = None
    for _ in range(updates or 1):
        logs = function(next(batches))
    if logs is None or "loss" not in logs:
        raise ArgumentError('lr_find: the model\'s train_step returns no number named "loss".')
    return float(logs["loss"])


@contextmanager
def _rate_of(model: Any, optimizer: Any) -> Iterator[Variable]:
    """The Variable of the learning rate, for a while in place of a schedule if there is one."""
    own = optimizer._learning_rate
    if isinstance(own, Variable):
        yield own
        return
    functions, model._functions = model._functions, None
    rate = optimizer._learning_rate = optimizer._add_number("learning_rate", 0.0, "float32")
    try:
        yield rate
    finally:
        optimizer._variables = [v for v in optimizer._variables if v is not rate]
        optimizer._learning_rate, model._functions = own, functions


@contextmanager
def _put_back(model: Any) -> Iterator[None]:
    """Puts all Variables and generators of random numbers back at the end, however it comes."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    values = [(v, v.numpy()) for v in model._state()]
    generators = randomness.state()
    try:
        yield
    finally:
        for variable, value in values:
            variable.assign(value)
        randomness.restore(generators)


def _steepest(rates: list[float], losses: list[float]) -> float | None:
    """Where the loss falls fastest over the logarithm of the rate, up to its lowest point.

    The first tenth does not count: there the smoothed loss is the mean of few batches.
    """
    first, last = len(rates) // 10, int(np.argmin(losses)) + 1
    if last - first < 2:
        return None
    slopes = np.gradient(losses, np.log(rates))[first:last]
    at = int(np.argmin(slopes))
    return rates[first + at] if slopes[at] < 0 else None
