"""Configs: what Keras writes is understood, and nothing that was set is lost."""

import json

import numpy as np
import pytest

from mlapi import layers, regularizers

SEQUENCES = np.ones((2, 5, 4), "float32")


def test_activity_regularizer_is_part_of_every_config():
    layer = layers.Activation("relu", activity_regularizer=regularizers.L2(0.5))
    copy = layers.Activation.from_config(json.loads(json.dumps(layer.get_config())))
    assert copy.activity_regularizer.get_config() == {"l2": 0.5}


def test_layers_with_several_inputs_can_be_built_from_a_file():
    layer = layers.MultiHeadAttention(2, 3)
    layer(SEQUENCES, SEQUENCES[:, :3, :2])
    copy = layers.MultiHeadAttention.from_config(layer.get_config())
    copy.build_from_config(json.loads(json.dumps(layer.get_build_config())))
    assert [w.shape for w in copy.weights] == [w.shape for w in layer.weights]


def test_layers_with_one_input_can_be_built_from_a_file():
    layer = layers.LSTM(3)
    layer(SEQUENCES)
    copy = layers.LSTM.from_config(layer.get_config())
    copy.build_from_config(json.loads(json.dumps(layer.get_build_config())))
    assert [w.path.split("/")[1:] for w in copy.weights] == [
        w.path.split("/")[1:] for w in layer.weights
    ]


def test_entries_that_keras_adds_are_understood():
    config = layers.LayerNormalization().get_config()
    assert layers.LayerNormalization.from_config({**config, "rms_scaling": False}).epsilon == 1e-3
    with pytest.warns(DeprecationWarning, match="rms_scaling"):
        assert layers.LayerNormalization.from_config({**config, "rms_scaling": True}).rms_scaling
    record = layers.serialize(layers.Dense(3))
    record["config"]["quantization_config"] = None
    assert layers.deserialize(record).units == 3
    assert "trainable" not in layers.SpatialDropout1D(0.5).get_config()


def test_objects_survive_as_objects():
    layer = layers.Dense(3, kernel_initializer="he_normal", kernel_constraint="max_norm")
    config = json.loads(json.dumps(layer.get_config()))
    assert config["kernel_initializer"]["class_name"] == "HeNormal"
    copy = layers.Dense.from_config(config)
    assert type(copy.kernel_constraint) is type(layer.kernel_constraint)
    assert copy.activation is layer.activation
