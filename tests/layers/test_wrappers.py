"""Layers around others: Bidirectional, TimeDistributed, and wrappers of one's own."""

import json

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, ArgumentTypeError, ShapeError
from tests.layers import references

X = np.random.default_rng(3).standard_normal((2, 6, 4)).astype("float32")
MASK = np.array([[True] * 4 + [False] * 2, [True] * 6])


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class Counter(layers.Layer):
    """A cell that nobody has registered."""

    def __init__(self, step=1.0, **kwargs):
        super().__init__(**kwargs)
        self.step = step
        self.state_size = 4

    def call(self, inputs, states):
        total = states[0] + self.step * inputs
        return total, [total]


def test_bidirectional_takes_a_cell_that_nobody_registered():
    layer = layers.Bidirectional(layers.RNN(Counter(2.0), return_sequences=True))
    y, y_back = np.split(numpy(layer(X)), 2, -1)
    np.testing.assert_allclose(y, 2 * X.cumsum(1), 1e-4, 1e-5)
    np.testing.assert_allclose(y_back, 2 * X[:, ::-1].cumsum(1)[:, ::-1], 1e-4, 1e-5)


def test_weights_have_the_names_of_keras():
    layer = layers.Bidirectional(layers.GRU(3, name="gru"), name="both")
    layer(X)
    assert [w.path for w in layer.weights[::3]] == [
        "both/forward_gru/gru_cell/kernel",
        "both/backward_gru/gru_cell/kernel",
    ]
    assert layers.TimeDistributed(layers.Dense(1, name="dense"), name="each")(X).shape == (2, 6, 1)


def test_a_copy_from_the_config_is_built_under_its_own_path():
    layer = layers.Bidirectional(layers.LSTM(3, name="lstm", use_cudnn=False), name="both")
    layer(X)
    record = json.loads(json.dumps(layers.serialize(layer)))
    copy = layers.deserialize(record)
    assert [w.path for w in copy.weights] == [w.path for w in layer.weights]
    assert copy.forward_layer.use_cudnn is False
    copy.set_weights(layer.get_weights())
    np.testing.assert_allclose(numpy(copy(X)), numpy(layer(X)), 1e-5)


def test_weights_may_be_given():
    first = layers.Bidirectional(layers.LSTM(3))
    first(X)
    second = layers.Bidirectional(layers.LSTM(3), weights=first.get_weights())
    np.testing.assert_allclose(numpy(second(X)), numpy(first(X)), 1e-5)


def test_the_layer_itself_is_not_used_and_the_backward_layer_is():
    lstm, back = layers.LSTM(3), layers.LSTM(3, go_backwards=True)
    layers.Bidirectional(lstm, backward_layer=back)(X)
    assert not lstm.built
    assert back.built


def test_a_stateful_pair_keeps_its_states():
    layer = layers.Bidirectional(layers.SimpleRNN(3, stateful=True))
    assert layer.states is None
    first = numpy(layer(X))
    assert [state.shape for state in layer.states] == [(2, 3), (2, 3)]
    ahead, back = (state.numpy() for state in layer.states)
    np.testing.assert_allclose(np.concatenate([ahead, back], -1), first, 1e-5)
    assert abs(numpy(layer(X)) - first).max() > 1e-3
    layer.reset_state()
    np.testing.assert_allclose(numpy(layer(X)), first, 1e-5)


@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_masks_pass(merge_mode):
    layer = layers.Bidirectional(
        layers.LSTM(3, return_sequences=True, return_state=True), merge_mode
    )
    layer(X)
    masks = layer.compute_mask(X, MASK)
    assert len(masks) == (5 if merge_mode else 6)
    assert all(mask is MASK for mask in masks[:-4])
    assert masks[-4:] == [None] * 4
    last = layers.Bidirectional(layers.LSTM(3))
    assert last.compute_mask(X, MASK) is None


def test_a_mask_reaches_both_directions_in_a_model():
    words = np.array([[3, 1, 0, 0], [2, 2, 4, 0]])
    inputs = mlapi.Input((4,), dtype="int32")
    embedding = layers.Embedding(6, 3, mask_zero=True)
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True))
    pooled = layers.GlobalAveragePooling1D()(both(embedding(inputs)))
    found = numpy(mlapi.Model(inputs, pooled)(words))
    x, mask, w = numpy(embedding(words)), words != 0, both.get_weights()
    y = references.gru(x, *w[:3], mask=mask)[0]
    y_back = references.gru(x[:, ::-1], *w[3:], mask=mask[:, ::-1])[0][:, ::-1]
    outputs = np.concatenate([y, y_back], -1) * mask[..., None]
    np.testing.assert_allclose(found, outputs.sum(1) / mask.sum(1, keepdims=True), 1e-4, 1e-5)


