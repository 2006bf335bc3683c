"""Conversions, and control flow: eager, compiled and differentiated."""

import numpy as np
import pytest

import mlapi
from mlapi import ops
from mlapi.errors import ArgumentError
from mlapi.graph import SymbolicTensor


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def test_conversion_takes_what_numbers_come_in():
    for value in ([1.0, 2.0], (1.0, 2.0), np.float32([1, 2]), mlapi.Variable([1.0, 2.0])):
        tensor = ops.convert_to_tensor(value)
        assert ops.is_tensor(tensor)
        assert ops.dtype(tensor) == "float32"
        assert numpy(tensor).tolist() == [1.0, 2.0]


def test_numbers_of_python_have_32_bits():
    assert ops.dtype(ops.convert_to_tensor(3)) == "int32"
    assert ops.dtype(ops.convert_to_tensor([True])) == "bool"
    assert ops.dtype(0.5) == "float32"


def test_conversion_keeps_symbolic_tensors():
    x = SymbolicTensor((None, 3), "float32")
    assert ops.is_tensor(x)
    assert ops.dtype(ops.convert_to_tensor(x, dtype="int8")) == "int8"


def test_sparse_tensors_are_refused():
    with pytest.raises(ArgumentError, match="sparse"):
        ops.convert_to_tensor([1.0], sparse=True)


def test_shape_of_anything():
    assert ops.shape(ops.zeros((2, 3))) == (2, 3)
    assert ops.shape(np.zeros((4,))) == (4,)
    assert ops.shape(1.0) == ()
    assert ops.shape(mlapi.Variable([1.0])) == (1,)
    assert ops.shape(SymbolicTensor((None, 2), "int32")) == (None, 2)


def test_stop_gradient():
    grad = mlapi.grad(lambda x: ops.sum(x * ops.stop_gradient(x)))
    assert numpy(grad(ops.convert_to_tensor([3.0]))).tolist() == [3.0]


@pytest.mark.parametrize("run", [lambda f: f, lambda f: mlapi.jit(f, [])], ids=["eager", "jit"])
def test_cond(run):
    choose = run(lambda x: ops.cond(ops.sum(x) > 0, lambda: {"y": x * 2.0}, lambda: {"y": x - 1.0}))
    assert numpy(choose(ops.convert_to_tensor([1.0, 2.0]))["y"]).tolist() == [2.0, 4.0]
    assert numpy(choose(ops.convert_to_tensor([-1.0, 0.0]))["y"]).tolist() == [-2.0, -1.0]


def test_cond_takes_numbers_and_the_gradient_takes_the_branch():
    assert int(ops.cond(0, lambda: 1, lambda: 2)) == 2
    grad = mlapi.grad(lambda x: ops.cond(x > 0, lambda: 3.0 * x, lambda: 5.0 * x))
    assert float(grad(ops.convert_to_tensor(1.0))) == 3.0
    assert float(grad(ops.convert_to_tensor(-1.0))) == 5.0


@pytest.mark.parametrize("run", [lambda f: f, lambda f: mlapi.jit(f, [])], ids=["eager", "jit"])
def test_while_loop(run):
    def collatz(n):
        return ops.while_loop(
            lambda n, steps: n > 1,
            lambda n, steps: (ops.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1),
            (n, 0),
        )

    last, steps = run(collatz)(ops.convert_to_tensor(6))
    assert (int(last), int(steps)) == (1, 8)


def test_while_loop_ends_after_the_maximum():
    (i,) = ops.while_loop(lambda i: i < 100, lambda i: [i + 1], [0], maximum_iterations=7)
    assert int(i) == 7
    assert int(ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0)) == 6


def test_fori_loop():
    total = ops.fori_loop(1, 5, lambda i, s: {"sum": s["sum"] + i}, {"sum": 0})
    assert int(total["sum"]) == 10


@pytest.mark.parametrize("run", [lambda f: f, lambda f: mlapi.jit(f, [])], ids=["eager", "jit"])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan(run, reverse):
    x = np.arange(12, dtype="float32").reshape(4, 3)

    def step(carry, row):
        carry = carry * 0.5 + row["x"]
        return carry, (carry, ops.sum(carry))

    def cumulate(x):
        return ops.scan(step, ops.zeros((3,)), {"x": x}, reverse=reverse)

    last, (rows, sums) = run(cumulate)(ops.convert_to_tensor(x))
    carry, wanted = np.zeros(3), np.zeros((4, 3))
    for i in reversed(range(4)) if reverse else range(4):
        carry = carry * 0.5 + x[i]
        wanted[i] = carry
    np.testing.assert_allclose(numpy(last), carry)
    np.testing.assert_allclose(numpy(rows), wanted)
    np.testing.assert_allclose(numpy(sums), wanted.sum(1))


