"""Recurrent layers, and layers around them."""

import numpy as np

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import SEQUENCES, normal
from tests.layers.references import conv_lstm, gru, lstm, simple_rnn

LONG = normal(4, 6, 4)
PADDED = np.arange(6) < np.array([[6], [4], [1], [3]])  # the steps left out are behind
AHEAD = PADDED[:, ::-1].copy()  # they are in front
HOLES = np.array([[1, 0, 1, 1, 0, 0], [0, 0, 1, 0, 1, 1], [0] * 6, [1] * 6], bool)
STATES = [normal(4, 3), normal(4, 3)]
ROWS_OF_STEPS = normal(2, 3, 5, 2)
FILMS = normal(2, 3, 4, 5, 2)
SOLIDS = normal(1, 2, 3, 4, 3, 2)
SEEN = np.array([[1, 0, 1], [0, 1, 0]], bool)
OWN_DTYPE = {"mixed": False}  # that of the layer inside
NO_SLOPES = {"gradients": False}  # of which another row of the layer has some


def relu(x):
    return np.maximum(x, 0)


def softsign(x):
    return x / (1 + abs(x))


def of(function, result=slice(None), backwards=False, **options):
    """A reference: one of the results of `function`, or all of them."""

    def reference(x, *weights):
        return function(x[:, ::-1] if backwards else x, *weights, **options)[result]

    return reference


def masked_last(x, *weights):
    """The last output is 0 where the last step is left out; the states are not."""
    _, h, c = lstm(x, *weights, mask=PADDED)
    return h * PADDED[:, -1:], h, c


def stack_of_two(x, *weights):
    y, h, c = lstm(x, *weights[:3], mask=HOLES)
    return *gru(y, *weights[3:], mask=HOLES)[:1], h, c, gru(y, *weights[3:], mask=HOLES)[1]


def two_ways(x, *weights):
    return np.concatenate([lstm(x, *weights[:3])[1], lstm(x[:, ::-1], *weights[3:])[1]], -1)


def two_ways_apart(x, *weights):
    return lstm(x, *weights[:3])[1], lstm(x[:, ::-1], *weights[3:])[1]


def two_ways_padded(x, *weights):
    y = gru(x, *weights[:3], mask=PADDED)[0]
    y_back = gru(x[:, ::-1], *weights[3:], mask=AHEAD)[0]
    return (y + y_back[:, ::-1]) * PADDED[..., None]


def two_ways_with_states(x, *weights):
    y, *states = lstm(x, *weights[:3], states=STATES)
    y_back, *states_back = lstm(x[:, ::-1], *weights[3:], states=STATES[::-1])
    return (y + y_back[:, ::-1]) / 2, *states, *states_back


def two_kinds(x, *weights):
    return simple_rnn(x, *weights[:3])[1] * gru(x[:, ::-1], *weights[3:])[1]


def of_each_step(function):
    return lambda x, *weights: np.stack([function(y, *weights) for y in x.swapaxes(0, 1)], 1)


def channels_third(x, *weights):
    return np.moveaxis(conv_lstm(np.moveaxis(x, 2, -1), *weights, dilation=(2, 2))[1], -1, 1)


STEP = normal(4, 5)


def one_step(function):
    """A reference of a cell: the output, and the states."""

    def reference(x, *weights):
        first = STATES[:1] if function is not lstm else STATES
        outputs, *states = function(x[:, None], *weights, states=first)
        return outputs[:, 0], *states

    return reference


def two_cells(x, *weights):
    below = one_step(lstm)(x, *weights[:3])
    above = one_step(gru)(below[0], *weights[3:])
    return above[0], *below[1:], *above[1:]


