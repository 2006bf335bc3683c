"""Small helpers around training."""

import random

import numpy as np
import pytest

import mlapi
from mlapi import naming, utils
from mlapi.errors import ArgumentError, DataError, DTypeError


def test_one_seed_for_everything() -> None:
    def draw() -> list[float]:
        utils.set_random_seed(13)
        tensor = mlapi.random.normal((2,))
        weight = mlapi.initializers.RandomNormal().draw((2,), "float32")
        numbers = [random.random(), np.random.random()]  # noqa: NPY002
        return [*numbers, *mlapi.ops.convert_to_numpy(tensor).tolist(), *weight.tolist()]

    assert draw() == draw()
    with pytest.raises(ArgumentError, match="seed must be an integer"):
        utils.set_random_seed("13")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 2, 1], None),
        (np.array([[0], [3]]), None),
        (np.array([[0, 1], [2, 2]]), 5),
        (np.array([1.0, 0.0]), None),
        (np.array(2), 4),
        (np.zeros(0, int), 3),
        ([True, False], None),
    ],
)
def test_to_categorical_is_rows_of_the_identity(labels: object, classes: int | None) -> None:
    one_hot = utils.to_categorical(labels, classes)
    array = np.asarray(labels)
    if array.ndim > 1 and array.shape[-1] == 1:
        array = array[..., 0]
    size = classes or int(array.max()) + 1
    np.testing.assert_array_equal(one_hot, np.eye(size)[array.astype(int)])
    assert one_hot.dtype == np.float32


def test_to_categorical_takes_tensors() -> None:
    labels = mlapi.ops.convert_to_tensor([1, 0], dtype="int32")
    np.testing.assert_array_equal(utils.to_categorical(labels), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 5], 3, r"Labels must be in \[0, 3\); found 5 at index 1 with num_classes=3"),
        ([0, -1], None, r"found -1 at index 1"),
        ([[0, 1], [2, 9]], 3, r"found 9 at index \(1, 1\)"),
        ([0.5], None, "Labels must be whole numbers; found 0.5 at index 0"),
        ([float("nan")], None, "Labels must be whole numbers; found nan"),
        ([], None, "received no labels; pass num_classes"),
    ],
)
def test_wrong_labels_are_refused(labels: object, classes: int | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        utils.to_categorical(labels, classes)


def test_labels_must_be_numbers() -> None:
    with pytest.raises(DTypeError, match="needs whole numbers"):
        utils.to_categorical(["cat", "dog"])


@pytest.mark.parametrize(("axis", "order"), [(-1, 2), (0, 1), (1, 2)])
def test_normalize(axis: int, order: int) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))
    x[2] = 0
    normal = utils.normalize(x, axis, order)
    lengths = np.linalg.norm(normal, order, axis)
    expected = (np.linalg.norm(x, order, axis) > 0).astype(float)
    np.testing.assert_allclose(lengths, expected)
    np.testing.assert_allclose(normal * np.linalg.norm(x, order, axis, keepdims=True), x)
    assert utils.normalize([3, 4]).dtype == np.float32


def test_clear_session_starts_names_again() -> None:
    naming.auto_name("Dense")
    utils.clear_session()
    assert naming.auto_name("Dense") == "dense"


def test_symbolic_tensors_are_told_from_others() -> None:
    assert utils.is_keras_tensor(mlapi.KerasTensor((None, 2)))
    assert not utils.is_keras_tensor(np.zeros(2))
