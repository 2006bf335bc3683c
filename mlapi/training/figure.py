"""Empty figures, to be shown or only to be written."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_COLUMNS = 3


def new_figure(count: int, by_pyplot: bool) -> tuple["Figure", list["Axes"]]:
    """A figure with a number of panels; one that is only written needs no display, nor pyplot."""
    columns = min(count, _MOST_COLUMNS)
    rows = -(-count // columns)
    size = (1.0 + 4.2 * columns, 3.6 * rows)
    if by_pyplot:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=size, layout="constrained")
    else:
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
