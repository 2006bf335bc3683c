"""Array operations on torch: aliases where name and meaning agree, then the real differences."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false

import builtins
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from mlapi import dtypes
from mlapi.backends.axes import place, places
from mlapi.backends.torch import core
from mlapi.backends.torch.elementwise import cast
from mlapi.errors import ShapeError
from mlapi.types import Axis, DTypeLike, Shape

Tensor = torch.Tensor

# --- reductions ----------------------------------------------------------------------------------


def _reduction(
    native: Callable[..., Tensor],
    unreduced: Callable[[Tensor], Tensor],
    whole: Callable[[Tensor], Tensor] | None = None,
) -> Any:
    """Torch takes an empty list of axes for all axes; `unreduced` is the result for none.

    `whole` is the way over all axes, where there is one that is quicker than naming them.
    """

    def reduce(x: Tensor, axis: Axis | None = None, keepdims: bool = False) -> Tensor:
        if axis is None:
            if whole is not None and not keepdims:
                return whole(x)
            axis = tuple(range(x.ndim))
        elif type(axis) is not int and len(axis) == 0:
            return unreduced(x)
        return native(x, dim=axis, keepdim=keepdims)

    return reduce


def _itself(x: Tensor) -> Tensor:
    return x


def _no_spread(x: Tensor) -> Tensor:
    return x - x  # which is NaN for what is not finite


def _sum(x: Tensor, dim: Axis | None = None, keepdim: bool = False) -> Tensor:
    return torch.sum(x, dim, keepdim, dtype=x.dtype)  # torch would make int64 of any integers


sum = _reduction(_sum, _itself, _sum)
mean = _reduction(torch.mean, _itself, torch.mean)
any = _reduction(torch.any, _itself)
all = _reduction(torch.all, _itself)
amax = _reduction(torch.amax, _itself)
amin = _reduction(torch.amin, _itself)
logsumexp = _reduction(torch.logsumexp, _itself)
var = _reduction(functools.partial(torch.var, correction=0), _no_spread)
std = _reduction(functools.partial(torch.std, correction=0), _no_spread)


def max(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    if initial is None:
        return amax(x, axis, keepdims)
    if x.numel() == 0:  # a sum has the shape, and there is nothing to find the largest of
        return torch.full_like(sum(x, axis, keepdims), initial)
    return torch.clamp(amax(x, axis, keepdims), min=initial)


def min(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, initial: float | None = None
) -> Tensor:
    if initial is None:
        return amin(x, axis, keepdims)
    if x.numel() == 0:
        return torch.full_like(sum(x, axis, keepdims), initial)
    return torch.clamp(amin(x, axis, keepdims), max=initial)


def prod(
    x: Tensor, axis: Axis | None = None, keepdims: bool = False, dtype: DTypeLike | None = None
) -> Tensor:
    if dtype is not None:
        x = cast(x, dtype)
    axes = range(x.ndim) if axis is None else places(axis, x.ndim)
    # Torch multiplies over one axis at a time; from the last, so that the others stay in place.
    for one in sorted(axes, reverse=True):
        x = torch.prod(x, dim=one, keepdim=keepdims, dtype=x.dtype)
    return x


def _arg(native: Callable[..., Tensor]) -> Any:
    def find(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
        if x.dtype is torch.bool:
            x = x.to(torch.uint8)
        index = native(x, dim=axis, keepdim=keepdims and axis is not None).to(torch.int32)
        return index.reshape((1,) * x.ndim) if keepdims and axis is None else index

    return find


argmax = _arg(torch.argmax)
argmin = _arg(torch.argmin)


def cumsum(x: Tensor, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    if dtype is not None:
        x = cast(x, dtype)
    return torch.cumsum(x, axis, dtype=torch.int32 if x.dtype is torch.bool else x.dtype)


# --- shapes --------------------------------------------------------------------------------------


def shape(x: Tensor) -> tuple[int, ...]:
    return tuple(x.shape)


def _place(dtype: DTypeLike | None) -> dict[str, Any]:
    """Dtype and device of a new tensor."""
    return {"dtype": core.NATIVE[dtypes.standardize(dtype)], "device": core.working_device()}


def zeros(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    return torch.zeros(shape, **_place(dtype))


def ones(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    return torch.ones(shape, **_place(dtype))


def full(shape: Shape, fill_value: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return torch.empty(shape, **_place(dtype)).copy_(fill_value)


def _native(dtype: DTypeLike | None) -> torch.dtype | None:
    return None if dtype is None else core.NATIVE[dtypes.standardize(dtype)]


def zeros_like(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return torch.zeros_like(x, dtype=_native(dtype))


def ones_like(x: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return torch.ones_like(x, dtype=_native(dtype))


def full_like(x: Tensor, fill_value: Tensor, dtype: DTypeLike | None = None) -> Tensor:
    return torch.empty_like(x, dtype=_native(dtype)).copy_(fill_value)


def arange(
    start: float,
    stop: float | None = None,
    step: float | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    if dtype is None:
        dtype = dtypes.promote(*(type(v) for v in (start, stop, step) if v is not None))
    if stop is None:
        start, stop = 0, start
    return torch.arange(start, stop, 1 if step is None else step, **_place(dtype))


def reshape(x: Tensor, newshape: int | Shape) -> Tensor:
    return x.reshape(newshape)


def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    return x.permute(tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


moveaxis = torch.movedim


def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    return torch.swapaxes(x, axis1, axis2)


def expand_dims(x: Tensor, axis: Axis) -> Tensor:
    if isinstance(axis, int):
        return torch.unsqueeze(x, axis)
    rank = x.ndim + len(axis)
    for one in sorted(places(axis, rank)):
        x = torch.unsqueeze(x, one)
    return x


def squeeze(x: Tensor, axis: Axis | None = None) -> Tensor:
    if axis is None:
        return torch.squeeze(x)
    for one in (axis,) if isinstance(axis, int) else axis:
        if x.shape[one] != 1:  # torch would leave it as it is
            raise ShapeError(f"squeeze: axis {one} of a tensor of shape {tuple(x.shape)} is not 1.")
    return torch.squeeze(x, axis if isinstance(axis, int) else tuple(axis))


def broadcast_to(x: Tensor, shape: Shape) -> Tensor:
    return torch.broadcast_to(x, tuple(shape))


def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    return torch.cat(xs, axis)


def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    return torch.stack(x, axis)


def split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    if isinstance(indices_or_sections, int) and x.shape[axis] % indices_or_sections:
        raise ShapeError(
            f"split: axis {axis} of a tensor of shape {tuple(x.shape)} cannot be cut into "
            f"{indices_or_sections} pieces of equal size."
        )
    return list(torch.tensor_split(x, indices_or_sections, axis))


def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    return list(torch.unbind(x, axis))


def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    return torch.tile(x, (repeats,) if isinstance(repeats, int) else tuple(repeats))


def repeat(x: Tensor, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    if isinstance(repeats, int):
        return torch.repeat_interleave(x, repeats, axis)
    counts = torch.as_tensor(repeats, dtype=torch.int64, device=x.device)
    # Their sum is known here; reading it off the tensor would wait for the device.
    return torch.repeat_interleave(x, counts, axis, output_size=int(np.sum(repeats)))


def flip(x: Tensor, axis: Axis | None = None) -> Tensor:
    axes = range(x.ndim) if axis is None else places(axis, x.ndim)
    return torch.flip(x, tuple(axes))


def _widths(pad_width: Any, rank: int) -> list[list[int]]:
    """A pair for each axis. NumPy is kept away from pairs, since compiled graphs would hold it."""
    pairs = pad_width if isinstance(pad_width, (list, tuple)) and len(pad_width) == rank else ()
    if pairs and builtins.all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        return [[int(before), int(after)] for before, after in pairs]
    return np.broadcast_to(np.asarray(pad_width), (rank, 2)).tolist()


def pad(
    x: Tensor,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: float | None = None,
) -> Tensor:
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        flat = [width for pair in reversed(widths) for width in pair]
        return torch.nn.functional.pad(x, flat, value=constant_values or 0)
    # Torch mirrors the last axes of some ranks only; by index it works for all.
    for axis, pair in enumerate(widths):
        if pair != [0, 0]:
            index = np.pad(np.arange(x.shape[axis]), pair, mode=mode)
            x = torch.index_select(x, axis, torch.as_tensor(index, device=x.device))
    return x


# --- indices -------------------------------------------------------------------------------------


def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = place(axis, x.ndim)
    if indices.ndim == 0:  # torch would read it as a number, which waits for the device
        return take(x, indices[None], axis).squeeze(axis)
    return x[(builtins.slice(None),) * axis + (indices,)]


def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        x, indices, axis = x.reshape(-1), indices.reshape(-1), 0
    indices = torch.where(indices < 0, indices + x.shape[axis], indices)
    return torch.take_along_dim(x, indices.to(torch.int64), axis)


def one_hot(
    x: Tensor,
    num_classes: int,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    axis = place(axis, x.ndim + 1)
    classes = torch.arange(num_classes, device=x.device)
    classes = classes.reshape((-1,) + (1,) * (x.ndim - axis))
    return (torch.unsqueeze(x, axis) == classes).to(core.NATIVE[dtypes.standardize(dtype)])


def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    values, indices = torch.topk(x, k, sorted=sorted)
    return values, indices.to(torch.int32)


def sort(x: Tensor, axis: int | None = -1) -> Tensor:
    return torch.sort(x.reshape(-1) if axis is None else x, dim=axis or 0, stable=True).values


def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    x = x.reshape(-1) if axis is None else x
    return torch.argsort(x, dim=axis or 0, stable=True).to(torch.int32)


def _block(starts: Tensor, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Index of a block that begins at `starts`; the numbers stay where they are, on the device."""
    starts = starts.to(torch.int64)
    return tuple(
        (starts[axis] + torch.arange(size, device=starts.device)).reshape(
            (-1,) + (1,) * (len(shape) - axis - 1)
        )
        for axis, size in enumerate(shape)
    )


