"""The picture of a run shows the run."""

import numpy as np
import pytest

from mlapi.callbacks import History
from mlapi.errors import ArgumentError
from mlapi.visualization import plot_history

RUN = {
    "loss": [0.9, 0.5, 0.3],
    "accuracy": [0.5, 0.7, 0.8],
    "val_loss": [0.8, 0.6, 0.5],
    "val_accuracy": [0.6, 0.6, 0.7],
}


def lines(axes):
    """Label → points of each line."""
    return {line.get_label().split(",")[0]: line.get_xydata().tolist() for line in axes.lines}


def test_each_number_has_a_panel_with_training_and_validation(tmp_path):
    figure = plot_history(RUN, tmp_path / "run.png")
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    assert {axes.get_xlabel() for axes in figure.axes} == {"epoch"}
    for axes, name in zip(figure.axes, ("loss", "accuracy"), strict=True):
        assert lines(axes) == {
            "training": [[i + 1, value] for i, value in enumerate(RUN[name])],
            "validation": [[i + 1, value] for i, value in enumerate(RUN[f"val_{name}"])],
        }
        assert len(axes.get_legend().texts) == 2


def test_the_file_is_a_picture(tmp_path):
    path = tmp_path / "run.png"
    plot_history(RUN, path)
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_numbers_stand_at_the_epochs_that_had_them(tmp_path):
    history = History()
    for epoch in range(4, 8):
        history.on_epoch_end(epoch, {"loss": 1.0, **({"val_loss": 2.0} if epoch % 3 == 0 else {})})
    (axes,) = plot_history(history, tmp_path / "run.png").axes
    shown = lines(axes)
    assert [x for x, _ in shown["training"]] == [5, 6, 7, 8]
    assert [x for x, _ in shown["validation"]] == [7]


def test_numbers_that_are_not_finite_do_no_harm(tmp_path):
    figure = plot_history({"loss": [1.0, np.nan, np.inf]}, tmp_path / "run.png")
    assert figure.axes[0].get_yscale() == "linear"


def test_without_a_path_the_picture_is_one_of_pyplot():
    from matplotlib import pyplot

    figure = plot_history(RUN)
    try:
        assert pyplot.fignum_exists(figure.number)
    finally:
        pyplot.close(figure)


def test_an_empty_history_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="the history is empty"):
        plot_history(History(), tmp_path / "run.png")
    assert not list(tmp_path.iterdir())
