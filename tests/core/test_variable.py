"""Variables: creation, assignment, operators, and what they say when something does not fit."""

import operator

import numpy as np
import pytest

import mlapi
from mlapi import initializers, ops
from mlapi.errors import ShapeError
from mlapi.state import collect

X = np.array([[1.0, -2.0], [3.0, 4.0]], "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1.0, 2.0], "float32"),
        ([1, 2], "int32"),
        (3, "int32"),
        (0.5, "float32"),
        (True, "bool"),
        (np.ones((2, 0), "float16"), "float16"),
        (np.arange(3, dtype="uint8"), "uint8"),
    ],
)
def test_dtype_and_shape_follow_the_value(value, dtype):
    variable = mlapi.Variable(value)
    assert variable.dtype == dtype
    assert variable.shape == np.shape(value)
    assert variable.ndim == np.ndim(value)
    np.testing.assert_array_equal(variable.numpy(), np.asarray(value))
    assert variable.numpy().dtype == dtype
    assert ops.dtype(variable.value) == dtype


def test_a_given_dtype_wins():
    assert mlapi.Variable([1, 2], dtype="float32").numpy().dtype == "float32"
    assert mlapi.Variable(np.ones(2), dtype="float16").dtype == "float16"


def test_tensors_and_variables_are_copied():
    first = mlapi.Variable(ops.convert_to_tensor(X))
    second = mlapi.Variable(first)
    first.assign(X + 1)
    np.testing.assert_array_equal(second.numpy(), X)


def test_the_array_that_it_was_made_of_stays_apart():
    array = X.copy()
    variable = mlapi.Variable(array)
    variable.assign_add(1)
    np.testing.assert_array_equal(array, X)
    array[0, 0] = 100
    np.testing.assert_array_equal(variable.numpy(), X + 1)


def test_numpy_is_a_copy():
    variable = mlapi.Variable(X)
    variable.numpy()[:] = 0
    np.testing.assert_array_equal(variable.numpy(), X)


def test_initializers_and_callables():
    ones = mlapi.Variable(initializers.Ones(), (2, 3))
    np.testing.assert_array_equal(ones.numpy(), np.ones((2, 3)))
    assert ones.dtype == "float32"
    of_user = mlapi.Variable(lambda shape, dtype: np.full(shape, 7, dtype), (2,), "int32")
    np.testing.assert_array_equal(of_user.numpy(), [7, 7])
    of_tensors = mlapi.Variable(lambda shape, dtype: ops.ones(shape, dtype), (2,))
    np.testing.assert_array_equal(of_tensors.numpy(), [1, 1])


def test_initializers_need_a_shape():
    with pytest.raises(ShapeError, match='Variable "w": an initializer needs `shape`'):
        mlapi.Variable(initializers.Ones(), name="w")


def test_value_and_shape_must_agree():
    with pytest.raises(ShapeError, match=r"shape \(2, 2\), but shape=\(4,\)"):
        mlapi.Variable(X, shape=(4,))


def test_assignments():
    variable = mlapi.Variable(X)
    variable.assign(X * 2)
    np.testing.assert_array_equal(variable.numpy(), X * 2)
    variable.assign_add(X)
    variable.assign_sub(ops.convert_to_tensor(X))
    variable.assign_add(1)
    variable.assign_sub(0.5)
    np.testing.assert_array_equal(variable.numpy(), X * 2 + 0.5)
    variable.assign(mlapi.Variable(X))
    np.testing.assert_array_equal(variable.numpy(), X)
    variable.assign([[1, 2], [3, 4]])
    assert variable.dtype == ops.dtype(variable.value) == "float32"


def test_assigned_values_get_the_dtype_of_the_variable():
    variable = mlapi.Variable([1.0, 2.0])
    variable.assign(np.array([3, 4], "int64"))
    variable.assign_add(np.array([1, 1], "int8"))
    assert ops.dtype(variable.value) == "float32"
    np.testing.assert_array_equal(variable.numpy(), [4, 5])


@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
def test_a_wrong_shape_is_refused_and_changes_nothing(method):
    variable = mlapi.Variable(X, name="w")
    with pytest.raises(ShapeError, match=r'"w" has shape \(2, 2\); a value of shape \(2,\)'):
        getattr(variable, method)([1.0, 2.0])
    np.testing.assert_array_equal(variable.numpy(), X)


BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "matmul", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("kind", [np.asarray, ops.convert_to_tensor, mlapi.Variable])
def test_operators_are_those_of_numpy_from_both_sides(name, kind):
    function = getattr(operator, name)
    variable, array = mlapi.Variable(X), X + np.float32(0.5)
    other = kind(array)
    np.testing.assert_allclose(numpy(function(variable, other)), function(X, array), 1e-5, 1e-6)
    np.testing.assert_allclose(numpy(function(other, variable)), function(array, X), 1e-5, 1e-6)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "gt"])
def test_operators_with_numbers(name):
    function, variable = getattr(operator, name), mlapi.Variable(np.abs(X))
    for number in (2, 2.5):
        np.testing.assert_allclose(
            numpy(function(variable, number)), function(np.abs(X), number), 1e-5
        )
        np.testing.assert_allclose(
            numpy(function(number, variable)), function(number, np.abs(X)), 1e-5
        )
    assert ops.dtype(variable * np.float32(2)) == "float32"


def test_unary_operators_and_indices():
    variable = mlapi.Variable(X)
    np.testing.assert_array_equal(numpy(-variable), -X)
    np.testing.assert_array_equal(numpy(abs(variable)), abs(X))
    np.testing.assert_array_equal(numpy(variable[0]), X[0])
    np.testing.assert_array_equal(numpy(variable[..., 1:]), X[..., 1:])
    assert len(variable) == 2


def test_python_and_numpy_read_it():
    assert float(mlapi.Variable(2.5)) == 2.5
    assert int(mlapi.Variable(3)) == 3
    assert bool(mlapi.Variable(0.0)) is False
    np.testing.assert_array_equal(np.asarray(mlapi.Variable(X)), X)
    np.testing.assert_array_equal(np.square(mlapi.Variable(X)), X**2)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, v: x * v,
        lambda x, v: v * x,
        lambda x, v: numpy(x) * v,
        lambda x, v: ops.multiply(x, v),
        lambda x, v: x * v[:],
        lambda x, v: ops.multiply(x, [v[0], v[1]]),
    ],
)
def test_gradients_reach_it_however_it_is_used(call):
    variable = mlapi.Variable([2.0, 3.0])
    x = ops.convert_to_tensor([5.0, 7.0])
    _, (grad,) = mlapi.value_and_grad(lambda: ops.sum(call(x, variable)), [variable])()
    np.testing.assert_allclose(numpy(grad), [5, 7])


def test_trainable_can_be_toggled():
    variable = mlapi.Variable(X)
    assert variable.trainable
    variable.trainable = False
    assert not variable.trainable
    variable.trainable = True
    _, (grad,) = mlapi.value_and_grad(lambda: ops.sum(variable * X), [variable])()
    np.testing.assert_array_equal(numpy(grad), X)


def test_names():
    variable = mlapi.Variable(X, name="kernel", path="model/dense/kernel")
    assert (variable.name, variable.path) == ("kernel", "model/dense/kernel")
    assert "model/dense/kernel" in repr(variable)
    assert "(2, 2)" in repr(variable)


def test_collect_finds_each_once_in_any_nest():
    class Holder(mlapi.Layer):
        def __init__(self):
            super().__init__()
            self.one = mlapi.Variable(1.0, trainable=False)
            self.table = {"a": [mlapi.Variable(2.0)], "b": (self.one,)}
            self.inner = mlapi.random.SeedGenerator(1)

    holder = Holder()
    found = collect([holder, {"again": holder}, holder.one])
    assert [id(v) for v in found] == [
        id(v) for v in (holder.table["a"][0], holder.one, holder.inner.state)
    ]
    with pytest.raises(TypeError, match=r"state must be a Variable.*got str"):
        collect(["kernel"])


def test_collect_asks_each_object_that_lists_its_variables():
    """Each list is made when asked for, and may lie where the one before it lay."""

    class Lister:
        def __init__(self):
            self.own = mlapi.Variable(1.0)

        @property
        def variables(self):
            return [self.own]

    listers = [Lister() for _ in range(20)]
    assert collect(listers) == [lister.own for lister in listers]


def test_native_is_where_the_value_is():
    variable = mlapi.Variable([1.0, 2.0])
    for value in ([1.0, 2.0], [3.0, 4.0]):
        variable.assign(value)
        np.testing.assert_array_equal(ops.convert_to_numpy(variable.native), value)
