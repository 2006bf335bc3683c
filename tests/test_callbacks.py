"""What callbacks do when they are told certain numbers, and what a run tells them."""

import csv
import functools
import json
import warnings

import numpy as np
import pytest

import mlapi
from mlapi import callbacks, layers
from mlapi.callbacks import Callback, CallbackList, LambdaCallback
from mlapi.errors import ArgumentError, ArgumentTypeError, DivergedError

X = np.linspace(-1, 1, 24, dtype="float32").reshape(12, 2)
Y = X.sum(axis=1, keepdims=True)
HOOKS = [name for name in vars(Callback) if name.startswith("on_") and "_batch_" not in name[:9]]


def make_model(learning_rate=0.1, metrics=()):
    model = mlapi.Sequential([mlapi.Input((2,)), layers.Dense(1)])
    optimizer = mlapi.optimizers.SGD(learning_rate)
    model.compile(optimizer=optimizer, loss="mse", metrics=list(metrics))
    return model


@functools.cache
def _compiled_model():
    return make_model()


def any_model(learning_rate=0.1):
    """One model for all tests that only look at the callbacks; it need not be compiled again."""
    model = _compiled_model()
    model.optimizer.learning_rate = learning_rate
    return model


def fit(model, *listeners, epochs=3, **kwargs):
    kwargs = {"batch_size": 4, "verbose": 0, "epochs": epochs, **kwargs}
    return model.fit(X, Y, callbacks=list(listeners), **kwargs)


def tell(**numbers):
    """A callback that puts the numbers of a script, one for each epoch, into the logs."""

    def write(epoch, logs):
        logs.update({name: script[epoch] for name, script in numbers.items()})

    return LambdaCallback(on_epoch_end=write)


class Recorder(Callback):
    """Notes every call of every hook, with the index."""

    def __init__(self):
        self.calls = []

    def __getattribute__(self, name):
        if name in HOOKS:
            return lambda *args: self.calls.append((name, *(a for a in args if type(a) is int)))
        return super().__getattribute__(name)


class Scalar:
    """A number that counts how often it is fetched."""

    def __init__(self):
        self.fetched = 0

    def __float__(self):
        self.fetched += 1
        return 0.25


# --- the list and the base class -------------------------------------------------------------


def test_fit_calls_the_hooks_in_order():
    recorder = Recorder()
    fit(any_model(), recorder, epochs=1, batch_size=6, validation_data=(X[:6], Y[:6]))
    assert recorder.calls == [
        ("on_train_begin",),
        ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1),
        ("on_train_batch_end", 1),
        ("on_test_begin",),
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0),
        ("on_test_end",),
        ("on_epoch_end", 0),
        ("on_train_end",),
    ]


def test_predict_calls_the_hooks_in_order():
    recorder = Recorder()
    any_model().predict(X, batch_size=12, verbose=0, callbacks=[recorder])
    assert recorder.calls == [
        ("on_predict_begin",),
        ("on_predict_batch_begin", 0),
        ("on_predict_batch_end", 0),
        ("on_predict_end",),
    ]


def test_only_overridden_hooks_are_listened_to():
    calls = CallbackList([Callback(), callbacks.EarlyStopping()])
    assert calls.listens("on_epoch_end")
    assert not calls.listens("on_train_batch_end")
    calls.append(LambdaCallback(on_train_batch_end=lambda batch, logs: None))
    assert calls.listens("on_train_batch_end")


def test_checkpoints_by_epoch_do_not_listen_to_batches():
    assert not CallbackList(callbacks.ModelCheckpoint("a.keras")).listens("on_train_batch_end")
    by_batch = callbacks.ModelCheckpoint("a.keras", save_freq=2)
    assert CallbackList(by_batch).listens("on_train_batch_end")


def test_numbers_of_a_batch_are_fetched_only_when_read():
    seen = []
    unread, read = Scalar(), Scalar()
    calls = CallbackList(LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs)))
    calls.on_train_batch_end(0, {"loss": read, "accuracy": unread})
    (logs,) = seen
    assert list(logs) == ["loss", "accuracy"]
    assert (read.fetched, unread.fetched) == (0, 0)
    assert logs["loss"] == 0.25
    assert (read.fetched, unread.fetched) == (1, 0)
    assert dict(logs) == {"loss": 0.25, "accuracy": 0.25}
    assert json.dumps(logs.copy()) == '{"loss": 0.25, "accuracy": 0.25}'


