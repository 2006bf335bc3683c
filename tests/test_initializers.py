"""Initial weights: their distributions, what seeds fix, and how they are named."""

import math

import numpy as np
import pytest
from scipy import signal, stats

import mlapi
from mlapi import host_random, initializers
from mlapi.errors import ArgumentError, ArgumentTypeError, DTypeError, LoadError, ShapeError
from mlapi.random import SeedGenerator

SHAPE = (120, 80)
FANS = {"fan_in": 120, "fan_out": 80, "fan_avg": 100}
CUT = stats.truncnorm(-2, 2)

# What each draws for SHAPE.
DISTRIBUTIONS = [
    (initializers.RandomNormal(1.0, 0.5), stats.norm(1.0, 0.5)),
    (initializers.TruncatedNormal(1.0, 0.5), stats.truncnorm(-2, 2, 1.0, 0.5)),
    (initializers.RandomUniform(-2.0, 1.0), stats.uniform(-2.0, 3.0)),
    (initializers.GlorotUniform(), stats.uniform(-math.sqrt(6 / 200), 2 * math.sqrt(6 / 200))),
    (initializers.HeUniform(), stats.uniform(-math.sqrt(6 / 120), 2 * math.sqrt(6 / 120))),
    (initializers.LecunUniform(), stats.uniform(-math.sqrt(3 / 120), 2 * math.sqrt(3 / 120))),
    (initializers.GlorotNormal(), stats.truncnorm(-2, 2, 0, math.sqrt(2 / 200) / CUT.std())),
    (initializers.HeNormal(), stats.truncnorm(-2, 2, 0, math.sqrt(2 / 120) / CUT.std())),
    (initializers.LecunNormal(), stats.truncnorm(-2, 2, 0, math.sqrt(1 / 120) / CUT.std())),
    (
        initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal"),
        stats.norm(0, math.sqrt(3 / 80)),
    ),
]


@pytest.mark.parametrize(
    ("initializer", "distribution"), DISTRIBUTIONS, ids=lambda value: type(value).__name__
)
def test_distribution(initializer, distribution) -> None:
    numbers = initializer.draw(SHAPE, "float32").ravel()
    assert numbers.dtype == np.float32
    assert stats.kstest(numbers, distribution.cdf).pvalue > 0.01
    assert np.std(numbers) == pytest.approx(distribution.std(), rel=0.03)


@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize("mode", FANS)
def test_variance_is_scale_over_fan(mode: str, distribution: str) -> None:
    initializer = initializers.VarianceScaling(2.0, mode, distribution)
    numbers = initializer.draw(SHAPE, "float64")
    assert np.var(numbers) == pytest.approx(2.0 / FANS[mode], rel=0.05)


@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"),
    [((), 1, 1), ((7,), 7, 7), ((5, 7), 5, 7), ((3, 2, 5, 7), 30, 42), ((0, 4), 0, 4)],
)
def test_fans_of_shapes(shape: tuple[int, ...], fan_in: int, fan_out: int) -> None:
    for mode, fan in (("fan_in", fan_in), ("fan_out", fan_out)):
        limit = math.sqrt(3 / max(1, fan))
        numbers = initializers.VarianceScaling(1.0, mode, "uniform").draw(shape, "float32")
        assert numbers.shape == shape
        assert np.all(np.abs(numbers) <= limit)


def test_fans_of_stated_axes() -> None:
    heads = initializers.GlorotUniform(input_axes=(0,), output_axes=(1, 2))
    limit = math.sqrt(6 / (64 + 4 * 16))
    numbers = heads.draw((64, 4, 16), "float64")
    assert np.abs(numbers).max() == pytest.approx(limit, rel=0.01)
    assert np.abs(numbers).max() <= limit
    with pytest.raises(ShapeError, match="do not all exist in the shape"):
        heads.draw((64, 4), "float64")
    with pytest.raises(ArgumentError, match="give both input_axes and output_axes"):
        initializers.HeNormal(input_axes=(0,))


