"""What layers that normalize have in common: a scale and an offset that are learnt."""

from typing import Any

from mlapi import constraints, initializers, regularizers
from mlapi.errors import ShapeError
from mlapi.layers.base import Layer
from mlapi.layers.input_spec import InputSpec
from mlapi.types import Shape
from mlapi.validation import boolean, non_negative


def known_sizes(layer: Any, input_shape: Shape, axes: tuple[int, ...]) -> tuple[Any, ...]:
    """The sizes of `axes`, which later inputs must have too."""
    sizes = {axis: input_shape[axis] for axis in axes}
    if None in sizes.values():
        raise ShapeError(
            f'{type(layer).__name__} "{layer.path}": axis={layer.axis} of an input of shape '
            f"{tuple(input_shape)} has an unknown size. Give it in Input(shape=…)."
        )
    layer.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)
    return tuple(sizes.values())


class Normalized(Layer):
    """The learnt scale `gamma` and offset `beta`; base of layers that have them."""

    supports_masking = True
    axis: Any
    gamma: Any = None
    beta: Any = None

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = non_negative(self, "epsilon", epsilon)
        self.center = boolean(self, "center", center)
        self.scale = boolean(self, "scale", scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _add_gamma_and_beta(self, shape: tuple[int, ...]) -> None:
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
