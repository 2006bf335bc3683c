"""Models in files: what Keras writes is read here, and the other way round."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import mlapi

X = np.random.default_rng(0).standard_normal((3, 5, 4)).astype("float32")


def attention(library: Any, layers: Any) -> Any:
    inputs = library.Input((5, 4))
    x = layers.MultiHeadAttention(2, 3, value_dim=3, use_gate=True)(inputs, inputs)
    x = layers.LayerNormalization(axis=[2, 1])(x)
    y = layers.GroupQueryAttention(3, 4, 2, dropout=0.1)(x, inputs, use_causal_mask=True)
    z = layers.Attention(use_scale=True, score_mode="concat")([x, y])
    return library.Model(inputs, layers.AdditiveAttention(seed=1)([z, y, x]))


def normalization(library: Any, layers: Any) -> Any:
    inputs = library.Input((5, 4))
    x = layers.SpectralNormalization(layers.Dense(6), power_iterations=2)(inputs)
    x = layers.GroupNormalization(2)(x)
    x = layers.RMSNormalization()(layers.BatchNormalization(renorm=True)(x))
    return library.Model(inputs, layers.UnitNormalization(axis=[1, 2])(x))


@pytest.mark.parametrize("build", [attention, normalization])
def test_files_go_both_ways(build: Any, tmp_path: Path) -> None:
    theirs = build(keras, keras.layers)
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.uniform(0.5, 1, w.shape) for w in theirs.weights])
    expected = theirs.predict(X, verbose=0)
    theirs.save(tmp_path / "theirs.keras")
    ours = mlapi.models.load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(ours.predict(X, verbose=0), expected, 1e-4, 1e-5)
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(again.predict(X, verbose=0), expected, 1e-4, 1e-5)