WRONG = [
    ({"layer": 3}, r"layer must be a layer, received 3"),
    ({"layer": layers.LSTM}, r"Give an instance: LSTM\(…\)"),
    ({"layer": layers.Dense(3)}, r"must be a recurrent layer, Dense has no 'go_backwards'"),
    ({"layer": layers.LSTM(3), "merge_mode": "summ"}, r"Did you mean 'sum'"),
    ({"layer": layers.LSTM(3), "backward_layer": layers.LSTM(3)}, r"go in different directions"),
    (
        {
            "layer": layers.LSTM(3),
            "backward_layer": layers.GRU(3, go_backwards=True, return_sequences=True),
        },
        r"the same return_sequences, received False and True",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[w[1] for w in WRONG])
def test_bidirectional_refuses(arguments, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        layers.Bidirectional(**arguments)


def test_initial_states_must_be_two_halves():
    with pytest.raises(ArgumentError, match="as many of the backward layer"):
        layers.Bidirectional(layers.LSTM(3))(X, initial_state=[np.zeros((2, 3), "float32")])


class Mean(layers.Layer):
    """Mixes the samples, and counts what is masked."""

    def call(self, x, mask=None):
        mean = ops.mean(x, axis=0, keepdims=True)
        return x - mean if mask is None else x * ops.cast(ops.expand_dims(mask, -1), "float32")


def test_layers_of_which_nothing_is_known_get_step_by_step():
    layer = layers.TimeDistributed(Mean())
    np.testing.assert_allclose(numpy(layer(X)), X - X.mean(0), 1e-4, 1e-5)
    np.testing.assert_allclose(numpy(layer(X, mask=MASK)), X * MASK[..., None], 1e-5)


@pytest.mark.parametrize("mixed", [False, True])
def test_a_model_at_every_step(mixed):
    inputs = mlapi.Input((4,))
    x = layers.Dense(3, "relu")(inputs)
    x = x - ops.mean(x, axis=0, keepdims=True) if mixed else x
    layer = layers.TimeDistributed(mlapi.Model(inputs, x))
    for _ in range(2):  # the first call finds out what the model is made of
        found = numpy(layer(X))
    kernel, bias = layer.get_weights()
    expected = np.maximum(X @ kernel + bias, 0)
    expected = expected - expected.mean(0) if mixed else expected
    np.testing.assert_allclose(found, expected, 1e-4, 1e-5)


def test_dropout_at_every_step_is_its_own():
    y = numpy(layers.TimeDistributed(layers.Dropout(0.5))(np.ones((4, 3, 50)), training=True))
    assert (y[:, 0] != y[:, 1]).any()
    shared = layers.TimeDistributed(layers.Dropout(0.5, noise_shape=(1, None)))
    y = numpy(shared(np.ones((4, 3, 50)), training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:1], y.shape))
    assert (y[:, 0] != y[:, 1]).any()


def test_time_distributed_refuses():
    with pytest.raises(ArgumentTypeError, match="layer must be a layer"):
        layers.TimeDistributed("dense")
    with pytest.raises(ShapeError, match="at least 3 axes"):
        layers.TimeDistributed(layers.Dense(2))(X[0])
    with pytest.raises(ShapeError, match=r"mask must begin with the axes .*\(2, 6\).*\(2, 5\)"):
        layers.TimeDistributed(layers.Dense(2))(X, mask=MASK[:, :5])


class Twice(layers.Wrapper):
    def call(self, x):
        return self.layer(self.layer(x))


def test_a_wrapper_of_ones_own():
    layer = Twice(layers.Dense(4, name="dense"), name="twice")
    kernel = np.eye(4, dtype="float32") * 3
    layer(X)
    layer.set_weights([kernel, np.ones(4, "float32")])
    assert [w.path for w in layer.weights] == ["twice/dense/kernel", "twice/dense/bias"]
    np.testing.assert_allclose(numpy(layer(X)), 3 * (3 * X + 1) + 1, 1e-4, 1e-5)
    copy = Twice.from_config(json.loads(json.dumps(layer.get_config())))
    copy(X)
    copy.set_weights(layer.get_weights())
    np.testing.assert_allclose(numpy(copy(X)), numpy(layer(X)), 1e-5)
    with pytest.raises(ArgumentTypeError, match="layer must be a layer, received None"):
        Twice(None)
