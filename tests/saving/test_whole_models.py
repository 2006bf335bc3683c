"""Whole models in one file: they predict, evaluate and train on as they would have."""

import json

import numpy as np
import pytest

import mlapi
from mlapi import layers, losses, metrics, optimizers, tree
from mlapi.errors import ArgumentError, LoadError, NotBuiltError
from mlapi.models import load_model, model_from_json
from tests.saving.architectures import ALL, CUSTOM, Pair, branching, convolutional, deferred, nested


def assert_same(one, other, tolerance=1e-6):
    one, other = tree.flatten(one), tree.flatten(other)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, tolerance, tolerance)


def outputs_of(model, x):
    return tree.map_structure(mlapi.ops.convert_to_numpy, model(x))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_every_architecture_comes_back(make, suffix, tmp_path):
    model, x, _ = make()
    path = tmp_path / f"model{suffix}"
    model.save(path)
    loaded = load_model(path, CUSTOM)
    assert type(loaded) is type(model)
    assert (loaded.name, loaded.trainable) == (model.name, model.trainable)
    assert [v.shape for v in loaded.trainable_weights] == [v.shape for v in model.trainable_weights]
    assert_same(loaded.get_weights(), model.get_weights(), 0)
    assert_same(outputs_of(loaded, x), outputs_of(model, x))
    assert not loaded.compiled


@pytest.mark.parametrize(
    ("make", "suffix"), [(convolutional, ".keras"), (convolutional, ".hdf5"), (branching, ".keras")]
)
def test_training_goes_on_as_it_would_have(make, suffix, tmp_path):
    model, x, y = make()
    model.compile(optimizers.Adam(0.01), "mse")
    for _ in range(2):
        model.train_on_batch(x, y)
    model.save(tmp_path / f"model{suffix}")
    loaded = load_model(tmp_path / f"model{suffix}")
    assert int(loaded.optimizer.iterations) == 2
    logs = [one.train_on_batch(x, y) for one in (model, loaded)]
    assert_same(logs[0], logs[1])
    assert_same(loaded.get_weights(), model.get_weights(), 1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_everything_that_was_compiled_comes_back(suffix, tmp_path):
    model, x, y = convolutional()
    schedule = optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(
        optimizers.SGD(schedule, momentum=0.9, clipnorm=1.0),
        losses.Huber(delta=0.3),
        metrics=[metrics.MeanSquaredError(name="square"), "mae"],
        weighted_metrics=["mse"],
        loss_weights=0.5,
    )
    model.train_on_batch(x, y)
    model.save(tmp_path / f"m{suffix}")
    loaded = load_model(tmp_path / f"m{suffix}")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert loaded.metrics_names == model.metrics_names
    logs = [m.train_on_batch(x, y, sample_weight=np.arange(8.0)) for m in (model, loaded)]
    assert_same(logs[0], logs[1], 1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_losses_and_metrics_by_output(suffix, tmp_path):
    x = mlapi.Input((3,))
    outputs = [layers.Dense(1, name="a")(x), layers.Dense(2, name="b")(x)]
    model = mlapi.Model(x, outputs)
    model.compile("rmsprop", {"a": "mse", "b": "mae"}, metrics={"b": ["mse"]}, loss_weights=[1, 2])
    data = np.ones((4, 3), "float32")
    targets = [np.zeros((4, 1), "float32"), np.ones((4, 2), "float32")]
    model.save(tmp_path / f"m{suffix}")
    loaded = load_model(tmp_path / f"m{suffix}")
    logs = [m.evaluate(data, targets, verbose=0, return_dict=True) for m in (model, loaded)]
    assert list(logs[0]) == list(logs[1])
    assert_same(logs[0], logs[1])


def own_loss(y_true, y_pred):
    return mlapi.ops.mean(mlapi.ops.abs(y_true - y_pred) ** 3, axis=-1)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_functions_of_users(suffix, tmp_path):
    model, x, y = deferred()
    model.compile("sgd", own_loss, metrics=[own_loss])
    path = tmp_path / f"m{suffix}"
    model.save(path)
    with pytest.raises(LoadError, match="unknown function 'own_loss'"):
        load_model(path)
    loaded = load_model(path, {"own_loss": own_loss})
    assert loaded.loss is own_loss
    assert_same(
        loaded.test_on_batch(x, y), [np.mean(np.abs(outputs_of(model, x) - y) ** 3)] * 2, 1e-5
    )
    assert not load_model(path, compile=False).compiled


def test_classes_of_users_must_be_passed_or_registered(tmp_path):
    model = nested()[0]
    model.save(tmp_path / "m.keras")
    with pytest.raises(LoadError, match=r"unknown class 'Residual'.*custom_objects") as caught:
        load_model(tmp_path / "m.keras")
    assert "m.keras" in str(caught.value) + "".join(caught.value.__notes__)
    with mlapi.saving.custom_object_scope(CUSTOM):
        load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_without_the_optimizer(suffix, tmp_path):
    model, x, y = convolutional()
    model.compile(optimizers.Adam(0.01), "mse")
    model.train_on_batch(x, y)
    model.save(tmp_path / f"m{suffix}", include_optimizer=False)
    loaded = load_model(tmp_path / f"m{suffix}")
    assert int(loaded.optimizer.iterations) == 0
    assert_same(loaded.get_weights(), model.get_weights(), 0)


def test_names_and_flags_of_layers(tmp_path):
    model, *_ = ALL[3]()
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    assert [v.name for v in loaded.trainable_weights] == [v.name for v in model.trainable_weights]
    assert not loaded.get_layer("frozen").trainable
    assert loaded.input_shape == model.input_shape


def test_dropout_goes_on_drawing_where_it_stopped(tmp_path):
    model = mlapi.Sequential([mlapi.Input((50,)), layers.Dropout(0.5, seed=3)])
    model.save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras").layers[0].get_config()["seed"] == 3


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_architectures_as_json(make):
    model, x, _ = make()
    text = model.to_json(indent=1)
    json.loads(text)
    copy = model_from_json(text, CUSTOM)
    outputs_of(copy, x)
    copy.set_weights(model.get_weights())
    assert_same(outputs_of(copy, x), outputs_of(model, x))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, p: m.save(p / "m.txt"), ArgumentError, r"no known ending.*\.keras or \.h5"),
        (lambda m, p: m.save(p / "m.weights.safetensors"), ArgumentError, "no known ending"),
        (lambda m, p: Pair().save(p / "m.keras"), NotBuiltError, "no weights yet"),
        (lambda m, p: (m.save(p / "m.keras"), m.save(p / "m.keras", overwrite=False)),
         ArgumentError, "exists already; pass overwrite=True"),
        (lambda m, p: load_model(p / "none.keras"), LoadError, "no such file"),
        (lambda m, p: load_model(p), LoadError, "no such file"),
        (lambda m, p: (m.save_weights(p / "m.h5"), load_model(p / "m.h5")), LoadError,
         "holds weights alone"),
        (lambda m, p: (m.save_weights(p / "m.safetensors"), load_model(p / "m.safetensors")),
         LoadError, "neither a .keras archive nor an HDF5 file"),
    ],
)  # fmt: skip
def test_mistakes(call, error, message, tmp_path):
    with pytest.raises(error, match=message):
        call(convolutional()[0], tmp_path)


def test_a_lambda_is_refused_when_saving(tmp_path):
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(2, activation=lambda x: x * 2)])
    with pytest.raises(ArgumentError, match="A lambda cannot be saved"):
        model.save(tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []
