"""`compile(precision=…)` makes a built model what it would be with that policy from the start."""

import numpy as np
import pytest

import mlapi
from mlapi import layers
from mlapi.dtype_policies import DTypePolicyMap
from mlapi.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(8, 6, 4)).astype("float32")
Y = X.mean(axis=(1, 2), keepdims=True)[:, 0]


def build(dtype=None):
    mlapi.utils.set_random_seed(3)
    x = inputs = mlapi.Input((6, 4))
    x = layers.Conv1D(4, 3, activation="relu", dtype=dtype)(x)
    x = layers.BatchNormalization(dtype=dtype)(x)
    x = layers.MultiHeadAttention(2, 2, dtype=dtype)(x, x)
    x = layers.LayerNormalization(dtype=dtype)(x)
    x = layers.Bidirectional(layers.GRU(3, dtype=dtype), dtype=dtype)(x)
    outputs = layers.Dense(1, name="head", dtype=dtype)(x)
    return mlapi.Model(inputs, outputs, name="m")


def train(model, **options):
    model.compile(mlapi.optimizers.SGD(0.05), "mse", **options)
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return history.history["loss"], model.predict(X, verbose=0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_built_model_trains_as_one_made_with_the_policy(policy):
    late, early = build(), build(policy)
    got, expected = train(late, precision=policy), train(early)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-6)
    np.testing.assert_array_equal(got[1], expected[1])
    assert {v.dtype for v in late.trainable_variables} == {"float32"}
    scaled = isinstance(late.optimizer, mlapi.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    # It takes fewer digits, and is only so until somebody compiles it differently.
    late.set_weights(build().get_weights())
    again = train(late, precision="float32")
    np.testing.assert_allclose(again[0], train(build())[0], rtol=1e-6)
    assert not np.allclose(again[0], got[0], rtol=1e-6)


def test_a_map_leaves_some_layers_in_full_precision():
    model = build()
    model.compile("sgd", "mse", precision=DTypePolicyMap("mixed_bfloat16", {"head": "float32"}))
    dtypes = {layer.name: layer.compute_dtype for layer in model.layers}
    assert dtypes.pop("head") == "float32"
    assert set(dtypes.values()) == {"bfloat16"}


def test_variables_that_exist_keep_their_dtype():
    model = build()
    with pytest.raises(ArgumentError, match=r"keeps variables in float16.*already, in float32"):
        model.compile("sgd", "mse", precision="float16")
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    unbuilt = mlapi.Sequential([layers.Dense(1)])
    unbuilt.compile("sgd", "mse", precision="bfloat16")
    unbuilt.build((None, 3))
    assert {v.dtype for v in unbuilt.trainable_variables} == {"bfloat16"}


def test_an_unknown_precision_is_named_with_the_nearest():
    with pytest.raises(ArgumentError, match="mixed_bfloat16"):
        build().compile("sgd", "mse", precision="mixed_bf16")


def dense():
    model = mlapi.Sequential([mlapi.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    x = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")
    return model, x, x.sum(axis=1, keepdims=True)


def test_accumulated_batches_are_one_large_batch():
    (small, x, y), (large, _, _) = dense(), dense()
    small.compile(mlapi.optimizers.SGD(0.1), "mse", accumulate=4)
    large.compile(mlapi.optimizers.SGD(0.1), "mse")
    small.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    large.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for got, expected in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5)
    config = small.get_compile_config()
    assert config["accumulate"] == 4
    small.compile_from_config(config)
    assert small.optimizer.gradient_accumulation_steps == 4


def test_accumulation_reaches_the_optimizers_inside():
    model, _, _ = dense()
    parts = mlapi.optimizers.OptimizerMap(mlapi.optimizers.SGD(), {"a": mlapi.optimizers.Adam()})
    multi = mlapi.optimizers.MultiOptimizer(parts)
    model.compile(mlapi.optimizers.LossScaleOptimizer(multi), "mse", accumulate=2)
    assert [each.gradient_accumulation_steps for each in multi.optimizers] == [2, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 0}, "accumulate must be an integer of at least 1"),
        ({"optimizer": None, "accumulate": 2}, "needs an optimizer"),
        ({"optimizer": None, "lr_multipliers": {}}, "needs an optimizer"),
        (
            {"optimizer": mlapi.optimizers.SGD(gradient_accumulation_steps=3), "accumulate": 2},
            "has gradient_accumulation_steps=3",
        ),
        (
            {
                "optimizer": mlapi.optimizers.MultiOptimizer(lambda v: mlapi.optimizers.SGD()),
                "accumulate": 2,
            },
            "gradient_accumulation_steps=2 instead",
        ),
    ],
)
def test_contradictions(options, message):
    model, _, _ = dense()
    with pytest.raises(ArgumentError, match=message):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **options})
