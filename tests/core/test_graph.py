"""Symbolic tensors and the flat programs made of the calls on them."""

import operator

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.backends.contract import Spec
from mlapi.errors import ArgumentError, ShapeError
from mlapi.graph import Node, Program

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class Twice(mlapi.Layer):
    """A tensor, something that is no tensor, nothing, and a tensor again."""

    def call(self, x):
        return {"sum": ops.sum(x, -1), "number": 3, "nothing": None, "double": [x * 2.0]}


# Shapes


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: ops.reshape(x, (-1, 12)), (None, 12)),
        (lambda x: ops.reshape(x, (-1,)), (None,)),
        (lambda x: ops.transpose(x), (3, 4, None)),
        (lambda x: ops.sum(x, axis=0), (4, 3)),
        (lambda x: ops.mean(x), ()),
        (lambda x: ops.concatenate([x, x], axis=0), (None, 4, 3)),
        (lambda x: ops.concatenate([x, x], axis=1), (None, 8, 3)),
        (lambda x: ops.stack([x, x], axis=1), (None, 2, 4, 3)),
        (lambda x: ops.expand_dims(x, 0), (1, None, 4, 3)),
        (lambda x: x[:, 0], (None, 3)),
        (lambda x: x[:, 1:3, ::2], (None, 2, 2)),
        (lambda x: x[0], (4, 3)),
        (lambda x: x[..., None], (None, 4, 3, 1)),
        (lambda x: ops.split(x, 2, axis=1)[1], (None, 2, 3)),
        (lambda x: layers.Flatten()(x), (None, 12)),
    ],
)
def test_unknown_sizes_stay_unknown_and_others_are_known(call, expected):
    x = mlapi.Input((4, 3))
    y = call(x)
    assert y.shape == expected
    data = np.arange(24.0, dtype="float32").reshape(2, 4, 3)
    result = numpy(mlapi.Model(x, y)(data))
    assert len(result.shape) == len(expected)
    assert all(n in (m, None) for n, m in zip(expected, result.shape, strict=True))
    np.testing.assert_array_equal(result, numpy(call(ops.convert_to_tensor(data))))


def test_several_unknown_sizes():
    x = mlapi.Input((None, 3))
    assert (x * 2.0).shape == (None, None, 3)
    assert ops.sum(x, axis=1).shape == (None, 3)
    assert ops.matmul(x, ops.transpose(x, (0, 2, 1))).shape == (None, None, None)


def test_a_batch_size_may_be_known():
    x = mlapi.Input((3,), batch_size=2)
    assert x.shape == (2, 3)
    assert ops.sum(x, axis=0).shape == (3,)
    assert len(x) == 2
    first, second = x
    model = mlapi.Model(x, first - second)
    np.testing.assert_array_equal(numpy(model(X)), X[0] - X[1])


def test_dtypes_of_inputs():
    x = mlapi.Input((2,), dtype="int32")
    assert x.dtype == "int32"
    assert (x + 1).dtype == "int32"
    assert (x > 1).dtype == "bool"
    assert (x * 0.5).dtype == "float32"


# Operators


BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", BINARY)
def test_binary_operators(name):
    function = getattr(operator, name)
    x, y = mlapi.Input((3,)), mlapi.Input((3,))
    other = np.array([2.0, -1.0, 0.5], "float32")
    variable = mlapi.Variable(other)
    model = mlapi.Model(
        [x, y],
        [
            function(x, y),
            function(x, 2.0),
            function(2.0, y),
            function(x, other),
            function(other, x),
            function(x, variable),
            function(variable, x),
        ],
    )
    b = np.array([[3.0, 0.25, -2.0], [1.0, 2.0, 0.3]], "float32")
    a, two = X, np.float32(2)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = [(a, b), (a, two), (two, b), (a, other), (other, a), (a, other), (other, a)]
        expected = [function(*pair) for pair in expected]
    for found, wanted in zip(model([a, b]), expected, strict=True):
        found, fits = numpy(found), np.isfinite(wanted)  # frameworks differ in remainders by zero
        np.testing.assert_allclose(found[fits], wanted[fits], 1e-5)


