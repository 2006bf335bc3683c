"""Training in 16 bits: variables of float32, losses that are scaled where they have to be."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops, optimizers
from mlapi.models import load_model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 6)).astype("float32")
Y = (X[:, :3].sum(1) > 0).astype("int32")


def make(policy: str, **compiled) -> mlapi.Model:
    mlapi.utils.set_random_seed(2)
    model = mlapi.Sequential(
        [
            mlapi.Input((6,)),
            layers.Dense(16, activation="relu", dtype=policy),
            layers.LayerNormalization(dtype=policy),
            layers.Dense(2, dtype=policy),
            layers.Activation("softmax", dtype="float32"),
        ]
    )
    model.compile(
        **{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
        | compiled
    )
    return model


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_model_learns_as_in_32_bits(policy: str) -> None:
    losses = {}
    for kind in (policy, "float32"):
        model = make(kind, optimizer=optimizers.Adam(0.02))
        losses[kind] = model.fit(X, Y, epochs=8, batch_size=16, verbose=0).history["loss"]
        assert {v.dtype for v in model.weights} == {"float32"}
        assert model.predict(X, verbose=0).dtype == "float32"
    np.testing.assert_allclose(losses[policy], losses["float32"], rtol=0.1, atol=0.02)


def test_losses_are_scaled_for_float16_alone(tmp_path) -> None:
    model = make("mixed_float16")
    assert isinstance(model.optimizer, optimizers.LossScaleOptimizer)
    assert not isinstance(make("mixed_bfloat16").optimizer, optimizers.LossScaleOptimizer)
    plain = make("mixed_float16", auto_scale_loss=False)
    assert not isinstance(plain.optimizer, optimizers.LossScaleOptimizer)
    own = optimizers.LossScaleOptimizer(optimizers.SGD(), initial_scale=4.0)
    assert make("mixed_float16", optimizer=own).optimizer is own
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert type(loaded.optimizer.inner_optimizer) is optimizers.Adam
    assert float(loaded.optimizer.dynamic_scale) == float(model.optimizer.dynamic_scale)
    assert loaded.train_on_batch(X, Y) == pytest.approx(model.train_on_batch(X, Y), rel=1e-2)


def test_gradients_that_are_too_large_change_nothing_but_the_scale() -> None:
    scaled = optimizers.LossScaleOptimizer(optimizers.Adam(0.01), initial_scale=2.0**40)
    model = make("mixed_float16", optimizer=scaled)
    before = model.get_weights()
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert np.isfinite(logs["loss"])
    for one, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, then)
    assert float(scaled.dynamic_scale) == 2.0**39
    model.fit(X, Y, epochs=40, verbose=0)
    assert float(scaled.dynamic_scale) < 2.0**30
    assert any((a != b).any() for a, b in zip(model.get_weights(), before, strict=True))


def test_a_global_policy() -> None:
    mlapi.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = mlapi.Sequential([mlapi.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1)])
    finally:
        mlapi.config.set_dtype_policy("float32")
    model.compile("adam", "mse")
    assert ops.dtype(model(X)) == "bfloat16"
    history = model.fit(X, X[:, :1], epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.9 * history[0]
