"""Layers that rearrange their input: Flatten, Reshape, Permute, RepeatVector."""

import math
from collections.abc import Sequence
from typing import Any

from mlapi import ops
from mlapi.errors import ShapeError
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Shape, Tensor
from mlapi.validation import Check, as_integer, positive_int
from mlapi.validation import data_format as checked_data_format


def _sizes(value: Any) -> tuple[int, ...]:
    sizes = tuple(as_integer(size, -1) for size in value)
    if sizes.count(-1) > 1:
        raise ValueError
    return sizes


def _order(value: Any) -> tuple[int, ...]:
    order = tuple(as_integer(axis) for axis in value)
    if sorted(order) != list(range(1, len(order) + 1)):
        raise ValueError
    return order


_target_shape = Check("sizes of at least 0, at most one of them -1", _sizes, (-1, -1))
_permutation = Check("the numbers 1, 2, … of the axes, each of them once", _order, (2, 3))


class Flatten(Layer):
    """Puts all axes but the first into one.

    Args:
        data_format: with `"channels_first"` the channels are moved to the end before, so that
            the same image gives the same vector in both layouts.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, …)` → `(batch, product of the sizes)`; `(batch,)` → `(batch, 1)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Flatten()(ops.ones((2, 4, 5))))
        (2, 20)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` as a matrix."""
        rank = len(x.shape)
        if self.data_format == "channels_first" and rank > 2:
            x = ops.transpose(x, (0, *range(2, rank), 1))
        batch, *sizes = ops.shape(x)
        return ops.reshape(x, (batch, math.prod(sizes)))


class Reshape(Layer):
    """Gives the values of each sample another shape.

    Args:
        target_shape: the sizes without the batch axis; one of them may be -1, which stands for
            whatever is left.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, …)` → `(batch, *target_shape)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Reshape((3, -1))(ops.ones((2, 12))))
        (2, 3, 4)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = _target_shape(self, "target_shape", target_shape)

    def build(self, input_shape: Shape) -> None:
        """Checks that the sizes go together."""
        sizes: Any = input_shape[1:]
        if None not in sizes:
            self._resolve(math.prod(sizes), tuple(input_shape))

    def call(self, x: Tensor) -> Tensor:
        """Returns the values of `x` in the target shape."""
        batch, *sizes = ops.shape(x)
        size = math.prod(sizes)
        if isinstance(size, int):
            return ops.reshape(x, (batch, *self._resolve(size, x.shape)))
        return ops.reshape(x, (batch, *self.target_shape))

    def _resolve(self, size: int, input_shape: Shape) -> tuple[int, ...]:
        known = math.prod([n for n in self.target_shape if n != -1])
        rest = size // known if known else 0
        target = tuple([rest if n == -1 else n for n in self.target_shape])
        if math.prod(target) != size:
            raise ShapeError(
                f'Reshape "{self.path}": an input of shape {tuple(input_shape)} holds {size} '
                f"values a sample, which do not fit target_shape={self.target_shape} "
                f"({known} values{' or a multiple' if -1 in self.target_shape else ''})."
            )
        return target


class Permute(Layer):
    """Puts the axes of each sample in another order.

    Args:
        dims: the new order, counted from 1; the batch axis stays in front. `(2, 1)` swaps the
            first two axes of a sample.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: axis `i` of the output is axis `dims[i - 1]` of the input.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Permute((2, 1))(ops.ones((2, 3, 4))))
        (2, 4, 3)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = _permutation(self, "dims", dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` with its axes reordered."""
        return ops.transpose(x, (0, *self.dims))


class RepeatVector(Layer):
    """Repeats each vector along a new time axis.

    Args:
        n: how many times.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, features)` → `(batch, n, features)`.
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive_int(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, x: Tensor) -> Tensor:
        """Returns `n` copies of each row of `x`."""
        return ops.repeat(ops.expand_dims(x, 1), self.n, axis=1)
