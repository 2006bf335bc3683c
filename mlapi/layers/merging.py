"""Layers that make one tensor of several: Add, Multiply, Concatenate and their kin.

Each layer has a function of the same name in lower case: `add([x, y])` is `Add()([x, y])`.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from mlapi import ops
from mlapi.errors import ArgumentError, ArgumentTypeError, ShapeError
from mlapi.layers.base import Layer
from mlapi.types import Tensor
from mlapi.validation import integer_axis


def _listed(layer: Layer, inputs: Any) -> None:
    if not isinstance(inputs, (list, tuple)):
        raise ArgumentTypeError(
            f'{type(layer).__name__} "{layer.path}" takes a list of tensors, '
            f"received a {type(inputs).__name__}."
        )


def _received_shapes(layer: Layer, input_shape: Any) -> list[tuple[int | None, ...]]:
    """The shapes of the inputs, if they are the shapes of a list."""
    is_list = isinstance(input_shape, (list, tuple)) and all(
        isinstance(shape, (list, tuple)) for shape in input_shape
    )
    if not is_list or not input_shape:
        raise ArgumentError(
            f'{type(layer).__name__} "{layer.path}" takes a list of at least one tensor, '
            f"received one input of shape {input_shape}. Put the inputs into a list: [x, y]."
        )
    return [tuple(shape) for shape in input_shape]


class _Merge(Layer):
    """Combines tensors of shapes that broadcast, value by value.

    Inputs of fewer axes get axes of size 1 behind their batch axis: `(batch, 4)` goes together
    with `(batch, time, 4)`.
    """

    supports_masking = True
    _reshape_ranks = False
    _rank = 0

    def build(self, input_shape: Any) -> None:
        """Checks that the shapes go together."""
        shapes = _received_shapes(self, input_shape)
        self._check_count(len(shapes))
        self._rank = max(map(len, shapes))
        self._reshape_ranks = any(len(shape) != self._rank for shape in shapes)
        padded = [self._padded(shape) for shape in shapes]
        for sizes in zip(*padded, strict=True):
            if len({size for size in sizes if size not in (None, 1)}) > 1:
                raise ShapeError(
                    f'{type(self).__name__} "{self.path}": inputs of shapes '
                    f"{', '.join(map(str, shapes))} cannot be combined. Sizes along an axis must "
                    "be equal or 1."
                )

    def _check_count(self, count: int) -> None:
        """One input is as good as several, but where a layer says otherwise."""

    def _padded(self, shape: tuple) -> tuple:
        return shape[:1] + (1,) * (self._rank - len(shape)) + shape[1:]

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Returns the inputs combined."""
        if self._reshape_ranks:
            inputs = [ops.reshape(x, self._padded(tuple(ops.shape(x)))) for x in inputs]
        return self._merge(inputs)

    def _merge(self, inputs: Sequence[Tensor]) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Tensor | None:
        """Returns True where any input counts; None if some input has no mask."""
        masks = previous_mask
        if not isinstance(masks, (list, tuple)) or any(mask is None for mask in masks):
            return None
        return reduce(ops.logical_or, masks)


class Add(_Merge):
    """Adds its inputs.

    Takes a list of tensors whose shapes broadcast.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Add()([ops.ones((2, 3)), ops.ones((2, 1))]))
        (2, 3)
    """

    def _merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(ops.add, inputs)


class Subtract(_Merge):
    """Subtracts the second of two inputs from the first.

    Takes a list of two tensors whose shapes broadcast.
    """

    def _check_count(self, count: int) -> None:
        if count != 2:
            raise ArgumentError(
                f'Subtract "{self.path}" takes a list of 2 tensors, received {count}.'
            )

    def _merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return ops.subtract(*inputs)


class Multiply(_Merge):
    """Multiplies its inputs, value by value.

    Takes a list of tensors whose shapes broadcast.
    """

    def _merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(ops.multiply, inputs)


class Average(_Merge):
    """Takes the mean of its inputs, value by value.

    Takes a list of tensors whose shapes broadcast.
    """

    def _merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return ops.divide(reduce(ops.add, inputs), len(inputs))


class Maximum(_Merge):
    """Takes the largest of its inputs, value by value.

    Takes a list of tensors whose shapes broadcast.
    """

    def _merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(ops.maximum, inputs)


class Minimum(_Merge):
    """Takes the smallest of its inputs, value by value.

    Takes a list of tensors whose shapes broadcast.
    """

    def _merge(self, inputs: Sequence[Tensor]) -> Tensor:
        return reduce(ops.minimum, inputs)


class Concatenate(Layer):
    """Puts its inputs side by side.

    Takes a list of tensors with equal sizes, except along `axis`.

    Args:
        axis: the axis along which the inputs follow one another.
        **kwargs: `name`, `trainable`, `dtype`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Concatenate()([ops.ones((2, 3)), ops.ones((2, 1))]))
        (2, 4)
    """

    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = integer_axis(self, "axis", axis)

    def build(self, input_shape: Any) -> None:
        """Checks that the shapes go together."""
        shapes = _received_shapes(self, input_shape)
        rank = len(shapes[0])
        fits = all(len(shape) == rank for shape in shapes) and -rank <= self.axis < rank
        if fits:
            along = self.axis % rank
            for axis, sizes in enumerate(zip(*shapes, strict=True)):
                fits &= axis == along or len({size for size in sizes if size is not None}) <= 1
        if not fits:
            raise ShapeError(
                f'Concatenate "{self.path}": inputs of shapes {", ".join(map(str, shapes))} '
                f"cannot be joined along axis {self.axis}. All other sizes must be equal."
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Returns the inputs joined along the axis."""
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Tensor | None:
        """Returns the joined masks; what has no mask counts everywhere."""
        masks = previous_mask
        if not isinstance(masks, (list, tuple)) or all(mask is None for mask in masks):
            return None
        whole = [
            ops.ones(ops.shape(x)[:2], dtype="bool") if mask is None else mask
            for x, mask in zip(inputs, masks, strict=True)
        ]
        axis = self.axis % len(inputs[0].shape)
        if axis < len(whole[0].shape):
            return ops.concatenate(whole, axis=axis)
        return reduce(ops.logical_or, whole)


def add(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """Returns `Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """Returns `Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """Returns `Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """Returns `Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """Returns `Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Tensor], **kwargs: Any) -> Tensor:
    """Returns `Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Tensor], axis: int = -1, **kwargs: Any) -> Tensor:
    """Returns `Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis, **kwargs)(inputs)
