"""Modules of the frameworks as layers: each on the backend of its own framework."""

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, ArgumentTypeError, BackendError

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def numpy(x) -> np.ndarray:
    return np.array(ops.convert_to_numpy(ops.stop_gradient(x)))


def learns(layer: layers.Layer) -> mlapi.Model:
    """A model with the layer inside, after training that brought the loss down."""
    model = mlapi.Sequential([mlapi.Input((4,)), layer, layers.Dense(1)])
    model.compile(mlapi.optimizers.Adam(0.05), "mse")
    losses = model.fit(X, Y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    return model


def test_torch_module(tmp_path) -> None:
    import torch

    def make():
        module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
        return layers.TorchModuleWrapper(module, name="wrapped")

    layer = make()
    assert [v.path for v in layer.weights] == [
        f"wrapped/{name}"
        for name in ("0.weight", "0.bias", "1.weight", "1.bias",
                     "1.running_mean", "1.running_var", "1.num_batches_tracked")
    ]  # fmt: skip
    assert len(layer.trainable_variables) == 4
    assert layer.weights[0]._storage is layer.module[0].weight
    layer.module.eval()
    np.testing.assert_allclose(
        numpy(layer(X, training=False)), numpy(layer.module(torch.tensor(X)))
    )
    mean = layer.weights[4].numpy()
    layer(X, training=True)
    assert (layer.weights[4].numpy() != mean).all()
    model = learns(layer)
    assert len(list(model.parameters())) == len(model.trainable_variables) == 6
    model.save_weights(tmp_path / "w.weights.h5")
    other = mlapi.Sequential([mlapi.Input((4,)), make(), layers.Dense(1)])
    other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(other.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    values = [v.value * 0 for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]
    assert numpy(layer.stateless_call(values, others, X)[0]).any() == 0
    layer.trainable = False
    assert not any(p.requires_grad for p in layer.module.parameters())


def test_torch_module_of_the_wrong_kind() -> None:
    with pytest.raises(ArgumentTypeError, match=r"expected a torch\.nn\.Module, received int"):
        layers.TorchModuleWrapper(3)
    import torch

    with pytest.raises(ArgumentTypeError, match="lazy parameters"):
        layers.TorchModuleWrapper(torch.nn.LazyLinear(2))


def test_jax_function() -> None:
    def init(rng, inputs):
        return {"w": np.ones((inputs.shape[-1], 3), "float32"), "b": np.zeros(3, "float32")}, 0.0

    def call(params, state, rng, inputs, training):
        return inputs @ params["w"] + params["b"], state + training

    layer = layers.JaxLayer(call, init)
    np.testing.assert_allclose(numpy(layer(X)), np.repeat(Y, 3, 1), rtol=1e-5)
    assert [v.name for v in layer.weights] == ["b", "w", "value"]
    learns(layer)
    assert layer.weights[2].numpy() == 30
    twos = np.full(4, 2.0, "float32")
    given = layers.JaxLayer(lambda params, inputs: inputs * params, params=twos)
    np.testing.assert_allclose(numpy(given(X)), 2 * X)
    with pytest.raises(ArgumentError, match="must have an argument `inputs`"):
        layers.JaxLayer(lambda x: x)
    with pytest.raises(ArgumentError, match="or `init_fn` to make them"):
        layers.JaxLayer(lambda inputs: inputs)


class Linen:
    """What a module of flax looks like: a dense layer that counts its calls and drops inputs."""

    def init(self, rngs, inputs, training, method=None):
        assert set(rngs) == {"params", "dropout"}
        kernel = np.ones((inputs.shape[-1], 2), "float32")
        return {"params": {"kernel": kernel}, "counts": {"calls": np.zeros((), "float32")}}

    def apply(self, variables, inputs, rngs, training, method=None, mutable=False):
        assert mutable == ["counts"]
        counts = {"calls": variables["counts"]["calls"] + training}
        return inputs @ variables["params"]["kernel"], {"counts": counts}

    def __call__(self, inputs, training):
        raise NotImplementedError


def test_flax_module() -> None:
    layer = layers.FlaxLayer(Linen())
    np.testing.assert_allclose(numpy(layer(X)), np.repeat(Y, 2, 1), rtol=1e-5)
    learns(layer)
    assert layer.weights[1].numpy() == 30
    with pytest.raises(ArgumentTypeError, match=r"must be a flax.linen.Module, received int"):
        layers.FlaxLayer(3)


def test_saved_model(tmp_path) -> None:
    import tensorflow as tf

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(tf.ones((4, 3)), name="w")

        @tf.function(input_signature=[tf.TensorSpec((None, 4))])
        def serve(self, x):
            return x @ self.w

        @tf.function(input_signature=[tf.TensorSpec((None, 4))])
        def train(self, x):
            return 2.0 * x @ self.w

    module = Module()
    module.variables_ = [module.w]
    tf.saved_model.save(module, str(tmp_path / "m"), {"serving_default": module.serve})
    layer = layers.TFSMLayer(tmp_path / "m", call_training_endpoint="train")
    np.testing.assert_allclose(numpy(layer(X)), np.repeat(Y, 3, 1), rtol=1e-5)
    np.testing.assert_allclose(numpy(layer(X, training=True)), 2 * np.repeat(Y, 3, 1), rtol=1e-5)
    by_signature = layers.TFSMLayer(tmp_path / "m", call_endpoint="serving_default")
    np.testing.assert_allclose(numpy(by_signature(X)), np.repeat(Y, 3, 1), rtol=1e-5)
    assert layer.trainable_variables
    learns(layer)
    with pytest.raises(ArgumentError, match="no endpoint 'other'"):
        layers.TFSMLayer(tmp_path / "m", call_endpoint="other")
    with pytest.raises(ArgumentError, match="nowhere"):
        layers.TFSMLayer(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.TorchModuleWrapper(None),
        lambda: layers.JaxLayer(lambda x: x),
        lambda: layers.TFSMLayer("nowhere"),
    ],
)
def test_what_cannot_be_made_says_why(make) -> None:
    with pytest.raises((BackendError, ArgumentError, ArgumentTypeError)) as caught:
        make()
    words = {"BackendError": "Set MLAPI_BACKEND=", "ArgumentError": 'Layer "'}
    assert words.get(type(caught.value).__name__, "expected a torch") in str(caught.value)
