"""`SpectralNormalization`: a layer around another one whose kernel it keeps at norm 1."""

from typing import Any

from mlapi import initializers, ops
from mlapi.errors import ArgumentError
from mlapi.layers.base import Layer
from mlapi.layers.wrapper import Wrapper
from mlapi.types import Tensor
from mlapi.validation import positive_int


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value, at each step of training.

        kernel = kernel / sigma,   sigma = v kernel u^T

    with the kernel as a matrix of as many columns as its last axis has places, and `u`, `v` from
    the power iteration, in which `u` is kept from one step to the next. Miyato et al., "Spectral
    normalization for generative adversarial networks", 2018 (arXiv:1802.05957). The layer keeps
    the divided kernel, with which it computes when not training. Gradients are those through the
    division, of constant `u` and `v`.

    Weights: the kernel, `vector_u` of shape `(1, places of the last axis)`, which is not trained,
    then the other weights of the layer.

    Args:
        layer: a layer with a `kernel`, or an `Embedding`.
        power_iterations: how often the estimate of `u` is improved at each step.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: those of the layer.

    Example:
        >>> import numpy as np
        >>> from mlapi import layers, ops
        >>> layer = layers.SpectralNormalization(layers.Dense(1))
        >>> y = layer(ops.ones((2, 3)), training=True)
        >>> round(float(np.linalg.norm(layer.layer.kernel.numpy())), 3)
        1.0
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_int(self, "power_iterations", power_iterations)
        self.autocast = False  # the layer inside casts its own; the iteration needs all bits

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside, and creates the vector of the power iteration."""
        super().build(input_shape)
        names = [name for name in ("kernel", "embeddings") if hasattr(self.layer, name)]
        if not names:
            raise ArgumentError(
                f'SpectralNormalization "{self.path}": {type(self.layer).__name__} has neither a '
                "kernel nor embeddings."
            )
        self._attribute = names[0]
        self.kernel = getattr(self.layer, self._attribute)
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            dtype=self.kernel.dtype,
            trainable=False,
        )

    def call(self, x: Any, training: bool = False) -> Any:
        """Returns what the layer makes of `x`, with its kernel divided if `training`."""
        if not training:
            return self.layer(x)
        vector_u, kernel = self.normalized_weights()
        self.vector_u.assign(vector_u)
        # The slope of what is kept is that of the kernel, for penalties on it.
        kept = ops.subtract(kernel, self.kernel)
        self.kernel.assign(ops.add(self.kernel, ops.stop_gradient(kept)))
        setattr(self.layer, self._attribute, ops.cast(kernel, self.layer.compute_dtype))
        try:
            return self.layer(x)
        finally:
            setattr(self.layer, self._attribute, self.kernel)

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """Returns the next `vector_u`, and the kernel divided by its largest singular value."""
        # A copy, which stays what it is when the kernel is assigned to.
        kernel = ops.multiply(self.kernel, 1.0)
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        fixed = ops.stop_gradient(matrix)
        u = v = self.vector_u.value
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(fixed)))
            u = _unit(ops.matmul(v, fixed))
        sigma = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))[0, 0]
        vanishes = ops.equal(sigma, 0.0)
        vector_u = ops.where(vanishes, self.vector_u.value, u)
        return vector_u, kernel / ops.where(vanishes, 1.0, sigma)


def _unit(x: Tensor) -> Tensor:
    return ops.normalize(x, epsilon=1e-12)
