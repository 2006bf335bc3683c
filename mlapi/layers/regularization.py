"""Layers that add noise while training: Dropout and its kin."""

from collections.abc import Sequence
from typing import Any

from mlapi import ops, random
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Tensor
from mlapi.validation import data_format as checked_data_format
from mlapi.validation import fraction, non_negative


class Dropout(Layer):
    """Sets a random share of the values to 0 while training and scales up the rest.

    What is kept is divided by `1 - rate`, so the expected sum does not change; outside of
    training the input passes as it is. Srivastava et al., "Dropout: a simple way to prevent
    neural networks from overfitting", JMLR 15 (2014).

    Args:
        rate: the share to drop, from 0 to 1.
        noise_shape: shape of the random mask, which is repeated over the axes where it is 1;
            None in it stands for the input's own size. `(None, 1, None)` drops the same
            features at every time step.
        seed: an integer for the same draws in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.
    """

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = fraction(self, "rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Returns `x` with some values dropped if `training`, else `x`."""
        if not training or self.rate == 0:
            return x
        if self.rate == 1:
            return ops.zeros_like(x)
        return random.dropout(x, self.rate, self.noise_shape, seed=self.seed_generator)


class _SpatialDropout(Dropout):
    """Drops whole feature maps; what the three of them share."""

    rank: int  # number of axes that one draw covers

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = checked_data_format(self, data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        ones = (1,) * self.rank
        last = self.data_format == "channels_last"
        self.noise_shape = (None, *ones, None) if last else (None, None, *ones)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments; Keras's layers of these names lack `trainable`."""
        config = super().get_config()
        del config["trainable"]
        return config


class SpatialDropout1D(_SpatialDropout):
    """Drops whole channels of a sequence while training.

    Neighbouring steps are so alike that dropping single values would change little (Tompson
    et al., "Efficient object localization using convolutional networks", 2015).

    Args:
        rate: the share of channels to drop, from 0 to 1.
        seed: an integer for the same draws in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, channels)`; the output has the shape of the input.
    """

    rank = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, "channels_last", seed, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """Drops whole channels of images while training; see `SpatialDropout1D`.

    Args:
        rate: the share of channels to drop, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        seed: an integer for the same draws in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, height, width, channels)`; the output has the shape of the input.
    """

    rank = 2


class GaussianNoise(Layer):
    """Adds normal noise of mean 0 while training.

    Args:
        stddev: standard deviation of the noise.
        seed: an integer for the same draws in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.
    """

    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = non_negative(self, "stddev", stddev)
        self.seed = seed
        if self.stddev > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Returns `x` with noise added if `training`, else `x`."""
        if not training or self.stddev == 0:
            return x
        noise = random.normal(
            ops.shape(x), stddev=self.stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return x + noise
