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
    "dot": 2 * (X * X).sum(-1, keepdims=True),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_on_tensors_and_in_models(name):
    function, expected = getattr(layers, name), FUNCTIONS[name]
    np.testing.assert_allclose(ops.convert_to_numpy(function([X, 2 * X])), expected)
    inputs = [mlapi.Input((3,)), mlapi.Input((3,))]
    model = mlapi.Model(inputs, function(inputs, name="merged"))
    np.testing.assert_allclose(ops.convert_to_numpy(model([X, 2 * X])), expected)
    np.testing.assert_allclose(model.predict([X, 2 * X], verbose=0), expected)
    assert model.get_layer("merged").name == "merged"


def test_shapes_that_do_not_go_together():
    with pytest.raises(ShapeError, match=r"\(2, 3\), \(2, 4\) cannot be combined"):
        layers.Add()([X, np.ones((2, 4), "float32")])
    with pytest.raises(ShapeError, match=r"cannot be joined along axis -1"):
        layers.Concatenate()([X, np.ones((3, 3), "float32")])
    with pytest.raises(ShapeError, match=r"cannot be joined along axis 2"):
        layers.Concatenate(axis=2)([X, X])


@pytest.mark.parametrize(
    ("axes", "shapes"),
    [
        (1, [(2, 3), (2, 4)]),
        (1, [(2, 3), (3, 3)]),
        (2, [(2, 3), (2, 3)]),
        ((1, 2), [(2, 3), (2, 3)]),
        (-2, [(2, 3), (2, 3)]),
    ],
)
def test_shapes_that_have_no_dot_product(axes, shapes):
    with pytest.raises(ShapeError, match=r"cannot be multiplied along axes="):
        layers.Dot(axes)([np.ones(shape, "float32") for shape in shapes])


def test_cosine_with_nothing_is_zero():
    x = np.array([[3.0, 4.0], [0.0, 0.0]], "float32")
    y = layers.dot([x, x], axes=1, normalize=True)
    np.testing.assert_allclose(ops.convert_to_numpy(y), [[1.0], [0.0]], 1e-6)


def test_a_single_tensor_is_no_list():
    with pytest.raises((ArgumentError, ArgumentTypeError), match=r"list .*\[x, y\]"):
        layers.Add()(ops.convert_to_tensor(X))


@pytest.mark.parametrize("layer", [layers.Subtract(), layers.Dot(1)])
def test_some_take_two(layer):
    with pytest.raises(ArgumentError, match="list of 2 tensors, received 3"):
        layer([X, X, X])
