"""Random tensors: their distributions, and that seeds decide them."""

import numpy as np
import pytest
from scipy import stats

import mlapi
from mlapi import ops, random
from mlapi.errors import ArgumentError, DTypeError, ShapeError
from mlapi.graph import SymbolicTensor
from mlapi.random import SeedGenerator

COUNT = 20_000
DRAWS = {
    "uniform": (lambda seed: random.uniform((COUNT,), -1.0, 3.0, seed=seed), stats.uniform(-1, 4)),
    "normal": (lambda seed: random.normal((COUNT,), 2.0, 3.0, seed=seed), stats.norm(2, 3)),
    "truncated_normal": (
        lambda seed: random.truncated_normal((COUNT,), 2.0, 3.0, seed=seed),
        stats.truncnorm(-2, 2, 2, 3),
    ),
    "gamma": (lambda seed: random.gamma((COUNT,), 2.5, seed=seed), stats.gamma(2.5)),
    "gamma_below_1": (lambda seed: random.gamma((COUNT,), 0.4, seed=seed), stats.gamma(0.4)),
    "beta": (lambda seed: random.beta((COUNT,), 2.0, 0.7, seed=seed), stats.beta(2.0, 0.7)),
}
DISCRETE = {
    "randint": (
        lambda seed: random.randint((COUNT,), -2, 4, seed=seed),
        stats.randint(-2, 4),
        range(-2, 4),
    ),
    "binomial": (
        lambda seed: random.binomial((COUNT,), 9, 0.3, seed=seed),
        stats.binom(9, 0.3),
        range(10),
    ),
    "binomial_many": (
        lambda seed: random.binomial((COUNT,), 60.0, 0.6, seed=seed),
        stats.binom(60, 0.6),
        range(61),
    ),
    "categorical": (
        lambda seed: random.categorical(np.log([[1, 4, 2, 3]]), COUNT, seed=seed)[0],
        stats.rv_discrete(values=(range(4), [0.1, 0.4, 0.2, 0.3])),
        range(4),
    ),
}
ALL = {name: draw for name, (draw, *_) in (DRAWS | DISCRETE).items()}
RUNS = {"eager": lambda draw: draw, "jit": lambda draw: mlapi.jit(draw, [])}
run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("name", DRAWS)
@run
def test_distribution(name, run):
    draw, distribution = DRAWS[name]
    assert stats.kstest(numpy(run(lambda: draw(3))()), distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DISCRETE)
@run
def test_frequencies(name, run):
    draw, distribution, values = DISCRETE[name]
    x = numpy(run(lambda: draw(3))())
    expected = distribution.pmf(np.array(values)) * COUNT
    found = np.array([(x == value).sum() for value in values])
    assert found.sum() == COUNT
    common = expected > 5
    found, expected = found[common], expected[common]
    assert stats.chisquare(found, expected * found.sum() / expected.sum()).pvalue > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_seeds_decide(name):
    draw = ALL[name]
    assert np.array_equal(numpy(draw(3)), numpy(draw(3)))
    assert abs(np.corrcoef(numpy(draw(3)), numpy(draw(4)))[0, 1]) < 0.05


@pytest.mark.parametrize("name", ALL)
def test_generators_go_on(name):
    """Draws of one generator are unlike each other, eager and compiled, and start again."""
    draw = ALL[name]
    seeds, again = SeedGenerator(5), SeedGenerator(5)
    first, second = numpy(draw(seeds)), numpy(draw(seeds))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    compiled = mlapi.jit(lambda: draw(again), [again.state])
    for wanted in (first, second):
        np.testing.assert_allclose(numpy(compiled()), wanted, rtol=1e-4, atol=1e-5)


