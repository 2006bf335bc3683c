"""Layers that bring each sample to mean 0 and variance 1, or to length 1.

`LayerNormalization`, `GroupNormalization`, `RMSNormalization`, `UnitNormalization`; older programs
import `BatchNormalization` from here, too.
"""

import warnings
from typing import Any

from mlapi import dtypes, ops
from mlapi.errors import ArgumentError, ShapeError
from mlapi.layers.base import Layer
from mlapi.layers.batch_normalization import BatchNormalization
from mlapi.layers.normalized import Normalized, known_sizes
from mlapi.types import Shape, Tensor
from mlapi.validation import (
    Check,
    as_integer,
    boolean,
    checked_axes,
    integer_axes,
    integer_axis,
    non_negative,
)

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]


def _in_order(layer: Layer, axes: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The axes counted from the front, in the order in which Keras has those of the weights."""
    listed = (axes,) if isinstance(axes, int) else tuple(sorted(axes))
    return checked_axes(layer, listed, rank)


class LayerNormalization(Normalized):
    """Normalises each sample over its features, then scales and shifts it.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    Ba, Kiros and Hinton, "Layer normalization", 2016 (arXiv:1607.06450).

    Weights, of the sizes of the normalised axes: `gamma`, then `beta`.

    Args:
        axis: the axis, or a list of axes, over which mean and variance are taken.
        epsilon: keeps the divisor away from 0.
        center: whether `beta` is added.
        scale: whether `gamma` is multiplied with.
        beta_initializer: first values of `beta`.
        gamma_initializer: first values of `gamma`.
        beta_regularizer: penalty on `beta`, added to the loss.
        gamma_regularizer: penalty on `gamma`, added to the loss.
        beta_constraint: function applied to `beta` after each update.
        gamma_constraint: function applied to `gamma` after each update.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.
    """

    def __init__(
        self,
        axis: int | list[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(
            epsilon,
            center and not rms_scaling,
            scale or rms_scaling,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.axis = integer_axes(self, "axis", axis)
        self.rms_scaling = boolean(self, "rms_scaling", rms_scaling)
        if self.rms_scaling:
            message = (
                "LayerNormalization: rms_scaling divides by the standard deviation, not by the "
                "root mean square; RMSNormalization does that."
            )
            warnings.warn(message, DeprecationWarning, stacklevel=2)
        self.autocast = False  # inputs of more bits are not cast before their moments are taken

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as plain data: what `from_config` takes."""
        return {**super().get_config(), "rms_scaling": self.rms_scaling}

    def build(self, input_shape: Shape) -> None:
        """Creates scale and offset of the sizes of the normalised axes."""
        self._axes = _in_order(self, self.axis, len(input_shape))
        self._add_gamma_and_beta(known_sizes(self, input_shape, self._axes))

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` normalised."""
        if self.rms_scaling:
            y = self._divide(x)
        else:
            y = ops.layer_normalization(x, self.gamma, self.beta, self._axes, self.epsilon)
        return y if y.dtype in self._accepts else ops.cast(y, self.compute_dtype)

    def _divide(self, x: Tensor) -> Tensor:
        x = ops.cast(x, dtypes.promote(x.dtype, "float32"))
        _, variance = ops.moments(x, self._axes, keepdims=True)
        order = sorted(range(len(self._axes)), key=self._axes.__getitem__)
        form = [n if i in self._axes else 1 for i, n in enumerate(x.shape)]
        gamma = ops.reshape(ops.transpose(self.gamma, order), form)
        return x * ops.rsqrt(variance + self.epsilon) * gamma


def _count(value: Any) -> int:
    number = as_integer(value, -1)
    if not number:
        raise ValueError
    return number


_groups = Check("an integer of at least 1, or -1 for as many groups as channels", _count, 0)


class GroupNormalization(Normalized):
    """Normalises groups of channels of each sample, then scales and shifts each channel.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    where mean and variance are those of all channels of the group, at all places of the sample.
    Wu and He, "Group normalization", 2018 (arXiv:1803.08494). As many groups as channels make it
    the instance normalization of Ulyanov et al., 2016 (arXiv:1607.08022).

    Weights, of the number of channels: `gamma`, then `beta`.

    Args:
        groups: into how many groups of neighbours the channels are cut; a divisor of their number,
            or -1 for that number.
        axis: the axis of the channels.
        epsilon: keeps the divisor away from 0.
        center: whether `beta` is added.
        scale: whether `gamma` is multiplied with.
        beta_initializer: first values of `beta`.
        gamma_initializer: first values of `gamma`.
        beta_regularizer: penalty on `beta`, added to the loss.
        gamma_regularizer: penalty on `gamma`, added to the loss.
        beta_constraint: function applied to `beta` after each update.
        gamma_constraint: function applied to `gamma` after each update.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.shape(layers.GroupNormalization(groups=4)(ops.ones((2, 5, 5, 8))))
        (2, 5, 5, 8)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.groups = _groups(self, "groups", groups)
        self.axis = integer_axis(self, "axis", axis)
        self.autocast = False  # inputs of more bits are not cast before their moments are taken

    def build(self, input_shape: Shape) -> None:
        """Creates one scale and one offset for each channel."""
        where = f'GroupNormalization "{self.path}"'
        (axis,) = checked_axes(self, self.axis, len(input_shape))
        if axis == 0:
            raise ArgumentError(f"{where}: axis={self.axis} is that of the samples.")
        (channels,) = known_sizes(self, input_shape, (axis,))
        self._groups = channels if self.groups == -1 else self.groups
        if channels % self._groups:
            raise ShapeError(
                f"{where}: {channels} channels cannot be cut into groups={self.groups}; choose a "
                f"divisor of {channels}."
            )
        self._add_gamma_and_beta((channels,))

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` normalised."""
        y = ops.group_normalization(x, self._groups, self.axis, self.beta, self.gamma, self.epsilon)
        return y if y.dtype in self._accepts else ops.cast(y, self.compute_dtype)


class RMSNormalization(Layer):
    """Divides each sample by the root mean square of its features, and scales it.

        y = scale x / sqrt(mean(x²) + epsilon)

    Zhang and Sennrich, "Root mean square layer normalization", 2019 (arXiv:1910.07467).

    Weights: `scale`, of the sizes of the axes.

    Args:
        axis: the axis, or a list of axes, over which the mean is taken.
        epsilon: keeps the divisor away from 0.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.convert_to_numpy(layers.RMSNormalization()([[1.0, 7.0]])).round(2)
        array([[0.2, 1.4]], dtype=float32)
    """

    def __init__(self, axis: int | list[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = integer_axes(self, "axis", axis)
        self.epsilon = non_negative(self, "epsilon", epsilon)

    def build(self, input_shape: Shape) -> None:
        """Creates the scale, of the sizes of the axes."""
        self._axes = _in_order(self, self.axis, len(input_shape))
        shape = known_sizes(self, input_shape, self._axes)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones", autocast=False)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` normalised."""
        return ops.rms_normalization(x, self.scale, self._axes, self.epsilon)


class UnitNormalization(Layer):
    """Divides each sample by its Euclidean length, so that it has length 1.

        y = x / sqrt(sum(x²))

    Samples of zeros stay as they are.

    Args:
        axis: the axis, or a list of axes, over which the sum is taken.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.convert_to_numpy(layers.UnitNormalization()([[3.0, 4.0]])).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """

    supports_masking = True

    def __init__(self, axis: int | list[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = integer_axes(self, "axis", axis)

    def build(self, input_shape: Shape) -> None:
        """Checks that the input has the axes."""
        checked_axes(self, self.axis, len(input_shape))

    def call(self, x: Tensor) -> Tensor:
        """Returns `x` divided by its length."""
        return ops.normalize(x, self.axis, epsilon=1e-12)
