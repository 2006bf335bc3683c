"""Merging layers: their functions, and lists that cannot be merged."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, ArgumentTypeError, ShapeError

X = np.arange(6.0, dtype="float32").reshape(2, 3)
FUNCTIONS = {
    "add": 3 * X,
    "subtract": -X,
    "multiply": 2 * X * X,
    "average": 1.5 * X,
    "maximum": 2 * X,
    "minimum": X,
    "concatenate": np.concatenate([X, 2 * X], -1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_on_tensors_and_in_models(name):
    function, expected = getattr(layers, name), FUNCTIONS[name]
    np.testing.assert_allclose(ops.convert_to_numpy(function([X, 2 * X])), expected)
    inputs = [mlapi.Input((3,)), mlapi.Input((3,))]
    model = mlapi.Model(inputs, function(inputs, name="merged"))
    np.testing.assert_allclose(ops.convert_to_numpy(model([X, 2 * X])), expected)
    assert model.get_layer("merged").name == "merged"


def test_shapes_that_do_not_go_together():
    with pytest.raises(ShapeError, match=r"\(2, 3\), \(2, 4\) cannot be combined"):
        layers.Add()([X, np.ones((2, 4), "float32")])
    with pytest.raises(ShapeError, match=r"cannot be joined along axis -1"):
        layers.Concatenate()([X, np.ones((3, 3), "float32")])
    with pytest.raises(ShapeError, match=r"cannot be joined along axis 2"):
        layers.Concatenate(axis=2)([X, X])


def test_a_single_tensor_is_no_list():
    with pytest.raises((ArgumentError, ArgumentTypeError), match=r"list .*\[x, y\]"):
        layers.Add()(ops.convert_to_tensor(X))


def test_subtract_takes_two():
    with pytest.raises(ArgumentError, match="list of 2 tensors, received 3"):
        layers.Subtract()([X, X, X])