def test_other_operators():
    x = mlapi.Input((3,))
    matrix = np.arange(9.0, dtype="float32").reshape(3, 3)
    outputs = [-x, abs(x), abs(x) ** 2, 2 ** x, x @ matrix, (x > 0) & (x < 2), (x > 0) | (x < -1),
               (x > 0) ^ (x > 2), ~(x > 0)]  # fmt: skip
    expected = [-X, abs(X), X**2, 2**X, X @ matrix, (X > 0) & (X < 2), (X > 0) | (X < -1),
                (X > 0) ^ (X > 2), ~(X > 0)]  # fmt: skip
    for found, wanted in zip(mlapi.Model(x, outputs)(X), expected, strict=True):
        np.testing.assert_allclose(numpy(found), wanted, 1e-5)


def test_integers_meet_floats():
    x, y = mlapi.Input((3,), dtype="int32"), mlapi.Input((3,))
    model = mlapi.Model([x, y], [x * y, x * 2.5, y - x])
    a = np.array([[1, 2, 3]], "int32")
    for found, wanted in zip(model([a, X[:1]]), [a * X[:1], a * 2.5, X[:1] - a], strict=True):
        np.testing.assert_allclose(numpy(found), wanted)


def test_variables_in_operators_are_trained():
    x = mlapi.Input((3,))
    scale = mlapi.Variable(np.ones(3, "float32"), name="scale")
    model = mlapi.Model(x, scale * x)
    assert [id(v) for v in model.trainable_variables] == [id(scale)]
    model.compile(mlapi.optimizers.SGD(0.5), "mse")
    model.train_on_batch(X, 3 * X)
    # The mean of (s x - 3 x)² over rows and columns has slope 2 (s - 3) x² / 6 summed over rows.
    np.testing.assert_allclose(scale.numpy(), 1 - 0.5 * (2 * -2 * X**2 / 6).sum(0), 1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (bool, "no truth value"),
        (np.asarray, "under construction"),
        (iter, "known at run time only"),
        (len, "unknown length"),
    ],
)
def test_what_a_symbolic_tensor_cannot_do(call, message):
    with pytest.raises(TypeError, match=message):
        call(mlapi.Input((3,)))


# Programs


def test_branches_and_shared_layers():
    x, z = mlapi.Input((3,)), mlapi.Input((3,))
    shared = layers.Dense(3)
    a, b = shared(x), shared(z)
    c = layers.Add()([a, b, x])
    d = ops.tanh(c) * a
    model = mlapi.Model([x, z], [d, c, shared(d)])
    k, bias = shared.get_weights()
    left, right = X @ k + bias, (X + 1) @ k + bias
    total = left + right + X
    out = np.tanh(total) * left
    for found, wanted in zip(model([X, X + 1]), [out, total, out @ k + bias], strict=True):
        np.testing.assert_allclose(numpy(found), wanted, 1e-5, 1e-6)
    assert len(model.weights) == 2


def test_slots_are_reused_but_never_too_early():
    """A random program of many calls, run by the model and step by step."""
    generator = np.random.default_rng(3)
    x = mlapi.Input((3,))
    symbols, values = [x, x * 0.5], [X, X * 0.5]
    for _ in range(30):
        i, j = generator.integers(len(symbols), size=2)
        sign = float(generator.choice([-1, 1]))
        symbols.append(symbols[i] * 0.5 + symbols[j] * (0.25 * sign))
        values.append(values[i] * 0.5 + values[j] * (0.25 * sign))
    chosen = [31, 20, 0, 17, 31]
    model = mlapi.Model(x, [symbols[i] for i in chosen])
    for found, i in zip(model(X), chosen, strict=True):
        np.testing.assert_allclose(numpy(found), values[i], 1e-4, 1e-6)


def test_a_long_chain_needs_no_recursion():
    x = y = mlapi.Input((3,))
    for _ in range(5000):
        y = Node(operator.neg, (y,), {}, Spec((None, 3), "float32")).structure
    np.testing.assert_array_equal(Program([x], y)([X]), X)


