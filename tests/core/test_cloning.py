"""Copies of models, with other layers or inputs where asked for."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, models, ops
from mlapi.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


def functional() -> mlapi.Model:
    a, b = mlapi.Input((4,), name="a"), mlapi.Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    inner = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(2, name="deep")], name="inner")
    y = inner(ops.relu(shared(a)) + shared(b))
    return mlapi.Model({"a": a, "b": b}, [y, layers.Dropout(0.5, name="drop")(y)], name="net")


def stacked() -> mlapi.Model:
    return mlapi.Sequential([mlapi.Input((4,)), layers.Dense(3), layers.Dense(1)], name="stack")


def renamed(layer: layers.Layer) -> layers.Layer:
    config = layer.get_config()
    config["name"] = f"new_{layer.name}"
    return type(layer).from_config(config)


@pytest.mark.parametrize("make", [functional, stacked])
def test_a_clone_computes_the_same_with_weights_of_its_own(make) -> None:
    model = make()
    for arguments in ({}, {"clone_function": renamed}, {"clone_function": renamed,
                                                        "recursive": True}):  # fmt: skip
        clone = models.clone_model(model, **arguments)
        assert type(clone) is type(model)
        assert not {id(v) for v in clone.variables} & {id(v) for v in model.variables}
        assert any((a != b).any() for a, b in zip(clone.get_weights(), model.get_weights()))
        clone.set_weights(model.get_weights())
        given = {"a": X, "b": 2 * X} if make is functional else X
        for one, other in zip(*(mlapi.tree.flatten(m(given)) for m in (clone, model))):
            np.testing.assert_allclose(
                ops.convert_to_numpy(ops.stop_gradient(one)),
                ops.convert_to_numpy(ops.stop_gradient(other)),
                rtol=1e-6,
            )


def test_functions_for_layers_and_calls() -> None:
    called = []

    def call(layer, *args, **kwargs):
        called.append(layer.name)
        return layer(*args, **kwargs)

    clone = models.clone_model(functional(), clone_function=renamed, call_function=call)
    assert called == ["new_shared", "new_shared", "new_inner", "new_drop"]
    assert clone.get_layer("new_inner").get_layer("deep")
    clone = models.clone_model(functional(), clone_function=renamed, recursive=True)
    assert clone.get_layer("inner").get_layer("new_deep")


def test_other_inputs() -> None:
    wide = [mlapi.Input((4,), batch_size=3, name="left"), mlapi.Input((4,), batch_size=3)]
    clone = models.clone_model(functional(), input_tensors=wide)
    assert clone.output_shape == [(3, 2), (3, 2)]
    with pytest.raises(ArgumentError, match="must be 2 symbolic tensors"):
        models.clone_model(functional(), input_tensors=wide[:1])


def test_subclassed_models_are_copied_from_their_config() -> None:
    class Net(mlapi.Model):
        def __init__(self, units=2, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.dense = layers.Dense(units)

        def call(self, x):
            return self.dense(x)

    net = Net(3)
    net(X)
    assert models.clone_model(net).units == 3
    with pytest.raises(ArgumentError, match="leave input_tensors"):
        models.clone_model(net, clone_function=renamed)


def test_state_as_a_tree() -> None:
    model = stacked()
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(X, X[:, :1])
    state = model.get_state_tree("numpy_array")
    assert set(state["trainable_variables"]["stack"]) == {layer.name for layer in model.layers}
    assert state["optimizer_variables"][model.optimizer.name]["iteration"] == 1
    assert state["metrics_variables"]["loss"]["count"] == 3
    other = stacked()
    other.compile("adam", "mse", metrics=["mae"])
    names = [layer.name for layer in other.layers]
    weights = dict(zip(names, state["trainable_variables"]["stack"].values(), strict=True))
    other.set_state_tree({"trainable_variables": {"stack": weights}})
    for one, then in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, then)
    for bad in ({"weights": {}}, {"trainable_variables": {"stack": {"none": {"kernel": 0}}}}):
        with pytest.raises(ArgumentError, match="set_state_tree"):
            other.set_state_tree(bad)
    with pytest.raises(ArgumentError, match="Did you mean 'numpy_array'"):
        model.get_state_tree("numpy")


def test_loss_as_a_pure_function() -> None:
    model = mlapi.Sequential([mlapi.Input((4,)), layers.Dense(2), layers.BatchNormalization()])
    y = np.ones((3, 2), "float32")
    model.compile("sgd", "mse")
    values = [[v.value * 1 for v in vs] for vs in model._lists()]

    def loss_fn(trainable):
        return model.compute_loss_and_updates(
            trainable, *values[1:], ops.convert_to_tensor(X), ops.convert_to_tensor(y), None, True
        )

    (loss, (unscaled, y_pred, others, _)), grads = mlapi.value_and_grad(loss_fn, has_aux=True)(
        values[0]
    )
    variables = model.trainable_variables
    expected = mlapi.value_and_grad(
        lambda: ops.mean(ops.square(ops.subtract(model(X, training=True), y))), variables
    )
    before = [v.numpy() for v in model.non_trainable_variables[:2]]
    wanted, slopes = expected()
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5) == float(unscaled)
    for one, other in zip(grads, slopes, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(one), ops.convert_to_numpy(other), rtol=1e-4, atol=1e-6
        )
    after = [v.numpy() for v in model.non_trainable_variables[:2]]
    for was, then, new in zip(before, after, others[:2], strict=True):
        assert (was != then).any()  # by the last call alone
        np.testing.assert_allclose(ops.convert_to_numpy(new), then, rtol=1e-5)
    again, _ = model.stateless_compute_loss(*values, X, y, y_pred)
    assert float(again) == pytest.approx(float(loss), rel=1e-5)
