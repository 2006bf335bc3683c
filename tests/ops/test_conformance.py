"""Every op against NumPy and SciPy: value, dtype, symbolic shape, compiled result and gradient."""

from typing import Any

import numpy as np
import pytest

import mlapi
from mlapi import dtypes, ops
from mlapi.graph import SymbolicTensor
from mlapi.op import registry
from tests.ops import activation, control, elementwise, indexing, linalg, nn, reduction, shape
from tests.ops.case import Case, arrays_of, converted, is_real, wanted, with_arrays

TABLES = (activation, control, elementwise, indexing, linalg, nn, reduction, shape)
CASES: list[Case] = [case for table in TABLES for case in table.CASES]
WITH_TENSORS = [case for case in CASES if arrays_of(case)]
SMOOTH = [
    case for case in CASES if case.grad and any(is_real(x) and x.size for x in arrays_of(case))
]
CONVERTED = [(case, kind) for case in CASES for kind in case.dtypes if not case.label]
CONVERTED += [(case, kind) for case in CASES for kind in case.dtypes if case.label == "whole"]

# By the precision of the dtype; float16 and bfloat16 are computed in by some and not by others.
TOLERANCE = {"float16": 1e-2, "bfloat16": 6e-2, "float32": 1e-5}


# Cases that are run once more as views and compiled, by their labels; each costs a compilation.
REPEATED = ("", "axes", "mask", "channels_first", "image")


def call(case: Case, arrays: list[Any]) -> list[Any]:
    args, kwargs = with_arrays(case, arrays)
    out = registry[case.op](*args, **kwargs)
    return list(out) if isinstance(out, list | tuple) else [out]


def to_numpy(x: Any) -> np.ndarray:
    return ops.convert_to_numpy(ops.stop_gradient(x))


def check(found: list[Any], expected: list[np.ndarray], tolerance: float) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        one = to_numpy(one)
        assert one.shape == other.shape
        one = one if one.dtype.kind in "biu" else one.astype("float64")
        np.testing.assert_allclose(one, other, tolerance, tolerance)


def test_every_op_is_in_the_table() -> None:
    ours = {name for name, op in registry.items() if op.__module__.startswith("mlapi.ops.")}
    assert ours == {case.op for case in CASES}


def test_cases_have_names_of_their_own() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names), {name for name in names if names.count(name) > 1}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_value(case: Case) -> None:
    arrays = arrays_of(case)
    found = call(case, arrays)
    check(found, wanted(case, arrays), case.tolerance)
    kinds = [x.dtype for x in arrays if x.dtype != bool] or ["bool"]
    kind = dtypes.promote(*kinds)
    if case.op not in HAVE_OWN_DTYPES:
        assert ops.dtype(found[0]) == case.expected_dtype(kind)


# What they return has the dtype of one of their inputs, the others are indices.
HAVE_OWN_DTYPES = frozenset({"embedding", "scatter", "take", "cast"})


@pytest.mark.parametrize("case", [case for case in WITH_TENSORS if case.label in REPEATED], ids=str)
def test_strided_tensors(case: Case) -> None:
    """Views whose elements do not follow one another in memory give the same."""
    arrays = arrays_of(case)
    views = [ops.transpose(ops.convert_to_tensor(np.array(x.T, order="C"))) for x in arrays]
    check(call(case, views), wanted(case, arrays), case.tolerance)


@pytest.mark.parametrize("case", [case for case in WITH_TENSORS if case.label in REPEATED], ids=str)
def test_compiled(case: Case) -> None:
    arrays = [ops.convert_to_tensor(x) for x in arrays_of(case)]
    found = mlapi.jit(lambda *xs: call(case, list(xs)), [])(*arrays)
    check(found, [to_numpy(x) for x in call(case, arrays)], case.tolerance)


@pytest.mark.parametrize("case", WITH_TENSORS, ids=str)
def test_symbolic(case: Case) -> None:
    """Symbolic results have the shape and dtype that the real ones have."""
    arrays = arrays_of(case)
    real = call(case, arrays)
    symbols = call(case, [SymbolicTensor(x.shape, ops.dtype(x)) for x in arrays])
    assert [x.shape for x in symbols] == [tuple(x.shape) for x in real]
    assert [x.dtype for x in symbols] == [ops.dtype(x) for x in real]


