"""What ops on integers, bits and complex numbers refuse, and their names."""

import numpy as np
import pytest

from mlapi import ops
from mlapi.errors import ArgumentError, DTypeError, ShapeError


@pytest.mark.parametrize("name", ["gcd", "lcm", "bitwise_and", "bitwise_left_shift"])
def test_bits_of_floats(name: str) -> None:
    with pytest.raises(DTypeError, match="expected integers, received float32"):
        getattr(ops, name)([1.5], 2)


@pytest.mark.parametrize("name", ["fabs", "trunc", "deg2rad", "isposinf", "signbit", "i0"])
def test_real_functions_of_complex_numbers(name: str) -> None:
    with pytest.raises(DTypeError, match="expected real numbers, received complex64"):
        getattr(ops, name)(1j)


def test_exponents_are_whole() -> None:
    with pytest.raises(DTypeError, match="expected integers"):
        ops.ldexp(1.0, 1.0)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="last axis of size 2"):
        ops.view_as_complex([1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match="two axes"):
        ops.tril([1.0, 2.0])
    with pytest.raises(ShapeError):
        ops.diag(np.zeros((2, 2, 2)))
    with pytest.raises(ArgumentError, match="`num`"):
        ops.linspace(0, 1, -1)
    with pytest.raises(ArgumentError, match="indexing"):
        ops.meshgrid([1], [2], indexing="yx")


def test_second_names() -> None:
    assert ops.conjugate is ops.conj
    assert ops.left_shift is ops.bitwise_left_shift
    assert ops.right_shift is ops.bitwise_right_shift
    assert ops.bitwise_invert is ops.bitwise_not


def test_complex64_like_any_dtype() -> None:
    x = ops.cast([1.0, 2.0], "complex64") * 1j
    assert ops.dtype(ops.add(x, 1.0)) == "complex64"
    np.testing.assert_array_equal(ops.convert_to_numpy(x), np.complex64([1j, 2j]))
    assert ops.dtype(ops.zeros((2,), "complex64")) == "complex64"
    assert ops.dtype(ops.convert_to_tensor(1j)) == "complex64"
    assert ops.dtype(ops.absolute(x)) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(ops.square(x)), [-1, -4])


def test_size_and_ndim() -> None:
    x = np.zeros((2, 0, 3))
    assert (ops.size(x), ops.ndim(x)) == (0, 3)
    assert (ops.size(1.0), ops.ndim(1.0)) == (1, 0)
    assert ops.meshgrid() == []
