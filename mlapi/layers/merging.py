"""Layers that make one tensor of several: Add, Multiply, Concatenate, Dot and their kin.

Each layer has a function of the same name in lower case: `add([x, y])` is `Add()([x, y])`.
"""

import string
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from mlapi import ops
from mlapi.errors import ArgumentError, ArgumentTypeError, ShapeError
from mlapi.layers.base import Layer
from mlapi.types import Tensor
from mlapi.validation import Check, as_integer, boolean, integer_axis


def _dot_axes(value: Any) -> int | tuple[int, int]:
    if not isinstance(value, (list, tuple)):
        axes = as_integer(value)
    elif len(value) == 2:
        axes = as_integer(value[0]), as_integer(value[1])
    else:
        raise ValueError
    if axes == 0 or (isinstance(axes, tuple) and 0 in axes):
        raise ValueError
    return axes


_axes = Check("an integer or a pair of them, other than 0, which is the batch", _dot_axes, 0)


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


class Dot(Layer):
    """Sums the products of two tensors along one axis of each, sample by sample.

    Takes a list of two tensors. With `normalize` the vectors along these axes are divided by
    their lengths first, so that the result is the cosine of the angle between them.

    Args:
        axes: the axis of both inputs, or a pair of axes, one of each input. Negative axes count
            from the last; 0 is the batch and cannot be chosen.
        normalize: whether the vectors get length 1 before; those of length 0 stay.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the batch, what is left of the first input, then what is left of the second; two
    matrices `(batch, n)` give `(batch, 1)`.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.Dot(axes=(1, 2))([ops.ones((2, 3, 5)), ops.ones((2, 10, 3))]))
        (2, 5, 10)
    """

    supports_masking = True

    def __init__(self, axes: int | tuple[int, int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axes = _axes(self, "axes", axes)
        self.normalize = boolean(self, "normalize", normalize)

    def build(self, input_shape: Any) -> None:
        """Checks that the shapes go together."""
        shapes = _received_shapes(self, input_shape)
        if len(shapes) != 2:
            raise ArgumentError(
                f'Dot "{self.path}" takes a list of 2 tensors, received {len(shapes)}.'
            )
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        pairs = list(zip(axes, shapes, strict=True))
        fits = all(-len(shape) < axis < len(shape) for axis, shape in pairs)
        if fits:
            fits = _agree(shape[axis] for axis, shape in pairs) and _agree(s[0] for s in shapes)
        if not fits:
            raise ShapeError(
                f'Dot "{self.path}": inputs of shapes {shapes[0]} and {shapes[1]} cannot be '
                f"multiplied along axes={self.axes}. The sizes of these axes, and those of the "
                "first, must be equal."
            )
        self._of_inputs = [axis % len(shape) for axis, shape in pairs]
        self._equation = _products([len(shape) for shape in shapes], self._of_inputs)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Returns the products, summed along the axes."""
        _listed(self, inputs)
        x, y = inputs
        if self.normalize:
            x, y = (ops.normalize(z, axis) for z, axis in zip((x, y), self._of_inputs, strict=True))
        product = ops.einsum(self._equation, x, y)
        return ops.expand_dims(product, 1) if len(product.shape) == 1 else product

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Returns None: the axes that masks belong to are gone, or come twice."""


def _agree(sizes: Iterable[int | None]) -> bool:
    return len({size for size in sizes if size is not None}) <= 1


def _products(ranks: list[int], axes: list[int]) -> str:
    """The equation of `Dot` for `einsum`: `a` is the batch, `b` the axis that is summed."""
    letters = iter(string.ascii_letters[2:])
    terms = []
    for rank, along in zip(ranks, axes, strict=True):
        rest = ("b" if axis == along else next(letters) for axis in range(1, rank))
        terms.append("a" + "".join(rest))
    result = "a" + "".join(term[1:].replace("b", "") for term in terms)
    return f"{terms[0]},{terms[1]}->{result}"


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


def dot(inputs: Sequence[Tensor], axes: int | tuple[int, int] = -1, **kwargs: Any) -> Tensor:
    """Returns `Dot(axes, **kwargs)(inputs)`."""
    return Dot(axes, **kwargs)(inputs)
