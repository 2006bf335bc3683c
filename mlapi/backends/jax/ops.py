"""Array operations on jax: aliases where name and meaning agree, then the real differences."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from mlapi import dtypes
from mlapi.backends.axes import place
from mlapi.backends.jax.elementwise import cast
from mlapi.types import Axis, DTypeLike, Shape

Tensor = jax.Array

# --- reductions ----------------------------------------------------------------------------------


def _axes(axis: Axis | None) -> int | tuple[int, ...] | None:
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


def _reduction(native: Callable[..., Tensor]) -> Any:
    def reduce(x: Tensor, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
        return native(x, axis=_axes(axis), keepdims=keepdims)

    return reduce


sum = _reduction(jnp.sum)
mean = _reduction(jnp.mean)
var = _reduction(jnp.var)
std = _reduction(jnp.std)
any = _reduction(jnp.any)
all = _reduction(jnp.all)
logsumexp = _reduction(jax.nn.logsumexp)


def max(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    return jnp.max(x, axis=_axes(axis), keepdims=keepdims, initial=initial)


def min(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    return jnp.min(x, axis=_axes(axis), keepdims=keepdims, initial=initial)


def prod(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, dtype: DTypeLike | None = None
) -> Tensor:
    dtype = None if dtype is None else dtypes.standardize(dtype)
    return jnp.prod(x, _axes(axis), dtype, keepdims=keepdims)


def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    return jnp.argmax(x, axis, keepdims=keepdims).astype("int32")


def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    return jnp.argmin(x, axis, keepdims=keepdims).astype("int32")


def cumsum(x: Tensor, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    if dtype is not None:
        x = cast(x, dtype)
    return jnp.cumsum(x, axis, dtype="int32" if x.dtype == bool else x.dtype)


# --- shapes --------------------------------------------------------------------------------------


def shape(x: Tensor) -> tuple[int, ...]:
    return x.shape


def zeros(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    return jnp.zeros(shape, dtypes.standardize(dtype))


def ones(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    return jnp.ones(shape, dtypes.standardize(dtype))


def full(shape: Shape, fill_value: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return jnp.full(shape, fill_value, dtypes.standardize(dtype))


def _like(x: Tensor, dtype: DTypeLike | None) -> Any:
    return x.dtype if dtype is None else dtypes.standardize(dtype)


def zeros_like(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return jnp.zeros_like(x, _like(x, dtype))


def ones_like(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return jnp.ones_like(x, _like(x, dtype))


def full_like(x: Tensor, fill_value: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return jnp.full_like(x, fill_value, _like(x, dtype))


def arange(
    start: float,
    stop: float | None = None,
    step: float | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    if dtype is None:
        dtype = dtypes.promote(*(type(v) for v in (start, stop, step) if v is not None))
    return jnp.arange(start, stop, step, dtypes.standardize(dtype))


transpose = jnp.transpose
swapaxes = jnp.swapaxes
moveaxis = jnp.moveaxis
broadcast_to = jnp.broadcast_to
concatenate = jnp.concatenate
stack = jnp.stack


def reshape(x: Tensor, newshape: int | Shape) -> Tensor:
    return jnp.reshape(x, newshape)


def expand_dims(x: Tensor, axis: Axis) -> Tensor:
    return jnp.expand_dims(x, axis)


def squeeze(x: Tensor, axis: Axis | None = None) -> Tensor:
    return jnp.squeeze(x, _axes(axis))


def split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    return list(jnp.split(x, indices_or_sections, axis))


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    return list(jnp.unstack(x, axis=axis))


def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    return jnp.tile(x, repeats)


def repeat(x: Tensor, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    if isinstance(repeats, int):
        return jnp.repeat(x, repeats, axis)
    counts = np.asarray(repeats)
    return jnp.repeat(x, counts, axis, total_repeat_length=int(counts.sum()))


def flip(x: Tensor, axis: Axis | None = None) -> Tensor:
    return jnp.flip(x, _axes(axis))


def pad(
    x: Tensor,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: float | None = None,
) -> Tensor:
    if mode == "constant":
        return jnp.pad(x, pad_width, mode, constant_values=constant_values or 0)
    return jnp.pad(x, pad_width, mode)


# --- indices -------------------------------------------------------------------------------------


def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    # `jnp.take` fills in NaN for what is out of range, which takes three times as long.
    return x[(builtins.slice(None),) * place(axis, x.ndim) + (indices,)]


def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        x, indices, axis = x.reshape(-1), indices.reshape(-1), 0
    return jnp.take_along_axis(x, indices, axis)


def one_hot(
    x: Tensor,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    return jax.nn.one_hot(x, num_classes, dtype=dtypes.standardize(dtype), axis=axis)


def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    values, indices = lax.top_k(x, k)
    return values, indices


sort = jnp.sort


def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    return jnp.argsort(x, axis, stable=True).astype("int32")


def slice(inputs: Tensor, start_indices: Tensor, shape: Sequence[int]) -> Tensor:
    return lax.dynamic_slice(inputs, tuple(start_indices), shape)


def slice_update(inputs: Tensor, start_indices: Tensor, updates: Tensor) -> Tensor:
    return lax.dynamic_update_slice(inputs, updates, tuple(start_indices))


# --- products ------------------------------------------------------------------------------------

matmul = jnp.matmul
dot = jnp.dot
outer = jnp.outer


def tensordot(
    x1: Tensor, x2: Tensor, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2
) -> Tensor:
    return jnp.tensordot(x1, x2, axes)


def einsum_of(operands: Sequence[Tensor], subscripts: str) -> Tensor:
    return jnp.einsum(subscripts, *operands)