@pytest.mark.parametrize("shape", [(20, 20), (30, 10), (10, 30), (3, 3, 4, 20), (2, 1, 9)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    drawn = initializers.Orthogonal(gain=3.0).draw(shape, "float64")
    matrix = drawn.reshape(-1, shape[-1])
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    np.testing.assert_allclose(matrix.T @ matrix, 9.0 * np.eye(matrix.shape[1]), atol=1e-12)


def test_orthogonal_matrices_favour_no_direction() -> None:
    """The entries of an evenly drawn orthogonal matrix have mean 0 and variance 1 / size."""
    initializer = initializers.Orthogonal()
    matrices = np.array([initializer.draw((4, 4), "float64") for _ in range(2000)])
    assert np.abs(matrices.mean(axis=0)).max() < 4 * 0.5 / math.sqrt(2000)
    assert matrices.var(axis=0) == pytest.approx(np.full((4, 4), 0.25), rel=0.15)


def test_constants() -> None:
    np.testing.assert_array_equal(initializers.Zeros().draw((2, 3), "int32"), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.Ones().draw((2,), "bool"), [True, True])
    np.testing.assert_array_equal(initializers.Constant(2.5).draw((2,), "float32"), [2.5, 2.5])
    rows = initializers.Constant([1, 2, 3]).draw((2, 3), "int32")
    np.testing.assert_array_equal(rows, [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_array_equal(
        initializers.Identity(2.0).draw((2, 3), "float32"), [[2, 0, 0], [0, 2, 0]]
    )


WINDOWS = [
    *("boxcar", "hann", "hamming", "blackman", "nuttall", "blackmanharris", "flattop"),
    *("bartlett", "barthann", "bohman", "cosine", "lanczos", "parzen", "triang"),
]


@pytest.mark.parametrize("window", [None, *WINDOWS])
def test_waves_of_stft(window: str | None) -> None:
    """A convolution with them is SciPy's transform of every frame."""
    frame = np.random.default_rng(1).normal(size=16)
    for periodic, scaling in ((False, "density"), (True, "spectrum"), (True, None)):
        values = np.ones(16) if window is None else signal.get_window(window, 16, periodic)
        scale = {"density": np.sqrt((values**2).sum()), "spectrum": np.abs(values).sum(), None: 1.0}
        expected = np.fft.rfft(frame * values) / (1 if window is None else scale[scaling])
        parts = [
            initializers.STFT(side, window, scaling, periodic).draw((16, 2, 9), "float64")
            for side in ("real", "imag")
        ]
        for part, numbers in zip(parts, (expected.real, expected.imag), strict=True):
            np.testing.assert_allclose(frame @ part[:, 1], numbers, atol=1e-12)


RANDOM = [
    initializers.RandomNormal,
    initializers.TruncatedNormal,
    initializers.RandomUniform,
    initializers.VarianceScaling,
    initializers.GlorotUniform,
    initializers.Orthogonal,
]


@pytest.mark.parametrize("cls", RANDOM)
def test_seeded_ones_repeat_and_others_do_not(cls: type[initializers.Initializer]) -> None:
    seeded = cls(seed=3)
    first = seeded.draw((4, 5), "float32")
    np.testing.assert_array_equal(seeded.draw((4, 5), "float32"), first)
    np.testing.assert_array_equal(cls(seed=3).draw((4, 5), "float32"), first)
    unseeded = cls()
    assert not np.array_equal(unseeded.draw((4, 5), "float32"), unseeded.draw((4, 5), "float32"))


@pytest.mark.parametrize("cls", RANDOM)
def test_global_seed_decides_the_rest(cls: type[initializers.Initializer]) -> None:
    def draw_two() -> np.ndarray:
        host_random.set_seed(11)
        return np.stack([cls().draw((4, 5), "float32"), cls().draw((4, 5), "float32")])

    np.testing.assert_array_equal(draw_two(), draw_two())


def test_seed_generator_gives_a_sequence() -> None:
    def draw_three() -> list[np.ndarray]:
        initializer = initializers.RandomNormal(seed=SeedGenerator(5))
        return [initializer.draw((3,), "float32") for _ in range(3)]

    first, second = draw_three(), draw_three()
    np.testing.assert_array_equal(first, second)
    assert len({array.tobytes() for array in first}) == 3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("cls", RANDOM)
def test_float_dtypes(cls: type[initializers.Initializer], dtype: str) -> None:
    drawn = cls(seed=1).draw((6, 7), dtype)
    assert drawn.dtype.name == dtype
    assert drawn.shape == (6, 7)
    if dtype in ("float16", "bfloat16"):
        exact = cls(seed=1).draw((6, 7), "float32")
        np.testing.assert_array_equal(drawn, exact.astype(drawn.dtype))


@pytest.mark.parametrize("cls", RANDOM)
def test_integers_are_refused(cls: type[initializers.Initializer]) -> None:
    with pytest.raises(DTypeError, match="draws floats; the dtype asked is 'int32'"):
        cls().draw((2, 2), "int32")


def test_called_it_returns_a_tensor_of_the_backend() -> None:
    initializer = initializers.GlorotUniform(seed=4)
    tensor = initializer((3, 4), dtype="float32")
    np.testing.assert_array_equal(
        mlapi.ops.convert_to_numpy(tensor), initializer.draw((3, 4), "float32")
    )
    assert mlapi.ops.shape(tensor) == (3, 4)


class Ramp(initializers.Initializer):
    """One of a user, that returns a tensor."""

    def __init__(self, start: float = 0.0) -> None:
        self.start = start

    def __call__(self, shape, dtype=None):
        count = math.prod(shape)
        return mlapi.ops.reshape(mlapi.ops.arange(self.start, self.start + count), shape)


def test_a_users_class_may_return_a_tensor() -> None:
    np.testing.assert_array_equal(Ramp(1.0).draw((2, 2), "float32"), [[1, 2], [3, 4]])
    clone = Ramp(5.0).clone()
    assert clone.get_config() == {"start": 5.0}
    variable = mlapi.Variable(Ramp(), shape=(3,), dtype="float32")
    np.testing.assert_array_equal(variable.numpy(), [0, 1, 2])


def test_a_class_without_values_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="must define draw or __call__"):
        initializers.Initializer().draw((2,), "float32")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: initializers.VarianceScaling(scale=0),
            "scale must be a number above 0, received 0",
        ),
        (
            lambda: initializers.VarianceScaling(mode="fan"),
            "mode must be 'fan_in', 'fan_out' or 'fan_avg', received 'fan'",
        ),
        (
            lambda: initializers.VarianceScaling(distribution="norm"),
            "distribution must be .*, received 'norm'",
        ),
        (lambda: initializers.RandomNormal(seed="1"), "seed must be an integer"),
        (lambda: initializers.STFT(side="left"), "side must be 'real' or 'imag'"),
        (lambda: initializers.STFT(window="han"), "window must be .*Did you mean 'hann'"),
        (lambda: initializers.STFT(scaling="densty"), "scaling must .*Did you mean 'density'"),
        (lambda: initializers.STFT().draw((16, 9), "float32"), "STFT makes kernels"),
        (lambda: initializers.STFT(window=[1.0]).draw((2, 1, 3), "float32"), "has 1 values"),
        (lambda: initializers.Orthogonal().draw((3,), "float32"), "needs two or more axes"),
        (lambda: initializers.Identity().draw((3,), "float32"), "Identity makes matrices"),
    ],
)
def test_wrong_arguments_are_refused(make, message: str) -> None:
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("glorot_uniform", initializers.GlorotUniform),
        ("GlorotUniform", initializers.GlorotUniform),
        ("zeros", initializers.Zeros),
        ("zero", initializers.Zeros),
        ("normal", initializers.RandomNormal),
        ("uniform", initializers.RandomUniform),
        ("orthogonal", initializers.Orthogonal),
        ("stft", initializers.STFT),
        ("IdentityInitializer", initializers.Identity),
        (initializers.HeNormal, initializers.HeNormal),
        ({"class_name": "Constant", "config": {"value": 2.0}}, initializers.Constant),
    ],
)
def test_get(identifier: object, cls: type) -> None:
    assert type(initializers.get(identifier)) is cls


