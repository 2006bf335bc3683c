"""Recurrent layers."""

from mlapi import layers as L
from tests.layers import references
from tests.layers.cases.inputs import SEQUENCES


def lstm_outputs(x, *weights):
    return references.lstm(x, *weights)[0]


CASES = [
    (L.LSTM, {"units": 3}, SEQUENCES, lambda x, *w: references.lstm(x, *w)[1]),
    (
        L.LSTM,
        {"units": 3, "return_sequences": True, "go_backwards": True},
        SEQUENCES,
        lambda x, *w: lstm_outputs(x[:, ::-1], *w),
    ),
    (
        L.LSTM,
        {"units": 3, "return_state": True, "return_sequences": True},
        SEQUENCES,
        lambda x, *w: references.lstm(x, *w),
    ),
    (
        L.LSTM,
        {"units": 3, "activation": "softsign", "use_bias": False, "dropout": 0.5},
        SEQUENCES,
        lambda x, *w: references.lstm(x, *w, 0.0, activation=lambda z: z / (1 + abs(z)))[1],
    ),
    (
        L.LSTM,
        {"units": 3, "recurrent_dropout": 0.5, "return_sequences": True, "go_backwards": True},
        SEQUENCES,
        lambda x, *w: lstm_outputs(x[:, ::-1], *w),
    ),
]
