"""Ops under `jit_compile=True`: the framework's compiler takes what its own kernels did before."""

import numpy as np
import pytest
from scipy import stats

import mlapi
from mlapi import layers, ops, random
from mlapi.random import SeedGenerator


def numpy(x):
    return ops.convert_to_numpy(x)


def test_random_tensors():
    seeds = SeedGenerator(3)

    def draw():
        return (
            random.dropout(ops.ones((100, 200)), 0.25, seed=seeds),
            random.normal((20_000,), seed=seeds),
            random.uniform((20_000,), seed=seeds),
        )

    compiled = mlapi.jit(draw, [seeds.state], jit_compile=True)
    first, second = ([numpy(x) for x in compiled()] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05
    kept, normal, uniform = first
    assert abs((kept == 0).mean() - 0.25) < 0.02
    assert stats.kstest(normal, "norm").pvalue > 1e-3
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("op", "gates"), [(ops.lstm, 4), (ops.gru, 3), (ops.simple_rnn, 1)])
def test_recurrence_and_its_gradient(op, gates):
    rng = np.random.default_rng(0)
    states = ((2, 3),) * (2 if op is ops.lstm else 1)
    bias = (2, 9) if op is ops.gru else (3 * gates,)
    shapes = ((2, 40, 4), *states, (4, 3 * gates), (3, 3 * gates), bias)
    arrays = [ops.convert_to_tensor(rng.normal(size=n).astype("float32")) for n in shapes]
    loss = mlapi.value_and_grad(lambda xs: ops.mean(ops.square(op(*xs)[0])))
    value, grads = loss(arrays)
    found, slopes = mlapi.jit(loss, [], jit_compile=True)(arrays)
    np.testing.assert_allclose(float(found), float(value), rtol=1e-5)
    for one, other in zip(slopes, grads, strict=True):
        np.testing.assert_allclose(numpy(one), numpy(other), rtol=1e-4, atol=1e-5)


def test_normalization_and_its_gradient():
    x, scale = (ops.convert_to_tensor(array) for array in (np.eye(4, 6, dtype="float32"), FACTORS))

    def loss(scale):  # with a constant that no gradient is asked for
        y = ops.group_normalization(ops.reshape(x, (2, 1, 2, 6)), 3, scale=scale)
        return ops.sum(ops.normalize(ops.square(y) + scale, epsilon=1e-3))

    value, slope = mlapi.value_and_grad(loss)(scale)
    found, other = mlapi.jit(mlapi.value_and_grad(loss), [], jit_compile=True)(scale)
    np.testing.assert_allclose(float(found), float(value), rtol=1e-5)
    np.testing.assert_allclose(numpy(other), numpy(slope), rtol=1e-4, atol=1e-5)


FACTORS = np.linspace(0.5, 2, 6, dtype="float32")


def test_layers_become_one_graph():
    model = mlapi.Sequential(
        [
            layers.Embedding(7, 4),
            layers.Conv1D(6, 2, padding="causal"),
            layers.Reshape((6, 2, -1)),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.Cropping2D(((1, 0), (0, 1))),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
            layers.EinsumDense("abcd,cde->abe", (None, 5), bias_axes="e"),
        ]
    )
    words = ops.convert_to_tensor([[1, 2, 0, 3, 6, 5], [4, 4, 1, 0, 2, 3]])
    expected = numpy(model(words))
    compiled = mlapi.jit(lambda x: model(x), model, jit_compile=True)
    np.testing.assert_allclose(numpy(compiled(words)), expected, rtol=1e-4, atol=1e-5)
