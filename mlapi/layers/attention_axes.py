"""Attention along chosen axes of tensors with many, brought to the usual three."""

import math
from collections.abc import Sequence
from typing import Any

from mlapi import ops
from mlapi.types import Tensor


class Fold:
    """Brings attention along chosen axes to the usual three: batch, time, width.

    The axes along which is not attended join the batch; those along which is, become the time.
    """

    def __init__(self, rank: int, axes: tuple[int, ...]) -> None:
        self.axes = axes
        self.free = tuple(axis for axis in range(1, rank - 1) if axis not in axes)
        self.order = (0, *self.free, *axes)
        self.back = tuple(self.order.index(axis) for axis in range(rank - 1))

    def _batch(self, sizes: Sequence[Any]) -> list[Any]:
        return [sizes[axis] for axis in (0, *self.free)]

    def _time(self, sizes: Sequence[Any]) -> list[Any]:
        return [sizes[axis] for axis in self.axes]

    def features(self, x: Tensor) -> Tensor:
        """`(batch, …, width)` to `(B, T, width)`."""
        sizes = ops.shape(x)
        x = ops.transpose(x, (*self.order, len(self.order)))
        new = (math.prod(self._batch(sizes)), math.prod(self._time(sizes)), sizes[-1])
        return ops.reshape(x, new)

    def steps(self, mask: Tensor) -> Tensor:
        """`(batch, …)` to `(B, T)`."""
        sizes = ops.shape(mask)
        mask = ops.transpose(mask, self.order)
        return ops.reshape(mask, (math.prod(self._batch(sizes)), math.prod(self._time(sizes))))

    def pairs(self, mask: Tensor, query: Sequence[Any], value: Sequence[Any]) -> Tensor:
        """`(batch, free axes, [heads,] target axes, source axes)` to `(B, heads or 1, T, S)`."""
        batch, target, source = self._batch(query), self._time(query), self._time(value)
        if len(mask.shape) == len(batch) + len(target) + len(source):
            mask = ops.expand_dims(mask, len(batch))
        heads = ops.shape(mask)[len(batch)]
        mask = ops.broadcast_to(mask, (*batch, heads, *target, *source))
        new = (math.prod(batch), heads, math.prod(target), math.prod(source))
        return ops.reshape(mask, new)

    def unfold_features(self, x: Tensor, query: Sequence[Any]) -> Tensor:
        """The output `(B, T, …)` to the axes of the query, and its own last ones."""
        last = ops.shape(x)[2:]
        x = ops.reshape(x, (*self._batch(query), *self._time(query), *last))
        rank = len(self.back)
        return ops.transpose(x, (*self.back, *range(rank, rank + len(last))))

    def unfold_scores(self, x: Tensor, query: Sequence[Any], value: Sequence[Any]) -> Tensor:
        """`(B, H, T, S)` to `(batch, free axes, H, target axes, source axes)`."""
        heads = ops.shape(x)[1]
        new = (*self._batch(query), heads, *self._time(query), *self._time(value))
        return ops.reshape(x, new)
