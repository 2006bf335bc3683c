"""Models of the three kinds: growing, building, nesting, looking at, copying."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, NotBuiltError
from mlapi.models import clone_model

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class Branching(mlapi.Model):
    """A subclass with layers in attributes, made from an argument."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = layers.Dense(units, activation="relu")
        self.heads = [layers.Dense(1), layers.Dense(2)]

    def call(self, x, training=None):
        h = self.hidden(x)
        return {"one": self.heads[0](h), "two": self.heads[1](h)}


def functional():
    x = mlapi.Input((3,), name="x")
    h = layers.Dense(4, activation="relu", name="h")(x)
    return mlapi.Model(x, layers.Dense(2, name="y")(ops.concatenate([h, x * 2.0], -1)), name="f")


# Sequential


def test_add_and_pop():
    model = mlapi.Sequential()
    model.add(mlapi.Input((3,)))
    model.add(layers.Dense(4, name="a"))
    model.add(layers.Activation("relu"))
    model.add(layers.Dense(2, name="b"))
    assert model.built
    assert model.output_shape == (None, 2)
    assert [layer.name for layer in model.layers][::2] == ["a", "b"]
    (ka, ba, kb, bb) = model.get_weights()
    np.testing.assert_allclose(numpy(model(X)), np.maximum(X @ ka + ba, 0) @ kb + bb, 1e-5, 1e-6)
    assert model.pop().name == "b"
    np.testing.assert_allclose(numpy(model(X)), np.maximum(X @ ka + ba, 0), 1e-5, 1e-6)
    assert model.output_shape == (None, 4)


def test_growing_and_shrinking_after_compiled_steps():
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(4)])
    assert model.predict(X, verbose=0).shape == (2, 4)
    model.add(layers.Dense(2))
    assert model.predict(X, verbose=0).shape == (2, 2)
    model.pop()
    assert model.predict(X, verbose=0).shape == (2, 4)
    model.pop()
    with pytest.raises(ArgumentError, match="no layers to pop"):
        model.pop()


@pytest.mark.parametrize(
    "first",
    [
        [mlapi.layers.InputLayer((3,)), layers.Dense(4)],
        [mlapi.Input((3,)), layers.Dense(4)],
        [layers.Dense(4, input_shape=(3,))],
        [layers.Dense(4, input_dim=3)],
        [layers.Dense(4, batch_input_shape=(None, 3))],
    ],
)
def test_ways_to_give_the_input_shape(first):
    model = mlapi.Sequential([*first, layers.Dense(2)])
    assert model.built
    assert model.input_shape == (None, 3)
    assert len(model.layers) == 2


def test_an_input_layer_around_a_tensor():
    x = mlapi.Input((3,), dtype="int32")
    layer = layers.InputLayer(input_tensor=x)
    assert layer.output is x
    assert (layer.batch_shape, layer.dtype) == ((None, 3), "int32")


def test_deferred_building():
    model = mlapi.Sequential([layers.Dense(4), layers.Dense(2)], name="late")
    assert not model.built
    assert model.weights == []
    for name in ("input_shape", "output_shape", "inputs", "outputs"):
        with pytest.raises(NotBuiltError, match='Sequential "late" is not built'):
            getattr(model, name)
    model(X)
    assert model.input_shape == (None, 3)
    by_hand = mlapi.Sequential([layers.Dense(4), layers.Dense(2)])
    by_hand.build((None, 3))
    assert [v.shape for v in by_hand.weights] == [v.shape for v in model.weights]


def test_fit_builds():
    model = mlapi.Sequential([layers.Dense(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    assert model.output_shape == (None, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mlapi.Sequential([np.tanh]), ArgumentError, "only layers can be added.*Lambda"),
        (lambda: mlapi.Sequential([None]), ArgumentError, "received NoneType"),
        (
            lambda: mlapi.Sequential([layers.Dense(1), mlapi.Input((2,))]),
            ArgumentError,
            "input must be added before",
        ),
        (lambda: mlapi.Sequential().build((None, 2)), NotBuiltError, "has no layers"),
        (lambda: mlapi.Sequential([layers.Dense(1)]).build([(2, 1), (2, 1)]), NotBuiltError, "one"),
        (lambda: mlapi.Sequential([layers.Dense(1)]).count_params(), NotBuiltError, "call it once"),
        (lambda: functional().get_layer("z"), ArgumentError, "no layer 'z'.*'x', 'h'.*'y'"),
        (lambda: mlapi.Model(X, X), ArgumentError, "must be symbolic tensors.*ndarray, ndarray"),
    ],
)
def test_mistakes(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_layer_that_does_not_fit_is_not_added():
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(4)])
    with pytest.raises(ArgumentError):
        model.add(layers.Conv2D(2, 3))
    assert len(model.layers) == 1
    model.add(layers.Dense(2))
    assert numpy(model(X)).shape == (2, 2)


