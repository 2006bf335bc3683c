"""What happens around `call`: conversion, dtypes, the training flag, losses."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops, regularizers

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class Plain(mlapi.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor


class Through(mlapi.Layer):
    """A layer around another that does not know of training."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x)


class Flags(mlapi.Layer):
    """Notes what it was told of training."""

    def __init__(self, inner=None):
        super().__init__()
        self.inner = inner
        self.seen = []

    def call(self, x, training=None):
        self.seen.append(training)
        return x if self.inner is None else self.inner(x)


@pytest.mark.parametrize("kind", [np.asarray, list, ops.convert_to_tensor, mlapi.Variable])
def test_inputs_of_any_kind(kind):
    value = kind(X.tolist()) if kind is list else kind(X)
    np.testing.assert_allclose(numpy(Plain(2.0)(value)), 2 * X)


def test_floats_get_the_dtype_of_the_layer_and_integers_stay():
    layer = Plain(1)
    for dtype in ("float16", "float32", "float64"):
        assert ops.dtype(layer(X.astype(dtype))) == "float32"
        assert ops.dtype(layer(ops.convert_to_tensor(X, dtype=dtype))) == "float32"
    assert ops.dtype(layer(X.astype("int32"))) == "int32"
    half = layers.Dense(2, dtype="float16")
    assert ops.dtype(half(X)) == "float16"
    assert half.kernel.dtype == "float16"
    assert (half.dtype, half.compute_dtype) == ("float16", "float16")
    assert half(mlapi.Input((3,))).dtype == "float16"


def test_several_inputs_and_keywords():
    class Mix(mlapi.Layer):
        def build(self, left_shape, right_shape):
            self.shapes = left_shape, right_shape
            self.w = self.add_weight(right_shape[-1:], "ones")

        def call(self, left, right, *, power=1):
            return left + (right * self.w) ** power

    layer = Mix()
    np.testing.assert_allclose(numpy(layer(X, X, power=2)), X + X**2, 1e-6)
    assert layer.shapes == ((2, 3), (2, 3))
    x = mlapi.Input((3,))
    model = mlapi.Model(x, layer(x, right=x * 2.0, power=3))
    np.testing.assert_allclose(numpy(model(X)), X + (2 * X) ** 3, 1e-5)


def test_the_training_flag_reaches_the_innermost_layer():
    inner = Flags()
    outer = Flags(Through(inner))
    for _ in range(2):
        outer(X)
        outer(X, training=True)
        outer(X, training=False)
    assert outer.seen == inner.seen == [None, True, False] * 2


def test_an_inner_flag_wins_and_ends_with_its_call():
    quiet, after = Flags(), Flags()

    class Frozen(mlapi.Layer):
        def call(self, x):
            return after(quiet(x, training=False))

    frozen = Frozen()
    for _ in range(2):
        frozen(X, training=True)
    assert quiet.seen == [False, False]
    assert after.seen == [True, True]


def test_the_flag_ends_when_a_call_fails():
    class Fails(mlapi.Layer):
        def call(self, x, training=None):
            raise RuntimeError("inside")

    flags = Flags()
    with pytest.raises(RuntimeError, match="inside"):
        Fails()(X, training=True)
    flags(X)
    assert flags.seen == [None]


# Losses


def test_add_loss_and_regularizers():
    class Penalty(mlapi.Layer):
        def call(self, x):
            self.add_loss(0.5 * ops.sum(x))
            return x

    layer = layers.Dense(2, kernel_regularizer=regularizers.L2(0.1), activity_regularizer="l1")
    x = mlapi.Input((3,))
    model = mlapi.Model(x, Penalty()(layer(x)))
    assert len(model.losses) == 1  # nothing has run: the weights' penalty only
    for _ in range(2):
        y = numpy(model(X))
    expected = [0.1 * (layer.kernel.numpy() ** 2).sum(), 0.01 * np.abs(y).sum() / 2, 0.5 * y.sum()]
    np.testing.assert_allclose(sorted(map(float, map(numpy, model.losses))), sorted(expected), 1e-5)


def test_each_call_of_a_shared_layer_counts():
    x = mlapi.Input((3,))
    shared = layers.Dense(3, activity_regularizer=regularizers.L1(1.0))
    h = shared(x)
    model = mlapi.Model(x, [h, shared(h)])
    for _ in range(3):
        outputs = model(X)
        expected = [np.abs(numpy(y)).sum() / 2 for y in outputs]
        np.testing.assert_allclose([float(numpy(v)) for v in model.losses], expected, 1e-5)


def test_losses_are_minimised_and_do_not_outlive_their_step():
    model = mlapi.Sequential(
        [mlapi.Input((3,)), layers.Dense(2, activity_regularizer=regularizers.L2(1.0))]
    )
    model.compile("sgd", "mse")
    y = model.predict(X, verbose=0)
    assert model.losses == []
    loss = model.evaluate(X, 0 * y, verbose=0)
    np.testing.assert_allclose(loss, (y**2).mean() + (y**2).sum() / 2, 1e-5)
    np.testing.assert_allclose(model.train_on_batch(X, 0 * y), loss, 1e-5)
    assert model.losses == []
