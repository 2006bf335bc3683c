"""Names, configs, functions and structures as losses; errors."""

import json

import numpy as np
import pytest

from mlapi import losses, ops
from mlapi.errors import ArgumentError, ArgumentTypeError, DataError, ShapeError
from tests.losses.references import CLASSES, LOSSES

ALIASES = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
}


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@pytest.mark.parametrize("name", CLASSES)
def test_names_give_functions_and_class_names_objects(name):
    class_name = CLASSES[name]
    assert losses.get(name) is getattr(losses, name)
    assert type(losses.get(class_name)) is getattr(losses, class_name)


@pytest.mark.parametrize(("short", "name"), ALIASES.items())
def test_short_names(short, name):
    assert losses.get(short) is getattr(losses, name)


@pytest.mark.parametrize("name", CLASSES)
def test_training_takes_names_for_objects(name):
    loss = losses.as_loss(name)
    assert type(loss) is getattr(losses, CLASSES[name])
    assert loss.name == name


def test_get_returns_objects_as_they_are():
    loss = losses.Huber()
    assert losses.get(loss) is loss
    assert losses.get(None) is None
    assert losses.get(numpy) is numpy


def test_unknown_names_get_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 'categorical_crossentropy'"):
        losses.get("categorical_crossentropi")
    with pytest.raises(ArgumentTypeError, match="loss must be a name"):
        losses.get(3)


@pytest.mark.parametrize(
    "loss",
    [
        losses.Huber(delta=0.3, reduction="sum", name="h"),
        losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1, axis=1),
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1, dtype="float64"),
        losses.SparseCategoricalCrossentropy(ignore_class=3, axis=1),
        losses.CosineSimilarity(axis=1),
        losses.LossFunctionWrapper(losses.huber, delta=0.3),
        *(
            getattr(losses, case.cls)(reduction="none", **case.arguments)
            for case in LOSSES.values()
        ),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_config_makes_an_equal_loss(loss):
    text = json.dumps(losses.serialize(loss))
    again = losses.deserialize(json.loads(text))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert type(loss).from_config(loss.get_config()).get_config() == loss.get_config()


def test_config_of_a_subclass_holds_what_it_passes_on():
    class Scaled(losses.Loss):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * ops.mean(ops.abs(y_true - y_pred), axis=-1)

    loss = Scaled(3.0, name="scaled", reduction="sum")
    config = loss.get_config()
    assert config == {"factor": 3.0, "name": "scaled", "reduction": "sum", "dtype": "float32"}
    again = losses.deserialize(losses.serialize(loss), custom_objects={"Scaled": Scaled})
    assert again.get_config() == config
    np.testing.assert_allclose(numpy(again([[1], [2]], [[0.0], [0.0]])), 9.0)


def test_functions_become_losses():
    def worst(y_true, y_pred, power=1):
        return ops.max(ops.abs(y_true - y_pred) ** power, axis=-1)

    loss = losses.LossFunctionWrapper(worst, power=2)
    assert loss.name == "worst"
    y, p = np.array([[1, 2], [3, 4]]), np.zeros((2, 2), "float32")
    np.testing.assert_allclose(numpy(loss(y, p)), 10.0)
    np.testing.assert_allclose(numpy(loss(y, p, [1.0, 0.0])), 2.0)


def test_a_loss_may_take_structures():
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_true["a"] - y_pred["a"] * y_pred["b"]), axis=-1)

    a, b = np.ones((4, 2)), np.full((4, 2), 3.0)
    np.testing.assert_allclose(numpy(Both()({"a": a}, {"a": a, "b": b})), 4.0)


def test_call_must_be_implemented():
    with pytest.raises(NotImplementedError, match=r"call\(y_true, y_pred\)"):
        losses.Loss()([1.0], [1.0])


@pytest.mark.parametrize("y_shape", [(4,), (4, 2), (4, 1), (3, 3), (4, 3, 1, 1)], ids=str)
def test_shapes_that_differ_are_an_error(y_shape):
    with pytest.raises(ShapeError, match=r"y_pred \(4, 3\)") as error:
        losses.MeanSquaredError()(np.ones(y_shape), np.ones((4, 3)))
    assert f"y_true has shape {y_shape}" in str(error.value)


def test_class_numbers_and_one_hot_are_told_apart():
    labels, one_hot, p = np.array([0, 1, 2, 0]), np.eye(3)[[0, 1, 2, 0]], np.ones((4, 3)) / 3
    with pytest.raises(ShapeError, match="sparse"):
        losses.CategoricalCrossentropy()(labels, p)
    with pytest.raises(ShapeError, match="without 'sparse'"):
        losses.SparseCategoricalCrossentropy()(one_hot, p)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Huber", {"delta": 0}, "delta must be a number above 0, received 0"),
        ("BinaryCrossentropy", {"label_smoothing": 2}, "label_smoothing must be a number from 0"),
        ("BinaryCrossentropy", {"from_logits": "no"}, "from_logits must be True or False"),
        ("CategoricalCrossentropy", {"axis": 1.5}, "axis must be an integer, received 1.5"),
        ("SparseCategoricalCrossentropy", {"ignore_class": "x"}, "ignore_class must be an integer"),
        ("BinaryFocalCrossentropy", {"alpha": 1.5}, "alpha must be a number from 0 to 1"),
        ("CategoricalFocalCrossentropy", {"alpha": [1, -1]}, "alpha must be .* for each class"),
        ("CategoricalFocalCrossentropy", {"gamma": -1}, "gamma must be a number of at least 0"),
        ("CategoricalGeneralizedCrossEntropy", {"q": 1.0}, "q must be a number between 0 and 1"),
        ("Dice", {"axis": "all"}, "axis must be an integer or a list"),
        ("Tversky", {"beta": -0.5}, "beta must be a number of at least 0"),
        ("Circle", {"margin": None}, "margin must be a number of at least 0, received None"),
        ("CTC", {"reduction": "summ"}, "Did you mean 'sum'"),
        ("Poisson", {"dtype": "int32"}, "dtype must be a float type"),
    ],
)
def test_wrong_arguments_are_refused(name, arguments, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        getattr(losses, name)(**arguments)


@pytest.mark.parametrize(
    ("name", "y_shape", "p_shape"),
    [("ctc", (4,), (4, 6, 3)), ("circle", (3,), (4, 2)), ("circle", (4, 2), (4, 2))],
)
def test_labels_that_do_not_fit(name, y_shape, p_shape):
    with pytest.raises(ShapeError, match=f"{name}: "):
        getattr(losses, name)(np.ones(y_shape, int), np.ones(p_shape))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_labels_within_range_pass(dtype):
    losses.check_labels(np.array([[0], [4]], dtype), 5)
    losses.check_labels(np.array([], dtype), 5)
    losses.check_labels(np.array([0, 255]).astype(dtype), 5, ignore_class=255)


@pytest.mark.parametrize("bad", [-1, 5, np.nan])
def test_labels_out_of_range(bad):
    with pytest.raises(DataError, match=r"index \(2,\), but the output has 5 classes.*0 to 4"):
        losses.check_labels(np.array([0, 4, bad]), 5)
