"""How weights get their first values.

All numbers are drawn on the host by `mlapi.host_random`, so the same seed gives bit-identical
weights on every backend. An initializer is an object with `draw(shape, dtype)`, which returns a
NumPy array; called, it returns a tensor. Any function `(shape, dtype) -> array` will do as well.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mlapi import config, dtypes, host_random, validation
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from mlapi.random import SeedGenerator
from mlapi.serialization import Configurable
from mlapi.serialization import deserialize as _deserialize
from mlapi.serialization import get as _get
from mlapi.serialization import serialize as _serialize
from mlapi.types import DTypeLike, Tensor

# The standard deviation of a normal distribution that is cut off at two of its own.
_TRUNCATED_STDDEV = 0.87962566103423978

_mode = validation.Choice("fan_in", "fan_out", "fan_avg")
_distribution = validation.Choice("truncated_normal", "untruncated_normal", "uniform")


class Initializer(Configurable):
    """Base of all initializers.

    Subclasses define `draw(shape, dtype)` and return a NumPy array, the same on every backend; or
    `__call__(shape, dtype)` and return a tensor. Their constructor arguments, kept under
    their own names, are the config.

    Example:
        >>> class Checkerboard(Initializer):
        ...     def draw(self, shape, dtype):
        ...         return np.indices(shape).sum(axis=0) % 2
        >>> Checkerboard().draw((2, 3), "float32").tolist()
        [[0, 1, 0], [1, 0, 1]]
    """

    def __call__(self, shape: Sequence[int], dtype: DTypeLike | None = None) -> Tensor:
        """Returns a tensor of that shape and dtype (default: `config.floatx()`)."""
        if type(self).draw is Initializer.draw:
            raise NotImplementedError(f"{type(self).__name__} must define draw or __call__.")
        name = dtypes.standardize(dtype or config.floatx())
        return adapter.core.convert(self.draw(tuple(shape), name), name)

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns a NumPy array of that shape and dtype."""
        return adapter.core.to_numpy(self(shape, dtype=dtype))


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number, or an array that broadcasts to the shape of the weight.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns the value in that shape."""
        return np.full(shape, self.value, dtypes.numpy_dtype(dtype))


class Zeros(Initializer):
    """Zero everywhere."""

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns an array of zeros."""
        return np.zeros(shape, dtypes.numpy_dtype(dtype))


class Ones(Initializer):
    """One everywhere."""

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns an array of ones."""
        return np.ones(shape, dtypes.numpy_dtype(dtype))


class Identity(Initializer):
    """The identity matrix times `gain`; only for matrices.

    Args:
        gain: what stands on the diagonal.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns the scaled identity matrix."""
        if len(shape) != 2:
            raise ShapeError(f"Identity makes matrices; the shape asked for is {shape}.")
        return (self.gain * np.eye(*shape)).astype(dtypes.numpy_dtype(dtype))


# Windows that are sums of cosines: their factors, of alternating sign.
_COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def _parzen(x: np.ndarray, size: int) -> np.ndarray:
    r = np.abs(x) * (size - 1) / size
    return np.where(r <= 0.5, 1 - 6 * r**2 * (1 - r), 2 * (1 - r) ** 3)


def _triang(x: np.ndarray, size: int) -> np.ndarray:
    return 1 - np.abs(x) * (size - 1) / (size + size % 2)


# The others, as functions of `x` from -1 to 1 and of the number of points.
_SHAPES: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "bartlett": lambda x, _: 1 - np.abs(x),
    "barthann": lambda x, _: 0.62 - 0.24 * np.abs(x) + 0.38 * np.cos(np.pi * x),
    "bohman": lambda x, _: (1 - np.abs(x)) * np.cos(np.pi * x) + np.sin(np.pi * np.abs(x)) / np.pi,
    "cosine": lambda x, size: np.cos(np.pi / 2 * x * (size - 1) / size),
    "lanczos": lambda x, _: np.sinc(x),
    "parzen": _parzen,
    "triang": _triang,
}


def _window(name: str, size: int, periodic: bool) -> np.ndarray:
    """A window by name; a periodic one is the next longer one without its last point."""
    if size == 1:
        return np.ones(1)
    points = size + periodic
    x = np.linspace(-1, 1, points)
    if name in _SHAPES:
        return _SHAPES[name](x, points)[:size]
    angles = np.pi * (x + 1)
    terms = enumerate(_COSINES[name])
    return sum(((-1) ** k * factor * np.cos(k * angles) for k, factor in terms), np.zeros(1))[:size]


class _WindowArgument(validation.Choice):
    """The name of a window, or its values."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(*_COSINES, *_SHAPES)
        self.sentence += " or a list of numbers"

    def _pick(self, value: Any) -> Any:
        if isinstance(value, str):
            return super()._pick(value)
        array = np.asarray(value)
        if array.dtype.kind not in "iuf":
            raise TypeError
        if array.ndim != 1:
            raise ValueError
        return array.tolist()


