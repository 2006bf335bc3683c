"""Functions of single elements on jax: aliases where name and meaning agree, then the others."""

import jax
import jax.numpy as jnp
from jax import lax

from mlapi import dtypes
from mlapi.backends.jax import core
from mlapi.types import DTypeLike

Tensor = jax.Array

add = jnp.add
subtract = jnp.subtract
multiply = jnp.multiply
divide = jnp.true_divide
floor_divide = jnp.floor_divide
mod = jnp.mod
power = jnp.power
negative = jnp.negative
absolute = jnp.abs
sign = jnp.sign
square = jnp.square
sqrt = jnp.sqrt
rsqrt = lax.rsqrt
reciprocal = jnp.reciprocal
exp = jnp.exp
expm1 = jnp.expm1
arctan2 = jnp.arctan2
log = jnp.log
log1p = jnp.log1p
sin = jnp.sin
cos = jnp.cos
tanh = jnp.tanh
erf = lax.erf
maximum = jnp.maximum
minimum = jnp.minimum
clip = jnp.clip
at_least = jnp.maximum
within = jnp.clip
keep_where = jnp.where
floor = jnp.floor
ceil = jnp.ceil
round = jnp.round

equal = jnp.equal
not_equal = jnp.not_equal
less = jnp.less
less_equal = jnp.less_equal
greater = jnp.greater
greater_equal = jnp.greater_equal
logical_and = jnp.logical_and
logical_or = jnp.logical_or
logical_xor = jnp.logical_xor
logical_not = jnp.logical_not
isnan = jnp.isnan
isinf = jnp.isinf
isfinite = jnp.isfinite

stop_gradient = lax.stop_gradient
copy = jnp.copy


def cast(x: Tensor, dtype: DTypeLike) -> Tensor:
    return core.cast(x, dtypes.standardize(dtype))


def where(
    condition: Tensor, x1: Tensor | None = None, x2: Tensor | None = None
) -> Tensor | tuple[Tensor, ...]:
    if x1 is None or x2 is None:
        return tuple(index.astype("int32") for index in jnp.where(condition))
    return jnp.where(condition, x1, x2)


# --- angles and exponentials ---------------------------------------------------------------------

tan = jnp.tan
arcsin = jnp.arcsin
arccos = jnp.arccos
arctan = jnp.arctan
sinh = jnp.sinh
cosh = jnp.cosh
arcsinh = jnp.arcsinh
arccosh = jnp.arccosh
arctanh = jnp.arctanh
sinc = jnp.sinc
hypot = jnp.hypot
exp2 = jnp.exp2
log2 = jnp.log2
log10 = jnp.log10
logaddexp = jnp.logaddexp
logaddexp2 = jnp.logaddexp2
erfc = lax.erfc
erfinv = lax.erf_inv
i0 = jnp.i0
cbrt = jnp.cbrt

# --- integers, bits and complex numbers ----------------------------------------------------------

fmod = jnp.fmod
trunc = jnp.trunc
signbit = jnp.signbit
gcd = jnp.gcd
lcm = jnp.lcm
bitwise_and = jnp.bitwise_and
bitwise_or = jnp.bitwise_or
bitwise_xor = jnp.bitwise_xor
bitwise_not = jnp.bitwise_not
bitwise_left_shift = jnp.left_shift
bitwise_right_shift = jnp.right_shift
complex_of = lax.complex
real = jnp.real
imag = jnp.imag
conj = jnp.conj
diag = jnp.diag


def view(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return x if dtype is None else x.view(dtypes.standardize(dtype))
