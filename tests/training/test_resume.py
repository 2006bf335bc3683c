"""A run that was interrupted and goes on ends with the bits of one that was not."""

import errno
import json
import os
import random
import signal
import threading
import time

import numpy as np
import pytest

import mlapi
from mlapi import dtypes, host_random, layers, optimizers
from mlapi.callbacks import BackupAndRestore, Callback
from mlapi.errors import ArgumentError, ArgumentTypeError, DataError, LoadError, SaveError
from mlapi.saving import snapshots
from mlapi.training import randomness
from tests.benchmarks import kill
from tests.training import program


class Interrupted(Exception):
    """What stands for the end of the process."""


class Stop(Callback):
    """Raises at the `count`-th call of a hook."""

    def __init__(self, hook, count):
        self.left = count
        setattr(self, hook, self._called)

    def _called(self, *args):
        self.left -= 1
        if self.left == 0:
            raise Interrupted


class Batches(Callback):
    """Counts."""

    count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1


def interrupt(folder, freq, hook, count):
    with pytest.raises(Interrupted):
        program.run(folder, freq, [Stop(hook, count)])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return program.run(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize(
    ("freq", "hook", "count", "done"),
    [
        # `done` batches were trained when the last checkpoint was written.
        ("epoch", "on_train_batch_end", 4, 0),
        ("epoch", "on_epoch_begin", 3, 10),
        (1, "on_train_batch_end", 13, 12),
        (1, "on_test_batch_begin", 2, 10),
        (1, "on_epoch_end", 4, 20),
        (4, "on_train_batch_begin", 12, 8),
        ("epoch", "on_train_end", 1, None),
    ],
)
def test_the_rest_of_a_run(freq, hook, count, done, tmp_path, undisturbed):
    interrupt(tmp_path, freq, hook, count)
    assert "mlapi-checkpoint" not in {thread.name for thread in threading.enumerate()}
    batches = Batches()
    assert program.run(tmp_path, freq, [batches]) == undisturbed
    total = program.STEPS * len(undisturbed["epochs"])
    assert batches.count == (0 if done is None else total - done)


def test_killed_processes():
    arguments = ["--freq", "1", "--epochs", "30", "--patience", "30"]
    result = kill.trial(os.environ["MLAPI_BACKEND"], 2, arguments, anywhere=0)
    assert result["kills"] == 2
    assert result["differing"] == []


def test_ctrl_c_writes_where_it_stopped(tmp_path, undisturbed):
    class PressKeys(Callback):
        count = 0

        def on_train_batch_begin(self, batch, logs=None):
            self.count += 1
            if self.count == 8:
                os.kill(os.getpid(), signal.SIGINT)

    outer = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            program.run(tmp_path, callbacks=[PressKeys()])
    finally:
        signal.signal(signal.SIGINT, outer)
    batches = Batches()
    assert program.run(tmp_path, callbacks=[batches]) == undisturbed
    assert batches.count == program.STEPS * len(undisturbed["epochs"]) - 8


# --- files that are not what they should be --------------------------------------------------


def test_the_one_before_a_damaged_checkpoint_is_taken(tmp_path, undisturbed):
    interrupt(tmp_path, 1, "on_train_batch_end", 8)
    interrupt(tmp_path, 1, "on_train_batch_end", 2)  # of the rest
    newest, before = snapshots.checkpoints(tmp_path / "backup")
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(data)
    batches = Batches()
    with pytest.warns(UserWarning, match=rf"{newest.name}.* from .*{before.name}"):
        assert program.run(tmp_path, 1, [batches]) == undisturbed
    assert batches.count == program.STEPS * len(undisturbed["epochs"]) - 7
    assert newest not in snapshots.checkpoints(tmp_path / "backup")


def test_nothing_but_damaged_checkpoints_is_an_error(tmp_path):
    backup = tmp_path / "backup"
    backup.mkdir()
    (backup / "checkpoint-00000003.safetensors").write_bytes(b"")
    with pytest.raises(LoadError, match=r"No checkpoint in .*backup.*checkpoint-00000003"):
        program.run(tmp_path)


def test_damage_anywhere_is_noticed(tmp_path):
    path, tree = tmp_path / "checkpoint", {"text": "a", "array": np.arange(7.0), "list": [1, None]}
    arrays = {"variables/0": np.ones((2, 3), "float32"), "variables/1": np.zeros((), "int32")}
    text = json.dumps(snapshots.freeze(tree, arrays, "tree"))
    snapshots.write(path, text, arrays)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    spaces = header - len(whole[:header].rstrip())  # before the arrays, which mean nothing
    for position in (p for p in range(len(whole)) if not header - spaces <= p < header):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 2]) + whole[position + 1 :])
        with pytest.raises(LoadError):
            snapshots.read(path)
    for length in range(0, len(whole), 29):
        path.write_bytes(whole[:length])
        with pytest.raises(LoadError):
            snapshots.read(path)