FLOATS = {
    "uniform": lambda kind: random.uniform((1000,), dtype=kind, seed=0),
    "normal": lambda kind: random.normal((1000,), dtype=kind, seed=0),
    "truncated_normal": lambda kind: random.truncated_normal((1000,), dtype=kind, seed=0),
    "gamma": lambda kind: random.gamma((1000,), 2.0, dtype=kind, seed=0),
    "beta": lambda kind: random.beta((1000,), 2.0, 2.0, dtype=kind, seed=0),
    "binomial": lambda kind: random.binomial((1000,), 5, 0.5, dtype=kind, seed=0),
}


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32"])
def test_dtypes(name, kind):
    x = FLOATS[name](kind)
    assert ops.dtype(x) == kind
    values = numpy(x).astype("float32")
    assert np.isfinite(values).all()
    assert len(np.unique(values)) > 4
    if name == "uniform":
        assert values.min() >= 0
        assert values.max() < 1 or kind != "float32"


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int32"])
def test_integers(kind):
    assert ops.dtype(random.randint((3,), 0, 100, dtype=kind, seed=0)) == kind
    assert ops.dtype(random.categorical([[0.0, 1.0]], 3, dtype=kind, seed=0)) == kind


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_rare_classes_of_coarse_logits(kind):
    """Probabilities below the precision of the logits are not lost."""
    logits = ops.convert_to_tensor([[0.0, -7.5]], kind)
    x = numpy(random.categorical(logits, 200_000, seed=1))
    share = 1 / (1 + np.exp(7.5))
    assert abs(x.mean() - share) < 5 * np.sqrt(share / 200_000)


def test_shapes():
    assert ops.shape(random.normal((), seed=1)) == ()
    assert ops.shape(random.uniform((0, 3), seed=1)) == (0, 3)
    assert ops.shape(random.normal((2, 3, 5), seed=1)) == (2, 3, 5)
    assert ops.shape(random.gamma((), 1.0, seed=1)) == ()
    assert ops.shape(random.beta((0, 3), 1.0, 1.0, seed=1)) == (0, 3)
    assert ops.shape(random.binomial((2, 3, 5), 2, 0.5, seed=1)) == (2, 3, 5)
    assert ops.shape(random.categorical(np.zeros((2, 3), "float32"), 4, seed=1)) == (2, 4)


def test_parameters_are_broadcast():
    alpha = np.float32([[1.0], [1e4]])
    means = numpy(ops.mean(random.gamma((2, 1000), alpha, seed=1), 1))
    np.testing.assert_allclose(means, [1, 1e4], rtol=0.15)
    means = numpy(ops.mean(random.beta((1000, 2), [1.0, 3.0], [1.0, 1.0], seed=1), 0))
    np.testing.assert_allclose(means, [0.5, 0.75], rtol=0.1)
    x = numpy(random.binomial((1000, 2), [3, 40], [1.0, 0.5], seed=1))
    assert set(x[:, 0]) == {3.0}
    assert abs(x[:, 1].mean() - 20) < 1


def test_slope_of_gamma():
    """By the change of the quantile at which a sample lies."""
    alpha = np.float32([0.5, 1.5, 4.0, 9.0])
    grad = mlapi.grad(lambda a: ops.sum(random.gamma((4,), a, seed=6)))
    x = numpy(random.gamma((4,), alpha, seed=6)).astype("float64")
    place = stats.gamma(alpha).cdf(x)
    step = 1e-3
    wanted = (stats.gamma(alpha + step).ppf(place) - stats.gamma(alpha - step).ppf(place)) / step
    np.testing.assert_allclose(numpy(grad(ops.convert_to_tensor(alpha))), wanted / 2, rtol=2e-2)


def test_slope_of_beta():
    """On average it is that of the mean, a / (a + b)."""
    both = mlapi.grad(lambda p: ops.mean(random.beta((COUNT,), p[0], p[1], seed=6)))
    one, other = both([ops.convert_to_tensor(2.0), ops.convert_to_tensor(3.0)])
    np.testing.assert_allclose([float(one), float(other)], [3 / 25, -2 / 25], rtol=0.05)


@run
def test_shuffle(run):
    x = np.arange(600, dtype="float32").reshape(2, 100, 3)
    for axis in (1, -2):
        y = numpy(run(lambda x: random.shuffle(x, axis, seed=2))(ops.convert_to_tensor(x)))  # noqa: B023
        order = (y[0, :, 0] / 3).astype(int)
        assert sorted(order) == list(range(100))
        assert abs(np.corrcoef(order, np.arange(100))[0, 1]) < 0.3
        np.testing.assert_array_equal(y, x[:, order])


