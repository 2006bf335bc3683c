"""Calls as pure functions of the values of Variables."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import NotBuiltError, ShapeError

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def make_model() -> mlapi.Model:
    return mlapi.Sequential(
        [
            mlapi.Input((4,)),
            layers.Dense(3, kernel_regularizer="l2"),
            layers.BatchNormalization(momentum=0.5),
            layers.Dropout(0.5, seed=1),
        ]
    )


def numpy(tensors) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(x)) for x in tensors]


def test_a_stateless_call_is_the_call_and_changes_nothing() -> None:
    model = make_model()
    trainable = [v.value * 2 for v in model.trainable_variables]
    fixed = [v.value * 1 for v in model.non_trainable_variables]
    before = numpy(v.value for v in model.variables)
    output, new, losses = model.stateless_call(
        trainable, fixed, X, training=True, return_losses=True
    )
    for one, other in zip(numpy(v.value for v in model.variables), before, strict=True):
        np.testing.assert_array_equal(one, other)
    for variable, value in zip(model.trainable_variables, trainable, strict=True):
        variable.assign(value)
    expected = model(X, training=True)
    np.testing.assert_allclose(*numpy([output, expected]), rtol=1e-6)
    for one, variable in zip(new, model.non_trainable_variables, strict=True):
        np.testing.assert_allclose(*numpy([one, variable.value]), rtol=1e-6)
    kernel = model.layers[0].get_weights()[0]
    np.testing.assert_allclose(numpy(losses)[0], 0.01 * np.sum(kernel**2), rtol=1e-5)


def test_it_can_be_differentiated_and_compiled() -> None:
    model = make_model()
    fixed = [v.value for v in model.non_trainable_variables]

    def loss(trainable):
        output, _ = model.stateless_call(trainable, fixed, ops.convert_to_tensor(X))
        return ops.sum(ops.square(output))

    values = [v.value for v in model.trainable_variables]
    found = numpy(mlapi.jit(mlapi.grad(loss), [])(values))
    variables = model.trainable_variables
    expected = mlapi.grad(lambda: ops.sum(ops.square(model(X))), variables)()
    for one, other in zip(found, numpy(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_what_it_is_given_must_fit() -> None:
    model = make_model()
    with pytest.raises(ShapeError, match="has 4 trainable Variables, received 0"):
        model.stateless_call([], [], X)
    with pytest.raises(NotBuiltError):
        layers.Dense(2).stateless_call([], [], X)


def test_scopes_nest() -> None:
    v = mlapi.Variable(1.0)
    with mlapi.StatelessScope() as outer:
        v.assign(2.0)
        with mlapi.StatelessScope([(v, ops.convert_to_tensor(5.0))]) as inner:
            v.assign_add(1.0)
        assert float(inner.get_current_value(v)) == 6
        v.assign_sub(0.5)
        assert float(v) == 1.5
    assert float(outer.get_current_value(v)) == 1.5
    assert float(v) == 1
    with pytest.raises(TypeError, match="pairs of a Variable"):
        mlapi.StatelessScope([(3, 4)])