def test_trees_come_back_as_they_were(tmp_path):
    tree = {
        "numbers": [1, -(2**60), 0.1, float("inf"), True, None, np.float32(0.5), np.int64(3)],
        "text": ["", "array:", "array:0", "ünï"],
        "nested": {"": {"a": (np.array([], "int32"), mlapi.ops.ones((2, 1)))}},
        "half": np.array([1.5, 2.5], dtypes.numpy_dtype("bfloat16")),
        "scalar": np.array(3.0),
        "column": np.arange(6, dtype="int16").reshape(2, 3).T,
        "variable": mlapi.Variable([1.0, 2.0]),
    }
    arrays = {}
    text = json.dumps(snapshots.freeze(tree, arrays, "tree"))
    snapshots.write(tmp_path / "c", text, arrays)
    found = snapshots.thaw(*snapshots.read(tmp_path / "c"))
    assert found["numbers"] == [1, -(2**60), 0.1, float("inf"), True, None, 0.5, 3]
    assert found["text"] == tree["text"]
    empty, ones = found["nested"][""]["a"]
    assert (empty.shape, empty.dtype) == ((0,), "int32")
    np.testing.assert_array_equal(ones, np.ones((2, 1), "float32"))
    for name in ("half", "scalar", "column"):
        np.testing.assert_array_equal(found[name], tree[name])
        assert found[name].dtype == tree[name].dtype
    np.testing.assert_array_equal(found["variable"], [1, 2])


def test_a_full_disk(tmp_path, monkeypatch, undisturbed):
    """The error names the folder and the last good file; model and folder stay usable."""
    good = threading.Event()

    class Fill(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                good.wait(10)
                monkeypatch.setattr(os, "fsync", full)

    sync, calls = os.fsync, []

    def watched(handle):
        sync(handle)
        calls.append(handle)
        if len(calls) == 2:  # of the file, and of its folder
            good.set()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", watched)
    with pytest.raises(SaveError, match=r"backup: No space left on device.* checkpoint-00000001"):
        program.run(tmp_path, callbacks=[Fill()])
    monkeypatch.undo()
    assert [p.name for p in (tmp_path / "backup").iterdir()] == ["checkpoint-00000001.safetensors"]
    assert program.run(tmp_path) == undisturbed


# --- smaller models --------------------------------------------------------------------------

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def linear(optimizer=None):
    mlapi.utils.set_random_seed(2)
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1)])
    model.compile(optimizer or optimizers.SGD(0.1, momentum=0.9), "mse")
    return model


def test_a_model_that_failed_to_save_goes_on(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    model = linear()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="There is none yet"):
        model.fit(X, Y, epochs=2, checkpoint_dir=tmp_path / "c", verbose=0)
    monkeypatch.undo()
    assert list((tmp_path / "c").iterdir()) == []
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ kernel + bias, rtol=1e-5)


def test_fit_resumes_from_its_folder(tmp_path):
    options = {"batch_size": 4, "verbose": 0, "checkpoint_dir": tmp_path}
    whole = linear()
    whole.fit(X, Y, batch_size=4, epochs=5, verbose=0)
    with pytest.raises(LoadError, match="holds no checkpoint"):
        linear().fit(X, Y, resume=True, **options)
    linear().fit(X, Y, epochs=3, resume="auto", **options)
    again = linear()
    history = again.fit(X, Y, epochs=5, resume=True, **options)
    assert history.history == whole.history.history
    for one, other in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    anew = linear()
    assert anew.fit(X, Y, epochs=1, **options).epoch == [0]
    assert linear().fit(X, Y, epochs=2, resume=True, **options).epoch == [0, 1]


