"""Natives of jax for running products, rows that go somewhere by number, and shapes."""

import jax
import jax.numpy as jnp

from mlapi.backends.jax.ops import cast
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


def accumulate(into: Tensor, ids: Tensor, rows: Tensor, how: str | None, sorted: bool) -> Tensor:
    return getattr(into.at[ids], how or "set")(rows, indices_are_sorted=sorted)


def search(sorted_sequence: Tensor, values: Tensor, side: str) -> Tensor:
    return jnp.searchsorted(sorted_sequence, values, side=side).astype("int32")
