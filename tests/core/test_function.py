"""Operations with arguments of their own, and recorded graphs as functions."""

import numpy as np
import pytest

import mlapi
from mlapi import ops
from mlapi.errors import ArgumentError


class Scale(mlapi.Operation):
    def __init__(self, factor, name=None):
        super().__init__(name)
        self.factor = factor

    def call(self, x):
        return x * self.factor, ops.sum(x, axis=-1)


def test_operation() -> None:
    scale = Scale(3.0, name="tripled")
    with pytest.raises(ArgumentError, match="has not been called"):
        _ = scale.output
    x = mlapi.Input((2,))
    y, total = scale(x)
    assert (y.shape, total.shape) == ((None, 2), (None,))
    assert scale.output == (y, total)
    assert scale.input is x
    assert [t.shape for t in scale.compute_output_spec(mlapi.KerasTensor((5, 2)))] == [(5, 2), (5,)]
    model = mlapi.Model(x, [y, total])
    values = np.array([[1.0, 2.0]], "float32")
    for found in (scale(ops.convert_to_tensor(values)), model(values)):
        np.testing.assert_array_equal(ops.convert_to_numpy(found[0]), 3 * values)
        np.testing.assert_array_equal(ops.convert_to_numpy(found[1]), [3.0])
    copy = Scale.from_config(scale.get_config())
    assert (copy.factor, copy.name) == (3.0, "tripled")


def test_function() -> None:
    a, b = mlapi.KerasTensor((None, 2)), mlapi.KerasTensor((None, 2))
    f = mlapi.Function({"a": a, "b": b}, [ops.relu(a) + b, ops.sum(b)], name="mix")
    x = np.array([[-1.0, 2.0]], "float32")
    first, second = f({"a": x, "b": 2 * x})
    np.testing.assert_array_equal(ops.convert_to_numpy(first), np.maximum(x, 0) + 2 * x)
    assert float(second) == 2
    assert f.compute_output_shape({"a": (5, 2), "b": (5, 2)}) == [(5, 2), ()]
    assert [op.__name__ for op in f.operations] == ["relu", "add", "sum"]
    assert (f.inputs, len(f.outputs)) == ([a, b], 2)
    c = mlapi.Input((2,))
    again = mlapi.Model(c, f({"a": c, "b": c})[0])
    np.testing.assert_array_equal(ops.convert_to_numpy(again(x)), np.maximum(x, 0) + x)
    with pytest.raises(ArgumentError, match="not among the inputs"):
        mlapi.Function(a, a + b)
    with pytest.raises(ArgumentError, match="cannot be saved"):
        f.get_config()


def test_names_in_scopes() -> None:
    with mlapi.name_scope("outer"), mlapi.name_scope("inner"):
        variable = mlapi.Variable(1.0, name="v")
        dense = mlapi.layers.Dense(1, name="d")
        dense(np.ones((1, 2), "float32"))
    assert variable.path == "outer/inner/v"
    assert dense.kernel.path == "outer/inner/d/kernel"
    assert mlapi.Variable(1.0, name="w").path == "w"
    with pytest.raises(ArgumentError, match="without slashes"):
        mlapi.name_scope("a/b")


def test_devices() -> None:
    with mlapi.device("cpu:0"):
        x = ops.ones((2,))
    assert ops.convert_to_numpy(x).tolist() == [1, 1]
    for name in ("elsewhere", "cpu:x", "tpu:99"):
        with pytest.raises(ArgumentError, match=name), mlapi.device(name):
            pass


def test_counting() -> None:
    mlapi.utils.clear_session()
    found = [mlapi.backend.get_uid("a"), mlapi.backend.get_uid("b"), mlapi.backend.get_uid("a")]
    assert found == [1, 1, 2]
    assert mlapi.version() == mlapi.__version__
