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