def test_logs_of_a_step_that_returns_its_loss_are_read():
    class Plain(mlapi.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            variables = self.dense.trainable_variables
            loss_fn = lambda: mlapi.ops.mean((self(x) - y) ** 2)  # noqa: E731
            loss, gradients = mlapi.value_and_grad(loss_fn, variables)()
            self.optimizer.apply(gradients, variables)
            return {"loss": loss, "first": self.dense.kernel.value[0, 0]}

    seen = []
    model = Plain()
    model(X[:1])
    model.compile("sgd")
    history = fit(model, LambdaCallback(on_train_batch_end=lambda b, logs: seen.append(dict(logs))))
    assert [logs["first"] for logs in seen[2::3]] == history.history["first"]


def test_logs_of_the_last_batch_are_those_of_the_epoch():
    losses = []
    watch = LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))
    history = fit(any_model(), watch, epochs=2)
    assert all(type(loss) is float for loss in losses)
    assert losses[2::3] == history.history["loss"]


def test_what_one_callback_logs_later_ones_and_the_history_see():
    seen = []
    watch = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["own"]))
    history = fit(any_model(), tell(own=[1.0, 2.0]), watch, epochs=2)
    assert seen == history.history["own"] == [1.0, 2.0]


def test_short_names_of_batch_hooks_work():
    class Short(Callback):
        def on_batch_end(self, batch, logs=None):
            batches.append(batch)

    batches = []
    fit(any_model(), Short(), epochs=1)
    assert batches == [0, 1, 2]


def test_callbacks_get_model_and_params():
    model, callback = any_model(), Callback()
    fit(model, callback, epochs=2)
    assert callback.model is model
    assert callback.params["epochs"] == 2
    assert callback.params["steps"] == 3


def test_a_callback_can_stop_training_between_batches():
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            batches.append(batch)
            self.model.stop_training = batch == 1

    batches = []
    history = fit(any_model(), Stop(), epochs=5)
    assert batches == [0, 1]
    assert history.epoch == [0]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (callbacks.EarlyStopping, r"EarlyStopping\(…\)"),
        (print, "LambdaCallback"),
        (3, "received 3"),
    ],
)
def test_what_is_no_callback_is_refused(wrong, hint):
    with pytest.raises(ArgumentTypeError, match=hint):
        CallbackList([wrong])