def test_only_what_the_outputs_need_runs():
    class Fails(mlapi.Layer):
        def call(self, x):
            if not isinstance(x, mlapi.SymbolicTensor) and self.armed:
                raise AssertionError("ran")
            return x * 1.0

    fails = Fails()
    fails.armed = False
    x = mlapi.Input((3,))
    unused = fails(x)
    model = mlapi.Model(x, ops.relu(x))
    fails.armed = True
    np.testing.assert_array_equal(numpy(model(X)), np.maximum(X, 0))
    assert fails not in model.layers
    assert unused.shape == (None, 3)


def test_calls_with_several_results():
    x = mlapi.Input((3,))
    out = Twice()(x)
    assert (out["number"], out["nothing"]) == (3, None)
    model = mlapi.Model(x, {"y": out["double"][0] + 1.0})
    np.testing.assert_array_equal(numpy(model(X)["y"]), 2 * X + 1)
    both = mlapi.Model(x, [out["sum"], out["double"][0]])(X)
    np.testing.assert_allclose(numpy(both[0]), X.sum(1), 1e-6)


def test_outputs_keep_their_structure():
    x = mlapi.Input((3,))
    model = mlapi.Model(x, {"a": x, "b": (x * 2.0, [x * 3.0])})
    result = model(X)
    assert list(result) == ["a", "b"]
    assert isinstance(result["b"], tuple)
    np.testing.assert_array_equal(numpy(result["b"][1][0]), 3 * X)


def test_dict_inputs_are_matched_by_name():
    inputs = {"left": mlapi.Input((3,), name="left"), "right": mlapi.Input((3,), name="right")}
    model = mlapi.Model(inputs, inputs["left"] - inputs["right"])
    for given in ({"right": X, "left": 2 * X}, {"left": 2 * X, "right": X, "other": X}, [2 * X, X]):
        np.testing.assert_array_equal(numpy(model(given)), X)
    np.testing.assert_array_equal(model.predict({"right": X, "left": 3 * X}, verbose=0), 2 * X)
    with pytest.raises(ShapeError, match="inputs 'right' are missing; received 'left'"):
        model({"left": X})


def test_list_inputs_take_dicts_of_names_and_no_wrong_number():
    a, b = mlapi.Input((3,), name="a"), mlapi.Input((3,), name="b")
    model = mlapi.Model([a, b], a - b)
    np.testing.assert_array_equal(numpy(model({"b": X, "a": 2 * X})), X)
    with pytest.raises(ShapeError, match=r"expected 2 inputs \(a, b\), received 3"):
        model([X, X, X])


def test_a_model_may_begin_and_end_anywhere():
    x = mlapi.Input((3,))
    h = layers.Dense(4, activation="relu")(x)
    y = layers.Dense(2)(h)
    whole, head, tail = mlapi.Model(x, y), mlapi.Model(x, h), mlapi.Model(h, y)
    np.testing.assert_allclose(numpy(tail(head(X))), numpy(whole(X)), 1e-6)
    assert len(tail.weights) == 2


def test_outputs_must_be_reachable():
    x, other = mlapi.Input((3,), name="x"), mlapi.Input((3,), name="other")
    with pytest.raises(ArgumentError, match=r"depend on .*other.*not among the inputs.*name=x"):
        mlapi.Model(x, x + other)


@pytest.mark.parametrize("wrong", [[], X, "x", None, [mlapi.Input((3,)), 3]])
def test_outputs_must_be_symbolic(wrong):
    with pytest.raises(ArgumentError, match="must be symbolic tensors"):
        mlapi.Model(mlapi.Input((3,)), wrong)


def test_layers_need_names_of_their_own():
    x = mlapi.Input((3,))
    y = layers.Dense(3, name="a")(layers.Dense(3, name="a")(x))
    with pytest.raises(ArgumentError, match='two different layers are named "a"'):
        mlapi.Model(x, y)
