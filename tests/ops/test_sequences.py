"""`rnn` with steps written here, against the recurrent ops; attention without its fast kernel."""

import logging

import numpy as np
import pytest

import mlapi
from mlapi import ops
from mlapi.backends import adapter
from mlapi.testing.case import real, truth

X, H, KERNEL, RECURRENT, BIAS = real(4, 5, 3), real(4, 2), real(3, 8), real(2, 8), real(8)


def step(x, states):
    h, c = states
    z = ops.add(ops.matmul(x, KERNEL) + ops.matmul(h, RECURRENT), BIAS)
    i, f, g, o = ops.split(z, 4, -1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    h = ops.sigmoid(o) * ops.tanh(c)
    return h, (h, c)


@pytest.mark.parametrize("run", [lambda f: f, lambda f: mlapi.jit(f, [])], ids=["eager", "jit"])
@pytest.mark.parametrize("mask", [None, truth(4, 5)], ids=["", "mask"])
@pytest.mark.parametrize("backwards", [False, True], ids=["", "backwards"])
def test_rnn_of_any_step(run, mask, backwards):
    states = (ops.convert_to_tensor(H), ops.convert_to_tensor(H))
    y, (h, c) = run(lambda x: ops.rnn(step, x, states, mask, backwards))(ops.convert_to_tensor(X))
    if mask is not None:  # until the first that counts, an output is 0 here and the state there
        seen = np.cumsum(mask[:, ::-1] if backwards else mask, 1)[..., None] > 0
        y = ops.multiply(y, seen)
    expected = ops.lstm(X, H, H, KERNEL, RECURRENT, BIAS, mask, backwards)
    for found, wanted in zip((y, h, c), expected, strict=True):
        wanted = ops.convert_to_numpy(wanted)
        wanted = wanted * seen if mask is not None and wanted.ndim == 3 else wanted
        np.testing.assert_allclose(ops.convert_to_numpy(found), wanted, 1e-5, 1e-5)


@pytest.mark.parametrize("op", [ops.lstm, ops.gru, ops.simple_rnn])
def test_the_gradient_has_a_gradient(op):
    gates = {"lstm": 4, "gru": 3, "simple_rnn": 1}[op.__name__]
    states = (H, H) if op is ops.lstm else (H,)
    given = (X, *states, real(3, 2 * gates), real(2, 2 * gates))

    def penalty(given, **how):
        def total(given):
            return ops.sum(ops.square(op(*given, mask=truth(4, 5), **how)[0]))

        return sum(ops.sum(ops.square(g)) for g in mlapi.grad(total)(given))

    def plain(x):  # the same function, which no kernel knows
        return ops.tanh(x)

    tensors = tuple(map(ops.convert_to_tensor, given))
    found = mlapi.grad(penalty)(tensors)
    wanted = mlapi.grad(lambda given: penalty(given, activation=plain))(tensors)
    for one, other in zip(found, wanted, strict=True):
        other = ops.convert_to_numpy(other)
        np.testing.assert_allclose(ops.convert_to_numpy(one), other, 1e-3, 1e-4)


def test_a_refused_kernel_is_told_once(monkeypatch, caplog):
    x = ops.convert_to_tensor(real(1, 6, 2, 8), "bfloat16")
    expected = ops.convert_to_numpy(ops.dot_product_attention(x, x, x)).astype("float32")
    monkeypatch.setattr(adapter.sequences, "_may_have_flash", lambda query: True)
    with caplog.at_level(logging.DEBUG, "mlapi"):
        for _ in range(2):  # of other sizes than above, so that it is compiled anew
            longer = ops.concatenate([x, x], 0)
            found = ops.dot_product_attention(longer, longer, longer)
    assert sum("cuDNN" in line for line in caplog.messages) == 1
    np.testing.assert_array_equal(ops.convert_to_numpy(found[:1]).astype("float32"), expected)
