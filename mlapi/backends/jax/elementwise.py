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
