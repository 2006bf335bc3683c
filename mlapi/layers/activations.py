"""Activation functions as layers, for those that have parameters."""

import warnings
from typing import Any

from mlapi import activations, constraints, initializers, ops, regularizers
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Shape, Tensor
from mlapi.validation import checked_axes, integer_axes, non_negative, number, optional


class ReLU(Layer):
    """Rectified linear unit with an optional leak, ceiling and threshold.

        x                              where threshold ≤ x < max_value
        max_value                      where x ≥ max_value
        negative_slope (x - threshold) where x < threshold

    Args:
        max_value: the largest output, or None for no ceiling.
        negative_slope: slope below the threshold.
        threshold: below it values are damped.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.
    """

    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = optional(non_negative)(self, "max_value", max_value)
        self.negative_slope = non_negative(self, "negative_slope", negative_slope)
        self.threshold = non_negative(self, "threshold", threshold)

    def call(self, x: Tensor) -> Tensor:
        """Returns the rectified `x`."""
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """`x` where it is positive, `negative_slope * x` elsewhere.

    Args:
        negative_slope: slope of the negative part.
        **kwargs: `name`, `trainable`, `dtype`; `alpha`, the older name of the slope.

    Shapes: the output has the shape of the input.
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            message = "LeakyReLU: alpha is deprecated; call it negative_slope."
            warnings.warn(message, DeprecationWarning, stacklevel=2)
        super().__init__(**kwargs)
        self.negative_slope = number(self, "negative_slope", negative_slope)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` with its negative part scaled down."""
        return ops.leaky_relu(x, self.negative_slope)


class ELU(Layer):
    """Exponential linear unit: `x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Clevert et al., "Fast and accurate deep network learning by exponential linear units",
    2016 (arXiv:1511.07289).

    Args:
        alpha: minus the limit for large negative inputs.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = number(self, "alpha", alpha)

    def call(self, x: Tensor) -> Tensor:
        """Returns the exponential linear unit of `x`."""
        return ops.elu(x, self.alpha)


class Softmax(Layer):
    """Exponentials that sum to one along an axis; masked places get 0.

    Args:
        axis: the axis, or a list of axes, along which the output sums to one.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input; a mask has it too, True for places that count.
    """

    supports_masking = True

    def __init__(self, axis: int | list[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = integer_axes(self, "axis", axis)

    def call(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the softmax of `x` over the places where `mask` is True."""
        if mask is None:
            return ops.softmax(x, axis=self.axis)
        # Finite, since rows with no place left would otherwise be 0 / 0.
        far_below = -6e4 if self.compute_dtype == "float16" else -1e30
        weights = ops.softmax(ops.where(mask, x, far_below), axis=self.axis)
        return weights * ops.cast(mask, weights.dtype)


class PReLU(Layer):
    """Leaky ReLU whose slope is learnt, one for each feature.

    He et al., "Delving deep into rectifiers", 2015 (arXiv:1502.01852).

    Weights: `alpha`, of the input's shape without the batch axis, 1 along `shared_axes`.

    Args:
        alpha_initializer: first slopes.
        alpha_regularizer: penalty on the slopes, added to the loss.
        alpha_constraint: function applied to the slopes after each update.
        shared_axes: axes along which one slope is shared, the batch axis being 0. After a
            convolution over images `[1, 2]` leaves one slope for each channel.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | list[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = optional(integer_axes)(self, "shared_axes", shared_axes)
        if isinstance(self.shared_axes, int):
            self.shared_axes = (self.shared_axes,)

    def build(self, input_shape: Shape) -> None:
        """Creates the slopes for inputs of this shape."""
        shape = list(input_shape)
        for axis in checked_axes(self, self.shared_axes or (), len(shape)):
            shape[axis] = 1
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(shape[1:]),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        fixed = {axis: size for axis, size in enumerate(shape) if axis and size != 1}
        self.input_spec = InputSpec(ndim=len(shape), axes=fixed)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` with its negative part scaled by the learnt slopes."""
        return ops.relu(x) - self.alpha * ops.relu(-x)
