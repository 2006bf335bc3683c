"""LSTM and RNN: states, dropout, cells of one's own."""

import logging

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, ShapeError
from tests.layers import references

X = np.random.default_rng(3).standard_normal((2, 6, 4)).astype("float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class RunningSum(layers.Layer):
    """A cell whose output is the sum of its inputs so far."""

    state_size = 4

    def call(self, inputs, states):
        total = ops.add(inputs, states[0])
        return total, [total]


def test_rnn_runs_a_cell_of_ones_own():
    outputs, last = layers.RNN(RunningSum(), return_sequences=True, return_state=True)(X)
    np.testing.assert_allclose(numpy(outputs), X.cumsum(1), 1e-5, 1e-5)
    np.testing.assert_allclose(numpy(last), X.sum(1), 1e-5, 1e-5)


def test_rnn_backwards_and_masked():
    mask = np.array([[True] * 4 + [False] * 2, [False, True] * 3])
    rnn = layers.RNN(RunningSum(), return_sequences=True, go_backwards=True)
    expected = (X * mask[..., None])[:, ::-1].cumsum(1)
    np.testing.assert_allclose(numpy(rnn(X, mask=mask)), expected, 1e-5, 1e-5)


def test_rnn_gives_shapes_before_data():
    outputs = layers.RNN(RunningSum(), return_sequences=True)(mlapi.Input((None, 4)))
    assert outputs.shape == (None, None, 4)


def test_rnn_with_an_lstm_cell_is_an_lstm():
    rnn, lstm = layers.RNN(layers.LSTMCell(3)), layers.LSTM(3)
    rnn(X), lstm(X)
    rnn.set_weights(lstm.get_weights())
    np.testing.assert_allclose(numpy(rnn(X)), numpy(lstm(X)), 1e-4, 1e-5)


def test_weights_have_the_names_and_shapes_of_keras():
    lstm = layers.LSTM(3, name="lstm")
    lstm(X)
    assert [(w.path, w.shape) for w in lstm.weights] == [
        ("lstm/lstm_cell/kernel", (4, 12)),
        ("lstm/lstm_cell/recurrent_kernel", (3, 12)),
        ("lstm/lstm_cell/bias", (12,)),
    ]


@pytest.mark.parametrize("open_gates", [True, False])
def test_forget_gates_start_open(open_gates):
    lstm = layers.LSTM(2, unit_forget_bias=open_gates, bias_initializer="zeros")
    lstm(X)
    gate = [1.0, 1.0] if open_gates else [0.0, 0.0]
    np.testing.assert_array_equal(lstm.get_weights()[2], [0, 0, *gate, 0, 0, 0, 0])


@pytest.mark.parametrize("options", [{}, {"unroll": True}, {"use_cudnn": False}])
def test_initial_state_is_the_start(options):
    lstm = layers.LSTM(3, return_state=True, return_sequences=True, **options)
    states = [np.full((2, 3), 0.5, "float32"), np.full((2, 3), -1.0, "float32")]
    found = lstm(X, initial_state=states)
    wanted = references.lstm(X, *lstm.get_weights(), states=states)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(numpy(one), other, 1e-4, 1e-5)


def test_states_pass_from_an_encoder_to_a_decoder():
    inputs = mlapi.Input((6, 4))
    encoder, decoder = layers.LSTM(3, return_state=True), layers.LSTM(3)
    _, h, c = encoder(inputs)
    model = mlapi.Model(inputs, decoder(inputs, initial_state=[h, c]))
    _, h, c = references.lstm(X, *encoder.get_weights())
    wanted = references.lstm(X, *decoder.get_weights(), states=(h, c))[1]
    np.testing.assert_allclose(numpy(model(X)), wanted, 1e-4, 1e-5)


def test_wrong_number_of_initial_states():
    with pytest.raises(ArgumentError, match="has 2 states, initial_state holds 1"):
        layers.LSTM(3)(X, initial_state=[np.zeros((2, 3), "float32")])


def test_stateful_goes_on_where_the_last_batch_ended():
    lstm = layers.LSTM(3, stateful=True)
    whole = layers.LSTM(3)
    first = numpy(lstm(X[:, :4]))
    whole(X)
    whole.set_weights(lstm.get_weights())
    np.testing.assert_allclose(numpy(lstm(X[:, 4:])), numpy(whole(X)), 1e-4, 1e-5)
    lstm.reset_state()
    np.testing.assert_allclose(numpy(lstm(X[:, :4])), first, 1e-4, 1e-5)


def test_stateful_needs_a_batch_size():
    with pytest.raises(ShapeError, match="batch_size"):
        layers.LSTM(3, stateful=True)(mlapi.Input((6, 4)))
    assert layers.LSTM(3, stateful=True)(mlapi.Input((6, 4), batch_size=2)).shape == (2, 3)


def test_stateful_keeps_states_in_a_compiled_call():
    lstm, eager = layers.LSTM(3, stateful=True), layers.LSTM(3, stateful=True)
    lstm(X), eager(X)
    eager.set_weights(lstm.get_weights())
    lstm.reset_state(), eager.reset_state()
    run = mlapi.jit(lambda x: lstm(x), lstm)
    x = ops.convert_to_tensor(X)
    for _ in range(2):
        np.testing.assert_allclose(numpy(run(x)), numpy(eager(X)), 1e-4, 1e-5)


@pytest.mark.parametrize("options", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_dropout_changes_training_only(options):
    lstm = layers.LSTM(8, seed=1, **options)
    calm = numpy(lstm(X))
    np.testing.assert_allclose(calm, references.lstm(X, *lstm.get_weights())[1], 1e-4, 1e-5)
    noisy = numpy(lstm(X, training=True))
    assert abs(noisy - calm).max() > 1e-3
    again = layers.LSTM(8, seed=1, **options)
    again(X)
    again.set_weights(lstm.get_weights())
    np.testing.assert_allclose(numpy(again(X, training=True)), noisy, 1e-5, 1e-6)


def test_input_dropout_is_the_same_at_all_steps():
    lstm = layers.LSTM(3, dropout=0.5, return_sequences=True)
    x = np.ones((1, 5, 16), "float32")
    lstm(x)
    kernel = np.zeros((16, 12), "float32")
    kernel[:, 6:9] = 0.01  # what reaches the memory is proportional to the sum of the inputs
    bias = np.zeros(12, "float32")
    bias[:3], bias[3:6], bias[9:] = 50.0, -50.0, 50.0  # the gates let all in, and forget
    lstm.set_weights([kernel, np.zeros((3, 12), "float32"), bias])
    outputs = numpy(lstm(x, training=True))
    np.testing.assert_allclose(outputs, np.broadcast_to(outputs[:, :1], outputs.shape), 1e-5)


def test_the_slow_way_is_announced(caplog):
    with caplog.at_level(logging.DEBUG, "mlapi"):
        layers.LSTM(3, recurrent_dropout=0.1, name="slow")(X)
        layers.LSTM(3, name="quick")(X)
    assert 'LSTM "slow" goes step by step, because of recurrent_dropout' in caplog.text
    assert "quick" not in caplog.text


def test_cell_takes_one_step():
    cell = layers.LSTMCell(3)
    h, c = cell.get_initial_state(2)
    output, states = cell(ops.convert_to_tensor(X[:, 0]), [h, c])
    _, h, c = references.lstm(X[:, :1], *cell.get_weights())
    np.testing.assert_allclose(numpy(output), h, 1e-4, 1e-5)
    np.testing.assert_allclose(numpy(states[1]), c, 1e-4, 1e-5)