@pytest.mark.parametrize("stop", [("on_train_batch_begin", 4), ("on_epoch_end", 2)])
def test_several_steps_an_execution(stop, tmp_path):
    def run(*callbacks):
        model = linear()
        model.compile("adam", "mse", steps_per_execution=2)
        model.fit(X, Y, batch_size=4, epochs=3, callbacks=callbacks, verbose=0)
        return program.outcome(model)

    whole = run()
    backup = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Interrupted):
        run(backup, Stop(*stop))
    assert run(backup) == whole


def test_the_same_model_goes_on_too(tmp_path):
    whole, model = linear(), linear()
    options = {"batch_size": 4, "epochs": 3, "verbose": 0}
    mlapi.utils.set_random_seed(2)
    whole.fit(X, Y, **options)
    backup = BackupAndRestore(tmp_path, save_freq=2)
    mlapi.utils.set_random_seed(2)
    with pytest.raises(Interrupted):
        model.fit(X, Y, callbacks=[backup, Stop("on_train_batch_end", 6)], **options)
    model.fit(X, Y, callbacks=[backup], **options)
    assert model.history.history == whole.history.history


def test_bad_arguments(tmp_path):
    model = linear()
    with pytest.raises(ArgumentError, match="pass checkpoint_dir"):
        model.fit(X, Y, resume="auto")
    with pytest.raises(ArgumentError, match="resume must be"):
        model.fit(X, Y, resume="now", checkpoint_dir=tmp_path)
    with pytest.raises(ArgumentError, match="backup_dir"):
        BackupAndRestore("")
    with pytest.raises(ArgumentTypeError, match="save_freq"):
        BackupAndRestore("b", save_freq="batch")
    with pytest.raises(ArgumentError, match="several"):
        model.fit(X, Y, callbacks=[BackupAndRestore(tmp_path)], checkpoint_dir=tmp_path)


def test_the_backup_goes_when_training_ends_well(tmp_path):
    folder = tmp_path / "backup"
    backup = BackupAndRestore(folder, save_freq=1, minutes=1)
    with pytest.raises(Interrupted):
        linear().fit(X, Y, epochs=2, callbacks=[backup, Stop("on_epoch_end", 2)], verbose=0)
    assert len(snapshots.checkpoints(folder)) in (1, 2)
    linear().fit(X, Y, epochs=2, callbacks=backup, verbose=0)
    assert not folder.exists()
    folder.mkdir()
    (folder / "mine.txt").touch()
    linear().fit(X, Y, callbacks=backup, verbose=0)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_by_minutes(tmp_path):
    backup = BackupAndRestore(tmp_path, minutes=1e-9)
    stop = Stop("on_train_batch_end", 3)
    with pytest.raises(Interrupted):
        linear().fit(X, Y, batch_size=2, callbacks=[backup, stop], verbose=0)
    record, _ = snapshots.read(snapshots.checkpoints(tmp_path)[0])
    assert (record["epoch"], record["step"]) == (0, 2)


def test_another_model_is_refused(tmp_path):
    linear().fit(X, Y, checkpoint_dir=tmp_path, verbose=0)
    other = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(2), layers.Dense(1)])
    other.compile("sgd", "mse")
    before = other.get_weights()
    with pytest.raises(LoadError, match=r"(?s)another model.*kernel, float32 \(3, 1\)"):
        other.fit(X, Y, resume="auto", checkpoint_dir=tmp_path, verbose=0)
    for one, another in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, another)


class Recorder(Callback):
    """A user's callback with state of its own; and one that may not be kept."""

    def __init__(self, odd=False):
        self.seen = {"losses": [], "array": np.zeros(2)}
        if odd:
            self.seen["odd"] = {1, 2}

    def on_train_batch_end(self, batch, logs=None):
        self.seen["losses"].append(logs["loss"])
        self.seen["array"][0] += 1

    def get_state(self):
        return self.seen

    def set_state(self, state):
        self.seen = state


