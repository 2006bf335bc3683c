"""Natives of jax for running products, rows that go somewhere by number, and shapes."""

from typing import Any

import jax
import jax.numpy as jnp

from mlapi.backends.jax.ops import cast
from mlapi.backends.windows import indices
from mlapi.types import DTypeLike

Tensor = jax.Array

diagonal = jnp.diagonal
kron = jnp.kron


def host_int(x: Tensor) -> int | None:
    try:
        return int(x)
    except jax.errors.ConcretizationTypeError:
        return None


def cumprod(x: Tensor, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    if dtype is not None:
        x = cast(x, dtype)
    return jnp.cumprod(x, axis, dtype="int32" if x.dtype == bool else x.dtype)


@jax.custom_jvp
def _multiply_at(into: Tensor, ids: Tensor, rows: Tensor) -> Tensor:
    return into.at[ids].multiply(rows)


@_multiply_at.defjvp
def _multiply_at_jvp(primals: tuple[Tensor, ...], changes: tuple[Tensor, ...]) -> Any:
    """Jax has none where ids repeat: each row times the product of the others, zeros apart."""
    (into, ids, rows), (into_change, _, rows_change) = primals, changes
    zeros = jnp.zeros_like(into).at[ids].add((rows == 0).astype(into.dtype))
    rest = jnp.where(rows == 0, 1, rows)
    product = _multiply_at(jnp.ones_like(into), ids, rest)
    others = (into * product)[ids] / rest
    slope = jnp.where(zeros[ids] == (rows == 0), others, 0)
    change = into_change * jnp.where(zeros == 0, product, 0)
    return _multiply_at(into, ids, rows), change.at[ids].add(slope * rows_change)


def accumulate(into: Tensor, ids: Tensor, rows: Tensor, how: str | None, sorted: bool) -> Tensor:
    if how == "mul":
        return _multiply_at(into, ids, rows)
    return getattr(into.at[ids], how or "set")(rows, indices_are_sorted=sorted)


def windows(x: Tensor, axis: int, size: int, stride: int, dilation: int) -> Tensor:
    return jnp.take(x, indices(x.shape[axis], size, stride, dilation), axis, mode="clip")


def search(sorted_sequence: Tensor, values: Tensor, side: str) -> Tensor:
    return jnp.searchsorted(sorted_sequence, values, side=side).astype("int32")