def test_lambda_callback_refuses_unknown_hooks():
    with pytest.raises(ArgumentTypeError, match="Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)


def test_history_counts_from_the_initial_epoch_and_forgets_the_last_run():
    model = any_model()
    fit(model, epochs=1)
    history = fit(model, epochs=5, initial_epoch=3, validation_data=(X, Y), validation_freq=2)
    assert history is model.history
    assert history.epoch == [3, 4]
    assert len(history.history["loss"]) == 2
    assert history.epochs_of == {"loss": [3, 4], "val_loss": [3]}


# --- early stopping --------------------------------------------------------------------------

FALLING_THEN_FLAT = [5.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("script", "arguments", "last"),
    [
        (FALLING_THEN_FLAT, {}, 3),
        (FALLING_THEN_FLAT, {"patience": 1}, 3),
        (FALLING_THEN_FLAT, {"patience": 3}, 5),
        (FALLING_THEN_FLAT, {"patience": 10}, 7),
        (FALLING_THEN_FLAT, {"mode": "max", "patience": 2}, 2),
        (FALLING_THEN_FLAT, {"start_from_epoch": 5}, 6),
        (FALLING_THEN_FLAT, {"baseline": 2.0, "patience": 2}, 1),
        (FALLING_THEN_FLAT, {"baseline": 4.5, "patience": 2}, 4),
        ([5.0, 4.95, 4.9, 4.85, 4.8, 4.75, 4.7, 4.65], {"min_delta": 0.3, "patience": 2}, 2),
        ([5.0, float("nan"), 4.0, 4.5, 4.5, 4.5, 4.5, 4.5], {"patience": 2}, 4),
        ([5.0, 4.0, 4.5, 3.0, 3.5, 2.0, 2.5, 1.0], {"patience": 2}, 7),
    ],
)
def test_early_stopping_stops_after_the_right_epoch(script, arguments, last):
    stop = callbacks.EarlyStopping(monitor="val_loss", **arguments)
    history = fit(any_model(), tell(val_loss=script), stop, epochs=len(script))
    assert history.epoch[-1] == last
    assert stop.stopped_epoch == (last if last < len(script) - 1 else 0)


@pytest.mark.parametrize(
    ("name", "script", "last"),
    [
        ("val_accuracy", [0.5, 0.6, 0.6, 0.7], 2),
        ("auc", [0.5, 0.6, 0.6, 0.7], 2),
        ("mean_absolute_error", [0.5, 0.4, 0.4, 0.3], 2),
    ],
)
def test_mode_auto_goes_by_the_name(name, script, last):
    stop = callbacks.EarlyStopping(monitor=name)
    assert fit(any_model(), tell(**{name: script}), stop, epochs=4).epoch[-1] == last


def test_a_name_that_does_not_tell_what_is_better_is_refused():
    stop = callbacks.EarlyStopping(monitor="swing")
    with pytest.raises(ArgumentError, match=r"'swing'.*mode='min' or mode='max'"):
        fit(any_model(), tell(swing=[1.0, 2.0, 3.0]), stop)


@pytest.mark.parametrize("epochs", [3, 6])
def test_early_stopping_restores_the_weights_of_the_best_epoch(epochs):
    weights = []
    keep = LambdaCallback(on_epoch_end=lambda e, logs: weights.append(model.get_weights()))
    stop = callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    model = any_model()
    fit(model, keep, tell(val_loss=[3.0, 1.0, 2.0, 2.0, 2.0, 2.0]), stop, epochs=epochs)
    assert stop.best_epoch == 1
    for value, expected in zip(model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(value, expected)


def test_early_stopping_starts_anew_in_every_fit():
    stop = callbacks.EarlyStopping("val_loss")
    model = any_model()
    fit(model, tell(val_loss=[1.0, 2.0, 3.0]), stop)
    history = fit(model, tell(val_loss=[9.0, 8.0, 7.0]), stop)
    assert history.epoch == [0, 1, 2]
    assert stop.stopped_epoch == 0


def test_a_name_that_is_not_in_the_logs_gets_one_warning():
    stop = callbacks.EarlyStopping("val_los")
    with pytest.warns(UserWarning, match=r"'val_los'.*Did you mean 'val_loss'") as caught:
        fit(any_model(), stop, validation_data=(X, Y))
    assert len(caught) == 1


def test_a_missing_validation_is_named_as_the_cause():
    with pytest.warns(UserWarning, match="Pass validation_data"):
        fit(any_model(), callbacks.EarlyStopping("val_loss"))


def test_acc_means_accuracy_with_one_note():
    stop = callbacks.EarlyStopping("val_acc")
    with pytest.warns(DeprecationWarning, match="'val_accuracy'") as caught:
        fit(any_model(), tell(val_accuracy=[0.5, 0.6, 0.6]), stop)
    assert len(caught) == 1
    assert stop.best == 0.6


def test_accuracy_means_acc():
    stop = callbacks.EarlyStopping("accuracy")
    fit(any_model(), tell(acc=[0.5, 0.6, 0.6]), stop)
    assert stop.best == 0.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "mix"}, "mode must be 'auto', 'min' or 'max', received 'mix'"),
        ({"patience": -1}, "patience must be an integer of at least 0"),
        ({"patience": 2.5}, "patience"),
        ({"monitor": 3}, "monitor must be the name"),
        ({"baseline": "low"}, "baseline"),
    ],
)
def test_early_stopping_refuses_wrong_arguments(arguments, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        callbacks.EarlyStopping(**arguments)


# --- learning rates --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule", [lambda epoch: 0.5**epoch, lambda epoch, lr: lr / 2 if epoch else 1.0]
)
def test_scheduler_sets_and_logs_the_learning_rate(schedule):
    model = any_model()
    history = fit(model, callbacks.LearningRateScheduler(schedule))
    assert history.history["learning_rate"] == [1.0, 0.5, 0.25]
    assert float(model.optimizer.learning_rate) == 0.25


def test_the_scheduled_learning_rate_is_the_one_that_trains():
    weights = []
    keep = LambdaCallback(on_epoch_end=lambda e, logs: weights.append(model.get_weights()[0]))
    model = make_model()
    start = model.get_weights()[0]
    fit(model, callbacks.LearningRateScheduler(lambda epoch: [0.0, 0.1, 0.0][epoch]), keep)
    np.testing.assert_array_equal(weights[0], start)
    assert np.abs(weights[1] - start).max() > 1e-3
    np.testing.assert_array_equal(weights[2], weights[1])


def test_a_schedule_must_return_a_number():
    with pytest.raises(ArgumentError, match="returned None for epoch 0"):
        fit(any_model(), callbacks.LearningRateScheduler(lambda epoch: None))
    with pytest.raises(ArgumentTypeError, match=r"function of \(epoch, learning_rate\)"):
        callbacks.LearningRateScheduler(0.1)


def test_the_error_of_a_schedule_is_passed_on():
    def schedule(epoch, lr):
        return {}["missing"]

    with pytest.raises(KeyError, match="missing"):
        fit(any_model(), callbacks.LearningRateScheduler(schedule))


