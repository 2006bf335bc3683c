"""Random tensors: their distributions, and that seeds decide them."""

import numpy as np
import pytest
from scipy import stats

import mlapi
from mlapi import ops, random
from mlapi.random import SeedGenerator

COUNT = 20_000
DRAWS = {
    "uniform": (lambda seed: random.uniform((COUNT,), -1.0, 3.0, seed=seed), stats.uniform(-1, 4)),
    "normal": (lambda seed: random.normal((COUNT,), 2.0, 3.0, seed=seed), stats.norm(2, 3)),
    "truncated_normal": (
        lambda seed: random.truncated_normal((COUNT,), 2.0, 3.0, seed=seed),
        stats.truncnorm(-2, 2, 2, 3),
    ),
}


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("name", DRAWS)
def test_distribution(name):
    draw, distribution = DRAWS[name]
    assert stats.kstest(numpy(draw(3)), distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DRAWS)
def test_seeds_decide(name):
    draw, _ = DRAWS[name]
    assert np.array_equal(numpy(draw(3)), numpy(draw(3)))
    assert abs(np.corrcoef(numpy(draw(3)), numpy(draw(4)))[0, 1]) < 0.05


@pytest.mark.parametrize("name", DRAWS)
def test_generators_go_on(name):
    """Draws of one generator are unlike each other, eager and compiled, and start again."""
    draw, _ = DRAWS[name]
    seeds, again = SeedGenerator(5), SeedGenerator(5)
    first, second = numpy(draw(seeds)), numpy(draw(seeds))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    compiled = mlapi.jit(lambda: draw(again), [again.state])
    for wanted in (first, second):
        np.testing.assert_allclose(numpy(compiled()), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32"])
def test_dtypes(kind):
    x = random.uniform((1000,), dtype=kind, seed=0)
    assert ops.dtype(x) == kind
    assert ops.dtype(random.normal((3,), dtype=kind, seed=0)) == kind
    values = numpy(x).astype("float32")
    assert values.min() >= 0
    assert values.max() < 1 or kind != "float32"


def test_randint():
    x = numpy(random.randint((COUNT,), -2, 4, seed=1))
    counts = np.bincount(x + 2, minlength=6)
    assert x.dtype == np.int32
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-3


def test_shapes():
    assert ops.shape(random.normal((), seed=1)) == ()
    assert ops.shape(random.uniform((0, 3), seed=1)) == (0, 3)
    assert ops.shape(random.normal((2, 3, 5), seed=1)) == (2, 3, 5)


def test_dropout():
    x = np.full((100, 200), 3.0, "float32")
    y = numpy(random.dropout(x, 0.25, seed=2))
    assert set(np.unique(y)) == {0.0, 4.0}
    assert abs((y == 0).mean() - 0.25) < 0.02
    assert abs(np.corrcoef(y[0], y[1])[0, 1]) < 0.3
    assert np.array_equal(numpy(random.dropout(x, 0.0, seed=2)), x)


def test_dropout_of_whole_rows():
    y = numpy(random.dropout(np.ones((50, 7), "float32"), 0.5, noise_shape=(None, 1), seed=2))
    assert set(y.sum(1)) == {0.0, 14.0}


def test_dropout_has_the_gradient_of_what_it_keeps():
    x = ops.ones((8, 8))
    y, grad = mlapi.value_and_grad(lambda x: ops.sum(random.dropout(x, 0.5, seed=2)))(x)
    kept = numpy(random.dropout(x, 0.5, seed=2))
    np.testing.assert_allclose(numpy(grad), kept)
    assert float(y) == pytest.approx(kept.sum())
