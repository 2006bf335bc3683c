"""`BatchNormalization`: each channel brought to mean 0 and variance 1 over the batch."""

import math
from collections.abc import Mapping
from typing import Any

from mlapi import dtypes, initializers, ops
from mlapi.errors import ArgumentError, nearest
from mlapi.layers.base import Layer
from mlapi.layers.normalized import Normalized, known_sizes
from mlapi.types import Shape, Tensor
from mlapi.validation import boolean, checked_axes, fraction, integer_axis, non_negative


class BatchNormalization(Normalized):
    """Normalises each channel over the batch, then scales and shifts it.

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    While training, mean and variance are those of the batch, and their moving averages are kept;
    otherwise, and while the layer is not `trainable`, the moving averages take their place.
    Ioffe and Szegedy, "Batch normalization", 2015 (arXiv:1502.03167).

    Weights, each of the size of the normalised axis: `gamma`, `beta`, `moving_mean`,
    `moving_variance`, the last two not trainable; with `renorm` also `moving_stddev`,
    `renorm_mean` and `renorm_stddev`.

    Args:
        axis: the axis of the channels, each of which is normalised by itself.
        momentum: share of the moving averages that stays at each step.
        epsilon: keeps the divisor away from 0.
        center: whether `beta` is added.
        scale: whether `gamma` is multiplied with.
        beta_initializer: first values of `beta`.
        gamma_initializer: first values of `gamma`.
        moving_mean_initializer: first values of the moving mean.
        moving_variance_initializer: first values of the moving variance.
        beta_regularizer: penalty on `beta`, added to the loss.
        gamma_regularizer: penalty on `gamma`, added to the loss.
        beta_constraint: function applied to `beta` after each update.
        gamma_constraint: function applied to `gamma` after each update.
        renorm: whether small batches are corrected towards moving averages (Ioffe, "Batch
            renormalization", 2017, arXiv:1702.03275): the normalised values are multiplied
            by `r = σ_batch / σ_renorm` and moved by `d = (μ_batch - μ_renorm) / σ_renorm`.
        renorm_clipping: bounds on the correction: a dict with `"rmax"`, `"rmin"`, `"dmax"`, or
            some of them.
        renorm_momentum: share of the averages behind `r` and `d` that stays at each step.
        synchronized: whether statistics are taken over the batches of all processes or replicas
            that train together, see `ops.moments`. A process by itself has nothing to synchronise.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input; a mask is True for what counts. Statistics have
    32 bits at least, whatever the layer computes in.
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
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
        self.axis = integer_axis(self, "axis", axis)
        self.momentum = fraction(self, "momentum", momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = boolean(self, "renorm", renorm)
        self.renorm_clipping = _clipping(self, renorm_clipping)
        self.renorm_momentum = fraction(self, "renorm_momentum", renorm_momentum)
        self.synchronized = boolean(self, "synchronized", synchronized)

    def build(self, input_shape: Shape) -> None:
        """Creates one number of each kind for each channel."""
        rank = len(input_shape)
        (axis,) = checked_axes(self, self.axis, rank)
        shape = known_sizes(self, input_shape, (axis,))
        self._add_gamma_and_beta(shape)
        mean: Any = self.moving_mean_initializer
        variance: Any = self.moving_variance_initializer
        self.moving_mean = self._add_average("moving_mean", shape, mean)
        self.moving_variance = self._add_average("moving_variance", shape, variance)
        if self.renorm:

            def stddev(shape: Shape, dtype: str) -> Tensor:
                return ops.sqrt(variance(shape, dtype=dtype))

            self.moving_stddev = self._add_average("moving_stddev", shape, stddev)
            self.renorm_mean = self._add_average("renorm_mean", shape, mean)
            self.renorm_stddev = self._add_average("renorm_stddev", shape, stddev)
        self._others = tuple(i for i in range(rank) if i != axis)
        self._one_a_channel = tuple(-1 if i == axis else 1 for i in range(rank))

    def _add_average(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=False, autocast=False
        )

    def call(self, x: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Returns `x` normalised; keeps the moving averages if `training`."""
        if not (training and self.trainable):
            return self._normalise(x, self.moving_mean, self.moving_variance)
        if mask is None and not self.renorm:
            y, mean, variance = ops.batch_normalization_training(
                x, self.axis, self.beta, self.gamma, self.epsilon, self.synchronized
            )
        else:
            x = ops.cast(x, dtypes.promote(self.compute_dtype, "float32"))
            mean, variance = self._moments(x, mask)
            if self.renorm:
                return ops.cast(self._renormalise(x, mean, variance), self.compute_dtype)
            y = ops.cast(self._normalise(x, mean, variance), self.compute_dtype)
            mean, variance = ops.stop_gradient(mean), ops.stop_gradient(variance)
        _approach(self.moving_mean, mean, self.momentum)
        _approach(self.moving_variance, variance, self.momentum)
        return y

    def _normalise(self, x: Tensor, mean: Any, variance: Any) -> Tensor:
        return ops.batch_normalization(
            x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon
        )

    def _moments(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel over the places that the mask lets count."""
        if mask is None:
            return ops.moments(x, self._others, synchronized=self.synchronized)
        kept = ops.cast(mask, "bool")
        while len(kept.shape) < len(x.shape):
            kept = ops.expand_dims(kept, -1)
        kept = ops.broadcast_to(kept, ops.shape(x))
        # Shares of all places, rather than counts, which other processes would have to add to.
        share = ops.maximum(self._mean(ops.cast(kept, x.dtype)), 1e-12)
        mean = self._mean(ops.where(kept, x, 0.0)) / share
        deviation = ops.where(kept, x - ops.reshape(mean, self._one_a_channel), 0.0)
        return mean, self._mean(ops.square(deviation)) / share

    def _mean(self, x: Tensor) -> Tensor:
        if self.synchronized:
            return ops.moments(x, self._others, synchronized=True)[0]
        return ops.mean(x, self._others)

    def _renormalise(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        stddev = ops.sqrt(variance + self.epsilon)
        bounds = self.renorm_clipping or {}
        r = ops.divide(stddev, self.renorm_stddev)
        d = ops.divide(ops.subtract(mean, self.renorm_mean), self.renorm_stddev)
        r = ops.clip(r, bounds.get("rmin", 0.0), bounds.get("rmax", math.inf))
        if "dmax" in bounds:
            d = ops.clip(d, -bounds["dmax"], bounds["dmax"])
        scale = ops.stop_gradient(r) / stddev
        offset = ops.stop_gradient(d) - mean * scale
        if self.gamma is not None:
            scale, offset = ops.multiply(scale, self.gamma), ops.multiply(offset, self.gamma)
        if self.beta is not None:
            offset = ops.add(offset, self.beta)
        mean, stddev = ops.stop_gradient(mean), ops.stop_gradient(stddev)
        _approach(self.renorm_mean, mean, self.renorm_momentum)
        _approach(self.renorm_stddev, stddev, self.renorm_momentum)
        _approach(self.moving_mean, mean, self.momentum)
        _approach(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(ops.square(self.moving_stddev) - self.epsilon)
        shape = self._one_a_channel
        return x * ops.reshape(scale, shape) + ops.reshape(offset, shape)


def _approach(average: Any, value: Tensor, momentum: float) -> None:
    """Moves an average towards a value, of which it takes the share `1 - momentum`."""
    average.assign_add(ops.subtract(value, average) * (1.0 - momentum))


def _clipping(layer: Layer, value: Mapping[str, float] | None) -> dict[str, float] | None:
    if value is None:
        return None
    for key in value:
        if key not in ("rmin", "rmax", "dmax"):
            raise ArgumentError(
                f'BatchNormalization "{layer.name}": renorm_clipping takes "rmin", "rmax" and '
                f'"dmax", received {key!r}.{nearest(key, ("rmin", "rmax", "dmax"))}'
            )
    bounds = {k: non_negative(layer, f"renorm_clipping[{k!r}]", v) for k, v in value.items()}
    if bounds.get("rmin", 0.0) > bounds.get("rmax", math.inf):
        raise ArgumentError(
            f'BatchNormalization "{layer.name}": renorm_clipping must have "rmin" below "rmax", '
            f"received {bounds['rmin']} and {bounds['rmax']}."
        )
    return bounds