@pytest.mark.parametrize(
    ("arguments", "rates"),
    [
        ({"patience": 1}, [1, 1, 1, 0.5, 0.25, 0.125, 0.0625]),
        ({"patience": 2}, [1, 1, 1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [1, 1, 1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "min_lr": 0.4}, [1, 1, 1, 0.5, 0.4, 0.4, 0.4]),
        ({"patience": 1, "min_delta": 1.5}, [1, 1, 0.5, 0.25, 0.125, 0.0625, 0.03125]),
    ],
)
def test_plateaus_lower_the_learning_rate(arguments, rates):
    # The logged rate of an epoch is the one that it was trained with.
    script = [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0]
    reduce = callbacks.ReduceLROnPlateau("val_loss", factor=0.5, **arguments)
    history = fit(any_model(1.0), tell(val_loss=script), reduce, epochs=len(script))
    np.testing.assert_allclose(history.history["learning_rate"], rates, rtol=1e-6)


def test_every_fit_has_its_own_plateaus():
    reduce = callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1)
    model = any_model(1.0)
    fit(model, tell(val_loss=[1.0]), reduce, epochs=1)
    history = fit(model, tell(val_loss=[3.0, 2.0, 1.5]), reduce)
    assert history.history["learning_rate"] == [1.0, 1.0, 1.0]


def test_reduce_on_plateau_refuses_a_factor_that_does_not_reduce():
    with pytest.raises(ArgumentError, match="factor must be from 0 to below 1, received 2"):
        callbacks.ReduceLROnPlateau(factor=2)


# --- checkpoints -----------------------------------------------------------------------------


def test_checkpoints_are_named_by_epoch_and_numbers(tmp_path):
    template = tmp_path / "deep" / "{epoch:02d}-{val_loss:.3f}.keras"
    history = fit(any_model(), callbacks.ModelCheckpoint(template), validation_data=(X, Y))
    expected = [f"{i + 1:02d}-{v:.3f}.keras" for i, v in enumerate(history.history["val_loss"])]
    assert sorted(path.name for path in template.parent.iterdir()) == expected


def test_names_of_old_programs_work_with_one_note_each(tmp_path):
    template = str(tmp_path / "weights.{epoch:02d}-{val_acc:.2f}.hdf5")
    arguments = {"monitor": "val_acc", "save_best_only": False, "mode": "auto", "period": 1}
    with pytest.warns(DeprecationWarning, match="period") as caught:
        keep = callbacks.ModelCheckpoint(template, **arguments)
    model = make_model(metrics=["accuracy"])
    with pytest.warns(DeprecationWarning, match="'val_accuracy'") as caught_later:
        history = fit(model, keep, validation_data=(X, Y), epochs=2)
    assert (len(caught), len(caught_later)) == (1, 1)
    value = history.history["val_accuracy"][-1]
    loaded = mlapi.models.load_model(tmp_path / f"weights.02-{value:.2f}.hdf5")
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-6)


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.hdf5", "m.weights.h5", "m.safetensors"])
def test_checkpoints_load_again(name, tmp_path):
    model = make_model()
    fit(model, callbacks.ModelCheckpoint(tmp_path / name))
    if name in ("m.weights.h5", "m.safetensors"):
        loaded = make_model()
        loaded.load_weights(tmp_path / name)
    else:
        loaded = mlapi.models.load_model(tmp_path / name)
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-6)


def saved_epochs(folder):
    return sorted(int(path.name.partition(".")[0]) for path in folder.iterdir())


@pytest.mark.parametrize(
    ("script", "arguments", "epochs"),
    [
        ([3.0, 4.0, 2.0, 2.0, 1.0], {}, [1, 3, 5]),
        ([3.0, 4.0, 2.0, 2.0, 5.0], {"mode": "max"}, [1, 2, 5]),
        ([3.0, 4.0, 2.0, 2.0, 1.0], {"initial_value_threshold": 2.5}, [3, 5]),
        ([float("nan"), 4.0, 5.0, 3.0, 3.5], {}, [2, 4]),
    ],
)
def test_save_best_only_saves_improvements(script, arguments, epochs, tmp_path):
    keep = callbacks.ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5", save_best_only=True, **arguments
    )
    fit(any_model(), tell(val_loss=script), keep, epochs=5)
    assert saved_epochs(tmp_path) == epochs


def test_a_good_checkpoint_survives_a_worse_fit_of_the_same_model(tmp_path):
    keep = callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_best_only=True)
    model = any_model()
    fit(model, tell(val_loss=[1.0]), keep, epochs=1)
    fit(model, tell(val_loss=[1.0, 2.0]), keep, epochs=2, initial_epoch=1)
    assert saved_epochs(tmp_path) == [1]
    fit(make_model(), tell(val_loss=[0.0, 2.0]), keep, epochs=2, initial_epoch=1)
    assert saved_epochs(tmp_path) == [1, 2]


