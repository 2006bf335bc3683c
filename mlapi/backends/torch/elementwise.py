"""Functions of single elements on torch: aliases where name and meaning agree, then the others."""

import torch

from mlapi import dtypes
from mlapi.backends.torch import core
from mlapi.types import DTypeLike

Tensor = torch.Tensor

add = torch.add
subtract = torch.sub
multiply = torch.mul
divide = torch.true_divide
floor_divide = torch.floor_divide
mod = torch.remainder
power = torch.pow
negative = torch.neg
square = torch.square
sqrt = torch.sqrt
rsqrt = torch.rsqrt
reciprocal = torch.reciprocal
exp = torch.exp
expm1 = torch.expm1
arctan2 = torch.atan2
log = torch.log
log1p = torch.log1p
sin = torch.sin
cos = torch.cos
tanh = torch.tanh
erf = torch.erf
maximum = torch.maximum
minimum = torch.minimum
clip = torch.clamp
floor = torch.floor
ceil = torch.ceil

equal = torch.eq
not_equal = torch.ne
less = torch.lt
less_equal = torch.le
greater = torch.gt
greater_equal = torch.ge
logical_and = torch.logical_and
logical_or = torch.logical_or
logical_xor = torch.logical_xor
logical_not = torch.logical_not
isnan = torch.isnan
isinf = torch.isinf
isfinite = torch.isfinite

stop_gradient = torch.detach
copy = torch.clone


def absolute(x: Tensor) -> Tensor:
    return x if x.dtype is torch.bool else torch.abs(x)


def sign(x: Tensor) -> Tensor:
    y = torch.sign(x)
    return torch.where(x == x, y, x) if x.is_floating_point() else y  # torch's is 0 for NaN


def round(x: Tensor, decimals: int = 0) -> Tensor:
    return torch.round(x, decimals=decimals) if x.is_floating_point() else x


def cast(x: Tensor, dtype: DTypeLike) -> Tensor:
    return x.to(core.NATIVE[dtypes.standardize(dtype)])


def where(
    condition: Tensor, x1: Tensor | None = None, x2: Tensor | None = None
) -> Tensor | tuple[Tensor, ...]:
    if x1 is None or x2 is None:
        return tuple(index.to(torch.int32) for index in torch.where(condition))
    return torch.where(condition, x1, x2)
