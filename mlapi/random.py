"""Random tensors: from an integer seed (the same every time), or from a `SeedGenerator`.

A `SeedGenerator` counts the draws in a Variable, so it works inside `mlapi.jit` and is saved
with the model. Numbers differ between backends, each of which has generators of its own; what
must agree (initial weights, shuffles) is drawn on the host by `mlapi.host_random`.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlapi import dtypes, host_random
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from mlapi.graph import SymbolicTensor, record
from mlapi.op import as_tensor
from mlapi.state import Stateful, Variable
from mlapi.types import DTypeLike, Tensor, TensorLike

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

_core = adapter.core
_native = adapter.random


class SeedGenerator(Stateful):
    """A stream of seeds.

    Args:
        seed: int; by default drawn from the global seed, see `mlapi.utils.set_random_seed`.
        name: name of its state variable.

    Example:
        >>> import mlapi
        >>> seeds = mlapi.random.SeedGenerator(1)
        >>> a, b = mlapi.random.normal((2,), seed=seeds), mlapi.random.normal((2,), seed=seeds)
        >>> bool((a == b)[0])
        False
    """

    def __init__(self, seed: int | None = None, name: str = "seed_generator") -> None:
        self.seed = host_random.next_seed() if seed is None else int(seed)
        self.name = name
        words = np.array([self.seed & 0xFFFFFFFF, 0], np.uint32).view(np.int32)
        self.state = Variable(words, dtype="int32", trainable=False, name="seed_generator_state")

    def next(self) -> Tensor:
        """Two int32 numbers that no other draw of this generator gets."""
        words = self.state.value + _core.convert(_ONE_DRAW, "int32")
        self.state.assign(words)
        return words

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        """Returns a generator that starts from the seed of a config."""
        return cls(**config)


_ONE_DRAW = [0, 1]  # no array: torch.compile cannot see through NumPy's
_global: dict[int, SeedGenerator] = {}  # by the number of times that a seed was set


def global_seed_generator() -> SeedGenerator:
    """The generator for draws without a seed; starts again with the global seed."""
    restarts = host_random.restarts()
    if restarts not in _global:
        _global.clear()
        _global[restarts] = SeedGenerator(host_random.seed() & 0x7FFFFFFF)
    return _global[restarts]


def global_state() -> dict[str, Any]:
    """Where the host's generator and that for draws without a seed are; for `restore`."""
    return {"host": host_random.state(), "global": global_seed_generator().state.numpy()}


def restore_global(state: dict[str, Any]) -> None:
    """Goes on from what `global_state` returned; compiled functions keep their generator."""
    host_random.restore(state["host"], restart=False)
    global_seed_generator().state.assign(state["global"])


def draw_seed(seed: int | SeedGenerator | None) -> Tensor:
    """Two int32 numbers from an int, a SeedGenerator or, for None, the global one."""
    if seed is None:
        return global_seed_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)):
        return _core.convert(np.array([int(seed) & 0x7FFFFFFF, 0], np.int32), "int32")
    raise ArgumentTypeError(
        f"seed must be an int, a SeedGenerator or None, got {type(seed).__name__}."
    )


Seed = int | SeedGenerator | None


def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Normally distributed numbers of mean `mean` and standard deviation `stddev`.

    Args:
        shape: of the result.
        mean: of the distribution.
        stddev: of the distribution, at least 0.
        dtype: a floating-point one; by default `config.floatx()`.
        seed: int, for the same numbers every time; SeedGenerator; or None for the global one.

    Example:
        >>> import mlapi
        >>> mlapi.ops.shape(mlapi.random.normal((2, 3), seed=1))
        (2, 3)
    """
    _check("normal", "stddev", stddev, "at least 0", lambda x: x >= 0)
    return _native.normal(_sizes(shape), mean, stddev, _float(dtype), draw_seed(seed))


def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Numbers uniform in [minval, maxval); the other arguments are those of `normal`.

    Example:
        >>> import mlapi
        >>> x = mlapi.random.uniform((1000,), 2.0, 3.0, seed=1)
        >>> bool(mlapi.ops.min(x) >= 2), bool(mlapi.ops.max(x) <= 3)
        (True, True)
    """
    _check("uniform", "maxval", maxval, f"at least minval={minval}", lambda x: x >= minval)
    return _native.uniform(_sizes(shape), minval, maxval, _float(dtype), draw_seed(seed))


def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """As `normal`, redrawn where further than two standard deviations from the mean.

    Example:
        >>> import mlapi
        >>> x = mlapi.random.truncated_normal((1000,), seed=1)
        >>> bool(mlapi.ops.max(mlapi.ops.abs(x)) <= 2)
        True
    """
    _check("truncated_normal", "stddev", stddev, "at least 0", lambda x: x >= 0)
    return _native.truncated_normal(_sizes(shape), mean, stddev, _float(dtype), draw_seed(seed))


