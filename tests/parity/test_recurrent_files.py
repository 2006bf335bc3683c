"""Files with recurrent layers: those of Keras are read here, and those from here by Keras."""

from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

import mlapi

X = np.random.default_rng(0).standard_normal((2, 4, 6, 3)).astype("float32")


def network(library: ModuleType) -> Any:
    """One layer of every kind, with arguments that matter."""
    layers = library.layers
    inputs = library.Input((4, 6, 3))
    x = layers.ConvLSTM1D(2, 2, return_sequences=True, padding="same", unroll=True)(inputs)
    x = layers.TimeDistributed(layers.Dense(3))(x)
    x = layers.TimeDistributed(layers.Flatten())(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True), "sum")(x)
    x = layers.Bidirectional(
        layers.SimpleRNN(2, return_sequences=True, activation="relu"),
        backward_layer=layers.GRU(2, return_sequences=True, go_backwards=True),
    )(x)
    x = layers.GRU(3, reset_after=False, return_sequences=True)(x)
    cells = [layers.LSTMCell(3, unit_forget_bias=False), layers.GRUCell(2), layers.SimpleRNNCell(4)]
    x = layers.RNN(cells, return_sequences=True)(x)
    y, *states = layers.LSTM(3, return_state=True)(x)
    z = layers.LSTM(3, zero_output_for_mask=True)(x, initial_state=states)
    return library.Model(inputs, layers.Concatenate()([y, z]))


@pytest.mark.parametrize(("writer", "reader"), [(keras, mlapi), (mlapi, keras)])
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_a_file(writer: ModuleType, reader: ModuleType, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    written = network(writer)
    expected = written.predict(X, verbose=0)
    if suffix == ".weights.h5":
        written.save_weights(path)
        read = network(reader)
        read.load_weights(path)
    else:
        written.save(path)
        read = reader.models.load_model(path)
    assert [w.shape for w in read.weights] == [w.shape for w in written.weights]
    np.testing.assert_allclose(read.predict(X, verbose=0), expected, 1e-4, 1e-5)
