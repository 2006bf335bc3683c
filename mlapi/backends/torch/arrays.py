"""Natives of torch for running products, rows that go somewhere by number, and shapes."""

# pyright: reportArgumentType=false, reportCallIssue=false

import torch

from mlapi.backends.torch import core
from mlapi.backends.torch.ops import cast
from mlapi.types import DTypeLike

Tensor = torch.Tensor

kron = torch.kron


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return torch.diagonal(x, offset, axis1, axis2)


def host_int(x: Tensor) -> int | None:
    return None if core.is_imagining() or torch.compiler.is_compiling() else int(x)


def cumprod(x: Tensor, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    if dtype is not None:
        x = cast(x, dtype)
    return torch.cumprod(x, axis, dtype=torch.int32 if x.dtype is torch.bool else x.dtype)


_REDUCTIONS = {"max": "amax", "min": "amin", "mul": "prod"}


def accumulate(into: Tensor, ids: Tensor, rows: Tensor, how: str | None, sorted: bool) -> Tensor:
    if how == "add":
        return into.index_add(0, ids, rows)
    if how is None:
        return into.index_put((ids,), rows)
    places = ids.to(torch.int64).reshape((-1,) + (1,) * (rows.ndim - 1)).expand(rows.shape)
    return into.scatter_reduce(0, places, rows, _REDUCTIONS[how], include_self=True)


def search(sorted_sequence: Tensor, values: Tensor, side: str) -> Tensor:
    return torch.searchsorted(sorted_sequence, values.contiguous(), side=side, out_int32=True)
