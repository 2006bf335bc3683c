"""Errors around layers: what is wrong, in which layer, what came, what to do."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import DTypeError, MlapiError, ShapeError

X = np.ones((2, 3), "float32")
IMAGES = np.ones((2, 8, 8, 1), "float32")


def deep():
    """A model in a model, so that paths have several parts."""
    inner = mlapi.Sequential(
        [layers.Dense(4, name="wide"), layers.Dense(2, name="narrow")], name="inner"
    )
    return mlapi.Sequential([mlapi.Input((3,)), layers.Dense(5, name="first"), inner], name="outer")


def test_paths_name_the_layers_around():
    paths = [v.path for v in deep().weights]
    assert paths[0] == "outer/first/kernel"
    assert paths[2] == "outer/inner/wide/kernel"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: layers.Dense(2, name="d")(np.ones(3, "float32")),
            r'Dense "d": expected an input of rank 2 or more, received rank 1 .*has shape \(3,\)',
        ),
        (
            lambda: layers.Conv2D(2, 3, name="c")(X),
            r'Conv2D "c": expected an input of rank 4, received rank 2 .*\(2, 3\)',
        ),
        (
            lambda: layers.Conv2D(2, 3, name="c")(mlapi.Input((8, 8))),
            r'Conv2D "c": expected an input of rank 4, received rank 3 .*\(None, 8, 8\)',
        ),
        (
            lambda: layers.LSTM(2, name="l")(mlapi.Input((8,))),
            r'LSTM "l": expected an input of rank 3, received rank 2',
        ),
        (
            lambda: mlapi.Sequential(
                [mlapi.Input((8, 8)), layers.Conv2D(2, 3, name="c")], name="s"
            ),
            r'Conv2D "s/c": expected an input of rank 4, received rank 3',
        ),
    ],
)
def test_wrong_ranks_at_build(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


def test_wrong_sizes_at_call_whether_it_was_called_before_or_not():
    for calls in (0, 1, 3):
        layer = layers.Dense(2, name="d")
        layer.build((None, 3))
        for _ in range(calls):
            layer(X)
        message = r'Dense "d": expected size 3 on axis -1, received 4 .*\(2, 4\)'
        with pytest.raises(ShapeError, match=message):
            layer(np.ones((2, 4), "float32"))
        with pytest.raises(ShapeError, match=message):
            layer(ops.ones((2, 4)))


@pytest.mark.parametrize("calls", [0, 2])
def test_models_hold_to_their_input_shapes(calls):
    """A network of convolutions could take images of other sizes; its input says which."""
    model = mlapi.Sequential(
        [mlapi.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()], name="m"
    )
    for _ in range(calls):
        model(IMAGES)
    with pytest.raises(ShapeError, match=r'Sequential "m": expected size 8 on axis 2, received 9'):
        model(np.ones((2, 8, 9, 1), "float32"))
    with pytest.raises(ShapeError, match=r'Sequential "m": expected an input of rank 4'):
        model(IMAGES[0])
    free = mlapi.Sequential([mlapi.Input((None, None, 1)), layers.Conv2D(2, 3)])
    for size in (8, 9, 8):
        assert free(np.ones((2, size, size, 1), "float32")).shape[1] == size - 2


def test_the_failing_layer_is_named_inside_models():
    model = deep()
    model(X)
    with pytest.raises(ShapeError, match=r'Dense "outer/inner/wide": expected size 5 on axis -1'):
        model.layers[1].layers[0](np.ones((2, 6), "float32"))
    with pytest.raises(ShapeError, match=r'Sequential "outer/inner": expected size 5 on axis 1'):
        model.layers[1](np.ones((2, 6), "float32"))
    with pytest.raises(ShapeError, match=r'Sequential "outer": expected size 3 on axis 1'):
        model(np.ones((2, 4), "float32"))


def test_fit_names_the_layer_too():
    model = mlapi.Sequential([layers.Dense(4), layers.Dense(1, name="last")], name="m")
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    with pytest.raises(ShapeError, match=r'Sequential "m": expected size 3 on axis 1, received 5'):
        model.predict(np.ones((2, 5), "float32"), verbose=0)


def test_errors_of_users_keep_their_type_and_get_a_note():
    class Faulty(mlapi.Layer):
        def call(self, x):
            raise KeyError("mine")

    model = mlapi.Sequential([layers.Dense(2), Faulty(name="faulty")], name="m")
    with pytest.raises(KeyError, match="mine") as caught:
        model(X)
    note = 'while calling Faulty "m/faulty" on an input of shape (None, 2)'
    assert [n for n in caught.value.__notes__ if n.startswith("while")] == [note]


def test_input_specs_of_users():
    class Strict(mlapi.Layer):
        def __init__(self):
            super().__init__(name="strict")
            self.input_spec = mlapi.InputSpec(dtype="int32", max_ndim=2)

        def call(self, x):
            return x

    with pytest.raises(DTypeError, match='Strict "strict": expected dtype int32, received float32'):
        Strict()(X)
    with pytest.raises(ShapeError, match="rank 2 or less, received rank 3"):
        Strict()(np.ones((1, 1, 1), "int32"))
    Strict()(np.ones((1, 1), "int32"))


def test_a_failed_call_leaves_a_usable_layer():
    layer = layers.Dense(2)
    with pytest.raises(ShapeError):
        layer(np.ones(3, "float32"))
    assert not layer.built
    layer(X)
    assert layer.kernel.shape == (3, 2)


def test_all_of_them_are_caught_as_one():
    for call in (
        lambda: layers.Dense(0),
        lambda: layers.Dense(2, name=""),
        lambda: deep()(X[:, :1]),
    ):
        with pytest.raises(MlapiError):
            call()


def test_a_layer_without_call():
    class Empty(mlapi.Layer):
        pass

    with pytest.raises(NotImplementedError, match="Empty does not define `call`"):
        Empty()(X)