def test_get_returns_objects_and_functions_as_they_are() -> None:
    def ramp(shape, dtype):
        return np.arange(math.prod(shape)).reshape(shape)

    zeros = initializers.Zeros()
    assert initializers.get(zeros) is zeros
    assert initializers.get(ramp) is ramp
    assert initializers.get(None) is None
    np.testing.assert_array_equal(mlapi.Variable(ramp, (2,), "int32").numpy(), [0, 1])


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ArgumentError, match=r"Unknown initializer 'glorot'\. .*glorot_normal"):
        initializers.get("glorot")
    with pytest.raises(ArgumentError, match=r"Did you mean 'HeNormal'\?"):
        initializers.get("HeNromal")
    with pytest.raises(ArgumentTypeError, match="initializer must be a name"):
        initializers.get(3)


EVERY = [
    initializers.Zeros(),
    initializers.Ones(),
    initializers.Constant(3.0),
    initializers.Identity(2.0),
    initializers.STFT("imag", [0.5, 1.0, 0.5], None),
    initializers.RandomNormal(1.0, 2.0, seed=3),
    initializers.RandomUniform(1.0, 2.0, seed=3),
    initializers.TruncatedNormal(1.0, 2.0, seed=3),
    initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3),
    initializers.GlorotNormal(seed=3),
    initializers.HeUniform(seed=3, input_axes=[0], output_axes=[1]),
    initializers.Orthogonal(2.0, seed=3),
]


@pytest.mark.parametrize("initializer", EVERY, ids=lambda value: type(value).__name__)
def test_config_round_trip(initializer: initializers.Initializer) -> None:
    config = initializers.serialize(initializer)
    assert config["class_name"] == type(initializer).__name__
    assert config["module"] == "keras.initializers"
    restored = initializers.deserialize(config)
    assert restored.get_config() == initializer.get_config()
    shape = (3, 1, 4) if isinstance(initializer, initializers.STFT) else (3, 4)
    for other in (restored, initializer.clone()):
        np.testing.assert_array_equal(
            other.draw(shape, "float32"), initializer.draw(shape, "float32")
        )


def test_a_config_of_another_family_is_refused() -> None:
    with pytest.raises(LoadError, match="unknown class 'L2'"):
        initializers.get(mlapi.regularizers.serialize(mlapi.regularizers.L2()))


def test_a_seed_generator_survives_the_config() -> None:
    config = initializers.serialize(initializers.HeNormal(seed=SeedGenerator(5)))
    assert initializers.deserialize(config).seed.get_config() == {"seed": 5}
