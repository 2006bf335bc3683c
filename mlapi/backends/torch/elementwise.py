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
at_least = torch.clamp_min
within = torch.clamp
keep_where = torch.where
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


# --- angles and exponentials ---------------------------------------------------------------------

tan = torch.tan
arcsin = torch.asin
arccos = torch.acos
arctan = torch.atan
sinh = torch.sinh
cosh = torch.cosh
arcsinh = torch.asinh
arccosh = torch.acosh
arctanh = torch.atanh
sinc = torch.sinc
exp2 = torch.exp2
log2 = torch.log2
log10 = torch.log10
logaddexp = torch.logaddexp
logaddexp2 = torch.logaddexp2
erfc = torch.erfc
erfinv = torch.erfinv
i0 = torch.i0
hypot = torch.hypot


def cbrt(x: Tensor) -> Tensor:
    return torch.copysign(torch.pow(torch.abs(x), 1 / 3), x)


# --- integers, bits and complex numbers ----------------------------------------------------------

fmax = torch.fmax
fmin = torch.fmin
fmod = torch.fmod
signbit = torch.signbit
nan_to_num = torch.nan_to_num
gcd = torch.gcd
lcm = torch.lcm
bitwise_and = torch.bitwise_and
bitwise_or = torch.bitwise_or
bitwise_xor = torch.bitwise_xor
bitwise_not = torch.bitwise_not
bitwise_left_shift = torch.bitwise_left_shift
bitwise_right_shift = torch.bitwise_right_shift
complex_of = torch.complex
real = torch.real
conj = torch.conj_physical


def trunc(x: Tensor) -> Tensor:
    return torch.trunc(x) if x.is_floating_point() else x


def imag(x: Tensor) -> Tensor:
    return torch.imag(x) if x.is_complex() else torch.zeros_like(x)


def view(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    if dtype is None:
        return x
    kind = core.NATIVE[dtypes.standardize(dtype)]
    if not x.numel():  # whose strides may be anything
        last = x.shape[-1] * x.element_size() // kind.itemsize
        return x.new_empty((*x.shape[:-1], last), dtype=kind)
    return x.contiguous().view(kind)


def diag(x: Tensor, k: int = 0) -> Tensor:
    return torch.diag(x, k)


isposinf = torch.isposinf
isneginf = torch.isneginf


def nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.dtype not in (torch.float32, torch.float64):
        return NotImplemented
    return torch.nextafter(x1, x2)


def view_as_real(x: Tensor) -> Tensor:
    return torch.view_as_real(x) if x.is_complex() else NotImplemented


def view_as_complex(x: Tensor) -> Tensor:
    fits = x.numel() and x.shape[-1] == 2 and x.dtype in (torch.float32, torch.float64)
    return torch.view_as_complex(x.contiguous()) if fits else NotImplemented


for _declining in (nextafter, view_as_real, view_as_complex):
    _declining.declines = True  # type: ignore[attr-defined]