def slice(inputs: Tensor, start_indices: Tensor, shape: Sequence[int]) -> Tensor:
    return inputs[_block(start_indices, shape)] if len(shape) else inputs


def slice_update(inputs: Tensor, start_indices: Tensor, updates: Tensor) -> Tensor:
    if inputs.ndim == 0:
        return updates
    return inputs.index_put(_block(start_indices, updates.shape), updates)


# --- products ------------------------------------------------------------------------------------

matmul = torch.matmul


def outer(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.outer(x1.reshape(-1), x2.reshape(-1))


def dot(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.ndim == 0 or x2.ndim == 0:
        return torch.mul(x1, x2)
    if x2.ndim <= 2:
        return torch.matmul(x1, x2)
    return torch.tensordot(x1, x2, ([-1], [-2]))


def tensordot(
    x1: Tensor, x2: Tensor, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2
) -> Tensor:
    if not isinstance(axes, int):
        axes = [[one] if isinstance(one, int) else list(one) for one in axes]
    return torch.tensordot(x1, x2, axes)


def einsum_of(operands: Sequence[Tensor], subscripts: str) -> Tensor:
    return torch.einsum(subscripts, *operands)


def cdist(x: Tensor, y: Tensor) -> Tensor:
    half = x.dtype in (torch.float16, torch.bfloat16)
    a, b = (x.float(), y.float()) if half else (x, y)
    # By products it would be quicker, and wrong for points close to each other.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").to(x.dtype)