@pytest.mark.parametrize(
    "case",
    [case for case in WITH_TENSORS if case.unknown and arrays_of(case)[0].ndim > 1],
    ids=str,
)
def test_symbolic_with_unknown_size(case: Case) -> None:
    """The first size of the first tensor is not known: results agree where they say anything."""
    arrays = arrays_of(case)
    size = arrays[0].shape[0]
    symbols = [
        SymbolicTensor((None if n == size and i == 0 else n for i, n in enumerate(x.shape)),
                       ops.dtype(x))
        for x in arrays
    ]  # fmt: skip
    for symbol, tensor in zip(call(case, symbols), call(case, arrays), strict=True):
        assert len(symbol.shape) == len(tensor.shape)
        assert all(a is None or a == b for a, b in zip(symbol.shape, tensor.shape, strict=True))
        assert symbol.dtype == ops.dtype(tensor)


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_gradient(case: Case) -> None:
    """The slope along random directions is that of the reference, by central differences."""
    arrays = arrays_of(case)
    rng = np.random.default_rng(0)
    outputs = [x for x in wanted(case, arrays) if x.dtype.kind == "f"]
    factors = [rng.normal(size=x.shape) for x in outputs[: NUMBER_WITH_GRADIENT.get(case.op)]]
    moving = [i for i, x in enumerate(arrays) if is_real(x)]

    def total(xs: list[Any]) -> Any:
        given = list(arrays)
        for i, x in zip(moving, xs, strict=True):
            given[i] = x
        found = call(case, given)[: len(factors)]
        return sum(
            ops.sum(y * ops.convert_to_tensor(f, ops.dtype(y)))
            for y, f in zip(found, factors, strict=True)
        )

    def reference(step: float, directions: list[np.ndarray]) -> float:
        given = [x.astype("float64") if is_real(x) else x for x in arrays]
        for i, direction in zip(moving, directions, strict=True):
            given[i] = given[i] + step * direction
        found = wanted(case, given)[: len(factors)]
        return sum(np.sum(y * f) for y, f in zip(found, factors, strict=True))

    grads = mlapi.jit(mlapi.grad(total), [])([ops.convert_to_tensor(arrays[i]) for i in moving])
    grads = [to_numpy(g).astype("float64") for g in grads]
    assert [g.shape for g in grads] == [arrays[i].shape for i in moving]
    for _ in range(3):
        directions = [rng.normal(size=g.shape) for g in grads]
        slope = (reference(1e-6, directions) - reference(-1e-6, directions)) / 2e-6
        found = sum(np.sum(g * d) for g, d in zip(grads, directions, strict=True))
        scale = sum(np.sum(np.abs(g * d)) for g, d in zip(grads, directions, strict=True))
        assert abs(found - slope) <= 1e-4 * (1 + scale)


# How many of the results a gradient flows through, where not through all of them.
NUMBER_WITH_GRADIENT = {"batch_normalization_training": 1}


@pytest.mark.parametrize(
    ("case", "kind"), CONVERTED, ids=[f"{case}-{kind}" for case, kind in CONVERTED]
)
def test_dtype(case: Case, kind: str) -> None:
    """Under another dtype of all inputs, the result has the dtype and value that it should."""
    arrays = converted(case, kind)
    found = call(case, arrays)
    expected = [
        x if x.dtype.kind in "biu" or not dtypes.is_integer(ops.dtype(y)) else np.trunc(x)
        for x, y in zip(wanted(case, arrays), found, strict=True)
    ]
    check(found, expected, TOLERANCE.get(kind, 1e-5))
    result = case.expected_dtype(kind)
    assert ops.dtype(found[0]) == result
    symbols = call(case, [SymbolicTensor(x.shape, ops.dtype(x)) for x in arrays])
    assert symbols[0].dtype == result
