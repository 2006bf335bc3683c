"""`OrbaxCheckpoint` against a stand-in that keeps what Orbax would have written."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.callbacks import OrbaxCheckpoint
from mlapi.errors import ArgumentError, LoadError, MissingLibraryError

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
DISK: dict[str, dict[int, dict]] = {}


class Manager:
    """As `orbax.checkpoint.CheckpointManager`, for the calls that are made here."""

    def __init__(self, directory, options):
        self.steps = DISK.setdefault(str(directory), {})
        self.options = options

    def latest_step(self):
        return max(self.steps, default=None)

    def save(self, step, args):
        if step <= (self.latest_step() or -1):
            return False
        self.steps[step] = args
        kept = self.options.max_to_keep
        for old in sorted(self.steps)[: -kept if kept else 0]:
            del self.steps[old]
        return True

    def restore(self, step, args):
        found = self.steps[step]
        if {part: set(found[part]) for part in found if part != "epoch"} != {
            part: set(args[part]) for part in args if part != "epoch"
        }:
            raise ValueError("trees differ")
        return found

    def wait_until_finished(self):
        pass

    close = wait_until_finished


@pytest.fixture
def _orbax(monkeypatch):
    DISK.clear()
    library = SimpleNamespace(
        CheckpointManager=Manager,
        CheckpointManagerOptions=lambda **options: SimpleNamespace(**options),
        args=SimpleNamespace(StandardSave=lambda tree: tree, StandardRestore=lambda tree: tree),
        multihost=SimpleNamespace(process_count=lambda: 1, process_index=lambda: 0),
    )
    monkeypatch.setitem(sys.modules, "orbax", SimpleNamespace(checkpoint=library))
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", library)


def linear(units=1):
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(units)])
    model.compile("adam", "mse")
    return model


@pytest.mark.usefixtures("_orbax")
def test_what_is_saved_comes_back(tmp_path):
    model = linear()
    keep = OrbaxCheckpoint(tmp_path, max_to_keep=2)
    model.fit(X, Y, batch_size=4, epochs=3, callbacks=[keep], verbose=0)
    (steps,) = DISK.values()
    assert list(steps) == [1, 2]
    np.testing.assert_array_equal(
        steps[2]["weights"]["layers.dense.kernel"], model.get_weights()[0]
    )
    other = linear()
    assert OrbaxCheckpoint(tmp_path).restore(other) == 2
    for one, another in zip(
        [*model.weights, *model.optimizer.variables],
        [*other.weights, *other.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(one.numpy(), another.numpy())
    assert OrbaxCheckpoint(tmp_path).restore(other, step=1) == 1
    assert (keep.is_primary_host(), keep.is_multihost_enabled()) == (True, False)


@pytest.mark.usefixtures("_orbax")
def test_batches_and_best_values_and_numbers_that_go_on(tmp_path):
    keep = OrbaxCheckpoint(tmp_path, save_freq=2, max_to_keep=None, save_weights_only=True)
    linear().fit(X, Y, batch_size=4, epochs=2, callbacks=[keep], verbose=0)
    (steps,) = DISK.values()
    assert {step: (int(tree["epoch"]), "optimizer" in tree) for step, tree in steps.items()} == {
        2: (0, False), 4: (1, False), 6: (1, False)
    }  # fmt: skip
    best = OrbaxCheckpoint(
        tmp_path, "loss", save_best_only=True, initial_value_threshold=0.0, max_to_keep=None
    )
    linear().fit(X, Y, callbacks=[best], verbose=0)
    assert list(steps) == [2, 4, 6]
    best = OrbaxCheckpoint(tmp_path, "loss", save_best_only=True, max_to_keep=None)
    linear().fit(X, Y, callbacks=[best], verbose=0)
    assert list(steps) == [2, 4, 6, 7]


@pytest.mark.usefixtures("_orbax")
def test_refusals(tmp_path):
    with pytest.raises(LoadError, match="holds no checkpoint"):
        OrbaxCheckpoint(tmp_path).restore(linear())
    linear().fit(X, Y, callbacks=[OrbaxCheckpoint(tmp_path)], verbose=0)
    wide, deep = linear(2), mlapi.Sequential([linear(), layers.Dense(1)])
    deep.build((None, 3))
    for model, message in ((wide, "shape"), (deep, "trees differ")):
        before = model.get_weights()
        with pytest.raises(LoadError, match=message):
            OrbaxCheckpoint(tmp_path, save_weights_only=model is deep).restore(model)
        for one, another in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(one, another)
    with pytest.raises(ArgumentError, match="directory"):
        OrbaxCheckpoint("")
    with pytest.raises(ArgumentError, match="max_to_keep"):
        OrbaxCheckpoint(tmp_path, max_to_keep=0)


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "orbax", None)
    with pytest.raises(MissingLibraryError, match="pip install orbax-checkpoint"):
        OrbaxCheckpoint(tmp_path)
