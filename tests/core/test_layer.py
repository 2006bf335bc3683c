"""Layers of one's own: weights, sublayers, freezing, configs."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, NotBuiltError, ShapeError

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class Affine(mlapi.Layer):
    """`x @ kernel * scale`, with all that an author may use."""

    def __init__(self, units, scale=2.0, initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.scale = scale
        self.initializer = mlapi.initializers.get(initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            (input_shape[-1], self.units), self.initializer, name="kernel"
        )
        self.calls = self.add_weight((), "zeros", "int32", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign_add(1)
        return ops.matmul(x, self.kernel) * self.scale


class Block(mlapi.Layer):
    """Sublayers in an attribute, a list and a dict; one of them twice."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(3, name="first")
        self.more = [layers.Dense(3, name="second"), (layers.Dense(3, name="third"),)]
        self.named = {"norm": layers.LayerNormalization(name="norm"), "again": self.first}

    def call(self, x):
        for layer in (self.first, self.more[0], self.more[1][0], self.named["norm"], self.first):
            x = layer(x)
        return x


class Plain(mlapi.Layer):
    """A constructor that passes nothing on."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor


# Weights


def test_weights_are_made_at_the_first_call():
    layer = Affine(2, name="mine")
    assert not layer.built
    assert layer.weights == []
    np.testing.assert_allclose(numpy(layer(X)), X.sum(1, keepdims=True) * np.full((1, 2), 2.0))
    assert layer.built
    assert [v.path for v in layer.weights] == ["mine/kernel", "mine/calls"]
    assert [v.path for v in layer.trainable_weights] == ["mine/kernel"]
    assert [v.path for v in layer.non_trainable_weights] == ["mine/calls"]
    assert layer.calls.dtype == "int32"
    assert layer.count_params() == 7
    assert int(layer.calls) == 1


def test_build_by_hand_and_symbolic_calls_run_nothing():
    layer = Affine(2)
    layer.build((None, 3))
    layer(mlapi.Input((3,)))
    assert layer.built
    assert int(layer.calls) == 0
    assert layer.compute_output_shape((None, 3)) == (None, 2)
    assert layer.get_build_config() == {"input_shape": (None, 3)}


@pytest.mark.parametrize("first", [X, mlapi.Input((3,))], ids=["data", "symbols"])
def test_sublayers_are_found_wherever_they_are(first):
    block = Block(name="block")
    block(first)
    names = ["first", "second", "third", "norm"]
    paths = [f"block/{n}/{w}" for n in names[:3] for w in ("kernel", "bias")]
    assert [v.path for v in block.weights] == [*paths, "block/norm/gamma", "block/norm/beta"]
    assert len(block.trainable_variables) == 8
    block.more.append(layers.Dense(1))
    block.more[-1].build((None, 3))
    assert len(block.weights) == 10


def test_one_function_of_all_weights_is_differentiated():
    block = Block()
    block(X)
    _, grads = mlapi.value_and_grad(lambda: ops.sum(block(X) ** 2), block.trainable_variables)()
    assert [tuple(g.shape) for g in grads] == [v.shape for v in block.trainable_variables]
    assert np.abs(numpy(grads[0])).max() > 0


def test_freezing():
    block = Block()
    block(X)
    block.first.trainable = False
    assert len(block.trainable_variables) == 6
    block.trainable = False
    block.named["norm"].trainable = True
    assert block.trainable_variables == []
    assert len(block.non_trainable_variables) == 8
    block.trainable = True
    assert len(block.trainable_variables) == 8


def test_layers_frozen_before_they_are_built_thaw():
    layer = layers.BatchNormalization(trainable=False)
    layer(X)
    assert layer.trainable_variables == []
    layer.trainable = True
    assert [v.name for v in layer.trainable_variables] == ["gamma", "beta"]
    _, grads = mlapi.value_and_grad(lambda: ops.sum(layer(X)), layer.trainable_variables)()
    np.testing.assert_allclose(numpy(grads[1]), [2, 2, 2])


def test_get_and_set_weights():
    one, other = layers.Dense(2), layers.Dense(2)
    one(X), other(X)
    other.set_weights(one.get_weights())
    np.testing.assert_array_equal(numpy(other(X)), numpy(one(X)))
    one.get_weights()[0][:] = 0
    assert np.abs(one.kernel.numpy()).max() > 0


def test_set_weights_refuses_what_does_not_fit_and_changes_nothing():
    layer = layers.Dense(2, name="d")
    with pytest.raises(ShapeError, match=r'"d" has 0 weights, received 2.*not built'):
        layer.set_weights([np.ones((3, 2)), np.ones(2)])
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ShapeError, match='Dense "d" has 2 weights, received 1'):
        layer.set_weights([np.ones((3, 2))])
    with pytest.raises(ShapeError, match=r'"d/bias" has shape \(2,\), received \(3,\)'):
        layer.set_weights([np.ones((3, 2)), np.ones(3)])
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_weights_need_known_sizes():
    with pytest.raises(
        ShapeError, match=r'Dense "d": weight "kernel" would have the shape \(None, 2\)'
    ):
        layers.Dense(2, name="d")(mlapi.Input((None,)))
    with pytest.raises(NotBuiltError, match='Dense "d" has no weights yet'):
        layers.Dense(2, name="d").count_params()


# Configs


def test_constructor_arguments_are_the_config():
    layer = Affine(4, scale=0.5, initializer="he_normal", name="a", trainable=False)
    config = layer.get_config()
    assert {k: config[k] for k in ("name", "trainable", "dtype", "units", "scale")} == {
        "name": "a", "trainable": False, "dtype": "float32", "units": 4, "scale": 0.5,
    }  # fmt: skip
    copy = Affine.from_config(config)
    assert copy.get_config() == config
    assert isinstance(copy.initializer, mlapi.initializers.HeNormal)


def test_arguments_that_are_not_kept_come_from_the_call():
    class Forgetful(mlapi.Layer):
        def __init__(self, size, *, depth=2):
            super().__init__()
            self.total = size * depth

        def call(self, x):
            return x * self.total

    config = Forgetful(3, depth=5).get_config()
    assert (config["size"], config["depth"]) == (3, 5)
    assert Forgetful.from_config(config).total == 15


def test_what_a_constructor_cannot_take_comes_back_all_the_same():
    layer = Plain(3.0)
    layer.name = "renamed"
    layer.trainable = False
    copy = Plain.from_config(layer.get_config())
    assert (copy.factor, copy.name, copy.trainable) == (3.0, "renamed", False)


def test_unknown_arguments_are_named():
    with pytest.raises(ArgumentError, match=r"Affine has no argument 'unit'.*Did you mean 'units'"):
        Affine(3, unit=2)
    with pytest.raises(ArgumentError, match="non-empty str without slashes"):
        Affine(3, name="a/b")


def test_a_constructor_must_call_its_base():
    class Careless(mlapi.Layer):
        def __init__(self):
            self.x = 1

        def call(self, x):
            return x

    with pytest.raises(ArgumentError, match=r"Careless.__init__ did not call super\(\).__init__"):
        Careless()(X)
