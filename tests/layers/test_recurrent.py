"""Recurrent layers: cells of one's own, states, masks, dropout."""

import logging

import numpy as np
import pytest

import mlapi
from mlapi import layers, ops
from mlapi.errors import ArgumentError, ShapeError
from tests.layers import references

X = np.random.default_rng(3).standard_normal((2, 6, 4)).astype("float32")
STATES = [np.full((2, 3), 0.5, "float32"), np.full((2, 3), -1.0, "float32")]


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


class RunningSum(layers.Layer):
    """A cell whose output is the sum of its inputs so far."""

    state_size = 4

    def call(self, inputs, states):
        total = ops.add(inputs, states[0])
        return total, [total]


class Plain:
    """A cell that is no layer, with two states in a tuple, and an output of another size."""

    state_size = (4, 1)

    def call(self, inputs, states):
        total, count = states
        total, count = total + inputs, count + 1.0
        return ops.concatenate([total, count], -1), (total, count)

    def get_initial_state(self, batch_size):
        return ops.zeros((batch_size, 4)), 10.0 * ops.ones((batch_size, 1))


class Lazy(layers.Layer):
    """A cell that makes its parts when it is called, learns of training, and has one bare state."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units
        self.inner = layers.Dense(units, use_bias=False)

    def call(self, inputs, states, training=None):
        output = self.inner(inputs) + states[0]
        return (-output if training else output), output


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


def test_a_cell_need_not_be_a_layer():
    mask = np.array([[True] * 4 + [False] * 2, [False, True] * 3])
    rnn = layers.RNN(Plain(), return_state=True, return_sequences=True)
    outputs, total, count = map(numpy, rnn(X, mask=mask))
    expected = np.concatenate([X * mask[..., None], mask[..., None]], -1).cumsum(1)
    expected[..., -1] += 10
    expected *= mask.cumsum(1)[..., None] > 0  # nothing has come out yet
    np.testing.assert_allclose(outputs, expected, 1e-5, 1e-5)
    np.testing.assert_allclose(total, expected[:, -1, :4], 1e-5, 1e-5)
    np.testing.assert_allclose(count, expected[:, -1, 4:], 1e-5, 1e-5)
    assert rnn.state_size == [4, 1]


class Nested(layers.Layer):
    """Its states are a pair and a single one."""

    state_size = [[4, 4], 4]
    output_size = 4

    def call(self, inputs, states):
        (total, squares), last = states
        return last, [[total + inputs, squares + inputs**2], inputs]


def test_states_may_be_nested():
    outputs, (total, squares), last = layers.RNN(Nested(), return_state=True)(X)
    for found, expected in (
        (outputs, X[:, -2]), (total, X.sum(1)), (squares, (X**2).sum(1)), (last, X[:, -1])
    ):  # fmt: skip
        np.testing.assert_allclose(numpy(found), expected, 1e-5, 1e-5)


def test_a_cell_may_compute_in_a_dtype_of_its_own():
    rnn = layers.RNN(layers.GRUCell(3, dtype="float16"), return_state=True)
    output, state = rnn(X)
    assert ops.dtype(output) == ops.dtype(state) == "float32"
    np.testing.assert_allclose(numpy(output), references.gru(X, *rnn.get_weights())[1], atol=1e-2)


def test_a_cell_makes_its_parts_before_the_loop():
    rnn = layers.RNN(Lazy(4), name="rnn")
    rnn.build((None, 6, 4))
    (kernel,) = rnn.weights
    assert kernel.path.startswith("rnn/")
    expected = (X @ kernel.numpy()).sum(1)
    np.testing.assert_allclose(numpy(rnn(X)), expected, 1e-4, 1e-5)
    run = mlapi.jit(lambda x: rnn(x, training=True), rnn)
    np.testing.assert_allclose(numpy(run(ops.convert_to_tensor(X))), -expected, 1e-4, 1e-5)


def test_cells_above_one_another_are_layers_after_one_another():
    cells = [layers.LSTMCell(3), Lazy(2), layers.GRUCell(2)]
    stack = layers.RNN(cells, return_sequences=True, go_backwards=True)
    ways = [layers.RNN(cell, return_sequences=True) for cell in cells]
    mask = np.array([[True] * 4 + [False] * 2, [False, True] * 3])
    found, x = numpy(stack(X, mask=mask)), X[:, ::-1]
    for way in ways:
        x = numpy(way(x, mask=mask[:, ::-1]))
    np.testing.assert_allclose(found, x, 1e-4, 1e-5)
    one_by_one = layers.RNN(OneStep(cells), return_sequences=True, go_backwards=True)
    np.testing.assert_allclose(numpy(one_by_one(X, mask=mask)), found, 1e-4, 1e-5)


class OneStep(layers.StackedRNNCells):
    """Of which nobody can know that it may be taken apart."""

    def call(self, inputs, states, training=None):
        return super().call(inputs, states, training)


def test_states_of_a_stack_are_given_and_returned_cell_by_cell():
    stack = layers.RNN([RunningSum(), layers.LSTMCell(3)], return_state=True)
    start = [np.ones((2, 4), "float32"), *STATES]
    output, total, (h, c) = stack(X, initial_state=start)
    sums = 1 + X.cumsum(1)
    _, *wanted = references.lstm(sums, *stack.get_weights(), states=STATES)
    for one, other in zip((output, total, h, c), (wanted[0], sums[:, -1], *wanted), strict=True):
        np.testing.assert_allclose(numpy(one), other, 1e-4, 1e-5)


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
    found = lstm(X, initial_state=STATES)
    wanted = references.lstm(X, *lstm.get_weights(), states=STATES)
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


@pytest.mark.parametrize(
    "make",
    [
        lambda **options: layers.LSTM(3, **options),
        lambda **options: layers.GRU(3, use_cudnn=False, **options),
        lambda **options: layers.RNN([layers.SimpleRNNCell(3), layers.LSTMCell(2)], **options),
    ],
    ids=["LSTM", "GRU", "stack"],
)
def test_stateful_goes_on_where_the_last_batch_ended(make):
    parts, whole = make(stateful=True, return_sequences=True), make(return_sequences=True)
    first = numpy(parts(X[:, :3]))
    whole(X)
    whole.set_weights(parts.get_weights())
    mask = np.array([[True] * 6, [True] * 4 + [False] * 2])  # also over the end of a batch
    expected = numpy(whole(X, mask=mask))
    np.testing.assert_allclose(first, expected[:, :3], 1e-4, 1e-5)
    found = numpy(parts(X[:, 3:], mask=mask[:, 3:]))
    np.testing.assert_allclose(found, expected[:, 3:], 1e-4, 1e-5)
    parts.reset_state()
    np.testing.assert_allclose(numpy(parts(X[:, :3])), first, 1e-4, 1e-5)


def test_kept_states_are_no_weights_and_begin_where_the_cell_says():
    rnn = layers.RNN(Plain(), stateful=True)
    assert rnn.states is None
    once, twice = numpy(rnn(X)), numpy(rnn(X))
    assert rnn.weights == []
    assert [state.shape for state in rnn.states] == [(2, 4), (2, 1)]
    np.testing.assert_allclose(once[:, -1], [16, 16])
    np.testing.assert_allclose(twice[:, -1], [22, 22])
    rnn.reset_states()
    np.testing.assert_allclose(numpy(rnn(X)), once, 1e-5)
    with pytest.raises(ShapeError, match="keeps the states of a batch of 2, received a batch of 1"):
        rnn(X[:1])


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
@pytest.mark.parametrize("kind", ["lstm", "gru", "simple_rnn"])
def test_dropout_changes_training_only(kind, options):
    make = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}[kind]
    layer = make(8, seed=1, **options)
    calm = numpy(layer(X))
    expected = getattr(references, kind)(X, *layer.get_weights())[1]
    np.testing.assert_allclose(calm, expected, 1e-4, 1e-5)
    noisy = numpy(layer(X, training=True))
    assert abs(noisy - calm).max() > 1e-3
    again = make(8, seed=1, **options)
    again(X)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(numpy(again(X, training=True)), noisy, 1e-5, 1e-6)
    assert abs(numpy(layer(X, training=True)) - noisy).max() > 1e-3  # others in the next batch


def test_dropout_is_the_same_at_all_steps():
    """A layer that only adds up, of inputs or of its own old output, shows what was dropped."""
    x = np.ones((50, 5, 40), "float32")
    adds = {"activation": None, "use_bias": False, "recurrent_initializer": "identity"}
    inputs = layers.SimpleRNN(40, dropout=0.25, kernel_initializer="identity", **adds)
    found = numpy(inputs(x, training=True)) / 5 * 0.75  # the share that is kept
    states = layers.SimpleRNN(40, recurrent_dropout=0.25, kernel_initializer="zeros", **adds)
    start = [np.ones((50, 40), "float32")]
    again = numpy(states(x, training=True, initial_state=start)) * 0.75**5
    for kept in (found, again):
        np.testing.assert_allclose(kept, np.round(kept), atol=1e-5)
        # 2000 draws: four standard deviations of the share are below 0.04.
        assert abs((kept == 0).mean() - 0.25) < 0.04


@pytest.mark.parametrize(("make", "gates"), [(layers.LSTMCell, 4), (layers.GRUCell, 3)])
def test_each_gate_drops_old_outputs_of_its_own(make, gates):
    cell = make(40, dropout=0.5, recurrent_dropout=0.25)
    ones = ops.ones((50, 40))
    masks = cell.get_recurrent_dropout_mask(ones)
    assert len(masks) == len(cell.get_dropout_mask(ones)) == gates
    kept = np.stack([numpy(mask) for mask in masks])
    assert abs((kept == 0).mean((1, 2)) - 0.25).max() < 0.04
    assert abs((kept == 0).all(0).mean() - 0.25**gates) < 0.04
    np.testing.assert_allclose(kept[kept != 0], 1 / 0.75, 1e-6)
    assert cell.get_recurrent_dropout_mask(ones) is masks
    cell.reset_recurrent_dropout_mask()
    assert (numpy(cell.get_recurrent_dropout_mask(ones)[0]) != kept[0]).any()


def test_a_cell_keeps_what_it_drops_until_it_is_told():
    cell = layers.SimpleRNNCell(4, dropout=0.5, kernel_initializer="identity", activation=None)
    x, states = ops.ones((8, 4)), [ops.zeros((8, 4))]
    first, again = (numpy(cell(x, states, training=True)[0]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    cell.reset_dropout_mask()
    assert (numpy(cell(x, states, training=True)[0]) != first).any()
    np.testing.assert_array_equal(numpy(cell(x, states)[0]), np.ones((8, 4)))


def test_dropout_draws_anew_in_compiled_calls():
    lstm = layers.LSTM(8, recurrent_dropout=0.5)
    lstm(X)
    run = mlapi.jit(lambda x: lstm(x, training=True), lstm)
    x = ops.convert_to_tensor(X)
    assert abs(numpy(run(x)) - numpy(run(x))).max() > 1e-3


def test_all_may_be_dropped():
    layer = layers.SimpleRNN(3, dropout=1.0, recurrent_dropout=1.0, bias_initializer="ones")
    found = numpy(layer(X, training=True))
    np.testing.assert_allclose(found, np.full((2, 3), np.tanh(1.0)), 1e-5)


def test_the_slow_way_is_announced(caplog):
    with caplog.at_level(logging.DEBUG, "mlapi"):
        for _ in range(2):
            slow = layers.LSTM(3, recurrent_dropout=0.1, unroll=True, name="slow")
            slow(X), slow(X)
        layers.GRU(3, reset_after=False, name="before")(X)
        layers.RNN([layers.LSTMCell(3), Lazy(2)], name="strange")(X)
        layers.LSTM(3, name="quick")(X)
        layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], name="quick")(X)
    assert caplog.messages == [
        'LSTM "slow" goes step by step, because of recurrent_dropout, unroll.',
        'LSTM "slow" goes step by step, because of recurrent_dropout, unroll.',
        'GRU "before" goes step by step, because of reset_after=False.',
        'RNN "strange" goes step by step, because of its cell Lazy.',
    ]


def test_cell_takes_one_step():
    cell = layers.LSTMCell(3)
    h, c = cell.get_initial_state(2)
    output, states = cell(ops.convert_to_tensor(X[:, 0]), [h, c])
    _, h, c = references.lstm(X[:, :1], *cell.get_weights())
    np.testing.assert_allclose(numpy(output), h, 1e-4, 1e-5)
    np.testing.assert_allclose(numpy(states[1]), c, 1e-4, 1e-5)


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_states_of_another_batch_are_refused(kind):
    layer = kind(3)
    states = [np.zeros((5, 3), "float32")] * len(layer.state_size)
    with pytest.raises(ShapeError, match=r"\(5, 3\)|5"):
        layer(np.ones((2, 4, 3), "float32"), initial_state=states)
