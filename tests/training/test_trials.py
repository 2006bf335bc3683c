"""`fit` on a part of the data: which batches it sees, and what it writes."""

import numpy as np
import pytest

import mlapi
from mlapi import callbacks, layers
from mlapi.errors import ArgumentError

X = np.arange(40, dtype="float32").reshape(20, 2) / 40
Y = X.sum(axis=1, keepdims=True)


class Rows(mlapi.Model):
    """Its loss is the mean of a column of the batch, so that logs tell which rows came."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, _ = data
        return {**super().train_step(data), "row": mlapi.ops.mean(x[:, 0]) * 20}

    def test_step(self, data):
        x, _ = data
        return {**super().test_step(data), "row": mlapi.ops.mean(x[:, 0]) * 20}


class Seen(callbacks.Callback):
    def __init__(self):
        self.train, self.test, self.epochs = [], [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.train.append(round(logs["row"], 3))

    def on_test_batch_end(self, batch, logs=None):
        self.test.append(round(logs["row"], 3))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1


def fit(*listeners, x=X, y=Y, **kwargs):
    model = Rows()
    model.compile(mlapi.optimizers.SGD(0.1), "mse")
    seen = Seen()
    kwargs = {"batch_size": 4, "verbose": 0, "shuffle": False, **kwargs}
    model.fit(x, y, callbacks=[*listeners, seen], **kwargs)
    return model, seen


def means(*batches):
    return [float(np.mean([rows[0] * 20 for rows in X[4 * i : 4 * i + 4]])) for i in batches]


def generator():
    for i in range(5):
        yield X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


@pytest.mark.parametrize(("count", "batches"), [(True, [0]), (2, [0, 1])])
def test_a_fast_run_trains_and_validates_on_the_first_batches_and_writes_nothing(
    count, batches, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    model, seen = fit(
        callbacks.ModelCheckpoint("model.keras"),
        callbacks.CSVLogger("log.csv"),
        callbacks.BackupAndRestore("backup"),
        fast_dev_run=count,
        epochs=7,
        validation_data=(X, Y),
        validation_freq=5,
        checkpoint_dir="checkpoints",
    )
    assert (seen.train, seen.test, seen.epochs) == (means(*batches), means(*batches), 1)
    assert list(tmp_path.iterdir()) == []
    assert int(model.optimizer.iterations) == len(batches)
    assert "val_loss" in model.history.history
    assert capsys.readouterr().out == ""


def test_the_same_batches_again_and_again():
    _, seen = fit(overfit_batches=2, epochs=2, shuffle=True)
    assert seen.train == means(0, 1, 0, 1)
    assert seen.test == means(0, 1, 0, 1)  # there is nothing else to evaluate on
    _, seen = fit(overfit_batches=2, epochs=1, validation_data=(X[8:12], Y[8:12]))
    assert seen.test == means(2)
    _, seen = fit(x=generator(), y=None, overfit_batches=2, epochs=2)  # can be read but once
    assert seen.train == means(0, 1, 0, 1)


@pytest.mark.parametrize(
    ("limit", "batches"),
    [(2, [0, 1]), (0.4, [0, 1]), (0.01, [0]), (1.0, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])],
)
def test_each_epoch_is_cut_short(limit, batches):
    _, seen = fit(limit_batches=limit, epochs=2, validation_data=(X, Y))
    assert seen.train == means(*batches, *batches)
    assert seen.test == means(*batches, *batches)


def test_each_epoch_has_other_rows_where_they_are_shuffled():
    _, seen = fit(limit_batches=2, epochs=2, shuffle=True)
    assert len(seen.train) == 4
    assert seen.train[:2] != seen.train[2:]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"fast_dev_run": True, "limit_batches": 3}, "exclude one another"),
        ({"fast_dev_run": -1}, "fast_dev_run must be an integer of at least 1"),
        ({"overfit_batches": 0}, "overfit_batches must be an integer of at least 1"),
        ({"limit_batches": 0}, "limit_batches must be an integer of at least 1"),
        ({"limit_batches": 1.5}, "a part of the data from 0 to 1"),
        ({"x": generator(), "y": None, "limit_batches": 0.5}, "do not say how many"),
    ],
)
def test_errors(kwargs, message):
    with pytest.raises(ArgumentError, match=message):
        fit(**kwargs)
