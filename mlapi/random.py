"""Random tensors: from an integer seed (the same every time), or from a `SeedGenerator`.

A `SeedGenerator` counts the draws in a Variable, so it works inside `mlapi.jit` and is saved
with the model. Numbers differ between backends, each of which has generators of its own; what
must agree (initial weights, shuffles) is drawn on the host by `mlapi.host_random`.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlapi import config, dtypes, host_random
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.graph import SymbolicTensor, record
from mlapi.state import Stateful, Variable
from mlapi.types import DTypeLike, Tensor, TensorLike

__all__ = [
    "SeedGenerator",
    "dropout",
    "normal",
    "randint",
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
    """Normally distributed numbers of mean `mean` and standard deviation `stddev`."""
    return _native.normal(_sizes(shape), mean, stddev, _float(dtype), draw_seed(seed))


def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Numbers uniform in [minval, maxval)."""
    return _native.uniform(_sizes(shape), minval, maxval, _float(dtype), draw_seed(seed))


def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Normal numbers, redrawn where further than two standard deviations from the mean."""
    return _native.truncated_normal(_sizes(shape), mean, stddev, _float(dtype), draw_seed(seed))


def randint(
    shape: Sequence[int],
    minval: int,
    maxval: int,
    dtype: DTypeLike = "int32",
    seed: Seed = None,
) -> Tensor:
    """Integers uniform in [minval, maxval)."""
    return _native.randint(
        _sizes(shape), minval, maxval, dtypes.standardize(dtype), draw_seed(seed)
    )


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
        rate: probability of a zero, in [0, 1).
        noise_shape: shape of the mask, broadcast against the inputs; None entries take the
            inputs' sizes.
        seed: int, SeedGenerator or None for the global generator.
    """
    if type(inputs) is SymbolicTensor:
        return record(dropout, (inputs, rate, noise_shape, seed), {})
    if type(inputs) is Variable:
        inputs = inputs.value
    if type(inputs) not in _core.native_types:
        inputs = _core.convert(inputs)
    if noise_shape is not None:
        sizes = _core.shape_of(inputs)
        noise_shape = tuple(n if m is None else m for n, m in zip(sizes, noise_shape))
    return _native.dropout(inputs, rate, noise_shape, draw_seed(seed))


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
    return dtypes.standardize(dtype or config.floatx())
