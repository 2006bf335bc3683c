"""Layers that put zeros around their input, or cut off its margins."""

from typing import Any

from mlapi import ops
from mlapi.errors import ShapeError
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Shape, Tensor
from mlapi.validation import Check, ints
from mlapi.validation import data_format as checked_data_format


def _pairs(rank: int) -> Check:
    """As many pairs (before, after); an integer stands for an equal pair, or for all pairs."""
    pair = ints(2, least=0).convert

    def convert(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            return (pair(value),) * rank
        if rank == 1:
            return (pair(value),)
        if len(value) != rank:
            raise ValueError
        return tuple(pair(item) for item in value)

    pairs = "a pair of them" if rank == 1 else f"{rank} of them, or {rank} pairs"
    return Check(f"an integer of at least 0, or {pairs}", convert, -1)


class _ZeroPadding(Layer):
    """Zeros around the spatial axes; what the three of them share."""

    rank: int  # number of spatial axes

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pairs = _pairs(self.rank)(self, "padding", padding)
        self.padding = pairs[0] if self.rank == 1 else pairs
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        none = (0, 0)
        last = self.data_format == "channels_last"
        self._pad_width = (none, *pairs, none) if last else (none, none, *pairs)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` with zeros around it."""
        return ops.pad(x, self._pad_width)


class ZeroPadding1D(_ZeroPadding):
    """Adds zeros before and after each sequence.

    Args:
        padding: steps at both ends, or a pair of steps before and after.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, time + padding, channels)`.
    """

    rank = 1

    def __init__(
        self,
        padding: int | tuple[int, int] = 1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(_ZeroPadding):
    """Adds rows and columns of zeros around images.

    Args:
        padding: an integer for all four sides, a pair (rows, columns) for both sides of each,
            or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, height, width, channels)` → the same with larger height and width.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.ZeroPadding2D(((1, 0), (2, 2)))(ops.ones((1, 4, 4, 3))))
        (1, 5, 8, 3)
    """

    rank = 2

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Adds zeros around volumes.

    Args:
        padding: an integer for all six sides, three integers, or three pairs of integers.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, depth, height, width, channels)` → the same with larger spatial sizes.
    """

    rank = 3

    def __init__(
        self,
        padding: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class _Cropping(Layer):
    """Margins cut off the spatial axes; what the three of them share."""

    rank: int  # number of spatial axes

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pairs = _pairs(self.rank)(self, "cropping", cropping)
        self.cropping = pairs[0] if self.rank == 1 else pairs
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._pairs = pairs
        self._first = 1 if self.data_format == "channels_last" else 2
        kept = (slice(before, -after or None) for before, after in pairs)
        self._kept = (*[slice(None)] * self._first, *kept)

    def build(self, input_shape: Shape) -> None:
        """Checks that something is left."""
        sizes = input_shape[self._first : self._first + self.rank]
        for size, pair in zip(sizes, self._pairs, strict=True):
            if size is not None and sum(pair) >= size:
                raise ShapeError(
                    f'{type(self).__name__} "{self.path}": cropping={self.cropping} leaves '
                    f"nothing of an input of shape {tuple(input_shape)}."
                )

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` without its margins."""
        return x[self._kept]


class Cropping1D(_Cropping):
    """Cuts steps off both ends of each sequence.

    Args:
        cropping: steps at both ends, or a pair of steps at the start and the end.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)` → `(batch, time - cropping, channels)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Cropping1D((2, 1))(ops.ones((1, 8, 3))))
        (1, 5, 3)
    """

    rank = 1

    def __init__(self, cropping: int | tuple[int, int] = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Cuts rows and columns off the margins of images.

    Args:
        cropping: an integer for all four sides, a pair (rows, columns) for both sides of each,
            or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, height, width, channels)` → the same with smaller height and width.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Cropping2D(((1, 0), (2, 2)))(ops.ones((1, 8, 8, 3))))
        (1, 7, 4, 3)
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Cuts off the margins of volumes.

    Args:
        cropping: an integer for all six sides, three integers, or three pairs of integers.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, depth, height, width, channels)` → the same with smaller spatial sizes.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Cropping3D(1)(ops.ones((1, 4, 5, 6, 2))))
        (1, 2, 3, 4, 2)
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)