CASES = [
    (L.SimpleRNNCell, {"units": 3}, STEP, one_step(simple_rnn), {"states": STATES[:1]}),
    (L.GRUCell, {"units": 3}, STEP, one_step(gru), {"states": STATES[:1]}),
    (L.LSTMCell, {"units": 3}, STEP, one_step(lstm), {"states": STATES}),
    (
        L.StackedRNNCells,
        {"cells": [L.LSTMCell(3), L.GRUCell(3)]},
        STEP,
        two_cells,
        {"states": [STATES, STATES[:1]]},
        OWN_DTYPE,
    ),
    (L.SimpleRNN, {"units": 3}, SEQUENCES, of(simple_rnn, 1)),
    (
        L.SimpleRNN,
        {"units": 3, "activation": "relu", "return_sequences": True, "recurrent_dropout": 0.5},
        LONG,
        of(simple_rnn, 0, mask=HOLES, activation=relu),
        {"mask": HOLES},
    ),
    (
        L.SimpleRNN,
        {"units": 3, "use_bias": False, "go_backwards": True, "unroll": True},
        SEQUENCES,
        of(simple_rnn, 1, backwards=True),
        {},
        NO_SLOPES,
    ),
    (L.GRU, {"units": 3, "bias_initializer": "normal"}, SEQUENCES, of(gru, 1)),
    (
        L.GRU,
        {"units": 3, "reset_after": False, "return_sequences": True, "return_state": True},
        LONG,
        of(gru, mask=HOLES, states=STATES[:1]),
        {"mask": HOLES, "initial_state": STATES[:1]},
    ),
    (
        L.GRU,
        {"units": 3, "go_backwards": True, "return_sequences": True, "bias_initializer": "normal"},
        LONG,
        of(gru, 0, backwards=True, mask=AHEAD),
        {"mask": PADDED},
    ),
    (
        L.GRU,
        {"units": 3, "activation": "softsign", "use_bias": False, "dropout": 0.5},
        SEQUENCES,
        of(gru, 1, bias=np.zeros((2, 9)), activation=softsign),
    ),
    (
        L.GRU,
        {"units": 3, "recurrent_dropout": 0.5, "use_cudnn": False, "bias_initializer": "normal"},
        SEQUENCES,
        of(gru, 1),
        {},
        NO_SLOPES,
    ),
    (L.LSTM, {"units": 3}, SEQUENCES, of(lstm, 1)),
    (
        L.LSTM,
        {"units": 3, "return_sequences": True, "go_backwards": True},
        SEQUENCES,
        of(lstm, 0, backwards=True),
    ),
    (
        L.LSTM,
        {"units": 3, "activation": "softsign", "use_bias": False, "dropout": 0.5},
        SEQUENCES,
        of(lstm, 1, activation=softsign),
    ),
    (
        L.LSTM,
        {"units": 3, "recurrent_dropout": 0.5, "use_cudnn": False, "return_state": True},
        SEQUENCES,
        lambda x, *weights: (lstm(x, *weights)[1], *lstm(x, *weights)[1:]),
    ),
    (
        L.LSTM,
        {"units": 3, "return_sequences": True, "return_state": True},
        LONG,
        of(lstm, mask=HOLES, states=STATES),
        {"mask": HOLES, "initial_state": STATES},
    ),
    (
        L.LSTM,
        {"units": 3, "return_sequences": True, "return_state": True, "zero_output_for_mask": True},
        LONG,
        of(lstm, mask=AHEAD, zeros=True),
        {"mask": AHEAD},
        NO_SLOPES,
    ),
    (
        L.LSTM,
        {"units": 3, "return_state": True, "zero_output_for_mask": True, "use_cudnn": False},
        LONG,
        masked_last,
        {"mask": PADDED},
        NO_SLOPES,
    ),
    (L.RNN, {"cell": L.LSTMCell(3)}, SEQUENCES, of(lstm, 1)),
    (
        L.RNN,
        {"cell": [L.LSTMCell(3), L.GRUCell(2)], "return_sequences": True, "return_state": True},
        LONG,
        stack_of_two,
        {"mask": HOLES},
        OWN_DTYPE,
    ),
    (
        L.RNN,
        {"cell": L.SimpleRNNCell(3, use_bias=False), "unroll": True},
        SEQUENCES,
        of(simple_rnn, 1),
        {},
        NO_SLOPES,
    ),
    (L.Bidirectional, {"layer": L.LSTM(3)}, SEQUENCES, two_ways),
    (
        L.Bidirectional,
        {"layer": L.GRU(3, return_sequences=True), "merge_mode": "sum"},
        LONG,
        two_ways_padded,
        {"mask": PADDED},
    ),
    (
        L.Bidirectional,
        {"layer": L.LSTM(3, return_sequences=True, return_state=True), "merge_mode": "ave"},
        LONG,
        two_ways_with_states,
        {"initial_state": STATES + STATES[::-1]},
        NO_SLOPES | OWN_DTYPE,
    ),
    (
        L.Bidirectional,
        {
            "layer": L.SimpleRNN(3),
            "backward_layer": L.GRU(3, go_backwards=True),
            "merge_mode": "mul",
        },
        SEQUENCES,
        two_kinds,
        {},
        NO_SLOPES,
    ),
    (
        L.Bidirectional,
        {"layer": L.LSTM(3), "merge_mode": None},
        SEQUENCES,
        two_ways_apart,
        {},
        NO_SLOPES,
    ),
    (
        L.TimeDistributed,
        {"layer": L.Dense(3)},
        SEQUENCES,
        lambda x, kernel, bias: x @ kernel + bias,
        {},
        OWN_DTYPE,
    ),
    (
        L.TimeDistributed,
        {"layer": L.Conv2D(3, 2)},
        FILMS,
        of_each_step(lambda x, kernel, bias: references.conv(x, kernel) + bias),
        {},
        OWN_DTYPE,
    ),
    (
        L.TimeDistributed,
        {"layer": L.BatchNormalization()},
        LONG,
        of_each_step(lambda x, g, b, *_: references.normalize(x, 0) * g + b),
        {"training": True},
        OWN_DTYPE,
    ),
    (
        L.ConvLSTM1D,
        {"filters": 2, "kernel_size": 2, "return_sequences": True, "return_state": True},
        ROWS_OF_STEPS,
        of(conv_lstm, mask=SEEN),
        {"mask": SEEN},
    ),
    (
        L.ConvLSTM2D,
        {"filters": 2, "kernel_size": (3, 2), "padding": "same", "strides": 2, "dropout": 0.5},
        FILMS,
        of(conv_lstm, 1, strides=(2, 2), padding="same"),
    ),
    (
        L.ConvLSTM2D,
        {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "data_format": "channels_first"},
        np.moveaxis(FILMS, -1, 2).copy(),
        channels_third,
        {},
        NO_SLOPES,
    ),
    (
        L.ConvLSTM3D,
        {"filters": 1, "kernel_size": 2, "unroll": True},
        SOLIDS,
        of(conv_lstm, 1),
        {},
        NO_SLOPES,
    ),
]