def test_callbacks_of_ones_own(tmp_path):
    whole, first, second = Recorder(), Recorder(), Recorder()
    options = {"batch_size": 4, "epochs": 3, "verbose": 0}
    linear().fit(X, Y, callbacks=whole, **options)
    backup = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Interrupted):
        linear().fit(X, Y, callbacks=[Stop("on_train_batch_begin", 6), first, backup], **options)
    linear().fit(X, Y, callbacks=[second, backup], **options)
    assert second.seen["losses"] == whole.seen["losses"]
    np.testing.assert_array_equal(second.seen["array"], [9, 0])
    with pytest.raises(ArgumentTypeError, match=r"Recorder.get_state\(\)\['odd'\] cannot be"):
        linear().fit(X, Y, callbacks=[Recorder(odd=True), backup], **options)


def test_callbacks_that_are_gone_are_named(tmp_path):
    linear().fit(X, Y, callbacks=[Recorder()], checkpoint_dir=tmp_path, verbose=0)
    with pytest.warns(UserWarning, match="not there now: Recorder"):
        linear().fit(X, Y, epochs=2, resume=True, checkpoint_dir=tmp_path, verbose=0)


@pytest.mark.parametrize("stop", [("on_train_batch_begin", 8), ("on_epoch_begin", 4)])
def test_learning_rates_that_callbacks_set(stop, tmp_path):
    """Half an epoch does not make the rate fall twice; plateaus are counted over the break."""

    def callbacks(name):
        return [
            mlapi.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7),
            mlapi.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=100),
            mlapi.callbacks.ModelCheckpoint(
                str(tmp_path / f"{name}.{{epoch}}.weights.h5"), "loss", save_best_only=True
            ),
        ]

    options = {"batch_size": 4, "epochs": 5, "verbose": 0}
    whole = linear().fit(X, Y, callbacks=callbacks("whole"), **options).history
    backup = BackupAndRestore(tmp_path / "backup", save_freq=1)
    with pytest.raises(Interrupted):
        linear().fit(X, Y, callbacks=[*callbacks("rest"), backup, Stop(*stop)], **options)
    rest = linear().fit(X, Y, callbacks=[*callbacks("rest"), backup], **options).history
    assert rest == whole
    names = [{p.name.partition(".")[2] for p in tmp_path.glob(f"{n}.*")} for n in ("whole", "rest")]
    assert names[0] == names[1]


@pytest.mark.parametrize("count", [6, 8])
@pytest.mark.parametrize("callback", [True, False])
def test_validation_between_batches_and_averages(callback, count, tmp_path):
    def run(*callbacks):
        model = linear(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
        listeners = [mlapi.callbacks.SwapEMAWeights(swap_on_epoch=True)] if callback else []
        options = {"validation_data": (X, Y), "validation_every": 2, "batch_size": 4}
        model.fit(X, Y, epochs=4, callbacks=[*listeners, *callbacks], verbose=0, **options)
        return program.outcome(model)

    whole = run()
    backup = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Interrupted):
        run(backup, Stop("on_train_batch_end", count))
    assert run(backup) == whole
    backup = BackupAndRestore(tmp_path)
    with pytest.raises(Interrupted):
        run(backup, Stop("on_train_batch_end", count))
    assert run(backup) == whole


class Augmented:
    """Batches that are drawn anew in each epoch, from NumPy's and Python's global generators."""

    def __iter__(self):
        for _ in range(4):
            rows = np.random.permutation(12)[:4]  # noqa: NPY002
            yield X[rows] * random.random(), Y[rows]


class Own:
    """Its order is its own affair, and it tells where it is."""

    def __init__(self):
        self.rng = np.random.default_rng(1)

    def __iter__(self):
        for rows in self.rng.permutation(12).reshape(4, 3):
            yield X[rows], Y[rows]

    def get_state(self):
        return self.rng.bit_generator.state

    def set_state(self, state):
        self.rng.bit_generator.state = state


def endless():
    while True:
        yield from Augmented()