_window_argument = validation.optional(_WindowArgument())
_side = validation.Choice("real", "imag")
_scaling = validation.optional(validation.Choice("density", "spectrum"))


class STFT(Initializer):
    """The waves of a short-time Fourier transform, as the kernel of a convolution.

    For a kernel of shape `(frame_length, channels, frequencies)` these are, at time `t` and
    frequency `k`, `window(t) cos(2π t k / N)` or `-window(t) sin(2π t k / N)`, where
    `N = 2 (frequencies - 1)`.

    Args:
        side: `"real"` for the cosines, `"imag"` for the sines.
        window: name of a window as SciPy spells it (`"hann"`, `"hamming"`, `"blackman"`, …), its
            values, or `None` for none.
        scaling: `"density"` divides by the root of the window's sum of squares, `"spectrum"` by its
            sum, `None` by nothing.
        periodic: whether a window that is named is the period of a signal instead of symmetric.

    Raises:
        ArgumentError: an argument has none of these values.

    Example:
        >>> from mlapi import initializers
        >>> waves = initializers.STFT("real", window=None)
        >>> waves.draw((4, 1, 3), "float32")[:, 0].round(3).tolist()
        [[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -1.0, 1.0], [1.0, -0.0, -1.0]]
    """

    def __init__(
        self,
        side: str = "real",
        window: str | Sequence[float] | None = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        self.side = _side(self, "side", side)
        self.window = _window_argument(self, "window", window)
        self.scaling = _scaling(self, "scaling", scaling)
        self.periodic = validation.boolean(self, "periodic", periodic)

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns the waves, the same for every channel."""
        if len(shape) != 3:
            raise ShapeError(
                "STFT makes kernels of shape (frame_length, channels, frequencies); the shape "
                f"asked for is {shape}."
            )
        length, _, frequencies = shape
        angles = np.outer(np.arange(length), np.arange(frequencies)) * -np.pi
        angles /= max(1, frequencies - 1)
        kernel = np.cos(angles) if self.side == "real" else np.sin(angles)
        if self.window is not None:
            kernel *= self._scaled_window(length)[:, None]
        return np.broadcast_to(kernel[:, None], shape).astype(dtypes.numpy_dtype(dtype))

    def _scaled_window(self, length: int) -> np.ndarray:
        if isinstance(self.window, str):
            window = _window(self.window, length, self.periodic)
        else:
            window = np.asarray(self.window, float)
            if len(window) != length:
                raise ShapeError(
                    f"STFT: the window has {len(window)} values, but the frames {length}."
                )
        if self.scaling == "density":
            return window / np.sqrt(np.sum(window**2))
        return window / np.sum(np.abs(window)) if self.scaling else window


class _Random(Initializer):
    """Base of the random ones.

    Without a seed every draw is new, and follows from the global seed and the draws before it.
    With an integer every draw of a shape is the same. A `SeedGenerator` gives its own sequence.
    """

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        if isinstance(seed, dict):
            seed = _deserialize(seed, family="random")
        if not isinstance(seed, int | np.integer | SeedGenerator | None):
            raise ArgumentTypeError(
                f"{type(self).__name__}: seed must be an integer, a SeedGenerator or None, "
                f"received {seed!r}."
            )
        self.seed = seed

    def _generator(self) -> np.random.Generator:
        seed = self.seed
        if isinstance(seed, SeedGenerator):
            key, count = adapter.core.to_numpy(seed.next()).view(np.uint32).tolist()
            return host_random.generator(key, stream=count)
        return host_random.generator(seed)

    def _float(self, dtype: str) -> np.dtype[Any]:
        """Returns the dtype to draw in; smaller floats are rounded from float32."""
        if not dtypes.is_float(dtype):
            raise DTypeError(f"{type(self).__name__} draws floats; the dtype asked is {dtype!r}.")
        return np.dtype("float64" if dtype == "float64" else "float32")

    def _normal(
        self, shape: tuple[int, ...], dtype: str, mean: float, stddev: float, truncated: bool
    ) -> np.ndarray:
        kind = self._float(dtype)
        generator = self._generator()
        numbers = generator.standard_normal(shape, kind)
        flat = np.atleast_1d(numbers).reshape(-1)
        outside = np.flatnonzero(np.abs(flat) > 2) if truncated else np.empty(0, np.intp)
        while outside.size:
            flat[outside] = generator.standard_normal(outside.size, kind)
            outside = outside[np.abs(flat[outside]) > 2]
        numbers = flat.reshape(shape) * kind.type(stddev) + kind.type(mean)
        return numbers.astype(dtypes.numpy_dtype(dtype), copy=False)

    def _uniform(self, shape: tuple[int, ...], dtype: str, low: float, high: float) -> np.ndarray:
        kind = self._float(dtype)
        numbers = self._generator().random(shape, kind) * kind.type(high - low) + kind.type(low)
        return np.asarray(numbers).astype(dtypes.numpy_dtype(dtype), copy=False)


class RandomNormal(_Random):
    """Normally distributed numbers.

    Args:
        mean: mean of the distribution.
        stddev: its standard deviation.
        seed: integer, `SeedGenerator` or `None`.
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns an array of normal numbers."""
        return self._normal(shape, dtype, self.mean, self.stddev, truncated=False)


class TruncatedNormal(RandomNormal):
    """Normally distributed numbers, drawn again while beyond two standard deviations of the mean.

    Args:
        mean: mean of the distribution.
        stddev: its standard deviation before the cut.
        seed: integer, `SeedGenerator` or `None`.
    """

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns an array of numbers within two standard deviations of the mean."""
        return self._normal(shape, dtype, self.mean, self.stddev, truncated=True)


class RandomUniform(_Random):
    """Numbers uniform in [`minval`, `maxval`).

    Args:
        minval: lower bound.
        maxval: upper bound.
        seed: integer, `SeedGenerator` or `None`.
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns an array of uniform numbers."""
        return self._uniform(shape, dtype, self.minval, self.maxval)


class VarianceScaling(_Random):
    """Random numbers of variance `scale / n`, `n` being a number of units of the layer.

    `n` is the number of inputs of a unit (`"fan_in"`), of outputs (`"fan_out"`), or their mean
    (`"fan_avg"`). The last two axes of a weight count inputs and outputs, and all before them are
    the receptive field of a convolution, which belongs to both.

    Args:
        scale: positive factor.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"` (cut at two standard deviations, and of the stated
            variance after the cut), `"untruncated_normal"` or `"uniform"`.
        seed: integer, `SeedGenerator` or `None`.
        input_axes: the axes that count inputs, if others than the last but one. With these two,
            axes in neither count for neither.
        output_axes: the axes that count outputs, if others than the last.

    Raises:
        ArgumentError: `scale` is not positive, another mode or distribution, or only one of
            `input_axes` and `output_axes`.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        if (input_axes is None) != (output_axes is None):
            raise ArgumentError(
                f"{type(self).__name__}: give both input_axes and output_axes, or neither; "
                f"received {input_axes} and {output_axes}."
            )
        self.scale = validation.positive(self, "scale", scale)
        self.mode = _mode(self, "mode", mode)
        self.distribution = _distribution(self, "distribution", distribution)
        self.input_axes = input_axes
        self.output_axes = output_axes

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns an array of random numbers of the variance that follows from its shape."""
        fan_in, fan_out = self._fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return self._uniform(shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, dtype, 0.0, math.sqrt(variance), truncated=False)
        stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
        return self._normal(shape, dtype, 0.0, stddev, truncated=True)

    def _fans(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Returns the numbers of inputs and of outputs of a unit."""
        if self.input_axes is not None and self.output_axes is not None:
            try:
                return (
                    math.prod(shape[axis] for axis in self.input_axes),
                    math.prod(shape[axis] for axis in self.output_axes),
                )
            except IndexError:
                raise ShapeError(
                    f"{type(self).__name__}: input_axes={self.input_axes} and "
                    f"output_axes={self.output_axes} do not all exist in the shape {shape}."
                ) from None
        if len(shape) < 2:
            return math.prod(shape), math.prod(shape)
        field = math.prod(shape[:-2])
        return field * shape[-2], field * shape[-1]


def along(
    initializer: Any, input_axes: Sequence[int], output_axes: Sequence[int]
) -> Callable[..., Any]:
    """Returns an initializer that counts the inputs and outputs of a unit along these axes.

    It is for layers whose kernels have other axes than `(…, inputs, outputs)`. One that counts
    nothing, or along axes of its own, is returned as it is.

    Args:
        initializer: an object or function, as `get` returns it.
        input_axes: axes of the weight that are summed over.
        output_axes: its other axes.

    Example:
        >>> import mlapi
        >>> along(mlapi.initializers.GlorotUniform(), [0], [1, 2]).output_axes
        [1, 2]
    """
    if not isinstance(initializer, VarianceScaling) or initializer.input_axes is not None:
        return initializer
    twin = copy.copy(initializer)
    twin.input_axes, twin.output_axes = input_axes, output_axes
    return twin


class _NamedScaling(VarianceScaling):
    """A `VarianceScaling` of fixed scale, mode and distribution."""

    _settings: tuple[float, str, str]

    def __init__(
        self,
        seed: int | SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self._settings, seed, input_axes, output_axes)


class GlorotUniform(_NamedScaling):
    """Uniform in ±sqrt(6 / (inputs + outputs)): Glorot and Bengio, 2010, also called Xavier.

    Args:
        seed: integer, `SeedGenerator` or `None`.
        input_axes: as in `VarianceScaling`.
        output_axes: as in `VarianceScaling`.
    """

    _settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_NamedScaling):
    """Truncated normal of variance 2 / (inputs + outputs): Glorot and Bengio, 2010.

    Args:
        seed: integer, `SeedGenerator` or `None`.
        input_axes: as in `VarianceScaling`.
        output_axes: as in `VarianceScaling`.
    """

    _settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_NamedScaling):
    """Uniform in ±sqrt(6 / inputs), for rectified units: He et al., 2015.

    Args:
        seed: integer, `SeedGenerator` or `None`.
        input_axes: as in `VarianceScaling`.
        output_axes: as in `VarianceScaling`.
    """

    _settings = (2.0, "fan_in", "uniform")


class HeNormal(_NamedScaling):
    """Truncated normal of variance 2 / inputs, for rectified units: He et al., 2015.

    Args:
        seed: integer, `SeedGenerator` or `None`.
        input_axes: as in `VarianceScaling`.
        output_axes: as in `VarianceScaling`.
    """

    _settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_NamedScaling):
    """Uniform in ±sqrt(3 / inputs): LeCun et al., "Efficient BackProp", 1998.

    Args:
        seed: integer, `SeedGenerator` or `None`.
        input_axes: as in `VarianceScaling`.
        output_axes: as in `VarianceScaling`.
    """

    _settings = (1.0, "fan_in", "uniform")


class LecunNormal(_NamedScaling):
    """Truncated normal of variance 1 / inputs: LeCun et al., "Efficient BackProp", 1998.

    Args:
        seed: integer, `SeedGenerator` or `None`.
        input_axes: as in `VarianceScaling`.
        output_axes: as in `VarianceScaling`.
    """

    _settings = (1.0, "fan_in", "truncated_normal")


class Orthogonal(_Random):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", 2014. Weights of more than two axes are one matrix with the last axis as columns.
    Matrices are drawn evenly from all such (Mezzadri, "How to generate random matrices from the
    classical compact groups", 2007).

    Args:
        gain: factor.
        seed: integer, `SeedGenerator` or `None`.
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def draw(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Returns an array that is orthogonal as a matrix."""
        self._float(dtype)
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal needs two or more axes; the shape asked for is {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = self._generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        matrix = q if rows >= columns else q.T
        return (self.gain * matrix).reshape(shape).astype(dtypes.numpy_dtype(dtype))


zeros = Zeros
ones = Ones
constant = Constant
identity = IdentityInitializer = Identity
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
orthogonal = OrthogonalInitializer = Orthogonal
stft = STFTInitializer = STFT

# What strings may say besides the public names.
ALIASES: Mapping[str, type[Initializer]] = {
    "zero": Zeros,
    "one": Ones,
    "normal": RandomNormal,
    "uniform": RandomUniform,
}

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFT",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


def get(identifier: Any) -> Initializer | Callable[..., Any] | None:
    """Returns the initializer that an argument means.

    Args:
        identifier: `None`, a name (`"he_normal"`, `"HeNormal"`), a config, a class, an
            initializer, or a function `(shape, dtype) -> array`.

    Raises:
        ArgumentError: a name that is unknown.
        ArgumentTypeError: none of the above.

    Example:
        >>> get("he_normal")
        HeNormal(seed=None, input_axes=None, output_axes=None)
    """
    return _get("initializers", identifier)


def serialize(initializer: Initializer | Callable[..., Any]) -> dict[str, Any]:
    """Returns the config of an initializer, from which `deserialize` makes an equal one."""
    return _serialize(initializer)


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Initializer | Callable[..., Any]:
    """Returns the initializer of a config.

    Raises:
        LoadError: the config is refused.
    """
    return _deserialize(config, custom_objects, family="initializers")
