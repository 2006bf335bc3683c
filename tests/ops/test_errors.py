"""Bad arguments are the same error on every backend, for tensors and for symbolic tensors."""

import inspect
from typing import Any

import numpy as np
import pytest

from mlapi import ops
from mlapi.errors import ArgumentError, DTypeError, ShapeError
from mlapi.graph import SymbolicTensor
from mlapi.op import registry
from mlapi.testing.case import Case, arrays_of, with_arrays
from mlapi.testing.cases import CASES

NEW_AXES = 4  # an op may put axes in; this many more are out of reach for all


def _with_axis(case: Case) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The arguments with an axis that does not exist, if the op takes one."""
    bound = inspect.signature(registry[case.op]).bind(*case.args, **case.kwargs)
    axis = bound.signature.parameters.get("axis")
    if axis is None or not arrays_of(case):
        return None
    bound.arguments["axis"] = arrays_of(case)[0].ndim + NEW_AXES
    return bound.args, bound.kwargs


MAIN = {case.op: case for case in reversed(CASES)}
WITH_AXIS = [case for case in MAIN.values() if _with_axis(case)]


def _symbolic(case: Case, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    bad = Case(case.op, args, case.reference, kwargs)
    return with_arrays(bad, [SymbolicTensor(x.shape, ops.dtype(x)) for x in arrays_of(bad)])


@pytest.mark.parametrize("case", WITH_AXIS, ids=lambda case: case.op)
def test_axis_out_of_range(case: Case) -> None:
    args, kwargs = _with_axis(case) or ((), {})
    axis = str(arrays_of(case)[0].ndim + NEW_AXES)
    with pytest.raises(ArgumentError, match=f"{case.op}.*{axis}"):
        registry[case.op](*args, **kwargs)
    args, kwargs = _symbolic(case, args, kwargs)
    with pytest.raises(ArgumentError, match=f"{case.op}.*{axis}"):
        registry[case.op](*args, **kwargs)


def zeros(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.zeros(shape, dtype)


SHAPES = [
    *((name, zeros(2, 3), zeros(4)) for name in ("add", "multiply", "maximum", "power", "less")),
    ("logical_and", zeros(2, 3), zeros(2)),
    ("arctan2", zeros(2, 3), zeros(3, 2)),
    ("where", zeros(2, dtype="bool"), zeros(3), zeros(3)),
    ("clip", zeros(2, 3), zeros(4), zeros(3)),
    ("matmul", zeros(2, 3), zeros(4, 5)),
    ("dot", zeros(2, 3), zeros(4, 5)),
    ("tensordot", zeros(2, 3), zeros(4, 5)),
    ("dense", zeros(2, 3), zeros(4, 5)),
    ("reshape", zeros(2, 3), (4,)),
    ("broadcast_to", zeros(2, 3), (2, 4)),
    ("transpose", zeros(2, 3), (0,)),
    ("squeeze", zeros(2, 3), 0),
    ("split", zeros(5, 2), 2),
    ("concatenate", [zeros(2, 3), zeros(2, 4)]),
    ("stack", [zeros(2, 3), zeros(2, 4)]),
    ("take_along_axis", zeros(2, 3), zeros(4, 1, dtype="int32"), 1),
    ("layer_normalization", zeros(2, 3), zeros(4)),
    ("batch_normalization", zeros(2, 3), zeros(4), zeros(4), -1),
    ("conv", zeros(1, 5, 5, 3), zeros(3, 3, 2, 4)),
    ("binary_crossentropy", zeros(2, 3), zeros(2, 4)),
    ("categorical_crossentropy", zeros(2, 3), zeros(2, 4)),
    ("dot_product_attention", zeros(1, 2, 1, 3), zeros(1, 2, 1, 4), zeros(1, 2, 1, 3)),
]


@pytest.mark.parametrize(("name", "arguments"), [(n, a) for n, *a in SHAPES])
def test_shapes_that_do_not_fit(name: str, arguments: list[Any]) -> None:
    """The message has the op and what it received."""
    case = Case(name, tuple(arguments), np.add)
    first = str(arrays_of(case)[0].shape).strip("()").replace(",", ".")
    with pytest.raises(ShapeError, match=f"{first}"):
        registry[name](*arguments)
    with pytest.raises(ShapeError, match=f"{first}"):
        registry[name](*_symbolic(case, case.args, {})[0])


def test_lists_are_told_as_they_count() -> None:
    with pytest.raises(ShapeError, match=r"shape \(2,\) and dtype float32.*\(3,\) and dtype int32"):
        ops.add([1.0, 2.0], [1, 2, 3])


COMPLEX = zeros(2, 2, dtype="complex64")
DTYPES = [
    *((name, zeros(2), zeros(2)) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")),
    *((name, zeros(2), zeros(2)) for name in ("gcd", "lcm", "bitwise_left_shift")),
    ("bitwise_not", zeros(2)),
    ("bincount", zeros(3)),
    *((name, COMPLEX) for name in ("floor", "ceil", "signbit", "relu", "erf")),
    *((name, COMPLEX, COMPLEX) for name in ("maximum", "less", "arctan2", "floor_divide", "mod")),
]


@pytest.mark.parametrize(("name", "arguments"), [(n, a) for n, *a in DTYPES])
def test_dtypes_that_do_not_fit(name: str, arguments: list[Any]) -> None:
    case = Case(name, tuple(arguments), np.add)
    with pytest.raises(DTypeError, match=name):
        registry[name](*arguments)
    with pytest.raises(DTypeError, match=name):
        registry[name](*_symbolic(case, case.args, {})[0])
