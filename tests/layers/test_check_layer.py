"""`check_layer` finds what is wrong with a layer."""

import numpy as np
import pytest

from mlapi import layers, ops
from mlapi.testing import check_layer

X = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")


class Scale(layers.Layer):
    """What the layers below get wrong."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.weight = self.add_weight(name="weight", shape=(input_shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.weight.value * self.factor


class ForgetsItsArgument(Scale):
    def get_config(self):
        return {"name": self.name}


class StopsTheGradient(Scale):
    def call(self, x):
        return x * (self.weight.value + ops.stop_gradient(self.weight.value)) * self.factor


class KnowsOneBatchSize(Scale):
    def call(self, x):
        return super().call(x)[:3]


class NamesTwoWeightsAlike(Scale):
    def build(self, input_shape):
        super().build(input_shape)
        self.other = self.add_weight(name="weight", shape=())


class IgnoresItsPolicy(Scale):
    def call(self, x):
        return ops.cast(super().call(x), "float32")


class GrowsInTraining(Scale):
    def call(self, x, training=None):
        return ops.concatenate([super().call(x)] * 2, 0) if training else super().call(x)


class LosesItsWeights(Scale):
    def save_own_variables(self, store):
        store["weight"] = self.weight.numpy() + 1

    def load_own_variables(self, store):
        self.weight.assign(store["weight"])


class KeepsArgumentsAsTheyCome(Scale):
    def get_config(self):
        return {**super().get_config(), "factor": repr(self.factor)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "factor": float(config["factor"])})


def test_a_sound_layer_passes():
    output = check_layer(Scale, {"factor": 3.0}, X, expected=3 * X)
    np.testing.assert_allclose(output, 3 * X, rtol=1e-6)
    check_layer(Scale, {"factor": 3.0}, X, expected=lambda x, w: 3 * x * w)


def test_first_values_of_weights_hide_nothing():
    with pytest.raises(AssertionError, match="unexpected output"):
        check_layer(Scale, {"factor": 3.0}, X, expected=lambda x, w: 3 * x)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (ForgetsItsArgument, "copy is not equal"),
        (StopsTheGradient, "gradient of .*weight"),
        (KnowsOneBatchSize, "symbolic shape"),
        (NamesTwoWeightsAlike, "two weights of one path"),
        (IgnoresItsPolicy, "float32 under mixed_bfloat16"),
        (GrowsInTraining, "another shape or dtype in training"),
        (LosesItsWeights, "loaded from a file it is another layer"),
        (KeepsArgumentsAsTheyCome, "makes the config"),
    ],
)
def test_an_unsound_layer_does_not(layer, message):
    with pytest.raises(AssertionError, match=message):
        check_layer(layer, {"factor": 3.0}, X)


def test_values_are_compared():
    with pytest.raises(AssertionError, match="unexpected output"):
        check_layer(Scale, {}, X, expected=X)
    with pytest.raises(AssertionError, match=r"\(3, 4\), expected \(4, 3\)"):
        check_layer(Scale, {}, X, expected=X.T)
