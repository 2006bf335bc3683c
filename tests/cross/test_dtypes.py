"""The promotion lattice against JAX's own."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlapi import dtypes

WIDE = ("int64", "uint64", "float64", "complex128")  # which JAX has only when asked
WEAK = {"int": int, "float": float, "complex": complex}


@pytest.mark.parametrize(("a", "b"), [*itertools.combinations_with_replacement(dtypes.NAMES, 2)])
def test_strong_dtypes_promote_as_in_jax(a: str, b: str) -> None:
    with jax.enable_x64(True):
        expected = np.dtype(jnp.promote_types(a, b)).name
    if "uint64" in (a, b) and dtypes.is_integer(a) and dtypes.is_integer(b) and a != b:
        # JAX gives a weak float to uint64 with a signed integer, 64 bits wide here.
        expected = expected.replace("float64", "float32")
    assert dtypes.promote(a, b) == expected


@pytest.mark.parametrize("weak", WEAK)
@pytest.mark.parametrize("strong", [name for name in dtypes.NAMES if name not in WIDE])
def test_python_numbers_promote_as_in_jax(strong: str, weak: str) -> None:
    value = WEAK[weak](1)
    array = jnp.ones((), strong)
    assert dtypes.promote(strong, weak) == (array + value).dtype.name
