"""Gradients and compilation of functions that read and assign Variables."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentTypeError, ShapeError

X = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def tensor(x):
    return ops.convert_to_tensor(np.asarray(x, "float32"))


def slope(function, at, step=1e-3):
    """Central differences in float64, one number at a time."""
    at = np.asarray(at, "float64")
    grad = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        moved = np.zeros_like(at)
        moved[index] = step
        grad[index] = (function(at + moved) - function(at - moved)) / (2 * step)
    return grad


# Gradients


def test_gradients_of_variables():
    w, b = mlapi.Variable([[1.0], [2.0], [-1.0]]), mlapi.Variable([0.5])
    layer = lambda x: ops.mean(ops.tanh(ops.matmul(x, w) + b))  # noqa: E731
    value, grads = mlapi.value_and_grad(layer, [w, b])(X)

    def loss(weights, bias):
        return np.mean(np.tanh(X.astype("float64") @ weights + bias))

    np.testing.assert_allclose(numpy(value), loss(w.numpy(), b.numpy()), 1e-5, 1e-6)
    assert [tuple(g.shape) for g in grads] == [(3, 1), (1,)]
    slopes = (
        slope(lambda p: loss(p, b.numpy()), w.numpy()),
        slope(lambda p: loss(w.numpy(), p), b.numpy()),
    )
    for grad, expected in zip(grads, slopes, strict=True):
        np.testing.assert_allclose(numpy(grad), expected, 1e-3)


def test_gradients_of_nothing():
    layer = layers.Dense(2, trainable=False)
    layer.build((None, 3))
    value, grads = mlapi.value_and_grad(lambda: ops.sum(layer(X)), layer.trainable_variables)()
    np.testing.assert_allclose(numpy(value), np.sum(X @ layer.get_weights()[0]), 1e-5)
    assert list(grads) == []


def test_gradients_of_tensors_in_their_structure():
    point = {"a": tensor([1.0, 2.0]), "b": (tensor(3.0), [np.float32(4.0), 5.0])}

    def product(p, factor):
        return factor * ops.sum(p["a"]) * p["b"][0] * p["b"][1][0] * p["b"][1][1]

    value, grads = mlapi.value_and_grad(product)(point, 2.0)
    np.testing.assert_allclose(numpy(value), 2 * 3 * 3 * 4 * 5)
    np.testing.assert_allclose(numpy(grads["a"]), [120, 120])
    np.testing.assert_allclose(numpy(grads["b"][0]), 2 * 3 * 20)
    np.testing.assert_allclose([numpy(g) for g in grads["b"][1]], [2 * 3 * 15, 2 * 3 * 12])


@pytest.mark.parametrize("point", [3, 3.0, np.float32(3), np.array(3), mlapi.Variable(3.0)])
def test_numbers_arrays_and_variables_as_points(point):
    value, grad = mlapi.value_and_grad(lambda x: x**2)(point)
    np.testing.assert_allclose([numpy(value), numpy(grad)], [9, 6])


def test_further_arguments_and_keywords():
    grad = mlapi.grad(lambda x, y, *, z: ops.sum(x * y * z))
    np.testing.assert_allclose(numpy(grad(tensor([1, 2]), tensor([3, 4]), z=2.0)), [6, 8])


def test_aux_is_passed_through():
    w = mlapi.Variable(2.0)

    def fn(x):
        return w * x, {"twice": 2 * x, "name": "kept", "nothing": None}

    (value, aux), (g,) = mlapi.value_and_grad(fn, [w], has_aux=True)(tensor(3))
    np.testing.assert_allclose([numpy(value), numpy(g), numpy(aux["twice"])], [6, 3, 6])
    (g,), aux = mlapi.grad(fn, [w], has_aux=True)(tensor(5))
    np.testing.assert_allclose([numpy(g), numpy(aux["twice"])], [5, 10])


def test_what_plays_no_part_has_gradient_zero():
    used, unused = mlapi.Variable([1.0, 2.0]), mlapi.Variable(np.ones((3, 2), "float32"))
    _, grads = mlapi.value_and_grad(lambda: ops.sum(used * used), [used, unused])()
    np.testing.assert_allclose(numpy(grads[0]), [2, 4])
    np.testing.assert_array_equal(numpy(grads[1]), np.zeros((3, 2)))
    _, (g, h) = mlapi.value_and_grad(lambda p: p[0] * p[0])([tensor(3.0), tensor([1, 1])])
    np.testing.assert_array_equal(numpy(h), [0, 0])
    np.testing.assert_array_equal(numpy(g), 6)


def test_no_gradient_flows_through_stop_gradient():
    grad = mlapi.grad(lambda x: ops.stop_gradient(x * x) * x)
    np.testing.assert_allclose(numpy(grad(tensor(3.0))), 9)


def test_a_variable_used_twice_counts_twice():
    w = mlapi.Variable(3.0)
    _, (g,) = mlapi.value_and_grad(lambda: w * w + 2 * w, [w])()
    np.testing.assert_allclose(numpy(g), 8)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_gradients_nest(order):
    grad = lambda x: x**4  # noqa: E731
    for _ in range(order):
        grad = mlapi.grad(grad)
    np.testing.assert_allclose(numpy(grad(tensor(2.0))), [32, 48, 48][order - 1], 1e-5)


def test_gradient_penalty():
    """The slope of |∂y/∂x|² with respect to the weights, for y = Σ tanh(x w)."""
    w = mlapi.Variable([0.5, -0.3, 0.8])

    def penalty(x):
        inner = mlapi.grad(lambda points: ops.sum(ops.tanh(ops.matmul(points, w))))(x)
        return ops.sum(inner**2)

    value, (g,) = mlapi.value_and_grad(penalty, [w])(tensor(X))

    def closed(weights):
        bend = 1 - np.tanh(X.astype("float64") @ weights) ** 2
        return np.sum((bend[:, None] * weights) ** 2)

    np.testing.assert_allclose(numpy(value), closed(w.numpy()), 1e-5)
    np.testing.assert_allclose(numpy(g), slope(closed, w.numpy()), 1e-3)


def test_writes_inside_survive():
    layer = layers.BatchNormalization(momentum=0.5)
    layer.build((None, 3))
    count = mlapi.Variable(0, trainable=False)

    def loss():
        count.assign_add(1)
        return ops.sum(layer(X, training=True) ** 2)

    mlapi.value_and_grad(loss, layer.trainable_variables)()
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.5 * X.mean(0), 1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.5 + 0.5 * X.var(0), 1e-5)
    assert int(count) == 1
    assert float(ops.sum(layer.moving_mean)) == pytest.approx(0.5 * X.mean(0).sum(), abs=1e-6)


def test_a_write_is_seen_by_what_follows_inside():
    total = mlapi.Variable(0.0, trainable=False)

    def loss(x):
        total.assign(total + 2.0)
        return x * total.value

    value, g = mlapi.value_and_grad(loss)(tensor(5.0))
    np.testing.assert_allclose([numpy(value), numpy(g), float(total)], [10, 2, 2])


def test_an_error_inside_leaves_state_alone():
    w, count = mlapi.Variable(2.0), mlapi.Variable(0.0, trainable=False)

    def loss():
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        mlapi.value_and_grad(loss, [w])()
    with pytest.raises(RuntimeError, match="stopped"):
        mlapi.jit(lambda x: loss(), [w, count])(tensor(1.0))
    count.assign_add(1.0)
    np.testing.assert_allclose([float(w), float(count)], [2, 1])
    _, (g,) = mlapi.value_and_grad(lambda: w * w, [w])()
    np.testing.assert_allclose(numpy(g), 4)


def test_values_must_be_scalars():
    w = mlapi.Variable([1.0, 2.0])
    for call in (mlapi.grad(lambda: w * 2.0, [w]), mlapi.grad(lambda x=None: w * 2.0, [w])):
        with pytest.raises(ShapeError, match=r"returns a scalar; its value has shape \(2,\)"):
            call()
    with pytest.raises(ShapeError, match=r"\(2, 3\)"):
        mlapi.grad(lambda x: x * 2)(tensor(X))


def test_variables_must_be_variables():
    w = mlapi.Variable(1.0)
    with pytest.raises(ArgumentTypeError, match="must be mlapi Variables"):
        mlapi.grad(lambda: w * w, [w.value])


# Compilation


def test_jit_carries_state():
    count, scale = mlapi.Variable(0), mlapi.Variable(2.0)

    def step(x):
        count.assign_add(1)
        scale.assign(scale * 2.0)
        return {"y": x * scale.value, "count": count.value}

    run = mlapi.jit(step, {"a": [count], "b": scale})
    for i in range(1, 4):
        out = run(tensor(1.0))
        np.testing.assert_allclose(numpy(out["y"]), 2.0 ** (i + 1))
        assert int(numpy(out["count"])) == int(count) == i
    scale.assign(10.0)
    np.testing.assert_allclose(numpy(run(tensor(1.0))["y"]), 20)


def test_jit_of_variables_that_were_assigned_to_one_another():
    source, target = mlapi.Variable([1.0, 2.0]), mlapi.Variable([0.0, 0.0])

    def step():
        source.assign_add(1.0)
        return ops.sum(target)

    run = mlapi.jit(step, [source, target])
    for total in (3.0, 5.0):
        target.assign(source.value)
        assert numpy(run()) == total
        np.testing.assert_array_equal(numpy(source) - numpy(target), [1.0, 1.0])


def test_jit_sees_every_shape_and_keyword():
    run = mlapi.jit(lambda x, y=None: ops.sum(x) if y is None else ops.sum(x) + y)
    for n in (1, 4, 2):
        np.testing.assert_allclose(numpy(run(tensor(np.ones(n)))), n)
        np.testing.assert_allclose(numpy(run(tensor(np.ones(n)), y=tensor(0.5))), n + 0.5)


def test_jit_takes_and_returns_nests():
    run = mlapi.jit(lambda nest: {"b": nest["x"][0] + 1, "a": (nest["x"][1], nest["z"])})
    out = run({"z": tensor(3.0), "x": [tensor(1.0), tensor(2.0)]})
    assert list(out) == ["b", "a"]
    assert isinstance(out["a"], tuple)
    np.testing.assert_allclose([numpy(out["b"]), *map(numpy, out["a"])], [2, 2, 3])


def test_state_left_out_of_jit_is_found_or_refused():
    count = mlapi.Variable(0.0, name="count")
    run = mlapi.jit(lambda x: count.assign_add(x))
    refusal = None
    try:
        for _ in range(2):
            run(tensor(1.0))
    except ValueError as error:
        refusal = str(error)
    assert float(count) == (2 if refusal is None else 0)
    assert refusal is None or "'count', which is not in the `state`" in refusal


def test_jit_around_a_whole_step():
    """Gradient descent on a quadratic, against its closed form."""
    w = mlapi.Variable([4.0, -2.0])

    def step(target):
        _, (g,) = mlapi.value_and_grad(lambda: ops.sum((w - target) ** 2), [w])()
        w.assign_sub(0.25 * g)

    run = mlapi.jit(step, [w])
    for _ in range(3):
        run(tensor([1.0, 1.0]))
    np.testing.assert_allclose(w.numpy(), 1 + np.array([3, -3]) * 0.5**3, 1e-5)


def test_jit_inside_a_gradient():
    w, count = mlapi.Variable(2.0), mlapi.Variable(0, trainable=False)
    other = mlapi.Variable(5.0)

    def inner(x):
        count.assign_add(1)
        return w * w * x + other

    run = mlapi.jit(inner, [w, count, other])
    for i in (1, 2):
        value, (g,) = mlapi.value_and_grad(lambda: run(tensor(3.0)), [w])()
        np.testing.assert_allclose([numpy(value), numpy(g), int(count)], [17, 12, i])
    np.testing.assert_allclose([float(w), float(other)], [2, 5])
    np.testing.assert_allclose(numpy(run(tensor(3.0))), 17)


def test_jit_of_a_layer_with_dropout_draws_anew():
    layer = layers.Dropout(0.5, seed=1)
    layer.build((None, 200))
    run = mlapi.jit(lambda x: layer(x, training=True), layer)
    x = tensor(np.ones((1, 200)))
    assert (numpy(run(x)) != numpy(run(x))).any()