def test_save_freq_counts_batches_across_epochs(tmp_path):
    keep = callbacks.ModelCheckpoint(tmp_path / "{epoch}.{batch}.weights.h5", save_freq=2)
    fit(any_model(), keep, epochs=2)  # three batches an epoch
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["1.2.weights.h5", "2.1.weights.h5", "2.3.weights.h5"]


def test_period_saves_every_so_many_epochs(tmp_path):
    with pytest.warns(DeprecationWarning, match="period"):
        keep = callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", period=2)
    fit(any_model(), keep, epochs=5)
    assert saved_epochs(tmp_path) == [2, 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filepath": "weights.ckpt"}, "must end in .keras"),
        ({"filepath": "a.keras", "save_weights_only": True}, r"\.weights\.h5 or \.safetensors"),
        ({"filepath": "{epoch.keras"}, "'{epoch.keras'"),
        ({"filepath": "{}.keras"}, "braces must hold a name"),
        ({"filepath": "a.keras", "save_freq": 0}, "save_freq must be an integer of at least 1"),
    ],
)
def test_checkpoint_refuses_wrong_arguments(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        callbacks.ModelCheckpoint(**arguments)


def test_checkpoint_names_the_number_that_is_missing(tmp_path):
    keep = callbacks.ModelCheckpoint(tmp_path / "{val_los:.2f}.keras")
    with pytest.raises(ArgumentError, match=r"'val_los'.*epoch, loss, val_loss.*'val_loss'"):
        fit(any_model(), keep, validation_data=(X, Y))


# --- the short ones --------------------------------------------------------------------------


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_holds_the_history(tmp_path):
    path = tmp_path / "logs" / "log.csv"
    history = fit(any_model(), callbacks.CSVLogger(path), validation_data=(X, Y))
    rows = read_csv(path)
    assert list(rows[0]) == ["epoch", "loss", "val_loss"]
    assert [int(row["epoch"]) for row in rows] == history.epoch
    for name, values in history.history.items():
        assert [float(row[name]) for row in rows] == values


def test_csv_is_appended_to_or_started_anew(tmp_path):
    model, path = any_model(), tmp_path / "log.csv"
    fit(model, callbacks.CSVLogger(path), epochs=2)
    fit(model, callbacks.CSVLogger(path, append=True), epochs=4, initial_epoch=2)
    assert [row["epoch"] for row in read_csv(path)] == ["0", "1", "2", "3"]
    fit(model, callbacks.CSVLogger(path), epochs=1)
    assert [row["epoch"] for row in read_csv(path)] == ["0"]


def test_csv_gets_columns_for_numbers_that_come_later(tmp_path):
    path = tmp_path / "log.csv"
    history = fit(any_model(), callbacks.CSVLogger(path), validation_data=(X, Y), validation_freq=2)
    rows = read_csv(path)
    assert [row["val_loss"] for row in rows][::2] == ["NA", "NA"]
    assert float(rows[1]["val_loss"]) == history.history["val_loss"][0]
    assert list(tmp_path.iterdir()) == [path]


def test_training_ends_when_the_loss_is_nan(capsys):
    batches = []
    count = LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    y = Y.copy()
    y[0] = np.nan
    model = make_model()
    history = model.fit(
        X, y, batch_size=1, epochs=3, verbose=0, shuffle=False,
        callbacks=[callbacks.TerminateOnNaN(), count],
    )  # fmt: skip
    assert len(batches) <= 2
    assert history.epoch == [0]
    assert "The loss is nan" in capsys.readouterr().out


def test_a_last_batch_of_nan_ends_training_too():
    y = Y.copy()
    y[-1] = np.inf
    history = make_model().fit(
        X, y, batch_size=12, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()]
    )
    assert history.epoch == [0]


def test_nan_can_be_an_error():
    y = np.full_like(Y, np.nan)
    with pytest.raises(DivergedError, match=r"The loss is nan after batch 0.*learning rate"):
        make_model().fit(
            X, y, batch_size=4, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)]
        )


def test_a_run_without_notes_warns_of_nothing(tmp_path):
    everything = [
        callbacks.EarlyStopping("val_loss", patience=5),
        callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True),
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.ReduceLROnPlateau("val_loss"),
        callbacks.TerminateOnNaN(),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = fit(any_model(), *everything, validation_data=(X, Y))
    assert set(history.history) == {"loss", "val_loss", "learning_rate"}
