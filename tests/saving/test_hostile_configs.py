"""Configs that ask for code, files, memory, or nothing that makes sense."""

import copy
import json
import marshal
import zipfile

import h5py
import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.errors import LoadError
from mlapi.models import load_model
from tests.saving.hostile import members, pack, refuse, saved, with_config


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


def dense(config):
    return config["config"]["layers"][1]


def set_layer(**entries):
    return lambda config: dense(config).update(entries)


def set_argument(**entries):
    return lambda config: dense(config)["config"].update(entries)


CODE = marshal.dumps(compile("__import__('os').abort()", "evil", "eval")).hex()
LAMBDA = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_layer(class_name="Lambda", config={"function": LAMBDA}), "byte code|unknown class"),
        (set_argument(activation=LAMBDA), "byte code"),
        (set_argument(activation={"class_name": "function", "config": "system", "module": "os"}),
         "unknown function 'system'"),
        (set_argument(activation={"class_name": "function", "config": "load_model",
                                  "module": "mlapi.saving"}), "unknown function 'load_model'"),
        (set_layer(module="os", class_name="system"), "unknown class 'system'"),
        (set_layer(module="builtins", class_name="eval"), "unknown class 'eval'"),
        (set_layer(module="subprocess", class_name="Popen", config={"args": ["ls"]}), "'Popen'"),
        (set_layer(module="other.layers"), "unknown class 'Dense' of 'other.layers'"),
        (set_layer(module="keras.optimizers"), "unknown class 'Dense'"),
        (set_layer(class_name="TFSMLayer", config={"filepath": "/tmp/x"}), "'TFSMLayer'"),
        (set_layer(class_name="TorchModuleWrapper", config={"module": "x"}), "TorchModuleWrapper"),
        (set_layer(class_name="Dnse"), "Did you mean 'Dense'"),
        (set_layer(class_name=["Dense"]), "class_name must be a string"),
        (set_layer(class_name="Dense\x00"), "unknown class"),
        (set_argument(name="../../etc"), "without slashes"),
        (set_argument(units=-5), "units must be"),
        (set_argument(units="__import__('os')"), "units must be"),
        (set_argument(kernel_initializer="/etc/passwd"), "(?i)unknown initializer"),
        (set_argument(unknown_argument=1), "unknown_argument"),
        (lambda c: c["compile_config"].update(loss="http://evil/x"), "compiled with"),
        (lambda c: c["compile_config"].update(optimizer=[1]), "compiled with"),
        (lambda c: c["compile_config"].update(surprise=1), "surprise.*compile=False"),
        (lambda c: c.update(compile_config=7), "compiled with"),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_refused(change, message, path):
    text = refuse(with_config(path, change), message)
    assert "Sequential 'victim'" in text or "compiled with" in text


def test_unsafe_mode_runs_no_code_either(path):
    with_config(path, set_argument(activation=LAMBDA))
    with pytest.raises(LoadError, match="byte code"):
        load_model(path, safe_mode=False)


def test_a_custom_object_never_replaces_ours(path):
    class Dense(layers.Layer):
        def __init__(self, *args, **kwargs):
            raise AssertionError("took our place")

    saved(path)
    model = load_model(path, {"Dense": Dense})
    assert type(model.layers[0]) is layers.Dense


def wide_input(config, size):
    config["config"]["layers"][0]["config"]["batch_shape"] = [None, size]
    del dense(config)["build_config"], config["build_config"]


@pytest.mark.parametrize(
    "change",
    [
        set_argument(units=2**31),
        set_argument(units=10**6),
        lambda c: wide_input(c, 2**40),
        set_layer(class_name="Embedding", config={"input_dim": 2**40, "output_dim": 2**20}),
    ],
)
def test_weights_larger_than_the_file_are_never_made(change, path):
    refuse(with_config(path, change), "larger than anything that the file can hold")


def test_the_weights_must_be_those_that_the_config_describes(path):
    refuse(with_config(path, set_argument(units=3)), r"has shape \(3, 2\).*expects \(3, 3\)")
    refuse(with_config(path, set_argument(use_bias=False)), "unexpected: layers/dense/vars/1")


def test_the_optimizers_state_must_fit(path):
    def other(config):
        config["compile_config"]["optimizer"]["class_name"] = "SGD"
        config["compile_config"]["optimizer"]["config"] = {"learning_rate": 0.1, "momentum": 0.9}

    refuse(with_config(path, other), "optimizer")


def test_the_same_gate_for_legacy_files_and_json(tmp_path):
    parts = members(with_config(tmp_path / "model.keras", set_argument(activation=LAMBDA)))
    text = parts["config.json"].decode()
    with pytest.raises(LoadError, match="byte code"):
        mlapi.models.model_from_json(text)
    path = saved(tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = text
    refuse(path, "byte code")
    for wrong in (b"{", b"\xff", "[]", 3, np.ones(3)):
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = wrong
        refuse(path)


def graph_model(path):
    """A functional model, whose config has calls."""
    x = mlapi.Input((3,), name="x")
    h = layers.Dense(3, activation="relu", name="h")(x)
    model = mlapi.Model(x, layers.Add(name="sum")([h, h * 2.0, x[:, :3]]), name="graph")
    model.compile(mlapi.optimizers.SGD(0.1), mlapi.losses.Huber(), metrics=["mae"])
    model.save(path)
    return members(path)


def test_calls_that_come_from_nowhere(path):
    parts = graph_model(path)
    for old, new in (
        ('"keras_history": ["h", 0, 0]', '"keras_history": ["ghost", 0, 0]'),
        ('"keras_history": ["h", 0, 0]', '"keras_history": ["h", 0, 7]'),
        ('"keras_history": ["h", 0, 0]', '"keras_history": ["sum", 0, 0]'),
        ('"keras_history": ["h", 0, 0]', '"keras_history": "h"'),
        ('"output_layers": ["sum", 0, 0]', '"output_layers": ["sum", 3, 0]'),
        ('"class_name": "getitem"', '"class_name": "setattr"'),
        ('"module": "mlapi.operators"', '"module": "operator"'),
        ('"class_name": "multiply"', '"class_name": "exec"'),
    ):
        text = parts["config.json"].decode()
        assert old in text
        pack(path, parts | {"config.json": text.replace(old, new).encode()})
        with pytest.raises(LoadError):
            load_model(path)


JUNK = (
    None,
    3,
    -1,
    1.5,
    "x",
    True,
    [],
    {},
    [None],
    {"class_name": "Dense", "config": {"units": 2}},
)


def places(value, path=()):
    yield path
    for key, child in (
        value.items()
        if isinstance(value, dict)
        else (enumerate(value) if isinstance(value, list) else ())
    ):
        yield from places(child, (*path, key))


def test_any_other_config_is_refused_or_a_model(path):
    """Every fourth place of a config holds something else, or is gone."""
    parts = graph_model(path)
    config = json.loads(parts["config.json"])
    refused = 0
    everywhere = [p for p in places(config) if p]
    for number, place in enumerate(everywhere[::4]):
        changed = copy.deepcopy(config)
        node = changed
        for key in place[:-1]:
            node = node[key]
        if number % 11 == 10:
            del node[place[-1]]
        else:
            node[place[-1]] = JUNK[number % 11]
        pack(path, parts | {"config.json": json.dumps(changed).encode()})
        try:
            load_model(path)
        except ValueError as error:
            assert type(error).__name__ == "LoadError"  # noqa: PT017, either is right
            refused += 1
    assert refused > len(everywhere) / 16
    assert zipfile.is_zipfile(path)