def test_scan_without_inputs_or_outputs():
    last, ys = ops.scan(lambda c, x: (c + 2, None), 0, length=5)
    assert int(last) == 10
    assert ys is None


def test_gradient_of_scan():
    """d/dx of the product of (x + 1), (x + 2), (x + 3)."""

    def product(x):
        return ops.scan(lambda c, a: (c * (x + a), c), 1.0, np.float32([1, 2, 3]))[0]

    grad = mlapi.grad(product)(ops.convert_to_tensor(2.0))
    assert float(grad) == pytest.approx(4 * 5 + 3 * 5 + 3 * 4)


class Doubling(mlapi.Layer):
    """Doubles its input until the sum of squares is above 100."""

    def call(self, x):
        (x,) = ops.while_loop(lambda x: ops.sum(x * x) < 100, lambda x: (2.0 * x,), (x,))
        return ops.cond(x[0, 0] > 0, lambda: x, lambda: -x)


def test_control_flow_in_a_layer():
    """Shapes are inferred without running in circles; compiled and eager calls agree."""
    layer = Doubling()
    assert layer(SymbolicTensor((None, 2), "float32")).shape == (None, 2)
    x = np.float32([[-1, 2], [0.5, 0]])
    np.testing.assert_allclose(numpy(layer(x)), np.float32([[8, -16], [-4, 0]]))
    compiled = mlapi.jit(layer, layer)
    np.testing.assert_allclose(numpy(compiled(ops.convert_to_tensor(x))), numpy(layer(x)))


RUNS = {"eager": lambda f: f, "jit": lambda f: mlapi.jit(f, [])}
run_both = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())


@run_both
@pytest.mark.parametrize("index", [-3, 0, 1, 2, 7])
def test_switch(run, index):
    def choose(x, i):
        return ops.switch(i, [lambda x: x, lambda x: 2.0 * x, lambda x: x * x], x)

    both = run(mlapi.value_and_grad(choose))
    value, slope = both(ops.convert_to_tensor(3.0), ops.convert_to_tensor(index))
    place = min(max(index, 0), 2)
    assert (float(value), float(slope)) == ([3, 6, 9][place], [1, 2, 6][place])


@run_both
def test_gradients_of_control_flow(run):
    def power(x):
        return ops.fori_loop(0, 3, lambda i, y: y * x, ops.ones(()))

    def branch(x):
        return ops.cond(ops.sum(x) > 0, lambda: x * x, lambda: x)

    def bounded(x):
        return ops.while_loop(lambda y: y < 100, lambda y: y * x, x, maximum_iterations=5)

    x = ops.convert_to_tensor(3.0)
    for fn, wanted in ((power, 27), (branch, 6), (bounded, 5 * 81)):
        assert float(run(mlapi.grad(fn))(x)) == pytest.approx(wanted)


def test_gradient_of_an_unbounded_loop():
    grad = mlapi.grad(lambda x: ops.while_loop(lambda y: y < 100, lambda y: y * x, x))
    assert float(grad(ops.convert_to_tensor(3.0))) == pytest.approx(5 * 81)


@run_both
def test_loops_of_tensors(run):
    def total(n):
        return ops.fori_loop(0, n, lambda i, s: s + i, 0)

    assert int(run(total)(ops.convert_to_tensor(5))) == 10
    assert int(ops.fori_loop(3, 1, lambda i, s: s + i, 7)) == 7


@run_both
def test_map(run):
    x = {"a": np.arange(6, dtype="float32").reshape(3, 2), "b": np.float32([1, 2, 3])}
    tensors = {name: ops.convert_to_tensor(value) for name, value in x.items()}

    def each(row):
        return ops.sum(row["a"]) * row["b"], row["b"]

    for function in (ops.map, ops.vectorized_map):
        sums, second = run(lambda xs: function(each, xs))(tensors)  # noqa: B023
        np.testing.assert_allclose(numpy(sums), x["a"].sum(1) * x["b"])
        np.testing.assert_allclose(numpy(second), x["b"])


