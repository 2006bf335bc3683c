"""Layers that add noise while training, Dropout and its kin, or a penalty on what passes."""

import math
from collections.abc import Sequence
from typing import Any

from mlapi import ops, random, regularizers
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Tensor
from mlapi.validation import below_one, fraction, non_negative
from mlapi.validation import data_format as checked_data_format
from mlapi.validation import noise_shape as checked_noise_shape
from mlapi.validation import seed as checked_seed


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
        self.noise_shape = checked_noise_shape(self, "noise_shape", noise_shape)
        self.seed = checked_seed(self, "seed", seed)
        if self.rate > 0:
            self.seed_generator = random.SeedGenerator(self.seed)

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


class SpatialDropout3D(_SpatialDropout):
    """Drops whole channels of volumes while training; see `SpatialDropout1D`.

    Args:
        rate: the share of channels to drop, from 0 to 1.
        data_format: `"channels_last"` or `"channels_first"`; None takes the configured one.
        seed: an integer for the same draws in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, depth, height, width, channels)`; the output has the shape of the input.
    """

    rank = 3


# The limit of selu for large negative inputs: minus its scale times its alpha.
_SATURATION = -1.0507009873554805 * 1.6732632423543772


class AlphaDropout(Layer):
    """Dropout for networks of `selu`: keeps mean 0 and variance 1 of its inputs while training.

    A random share `rate` of the values becomes `α' = -λα ≈ -1.758`, the limit of `selu` for
    large negative inputs; then all values are scaled and shifted:

        y = a (x d + α' (1 - d)) + b,  d = 1 for values that are kept, else 0
        a = (q + α'² q (1 - q))^(-1/2),  b = -a (1 - q) α',  q = 1 - rate

    Klambauer et al., "Self-normalizing neural networks", 2017 (arXiv:1706.02515).

    Args:
        rate: the share of values to replace, from 0 up to, but without, 1.
        noise_shape: shape of the random mask, as in `Dropout`.
        seed: an integer for the same draws in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.convert_to_numpy(layers.AlphaDropout(0.5)([1.0, 2.0])).tolist()
        [1.0, 2.0]
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
        self.rate = below_one(self, "rate", rate)
        self.noise_shape = checked_noise_shape(self, "noise_shape", noise_shape)
        self.seed = checked_seed(self, "seed", seed)
        if self.rate > 0:
            self.seed_generator = random.SeedGenerator(self.seed)
        kept = 1 - self.rate
        self._scale = (kept + _SATURATION**2 * kept * self.rate) ** -0.5
        self._shift = -self._scale * self.rate * _SATURATION

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Returns `x` with some values replaced if `training`, else `x`."""
        if not training or self.rate == 0:
            return x
        shape = ops.shape(x)
        if self.noise_shape is not None:
            pairs = zip(self.noise_shape, shape, strict=True)
            shape = tuple(size if own is None else own for own, size in pairs)
        ones = ops.ones(shape, dtype=self.compute_dtype)
        kept = random.dropout(ones, self.rate, seed=self.seed_generator) > 0
        x = ops.where(kept, x, _SATURATION)
        return x * self._scale + self._shift


class GaussianDropout(Layer):
    """Multiplies with normal noise of mean 1 while training.

    The noise has the standard deviation `sqrt(rate / (1 - rate))`, as the mask of a `Dropout` of
    that rate has. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 15 (2014), section 10.

    Args:
        rate: from 0 up to, but without, 1.
        seed: an integer for the same draws in every run.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.

    Example:
        >>> from mlapi import layers, ops
        >>> ops.convert_to_numpy(layers.GaussianDropout(0.5)([1.0, 2.0])).tolist()
        [1.0, 2.0]
    """

    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = below_one(self, "rate", rate)
        self.seed = checked_seed(self, "seed", seed)
        if self.rate > 0:
            self.seed_generator = random.SeedGenerator(self.seed)
        self._stddev = math.sqrt(self.rate / (1 - self.rate))

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Returns `x` times noise if `training`, else `x`."""
        if not training or self.rate == 0:
            return x
        return x * random.normal(
            ops.shape(x), 1.0, self._stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )


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
        self.seed = checked_seed(self, "seed", seed)
        if self.stddev > 0:
            self.seed_generator = random.SeedGenerator(self.seed)

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Returns `x` with noise added if `training`, else `x`."""
        if not training or self.stddev == 0:
            return x
        noise = random.normal(
            ops.shape(x), stddev=self.stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return x + noise


class ActivityRegularization(Layer):
    """Passes its input on, and adds a penalty on it to the loss.

        (l1 * sum(|x|) + l2 * sum(x²)) / batch size

    Args:
        l1: weight of the sum of absolute values.
        l2: weight of the sum of squares.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: the output has the shape of the input.

    Example:
        >>> from mlapi import layers
        >>> layer = layers.ActivityRegularization(l2=0.5)
        >>> _ = layer([[1.0, 2.0], [0.0, 1.0]])
        >>> float(layer.losses[0])
        1.5
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.l1 = non_negative(self, "l1", l1)
        self.l2 = non_negative(self, "l2", l2)
        self.activity_regularizer = regularizers.L1L2(self.l1, self.l2)

    def call(self, x: Tensor) -> Tensor:
        """Returns `x`."""
        return x

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, which say all about the regularizer."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config