@pytest.mark.parametrize(
    ("source", "steps"),
    [(Augmented, None), (Augmented, 3), (endless, 3), (Own, None)],
    ids=["passes", "steps", "endless", "own"],
)
@pytest.mark.parametrize("count", [5, 8])
def test_iterables_are_taken_up_where_they_were(source, steps, count, tmp_path):
    options = {"epochs": 3, "steps_per_epoch": steps, "verbose": 0}
    whole = linear()
    whole.fit(source(), **options)
    backup = BackupAndRestore(tmp_path, save_freq=1)
    stop = Stop("on_train_batch_end", count)
    with pytest.raises(Interrupted):
        linear().fit(source(), callbacks=[backup, stop], **options)
    rest = linear()
    rest.fit(source(), callbacks=[backup], **options)
    assert rest.history.history == whole.history.history
    for one, other in zip(rest.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_data_that_have_shrunk(tmp_path):
    backup = BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False)
    stop = Stop("on_train_batch_begin", 4)
    with pytest.raises(Interrupted):
        linear().fit(Augmented(), callbacks=[backup, stop], verbose=0)
    with pytest.raises(DataError, match="of which only 1 came"):
        linear().fit(iter([(X, Y)]), callbacks=[backup], verbose=0)
    linear().fit(X, Y, checkpoint_dir=tmp_path / "arrays", verbose=0)
    with pytest.warns(UserWarning, match="1 batches in a pass over the data, there are 3 now"):
        linear().fit(X, Y, 4, epochs=2, resume=True, checkpoint_dir=tmp_path / "arrays", verbose=0)


class Rivals(mlapi.Model):
    """Two optimizers, of which the first step makes the slots."""

    def __init__(self):
        super().__init__()
        self.one, self.other = layers.Dense(1), layers.Dense(1)
        self.first, self.second = optimizers.Adam(0.1), optimizers.SGD(0.1, momentum=0.9)

    def call(self, x):
        return self.one(x) + self.other(x)

    def train_step(self, data):
        x, y = data
        for layer, optimizer in ((self.one, self.first), (self.other, self.second)):
            variables = layer.trainable_variables
            loss, grads = mlapi.value_and_grad(
                lambda: mlapi.ops.mean((self(x) - y) ** 2), variables
            )()
            optimizer.apply(grads, variables)
        return {"loss": loss}


def test_steps_of_ones_own_with_several_optimizers(tmp_path):
    def made():
        mlapi.utils.set_random_seed(2)
        model = Rivals()
        model.compile(optimizer=None)
        model(X[:2])
        return model

    options = {"batch_size": 4, "epochs": 3, "verbose": 0}
    whole = made()
    whole.fit(X, Y, **options)
    backup = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Interrupted):
        made().fit(X, Y, callbacks=[backup, Stop("on_train_batch_end", 5)], **options)
    rest = made()
    rest.fit(X, Y, callbacks=[backup], **options)
    assert rest.history.history == whole.history.history
    for one, other in zip(rest.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_all_generators_go_on_from_where_they_were():
    def draws():
        generator = host_random.generator()
        own = mlapi.ops.convert_to_numpy(mlapi.random.normal((2,))).tolist()
        return random.random(), random.gauss(), np.random.rand(), generator.random(), own  # noqa: NPY002

    mlapi.utils.set_random_seed(3)
    draws()
    arrays = {}
    frozen = snapshots.freeze(randomness.state(), arrays, "state")
    restarts = host_random.restarts()
    before = draws()
    randomness.restore(snapshots.thaw(json.loads(json.dumps(frozen)), arrays))
    assert draws() == before
    assert host_random.restarts() == restarts


def test_a_source_that_is_waited_for(tmp_path):
    """Nothing is read ahead of a checkpoint: what the source draws would be drawn too soon."""

    def waiting():
        for batch in endless():
            time.sleep(0.01)
            yield batch

    options = {"epochs": 2, "steps_per_epoch": 6, "verbose": 0}
    whole = linear()
    whole.fit(waiting(), checkpoint_dir=tmp_path / "whole", **options)
    stop = Stop("on_train_batch_end", 9)
    backup = BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Interrupted):
        linear().fit(waiting(), callbacks=[backup, stop], **options)
    rest = linear()
    rest.fit(waiting(), callbacks=[backup], **options)
    assert rest.history.history == whole.history.history
