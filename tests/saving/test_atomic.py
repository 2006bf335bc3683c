"""A file is replaced by a whole one or not at all."""

import os

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.errors import ArgumentError
from mlapi.models import load_model
from mlapi.saving import container, hdf5

SUFFIXES = [".keras", ".h5", ".weights.h5", ".safetensors"]


def model_of(value):
    model = mlapi.Sequential([mlapi.Input((2,)), layers.Dense(2)])
    model.set_weights([np.full((2, 2), value), np.full(2, value)])
    return model


def write(model, path):
    whole = path.name in ("m.keras", "m.h5")
    (model.save if whole else model.save_weights)(path)


def broken(*args, **kwargs):
    raise OSError("no space left on device")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("stage", ["write", "sync", "replace"])
def test_a_failure_while_writing_keeps_the_old_file(suffix, stage, tmp_path, monkeypatch):
    path = tmp_path / f"m{suffix}"
    write(model_of(1.0), path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        if stage == "write":
            calls = iter([lambda *a: None, broken])  # the second array fails
            patch.setattr(hdf5, "write_array", lambda *a: next(calls)(*a))
            patch.setattr(container, "write", broken)
            patch.setattr("safetensors.numpy.save_file", broken)
        else:
            patch.setattr(os, {"sync": "fsync", "replace": "replace"}[stage], broken)
        with pytest.raises(OSError, match="no space left"):
            write(model_of(2.0), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    write(model_of(2.0), path)
    assert path.read_bytes() != before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_have_the_rights_of_the_user(suffix, tmp_path):
    outer = os.umask(0o027)
    try:
        write(model_of(1.0), tmp_path / f"m{suffix}")
    finally:
        os.umask(outer)
    assert (tmp_path / f"m{suffix}").stat().st_mode & 0o777 == 0o640


def test_equal_weights_give_equal_files_and_missing_folders_are_made(tmp_path):
    for folder in ("a", "b/c"):
        model_of(3.0).save_weights(tmp_path / folder / "w.safetensors")
    first, second = sorted(tmp_path.rglob("w.safetensors"))
    assert first.read_bytes() == second.read_bytes()


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "m.keras").mkdir()
    with pytest.raises((ArgumentError, OSError)):
        model_of(1.0).save(tmp_path / "m.keras")
    assert list((tmp_path / "m.keras").iterdir()) == []
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]


def test_a_model_that_cannot_be_described_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.keras"
    model_of(1.0).save(path)
    odd = mlapi.Sequential([mlapi.Input((2,)), layers.Dense(2, activation=lambda x: x)])
    with pytest.raises(ArgumentError, match="lambda"):
        odd.save(path)
    np.testing.assert_array_equal(load_model(path).get_weights()[1], [1, 1])
