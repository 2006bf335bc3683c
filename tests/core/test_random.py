"""Random tensors: moments, bounds, and when they repeat."""

import numpy as np
import pytest

import mlapi
from mlapi import ops, random, saving, utils
from mlapi.errors import ArgumentError, ArgumentTypeError

SHAPE = (200, 100)

# How to draw, then mean, standard deviation and bounds of what is drawn.
DRAWS = {
    "normal": (lambda **k: random.normal(SHAPE, 1.0, 2.0, **k), 1, 2, -np.inf, np.inf),
    "uniform": (lambda **k: random.uniform(SHAPE, -1.0, 3.0, **k), 1, 4 / 12**0.5, -1, 3),
    # The variance of a normal cut at two deviations is 1 - 4 φ(2) / (2 Φ(2) - 1).
    "truncated": (lambda **k: random.truncated_normal(SHAPE, 1.0, 2.0, **k), 1, 1.7593, -3, 5),
    "randint": (lambda **k: random.randint(SHAPE, 2, 6, **k), 3.5, 1.25**0.5, 2, 5),
    "dropout": (lambda **k: random.dropout(ops.ones(SHAPE), 0.2, **k), 1, 0.5, 0, 1.25),
}


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


@pytest.mark.parametrize("name", DRAWS)
def test_moments_and_bounds(name):
    draw, mean, deviation, low, high = DRAWS[name]
    x = numpy(draw(seed=3)).astype("float64")
    assert x.shape == SHAPE
    # 20 000 draws: both bounds are beyond five standard errors.
    assert abs(x.mean() - mean) < 0.04 * deviation
    assert abs(x.std() - deviation) < 0.04 * deviation
    assert x.min() >= low
    assert x.max() <= high


@pytest.mark.parametrize("name", DRAWS)
def test_when_draws_repeat(name):
    draw = DRAWS[name][0]
    np.testing.assert_array_equal(numpy(draw(seed=3)), numpy(draw(seed=3)))
    assert (numpy(draw(seed=3)) != numpy(draw(seed=4))).any()
    one, other = random.SeedGenerator(7), random.SeedGenerator(7)
    first, second = numpy(draw(seed=one)), numpy(draw(seed=one))
    assert (first != second).any()
    np.testing.assert_array_equal(numpy(draw(seed=other)), first)
    np.testing.assert_array_equal(numpy(draw(seed=other)), second)


def test_the_global_seed():
    draws = []
    for seed in (5, 5, 6):
        utils.set_random_seed(seed)
        draws.append([numpy(random.normal((3,))), numpy(random.normal((3,)))])
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0][0] != draws[0][1]).any()
    assert (draws[0][0] != draws[2][0]).any()
    utils.set_random_seed(5)
    generators = [random.SeedGenerator() for _ in range(2)]
    assert generators[0].seed != generators[1].seed


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtypes(dtype):
    for draw in (random.normal, random.uniform, random.truncated_normal):
        assert ops.dtype(draw((2, 3), dtype=dtype, seed=1)) == dtype
    assert ops.dtype(random.randint((2,), 0, 5, dtype="int16", seed=1)) == "int16"


def test_compiled_functions_draw_on():
    generator = random.SeedGenerator(3)
    run = mlapi.jit(lambda: random.uniform((4,), seed=generator), generator)
    compiled = [numpy(run()) for _ in range(3)]
    again = random.SeedGenerator(3)
    for x in compiled:
        np.testing.assert_allclose(numpy(random.uniform((4,), seed=again)), x, 1e-6)


def test_dropout():
    x = ops.ones((50, 40, 3))
    y = numpy(random.dropout(x, 0.25, seed=1))
    np.testing.assert_allclose(y[y != 0], 1 / 0.75, 1e-6)
    shared = numpy(random.dropout(x, 0.5, noise_shape=(None, 1, None), seed=1))
    np.testing.assert_array_equal(shared, np.broadcast_to(shared[:, :1], shared.shape))
    np.testing.assert_array_equal(numpy(random.dropout(x, 0.0, seed=1)), numpy(x))
    assert random.dropout(mlapi.Input((3,)), 0.5).shape == (None, 3)


def test_draws_of_the_shape_of_a_symbolic_batch():
    class Sampling(mlapi.Layer):
        def __init__(self):
            super().__init__()
            self.seeds = random.SeedGenerator(1)

        def call(self, mean):
            return mean + 0.5 * random.normal(ops.shape(mean), seed=self.seeds)

    inputs = mlapi.Input((100,))
    model = mlapi.Model(inputs, Sampling()(inputs))
    assert model.output_shape == (None, 100)
    y = model.predict(np.zeros((200, 100), "float32"), verbose=0)
    assert abs(y.std() - 0.5) < 0.02


def test_dropout_has_the_gradient_of_its_mask():
    x = ops.ones((100,))
    grad = mlapi.grad(lambda p: ops.sum(random.dropout(p, 0.5, seed=2) * 3.0))(x)
    np.testing.assert_allclose(numpy(grad), 3 * numpy(random.dropout(x, 0.5, seed=2)))


def test_a_generator_survives_its_config():
    generator = random.SeedGenerator(9)
    copy = saving.deserialize_keras_object(saving.serialize_keras_object(generator))
    np.testing.assert_array_equal(
        numpy(random.normal((3,), seed=copy)), numpy(random.normal((3,), seed=generator))
    )


@pytest.mark.parametrize("seed", ["a", 1.5, [1]])
def test_seeds_are_ints_or_generators(seed):
    with pytest.raises(ArgumentTypeError, match="seed must be an int, a SeedGenerator or None"):
        random.normal((2,), seed=seed)


@pytest.mark.parametrize("shape", [3, (2, None), (2.5,), (-1,), "ab", None])
def test_shapes_are_checked(shape):
    with pytest.raises(ArgumentError, match="shape must be a tuple of sizes, received"):
        random.normal(shape, seed=1)