def randint(
    shape: Sequence[int],
    minval: int,
    maxval: int,
    dtype: DTypeLike = "int32",
    seed: Seed = None,
) -> Tensor:
    """Integers uniform in [minval, maxval).

    Example:
        >>> import mlapi
        >>> mlapi.ops.convert_to_numpy(mlapi.random.randint((3,), 5, 6, seed=1))
        array([5, 5, 5], dtype=int32)
    """
    _check("randint", "maxval", maxval, f"above minval={minval}", lambda x: x > minval)
    return _native.randint(_sizes(shape), minval, maxval, _integer(dtype), draw_seed(seed))


def gamma(
    shape: Sequence[int],
    alpha: TensorLike,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Numbers from the gamma distribution of shape parameter `alpha` and scale 1.

    Args:
        shape: of the result.
        alpha: above 0; a tensor is broadcast to `shape`, and has a gradient.
        dtype: a floating-point one; by default `config.floatx()`.
        seed: as for `normal`.

    Example:
        >>> import mlapi
        >>> x = mlapi.random.gamma((1000,), 3.0, seed=1)
        >>> bool(2.5 < mlapi.ops.mean(x) < 3.5)
        True
    """
    _check("gamma", "alpha", alpha, "above 0", lambda x: x > 0)
    return _drawn(gamma, _native.gamma, shape, (alpha,), dtype, seed)


def beta(
    shape: Sequence[int],
    alpha: TensorLike,
    beta: TensorLike,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Numbers in [0, 1] from the beta distribution.

    Args:
        shape: of the result.
        alpha: above 0, as is `beta`; tensors are broadcast to `shape`, and have gradients.
        beta: the other parameter.
        dtype: a floating-point one; by default `config.floatx()`.
        seed: as for `normal`.

    Example:
        >>> import mlapi
        >>> x = mlapi.random.beta((1000,), 3.0, 1.0, seed=1)
        >>> bool(0.7 < mlapi.ops.mean(x) < 0.8)
        True
    """
    _check("beta", "alpha", alpha, "above 0", lambda x: x > 0)
    _check("beta", "beta", beta, "above 0", lambda x: x > 0)
    return _drawn(_beta, _native.beta, shape, (alpha, beta), dtype, seed)


_beta = beta  # inside of which the name is a parameter


def binomial(
    shape: Sequence[int],
    counts: TensorLike,
    probabilities: TensorLike,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """How many of `counts` trials succeed, each with the same probability.

    Args:
        shape: of the result.
        counts: at least 0; a tensor is broadcast to `shape`, as is the next.
        probabilities: from 0 to 1.
        dtype: a floating-point one; by default `config.floatx()`.
        seed: as for `normal`.

    Example:
        >>> import mlapi
        >>> mlapi.ops.convert_to_numpy(mlapi.random.binomial((2,), 5, 1.0, seed=1))
        array([5., 5.], dtype=float32)
    """
    _check("binomial", "counts", counts, "at least 0", lambda x: x >= 0)
    _check("binomial", "probabilities", probabilities, "from 0 to 1", lambda x: 0 <= x <= 1)
    return _drawn(binomial, _native.binomial, shape, (counts, probabilities), dtype, seed)


def categorical(
    logits: TensorLike, num_samples: int, dtype: DTypeLike = "int32", seed: Seed = None
) -> Tensor:
    """Classes drawn for each row of logits.

    Args:
        logits: shape (rows, classes): logarithms of what probabilities are proportional to.
        num_samples: how many are drawn from each row.
        dtype: of the result, an integer type.
        seed: as for `normal`.

    Returns:
        Shape (rows, num_samples), numbers of classes.

    Example:
        >>> import mlapi
        >>> x = mlapi.random.categorical([[0.0, float("-inf")]], 3, seed=1)
        >>> mlapi.ops.convert_to_numpy(x)
        array([[0, 0, 0]], dtype=int32)
    """
    if type(logits) is SymbolicTensor:
        return record(categorical, (logits, num_samples, dtype, seed), {})
    tensor = _tensor(logits)
    if len(tensor.shape) != 2:
        raise ShapeError(
            f"categorical: logits must be of shape (rows, classes), received {tensor.shape}."
        )
    _check("categorical", "num_samples", num_samples, "at least 0", lambda x: x >= 0)
    wide = dtypes.promote(_core.dtype_of(tensor), "float32")  # fine enough for small probabilities
    return _native.categorical(
        _core.cast(tensor, wide), num_samples, _integer(dtype), draw_seed(seed)
    )


def shuffle(x: TensorLike, axis: int = 0, seed: Seed = None) -> Tensor:
    """The same slices along an axis, in random order.

    Example:
        >>> import mlapi
        >>> x = mlapi.random.shuffle([1, 2, 3, 4], seed=1)
        >>> mlapi.ops.convert_to_numpy(mlapi.ops.sort(x))
        array([1, 2, 3, 4], dtype=int32)
    """
    if type(x) is SymbolicTensor:
        return record(shuffle, (x, axis, seed), {})
    tensor = _tensor(x)
    rank = len(tensor.shape)
    if not -rank <= axis < rank:
        raise ArgumentError(f"shuffle: axis {axis} of a tensor of shape {tensor.shape}.")
    return _native.shuffle(tensor, axis % rank, draw_seed(seed))


def dropout(
    inputs: TensorLike,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: Seed = None,
) -> Tensor:
    """Zero a fraction `rate` of the inputs and scale the others by 1 / (1 - rate).

    Srivastava et al., "Dropout", 2014 (scaled while training, so that inference needs nothing).

    Args:
        inputs: float tensor.
        rate: probability of a zero, from 0 to 1.
        noise_shape: shape of the mask, broadcast against the inputs; None entries take the
            inputs' sizes.
        seed: int, SeedGenerator or None for the global generator.

    Example:
        >>> import mlapi
        >>> mlapi.ops.convert_to_numpy(mlapi.random.dropout([1.0, 2.0], 0.0))
        array([1., 2.], dtype=float32)
    """
    if type(inputs) is SymbolicTensor:
        return record(dropout, (inputs, rate, noise_shape, seed), {})
    _check("dropout", "rate", rate, "from 0 to 1", lambda x: 0 <= x <= 1)
    tensor = _tensor(inputs)
    if rate == 1:
        return tensor * 0.0
    if noise_shape is not None:
        sizes = _core.shape_of(tensor)
        noise_shape = tuple(n if m is None else m for n, m in zip(sizes, noise_shape))
    return _native.dropout(tensor, rate, noise_shape, draw_seed(seed))


def _drawn(
    fn: Callable[..., Tensor],
    native: Callable[..., Any],
    shape: Sequence[int],
    parameters: tuple[TensorLike, ...],
    dtype: DTypeLike | None,
    seed: Seed,
) -> Tensor:
    """`native` for parameters as tensors; halves by way of float32, for which there is no other."""
    if any(type(x) is SymbolicTensor for x in parameters):
        return record(fn, (shape, *parameters, dtype, seed), {})
    sizes, kind = _sizes(shape), _float(dtype)
    wide = "float32" if kind in ("float16", "bfloat16") else kind
    tensors = [_core.cast(_tensor(x), wide) for x in parameters]
    for tensor in tensors:
        _check_broadcast(fn, tensor, sizes)
    return _core.cast(native(sizes, *tensors, draw_seed(seed)), kind)


def _check_broadcast(fn: Callable[..., Any], tensor: Any, sizes: tuple[Any, ...]) -> None:
    given = tuple(tensor.shape)
    pairs = zip(reversed(given), reversed(sizes))
    if len(given) > len(sizes) or any(type(n) is int and m not in (1, n, None) for m, n in pairs):
        raise ShapeError(
            f"{fn.__name__}: a parameter of shape {given} cannot be broadcast to shape {sizes}."
        )


def _tensor(x: Any) -> Any:
    if type(x) is Variable:
        x = x.value
    return x if type(x) in _core.native_types else as_tensor(x)


def _check(fn: str, name: str, value: Any, sentence: str, accept: Callable[[Any], bool]) -> None:
    """Checks what is a number on the host; to read a tensor would be to wait for it."""
    if isinstance(value, int | float | np.generic) and not accept(value):
        raise ArgumentError(f"{fn}: {name} must be {sentence}, received {value!r}.")


def _sizes(shape: Any) -> tuple[Any, ...]:
    """The sizes as ints, or tensors where `ops.shape` gave them, of which nothing is known yet."""
    try:
        sizes = tuple(n if _core.is_tensor(n) else operator.index(n) for n in shape)
    except TypeError:
        sizes = (-1,)
    if any(type(n) is int and n < 0 for n in sizes):
        raise ArgumentError(f"shape must be a tuple of sizes, received {shape!r}.")
    return sizes


def _float(dtype: DTypeLike | None) -> str:
    name = dtypes.standardize(dtype)
    if not dtypes.is_float(name):
        raise DTypeError(f"dtype must be a floating-point one, received {name!r}.")
    return name


def _integer(dtype: DTypeLike) -> str:
    name = dtypes.standardize(dtype)
    if not dtypes.is_integer(name):
        raise DTypeError(f"dtype must be an integer one, received {name!r}.")
    return name
