"""Random tensors on torch, from seeds that are tensors.

On the CPU a `torch.Generator` draws them. It needs the seed on the host, which would wait for an
accelerator and break a compiled graph: there, a number is a hash of (seed, counter, position) by
SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
"""

import math
from collections.abc import Sequence

import torch

from mlapi.backends.torch import core

Tensor = torch.Tensor


def _signed(word: int) -> int:
    """A 64-bit pattern as the signed integer that torch computes with."""
    return word - 2**64 if word >= 2**63 else word


# SplitMix64's increment and multipliers; and two odd numbers that keep seeds and counters apart.
_STEP = _signed(0x9E3779B97F4A7C15)
_MIX_1 = _signed(0xBF58476D1CE4E5B9)
_MIX_2 = _signed(0x94D049BB133111EB)
_SEED = _signed(0xD1342543DE82EF95)
_COUNTER = _signed(0xA0761D6478BD642F)
_OTHER = 0x55555555  # makes a second seed of a first
_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}

_reused = torch.Generator()


def _generator(seed: Tensor) -> torch.Generator | None:
    """A generator, where one can be had without waiting."""
    if not seed.is_cpu or core.is_compiling():
        return None
    word, counter = seed.tolist()
    return _reused.manual_seed((word * _SEED + counter * _COUNTER) % 2**64)


def _words(shape: Sequence[int], seed: Tensor, dtype: torch.dtype = torch.int32) -> Tensor:
    """Random int32 or int64 that are not negative; all other bits are random."""
    generator = _generator(seed)
    if generator is not None:
        return torch.empty(tuple(shape), dtype=dtype).random_(generator=generator)
    key = seed.to(torch.int64)
    count = math.prod(shape)
    x = torch.arange(1, count + 1, dtype=torch.int64, device=seed.device)
    x = x * _STEP + (key[0] * _SEED + key[1] * _COUNTER)
    # Shifts of signed numbers copy the sign, which must not get in.
    x = (x ^ ((x >> 30) & (2**34 - 1))) * _MIX_1
    x = (x ^ ((x >> 27) & (2**37 - 1))) * _MIX_2
    x = x ^ ((x >> 31) & (2**33 - 1))
    x = x & (2**31 - 1 if dtype is torch.int32 else 2**63 - 1)
    return x.to(dtype).reshape(tuple(shape))


def _fractions(shape: Sequence[int], dtype: str, seed: Tensor) -> Tensor:
    """Numbers uniform in [0, 1), exact multiples of the dtype's precision."""
    bits = _BITS[dtype]
    words = _words(shape, seed, torch.int64 if bits > 31 else torch.int32)
    return (words >> (63 if bits > 31 else 31) - bits).to(core.NATIVE[dtype]) * 2.0**-bits


def uniform(shape: Sequence[int], minval: float, maxval: float, dtype: str, seed: Tensor) -> Tensor:
    generator = _generator(seed)
    if generator is not None:
        x = torch.rand(shape, dtype=core.NATIVE[dtype], generator=generator)
    else:
        x = _fractions(shape, dtype, seed)
    return x if minval == 0.0 and maxval == 1.0 else x * (maxval - minval) + minval


def _quantiles(shape: Sequence[int], limit: float, dtype: str, seed: Tensor) -> Tensor:
    """Standard normal numbers whose distribution function lies within `(1 ± limit) / 2`."""
    wide = "float64" if dtype == "float64" else "float32"
    x = (_fractions(shape, wide, seed) * 2.0 - 1.0) * limit
    x = torch.clamp(x, min=2.0 ** -_BITS[wide] - 1.0)  # at -1 it would be infinite
    return (torch.erfinv(x) * math.sqrt(2.0)).to(core.NATIVE[dtype])


def normal(shape: Sequence[int], mean: float, stddev: float, dtype: str, seed: Tensor) -> Tensor:
    generator = _generator(seed)
    if generator is not None:
        x = torch.randn(shape, dtype=core.NATIVE[dtype], generator=generator)
    else:
        x = _quantiles(shape, 1.0, dtype, seed)
    return x if mean == 0.0 and stddev == 1.0 else x * stddev + mean


def truncated_normal(
    shape: Sequence[int], mean: float, stddev: float, dtype: str, seed: Tensor
) -> Tensor:
    return _quantiles(shape, math.erf(math.sqrt(2.0)), dtype, seed) * stddev + mean


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: str, seed: Tensor) -> Tensor:
    words, span = _words(shape, seed, torch.int64), maxval - minval
    if span > 2**31:
        x = torch.remainder(words, span)
    else:  # the upper bits of words * span: a compiled remainder of int64 ends the process
        x = ((words >> 32) * span + ((words & (2**32 - 1)) * span >> 32)) >> 31
    return (x + minval).to(core.NATIVE[dtype])


def categorical(logits: Tensor, num_samples: int, dtype: str, seed: Tensor) -> Tensor:
    steps = torch.cumsum(torch.softmax(logits, -1), -1)
    name = core.NAMES[logits.dtype]
    levels = _fractions((logits.shape[0], num_samples), name, seed) * steps[:, -1:]
    index = torch.searchsorted(steps, levels, right=True)
    return torch.clamp(index, max=logits.shape[-1] - 1).to(core.NATIVE[dtype])


@torch.library.custom_op("mlapi::drawn", mutates_args=())
def _drawn(kind: str, x: Tensor, y: Tensor, seed: Tensor) -> Tensor:
    """What needs a generator all the same; it reads the seed, for which an accelerator waits."""
    word, counter = seed.tolist()
    generator = torch.Generator(x.device)
    generator.manual_seed((word * _SEED + counter * _COUNTER) % 2**64)
    if kind == "gamma":
        return torch._standard_gamma(x, generator=generator)
    return torch.binomial(x, y, generator=generator)


@_drawn.register_fake
def _like_drawn(kind: str, x: Tensor, y: Tensor, seed: Tensor) -> Tensor:
    return torch.empty_like(x)


def gamma(shape: Sequence[int], alpha: Tensor, seed: Tensor) -> Tensor:
    alpha = alpha.expand(tuple(shape)).contiguous()
    fixed = alpha.detach()
    x = _drawn("gamma", fixed, fixed, seed)
    # The slope of a sample whose place in the distribution stays.
    return x + (alpha - fixed) * torch._standard_gamma_grad(fixed, x)


def beta(shape: Sequence[int], alpha: Tensor, beta: Tensor, seed: Tensor) -> Tensor:
    x = gamma(shape, alpha, seed)
    y = gamma(shape, beta, seed ^ _OTHER)
    return x / (x + y)


def binomial(shape: Sequence[int], counts: Tensor, probabilities: Tensor, seed: Tensor) -> Tensor:
    counts, chances = (x.detach().expand(tuple(shape)) for x in (counts, probabilities))
    return _drawn("binomial", counts.contiguous(), chances.contiguous(), seed)


def shuffle(x: Tensor, axis: int, seed: Tensor) -> Tensor:
    return torch.index_select(x, axis, torch.argsort(_words((x.shape[axis],), seed, torch.int64)))


def dropout(x: Tensor, rate: float, noise_shape: Sequence[int] | None, seed: Tensor) -> Tensor:
    if rate == 0.0:
        return x
    words = _words(x.shape if noise_shape is None else noise_shape, seed)
    return x * ((words >= rate * 2.0**31).to(x.dtype) * (1.0 / (1.0 - rate)))
