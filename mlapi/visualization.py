"""Pictures of training runs."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from mlapi.errors import ArgumentError
from mlapi.training.figure import new_figure
from mlapi.training.history import History

__all__ = [
    "plot_history",
]

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = {"training": "#1f6fb4", "validation": "#d1600e"}
# A loss that falls by more than this factor is drawn on a logarithmic axis.
_WIDE_RANGE = 100.0


def plot_history(
    history: History | Mapping[str, Sequence[float]], path: str | PathLike[str] | None = None
) -> "Figure":
    """Draws the loss and every metric over the epochs, training against validation.

    Args:
        history: what `fit` returned, or its `history` dict.
        path: file to write, in the format of its ending (`.png`, `.pdf`, `.svg`). No display is
            needed for that.

    Returns:
        The matplotlib figure, with one panel for each number. Without `path` it is one of
        pyplot's, to be shown by `matplotlib.pyplot.show()`.

    Raises:
        ArgumentError: there is nothing in the history.

    Example:
        >>> from mlapi.visualization import plot_history
        >>> figure = plot_history({"loss": [0.9, 0.4], "val_loss": [0.8, 0.5]}, "loss.png")
        >>> figure.axes[0].get_ylabel()
        'loss'
    """
    values = history.history if isinstance(history, History) else history
    if not any(len(numbers) for numbers in values.values()):
        raise ArgumentError("plot_history: the history is empty; train for at least one epoch.")
    names = [n for n in values if not n.startswith("val_") or n.removeprefix("val_") not in values]
    figure, panels = new_figure(len(names), by_pyplot=path is None)
    for name, axes in zip(names, panels):
        _draw_panel(axes, name, values, _epochs(history))
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def _epochs(history: History | Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    """Name → the epochs of its numbers, counted from 1."""
    if isinstance(history, History):
        return {name: np.array(epochs) + 1 for name, epochs in history.epochs_of.items()}
    last = max(map(len, history.values()))
    # Fewer numbers than epochs come from evaluating every so many epochs.
    return {
        name: np.arange(1, len(numbers) + 1) * (last // max(len(numbers), 1))
        for name, numbers in history.items()
    }


def _draw_panel(
    axes: "Axes", name: str, values: Mapping[str, Sequence[float]], epochs: dict[str, np.ndarray]
) -> None:
    from matplotlib.ticker import MaxNLocator

    lines: list[tuple[str, Any, np.ndarray]] = []
    for kind, key in (("training", name), ("validation", f"val_{name}")):
        if len(values.get(key, ())):
            numbers = np.asarray(values[key], dtype=float)
            lines.append((kind, epochs[key], numbers))
    for kind, x, y in lines:
        marker = "o" if len(y) <= 30 else None
        label = f"{kind}, last {y[-1]:.4g}" if len(lines) > 1 else f"last {y[-1]:.4g}"
        axes.plot(x, y, label=label, color=_COLORS[kind], marker=marker, markersize=3.5, lw=1.6)
    finite = np.concatenate([y[np.isfinite(y)] for _, _, y in lines])
    if len(finite) and 0 < finite.min() < finite.max() / _WIDE_RANGE:
        axes.set_yscale("log")
    shown = np.concatenate([x for _, x, _ in lines])
    axes.set_xlim(shown.min() - 0.5, shown.max() + 0.5)
    axes.set_xlabel("epoch")
    axes.set_ylabel(name.replace("_", " "))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