def test_no_rows():
    y = ops.map(lambda row: {"y": ops.sum(row), "z": row > 0}, np.ones((0, 3), "float32"))
    assert ops.shape(y["y"]) == (0,)
    assert (ops.shape(y["z"]), ops.dtype(y["z"])) == ((0, 3), "bool")


def test_rows_of_different_number():
    with pytest.raises(ArgumentError):
        ops.scan(lambda c, x: (c, c), 0, (np.ones(2), np.ones(3)))
    with pytest.raises(ArgumentError):
        ops.scan(lambda c, x: (c, c), 0)


@run_both
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 13])
def test_associative_scan(run, reverse, size):
    x = np.random.default_rng(size).normal(size=(2, size)).astype("float32")
    decay = np.float32(np.linspace(0.5, 1, size))[None] * np.ones((2, 1), "float32")

    def combine(before, after):
        return before[0] * after[0], after[0] * before[1] + after[1]

    def scan(a, b):
        return ops.associative_scan(combine, (a, b), reverse=reverse, axis=1)[1]

    y = numpy(run(scan)(*map(ops.convert_to_tensor, (decay, x))))
    state, wanted = np.zeros(2), np.zeros((2, size))
    for i in reversed(range(size)) if reverse else range(size):
        state = wanted[:, i] = decay[:, i] * state + x[:, i]
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-5)


@run_both
def test_custom_gradient(run):
    """Clipped on its way back; values and other gradients as they are."""

    @ops.custom_gradient
    def clipped(x, scale):
        y = ops.exp(x) * scale
        return y, lambda upstream: (ops.clip(upstream * y, -1.0, 1.0), ops.sum(upstream) * 0.5)

    def loss(p):
        return ops.sum(clipped(*p) * 2.0)

    x, scale = ops.convert_to_tensor([0.0, 3.0]), ops.convert_to_tensor(0.25)
    value, (slope, other) = run(mlapi.value_and_grad(loss))([x, scale])
    assert float(value) == pytest.approx(0.5 * (1 + np.exp(3)))
    np.testing.assert_allclose(numpy(slope), [0.5, 1.0])
    assert float(other) == 2.0


def test_custom_gradient_of_several_values():
    @ops.custom_gradient
    def both(x):
        return (x, 2.0 * x), lambda a, b: 10.0 * a + 100.0 * b

    grad = mlapi.grad(lambda x: ops.sum(both(x)[0]) + ops.sum(both(x)[1] * 3.0))
    assert float(grad(1.5)) == 10 + 300
    assert both(SymbolicTensor((None, 2), "float32"))[1].shape == (None, 2)


def test_second_slope_of_a_custom_gradient():
    @ops.custom_gradient
    def cube(x):
        return x**3, lambda upstream: upstream * 3.0 * x * x

    assert float(mlapi.grad(mlapi.grad(cube))(2.0)) == pytest.approx(12.0)


def test_number_of_custom_gradients():
    @ops.custom_gradient
    def one(x):
        return x, lambda upstream: (upstream, upstream)

    with pytest.raises(ArgumentError, match="1 arguments"):
        mlapi.grad(one)(1.0)


@run_both
def test_jvp(run):
    def fun(p, scale):
        return {"y": p["x"] ** 2 * scale, "z": ops.sum(p["x"])}, ops.max(p["x"])

    def change(x, d):
        return ops.jvp(fun, ({"x": x}, 3.0), ({"x": d}, 1.0), has_aux=True)

    value, slope, aux = run(change)(*map(ops.convert_to_tensor, ([1.0, 2.0], [1.0, 0.5])))
    np.testing.assert_allclose(numpy(value["y"]), [3, 12])
    np.testing.assert_allclose(numpy(slope["y"]), [2 * 3 + 1, 2 * 2 * 0.5 * 3 + 4])
    assert (float(slope["z"]), float(aux)) == (1.5, 2.0)
    with pytest.raises(ArgumentError):
        ops.jvp(ops.square, (1.0,), (1.0, 2.0))


def test_cond_in_a_functional_model():
    x = mlapi.Input((2,))
    y = ops.cond(ops.sum(x) > 0, lambda: {"y": 2.0 * x}, lambda: {"y": x - 1.0})["y"]
    model = mlapi.Model(x, y)
    for values in ([[1.0, 2.0]], [[-1.0, -2.0]]):
        values = np.float32(values)
        wanted = 2 * values if values.sum() > 0 else values - 1
        np.testing.assert_allclose(numpy(model(values)), wanted)
    assert ops.cond(True, lambda: x, lambda: None).shape == (None, 2)
