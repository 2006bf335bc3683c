"""Validation in the midst of epochs leaves training as it is, and callbacks see its numbers."""

import numpy as np
import pytest

import mlapi
from mlapi import callbacks, layers
from mlapi.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
HELD_OUT = (X[:6] + 1, Y[:6] - 1)


def make_model(**options):
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(mlapi.optimizers.SGD(0.01), "mse", metrics=["mae"], **options)
    return model


def fit(*listeners, model=None, epochs=2, **kwargs):
    """Ten batches in two epochs."""
    model = model or make_model()
    kwargs = {"batch_size": 4, "verbose": 0, "shuffle": False, **kwargs}
    return model.fit(X, Y, epochs=epochs, callbacks=list(listeners), **kwargs)


class Seen(callbacks.Callback):
    """Keeps the logs of every batch as numbers, and the weights that they were made with."""

    def __init__(self):
        self.batches, self.weights = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))
        self.weights.append(self.model.get_weights())


def without_validation(logs):
    return {name: value for name, value in logs.items() if not name.startswith("val_")}


def test_the_numbers_of_training_are_those_of_a_run_without_validation():
    plain, seen = Seen(), Seen()
    expected = fit(plain)
    history = fit(seen, validation_data=HELD_OUT, validation_every=3)
    assert [without_validation(logs) for logs in seen.batches] == plain.batches
    assert without_validation(history.history) == expected.history


def test_validation_comes_every_so_many_steps_of_the_run_and_is_that_of_evaluate():
    seen = Seen()
    history = fit(seen, validation_data=HELD_OUT, validation_every=3)
    assert [i for i, logs in enumerate(seen.batches) if "val_loss" in logs] == [2, 5, 8]
    other = make_model()
    for i in (2, 5, 8):
        other.set_weights(seen.weights[i])
        expected = other.evaluate(*HELD_OUT, batch_size=4, verbose=0, return_dict=True)
        got = {name: seen.batches[i][f"val_{name}"] for name in expected}
        np.testing.assert_allclose(list(got.values()), list(expected.values()), rtol=1e-6)
    # An epoch has the last numbers that it had.
    last = [seen.batches[i]["val_loss"] for i in (2, 8)]
    assert history.history["val_loss"] == last


def test_epochs_without_validation_have_none_of_its_numbers():
    history = fit(validation_data=HELD_OUT, validation_every=8)
    assert history.epochs_of["val_loss"] == [1]


def test_callbacks_that_are_told_of_some_batches_are_told_of_validation():
    seen = Seen()
    model = make_model(steps_per_execution=2)
    fit(seen, model=model, validation_data=HELD_OUT, validation_every=3)
    # Told after batches 2, 4 and 5 of five: due after 3, 6 and 9, at the next of those.
    told = [False, True, False, True, True, False]
    assert ["val_loss" in logs for logs in seen.batches] == told


def test_checkpoints_by_batch_watch_validation(tmp_path):
    seen = Seen()
    keep = callbacks.ModelCheckpoint(
        tmp_path / "{epoch}.{batch}.weights.h5", save_best_only=True, mode="max", save_freq=2
    )
    fit(seen, keep, validation_data=HELD_OUT, validation_every=2)
    losses = [logs["val_loss"] for logs in seen.batches if "val_loss" in logs]
    assert len(losses) == 5
    best, names = -np.inf, []
    for loss, name in zip(losses, ["1.2", "1.4", "2.1", "2.3", "2.5"], strict=True):
        if loss > best:
            best = loss
            names.append(f"{name}.weights.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_early_stopping_may_count_evaluations():
    stop = callbacks.EarlyStopping(
        "val_loss", mode="min", min_delta=100.0, patience=2, check_at="validation", verbose=1
    )
    seen = Seen()
    history = fit(seen, stop, epochs=5, validation_data=HELD_OUT, validation_every=2)
    # The first is the best, the second and third are no better.
    assert len(seen.batches) == 6
    assert stop.stopped_epoch == 1
    assert history.epoch == [0, 1]


def test_early_stopping_restores_the_weights_of_the_best_evaluation(capsys):
    stop = callbacks.EarlyStopping(
        "val_loss", min_delta=100.0, check_at="validation", restore_best_weights=True, verbose=1
    )
    seen = Seen()
    model = make_model()
    fit(seen, stop, model=model, validation_data=HELD_OUT, validation_every=2)
    assert len(seen.batches) == 4
    for value, expected in zip(model.get_weights(), seen.weights[1], strict=True):
        np.testing.assert_array_equal(value, expected)
    assert "Epoch 1: stopped early." in capsys.readouterr().out
    model.evaluate(*HELD_OUT, verbose=0, callbacks=[stop])  # not of a run: not counted
    assert not stop._in_fit


def test_a_callback_may_evaluate_between_batches():
    class Check(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            found.append(self.model.evaluate(*HELD_OUT, batch_size=4, verbose=0))

    found, plain, seen = [], Seen(), Seen()
    fit(plain)
    fit(Check(), seen)  # the logs are read afterwards
    assert seen.batches == plain.batches
    assert len(found) == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation_every": 2}, "Pass validation_data or validation_split"),
        ({"validation_every": 0}, "validation_every must be an integer of at least 1"),
        ({"log_every": 0}, "log_every must be an integer of at least 1"),
        (
            {"validation_every": 2, "validation_freq": 2, "validation_data": HELD_OUT},
            "Pass one of them",
        ),
    ],
)
def test_fit_refuses_wrong_paces(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        fit(**arguments)


def test_early_stopping_at_evaluations_watches_their_numbers():
    with pytest.raises(ArgumentError, match="monitor is 'loss'"):
        callbacks.EarlyStopping("loss", check_at="validation")
