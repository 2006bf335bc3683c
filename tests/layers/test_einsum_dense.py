"""EinsumDense: the spread of its first weights."""

import math

import numpy as np
import pytest

from mlapi import initializers, layers

EQUATIONS = {
    "ab,bc->ac": (400, (2, 100), 100, 400),
    "ab,cb->ac": (400, (2, 100), 100, 400),
    "abc,cde->abde": ((None, 8, 20), (2, 3, 100), 100, 160),
    "abde,dec->abc": ((None, 160), (2, 3, 8, 20), 160, 160),
    "abc,bc->ab": (90, (2, 90, 50), 50, 90),
}


@pytest.mark.parametrize("equation", EQUATIONS)
@pytest.mark.parametrize(("name", "counted"), [("glorot_uniform", 2), ("he_uniform", 1)])
def test_kernels_start_with_the_spread_that_the_equation_asks_for(equation, name, counted):
    output_shape, input_shape, fan_in, fan_out = EQUATIONS[equation]
    layer = layers.EinsumDense(equation, output_shape, kernel_initializer=name)
    layer.build(input_shape)
    limit = math.sqrt(6 / (fan_in + fan_out if counted == 2 else fan_in))
    largest = abs(layer.kernel.numpy()).max()
    # Of 4500 numbers or more, the largest is all but sure to be this near.
    assert 0.99 * limit < largest <= limit * (1 + 1e-6)
    assert layer.kernel_initializer.input_axes is None


def test_an_initializer_with_axes_of_its_own_keeps_them():
    own = initializers.GlorotUniform(input_axes=[0], output_axes=[2])
    layer = layers.EinsumDense("abc,cde->abde", (None, 8, 20), kernel_initializer=own)
    layer.build((2, 3, 100))
    limit = math.sqrt(6 / 120)
    assert 0.99 * limit < abs(layer.kernel.numpy()).max() <= limit * (1 + 1e-6)


def test_other_initializers_are_taken_as_they_are():
    layer = layers.EinsumDense(
        "ab,bc->ac", 3, kernel_initializer=lambda shape, dtype: np.ones(shape)
    )
    layer.build((2, 4))
    np.testing.assert_array_equal(layer.kernel.numpy(), np.ones((4, 3)))
