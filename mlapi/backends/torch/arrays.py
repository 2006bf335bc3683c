"""Natives of torch for running products, rows that go somewhere by number, and shapes."""

# pyright: reportArgumentType=false, reportCallIssue=false

from collections.abc import Callable, Sequence

import numpy as np
import torch

from mlapi import dtypes
from mlapi.backends.axes import places
from mlapi.backends.torch import core
from mlapi.backends.torch.ops import cast
from mlapi.types import Axis, DTypeLike

Tensor = torch.Tensor


def kron(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.kron(x1.contiguous(), x2.contiguous())  # it refuses some views


def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return torch.diagonal(x, offset, axis1, axis2)


def host_int(x: Tensor) -> int | None:
    return None if core.is_imagining() or core.is_compiling() else int(x)


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


def windows(x: Tensor, axis: int, size: int, stride: int, dilation: int) -> Tensor:
    y = x.unfold(axis, (size - 1) * dilation + 1, stride)[..., ::dilation]
    return y.movedim(-1, axis + 1)


def search(sorted_sequence: Tensor, values: Tensor, side: str) -> Tensor:
    return torch.searchsorted(sorted_sequence, values.contiguous(), side=side, out_int32=True)


def count_nonzero(x: Tensor, axis: Axis | None = None) -> Tensor:
    if axis is not None and not isinstance(axis, int):
        axis = tuple(axis)
        if not axis:
            return (x != 0).to(torch.int32)
    return torch.count_nonzero(x, axis).to(torch.int32)


def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Tensor:
    return torch.isin(x1, x2, assume_unique=assume_unique, invert=invert)


def roll(x: Tensor, shift: int | Sequence[int], axis: Axis | None = None) -> Tensor:
    if axis is None:
        return torch.roll(x, int(np.sum(shift)))
    shifts, axes = np.broadcast_arrays(shift, axis)
    return torch.roll(x, shifts.ravel().tolist(), axes.ravel().tolist())


def cross(
    x1: Tensor, x2: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1,
    axis: int | None = None,
) -> Tensor:  # fmt: skip
    same = axis is not None or axisa == axisb == axisc == -1
    dim = -1 if axis is None else axis
    if not same or x1.ndim != x2.ndim or x1.shape[dim] != 3 or x2.shape[dim] != 3:
        return NotImplemented
    return torch.linalg.cross(x1, x2, dim=dim)


def tril(x: Tensor, k: int = 0) -> Tensor:
    return torch.tril(x, k) if x.ndim > 1 else NotImplemented


def triu(x: Tensor, k: int = 0) -> Tensor:
    return torch.triu(x, k) if x.ndim > 1 else NotImplemented


def multi_hot(
    inputs: Tensor, num_classes: int | None = None, axis: int = -1,
    dtype: DTypeLike | None = None, sparse: bool = False,
) -> Tensor:  # fmt: skip
    if num_classes is None or inputs.ndim not in (1, 2) or axis not in (-1, inputs.ndim):
        return NotImplemented
    ids = inputs.to(torch.int64)
    ids = torch.where((ids < 0) | (ids >= num_classes), num_classes, ids)
    found = inputs.new_zeros(
        (*inputs.shape[:-1], num_classes + 1), dtype=core.NATIVE[dtypes.standardize(dtype)]
    )
    return found.scatter_(-1, ids, 1)[..., :num_classes]


for _declining in (cross, multi_hot, tril, triu):
    _declining.declines = True  # type: ignore[attr-defined]


def _skipping_nan(native: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduce(x: Tensor, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
        none = isinstance(axis, tuple | list) and not axis  # which torch takes for all
        if none or not x.is_floating_point():
            return NotImplemented
        return native(x, None if axis is None else places(axis, x.ndim), keepdims)

    reduce.declines = True  # type: ignore[attr-defined]
    return reduce


nansum = _skipping_nan(torch.nansum)
nanmean = _skipping_nan(torch.nanmean)