def test_every_order_is_as_likely():
    counts = np.zeros(6)
    seeds = SeedGenerator(1)
    for _ in range(600):
        a, b, _ = numpy(random.shuffle(np.arange(3), seed=seeds))
        counts[2 * a + (b > 3 - a - b)] += 1
    assert counts.min() > 0
    assert stats.chisquare(counts).pvalue > 1e-3


def test_symbolic_tensors():
    x = SymbolicTensor((None, 4), "float32")
    assert random.categorical(x, 3).shape == (None, 3)
    assert random.categorical(x, 3).dtype == "int32"
    assert random.shuffle(x).shape == (None, 4)
    assert random.dropout(x, 0.5).shape == (None, 4)
    assert random.gamma((2, 4), SymbolicTensor((4,), "float32")).shape == (2, 4)
    assert random.beta((2, 4), SymbolicTensor((4,), "float32"), 1.0).shape == (2, 4)


BAD = {
    "shape": (lambda: random.normal((2, -1)), ArgumentError),
    "no shape": (lambda: random.uniform(None), ArgumentError),
    "stddev": (lambda: random.normal((2,), stddev=-1.0), ArgumentError),
    "truncated": (lambda: random.truncated_normal((2,), stddev=-1.0), ArgumentError),
    "uniform": (lambda: random.uniform((2,), 1.0, 0.0), ArgumentError),
    "randint": (lambda: random.randint((2,), 3, 3), ArgumentError),
    "alpha": (lambda: random.gamma((2,), 0.0), ArgumentError),
    "beta": (lambda: random.beta((2,), 1.0, -1.0), ArgumentError),
    "counts": (lambda: random.binomial((2,), -1, 0.5), ArgumentError),
    "probabilities": (lambda: random.binomial((2,), 1, 1.5), ArgumentError),
    "samples": (lambda: random.categorical([[0.0]], -1), ArgumentError),
    "logits": (lambda: random.categorical([0.0, 1.0], 2), ShapeError),
    "axis": (lambda: random.shuffle([1, 2], axis=1), ArgumentError),
    "rate": (lambda: random.dropout([1.0], 1.5), ArgumentError),
    "broadcast": (lambda: random.gamma((2,), [1.0, 2.0, 3.0]), ShapeError),
    "integer": (lambda: random.normal((2,), dtype="int32"), DTypeError),
    "float": (lambda: random.randint((2,), 0, 3, dtype="float32"), DTypeError),
    "dtype": (lambda: random.gamma((2,), 1.0, dtype="bool"), DTypeError),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments(name):
    call, error = BAD[name]
    with pytest.raises(error):
        call()


def test_dropout():
    x = np.full((100, 200), 3.0, "float32")
    y = numpy(random.dropout(x, 0.25, seed=2))
    assert set(np.unique(y)) == {0.0, 4.0}
    assert abs((y == 0).mean() - 0.25) < 0.02
    assert abs(np.corrcoef(y[0], y[1])[0, 1]) < 0.3
    assert np.array_equal(numpy(random.dropout(x, 0.0, seed=2)), x)
    assert not numpy(random.dropout(x, 1.0, seed=2)).any()


def test_dropout_of_whole_rows():
    y = numpy(random.dropout(np.ones((50, 7), "float32"), 0.5, noise_shape=(None, 1), seed=2))
    assert set(y.sum(1)) == {0.0, 14.0}


def test_dropout_has_the_gradient_of_what_it_keeps():
    x = ops.ones((8, 8))
    y, grad = mlapi.value_and_grad(lambda x: ops.sum(random.dropout(x, 0.5, seed=2)))(x)
    kept = numpy(random.dropout(x, 0.5, seed=2))
    np.testing.assert_allclose(numpy(grad), kept)
    assert float(y) == pytest.approx(kept.sum())