# Functional, subclasses, nesting


def test_functional_looks():
    model = functional()
    assert [layer.name for layer in model.layers] == ["x", "h", "y"]
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))
    assert model.get_layer("h").output.shape == (None, 4)
    assert model.get_layer(index=2) is model.get_layer("y")
    assert (model.input_names, model.output_names) == (["x"], ["y"])


def test_subclasses():
    model = Branching(units=5)
    assert not model.built
    result = model(X)
    assert [tuple(result[k].shape) for k in ("one", "two")] == [(2, 1), (2, 2)]
    assert len(model.weights) == 6
    assert len(model.layers) == 3
    other = Branching()
    other.build((None, 3))
    assert [v.shape for v in other.weights][:2] == [(3, 4), (4,)]
    other.set_weights([np.ones(v.shape) for v in other.weights])
    np.testing.assert_allclose(
        numpy(other(X)["one"]), 4 * np.maximum(X.sum(1, keepdims=True) + 1, 0) + 1
    )


def test_a_subclass_that_builds_layers_in_call_keeps_real_weights():
    class Late(mlapi.Model):
        def build(self, input_shape):
            self.dense = layers.Dense(input_shape[-1])

        def call(self, x):
            return self.dense(x)

    model = Late()
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()
    assert len(model.trainable_variables) == 2


def test_models_nest():
    inner = functional()
    x = mlapi.Input((3,))
    stack = mlapi.Sequential([inner, layers.Dense(3)])
    outer = mlapi.Model(x, inner(stack(x)))
    assert len(outer.weights) == 6
    found = numpy(outer(X))
    np.testing.assert_allclose(found, numpy(inner(stack(X))), 1e-5, 1e-6)
    inner.trainable = False
    assert len(outer.trainable_weights) == 2


def test_summary():
    lines = []
    model = mlapi.Sequential([mlapi.Input((3,)), functional(), layers.Dense(1000)], name="whole")
    model.layers[0].trainable = False
    model.summary(print_fn=lines.append, expand_nested=True, show_trainable=True, line_length=100)
    text = "\n".join(lines)
    inner, outer = 3 * 4 + 4 + 7 * 2 + 2, 2 * 1000 + 1000
    for wanted in (
        'Model: "whole"', "f (Functional)", "h (Dense)", "(None, 1000)", "3,000",
        f"Total params: {inner + outer:,}", f"Trainable params: {outer:,}",
        f"Non-trainable params: {inner:,}",
    ):  # fmt: skip
        assert wanted in text, wanted
    mlapi.Sequential([layers.Dense(2)], name="later").summary(print_fn=lines.append)
    assert "unbuilt" in lines[-1]


# Copies


@pytest.mark.parametrize(
    "make",
    [
        functional,
        lambda: mlapi.Sequential([mlapi.Input((3,)), layers.Dense(4, activation="relu")]),
        lambda: mlapi.Sequential([layers.Dense(4)]),
        lambda: Branching(units=6, name="b"),
    ],
)
@pytest.mark.parametrize("built", [True, False])
def test_clones_have_weights_of_their_own(make, built):
    model = make()
    if built:
        model(X)
    clone = clone_model(model)
    assert type(clone) is type(model)
    clone(X), model(X)
    assert [v.shape for v in clone.weights] == [v.shape for v in model.weights]
    assert not {id(v) for v in clone.weights} & {id(v) for v in model.weights}
    clone.set_weights(model.get_weights())
    for one, other in zip(*(mlapi.tree.flatten(m(X)) for m in (clone, model)), strict=True):
        np.testing.assert_allclose(numpy(one), numpy(other), 1e-6)
    clone.set_weights([w + 1 for w in clone.get_weights()])
    assert np.abs(model.get_weights()[0] - clone.get_weights()[0]).min() > 0.5


def test_clones_keep_calls_of_every_kind():
    x = mlapi.Input((3,))
    shared = layers.Dense(3)
    first, second = ops.split(shared(x)[:, :2] + 1, 2, axis=-1)
    parts = {
        "a": layers.Add()([first, second]),
        "b": shared(shared(x)) @ np.eye(3, dtype="float32"),
    }
    model = mlapi.Model(x, parts)
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    assert len(clone.weights) == 2
    found, expected = clone(X), model(X)
    for name in parts:
        np.testing.assert_allclose(numpy(found[name]), numpy(expected[name]), 1e-6)
