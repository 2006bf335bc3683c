"""The one door of all operations: conversion, promotion, binding, recording, declaring."""

from collections.abc import Sequence

import ml_dtypes
import numpy as np
import pytest

import mlapi
from mlapi import dtypes, ops
from mlapi.errors import DTypeError
from mlapi.op import op, registry, to_float
from mlapi.types import Tensor, TensorLike

NARROW = ("bool", "uint8", "int8", "int16", "int32", "float16", "bfloat16", "float32")


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def tensor(x, dtype=None):
    return ops.convert_to_tensor(x, dtype=dtype)


@pytest.mark.parametrize(
    "value",
    [
        3,
        2.5,
        True,
        [1, 2, 3],
        (1.5, 2.5),
        [[1, 2], [3, 4]],
        np.ones((2, 3), "float32"),
        np.float32(4),
        np.array(5),
        range(3),
        mlapi.Variable([1.0, 2.0]),
        np.arange(6.0, dtype="float32").reshape(2, 3).T,
        np.arange(4.0, dtype="float32")[::-1],
    ],
    ids=repr,
)
def test_values_are_converted(value):
    result = ops.add(value, 0)
    assert ops.is_tensor(result)
    np.testing.assert_array_equal(numpy(result), np.asarray(value))


def test_python_numbers_are_32_bits_wide():
    assert ops.dtype(ops.add([1, 2], 1)) == "int32"
    assert ops.dtype(ops.add(1, 2)) == "int32"
    assert ops.dtype(ops.add([1.0, 2], 1)) == "float32"
    assert ops.dtype(ops.multiply(True, False)) == "bool"


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize(("number", "kind"), [(True, "bool"), (2, "int"), (1.5, "float")])
def test_python_numbers_are_weak(dtype, number, kind):
    expected = dtypes.promote(dtype, kind)
    x = tensor(np.ones(2), dtype)
    for result in (
        ops.add(ops.multiply(x, number), number),
        ops.add(number, ops.multiply(number, x)),
        ops.add(x1=ops.multiply(x1=number, x2=x), x2=number),
    ):
        assert ops.dtype(result) == expected
        total = number if expected == "bool" else 2 * number
        np.testing.assert_array_equal(numpy(result).astype("float32"), [total] * 2)


@pytest.mark.parametrize("one", NARROW)
@pytest.mark.parametrize("other", NARROW)
def test_dtypes_are_promoted_by_the_lattice(one, other):
    x, y = tensor([1, 0], one), tensor([1, 1], other)
    expected = dtypes.promote(one, other)
    first, second = ops.maximum(x, y), ops.maximum(x, y)  # the door remembers the first
    assert ops.dtype(first) == ops.dtype(second) == expected
    np.testing.assert_array_equal(numpy(second).astype("float32"), [1, 1])
    symbolic = ops.maximum(mlapi.Input((2,), dtype=one), mlapi.Input((2,), dtype=other))
    assert symbolic.dtype == expected


@pytest.mark.parametrize("dtype", NARROW)
def test_floats_only(dtype):
    expected = dtypes.to_float(dtype)
    assert ops.dtype(ops.exp(tensor([0, 1], dtype))) == expected
    assert ops.exp(mlapi.Input((2,), dtype=dtype)).dtype == expected


def test_bfloat16_arrays():
    x = np.array([1.5, 2.5], ml_dtypes.bfloat16)
    assert ops.dtype(ops.add(x, x)) == "bfloat16"
    np.testing.assert_array_equal(numpy(ops.add(x, x)).astype("float32"), [3, 5])


def test_tensors_may_be_given_by_name():
    x, y = tensor([1.0, 2.0]), tensor([3.0, 5.0])
    for result in (
        ops.subtract(x, y),
        ops.subtract(x, x2=y),
        ops.subtract(x1=x, x2=y),
        ops.subtract(x2=y, x1=x),
    ):
        np.testing.assert_array_equal(numpy(result), [-2, -3])
    np.testing.assert_allclose(numpy(ops.sum(axis=0, x=x)), 3)
    np.testing.assert_allclose(numpy(ops.sum(x, 0, True)), [3])


def test_optional_tensors():
    x = np.array([[1.0, 2.0]], "float32")
    kernel = np.array([[1.0], [10.0]], "float32")
    without = (ops.dense(x, kernel), ops.dense(x, kernel, None), ops.dense(x, kernel, bias=None))
    for result in without:
        np.testing.assert_allclose(numpy(result), [[21]])
    for result in (ops.dense(x, kernel, [1.0]), ops.dense(tensor(x), tensor(kernel), bias=[1.0])):
        np.testing.assert_allclose(numpy(result), [[22]])


def test_optional_tensors_in_front():
    condition = tensor([True, False])
    np.testing.assert_array_equal(numpy(ops.where(condition, [1, 2], [3.5, 4.5])), [1, 4.5])
    np.testing.assert_array_equal(numpy(ops.clip([1.0, 5.0, 9.0], 2, 6)), [2, 5, 6])


def test_sequences_are_promoted_together():
    result = ops.concatenate([tensor([1, 2]), np.array([2.5], "float32"), [True]])
    assert ops.dtype(result) == "float32"
    np.testing.assert_array_equal(numpy(result), [1, 2, 2.5, 1])
    np.testing.assert_array_equal(numpy(ops.stack([1, 2, 3])), [1, 2, 3])
    symbolic = ops.concatenate([mlapi.Input((2,)), mlapi.Input((3,), dtype="int32")], axis=1)
    assert (symbolic.shape, symbolic.dtype) == ((None, 5), "float32")


def test_lists_of_tensors_and_variables():
    a, b = tensor(1.0), mlapi.Variable(2.0)
    np.testing.assert_array_equal(numpy(ops.add([a, b], 1)), [2, 3])
    np.testing.assert_array_equal(numpy(ops.add([[a, 5.0], [b, 6.0]], 0)), [[1, 5], [2, 6]])
    run = mlapi.jit(lambda x: ops.sum(ops.add([x, x * 2], 1)))
    np.testing.assert_array_equal(numpy(run(tensor(3.0))), 11)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.add("a", 1), "got str"),
        (lambda: ops.add(None, 1), "got NoneType"),
        (lambda: ops.add(["a", "b"], 1), "expected numbers"),
        (lambda: ops.add(object(), 1), "got object"),
        (lambda: ops.add({"a": 1}, 1), "got dict"),
        (lambda: ops.sum(np.array(["x"])), "expected numbers"),
    ],
)
def test_what_is_no_tensor_is_refused_by_the_name_of_the_operation(call, message):
    with pytest.raises(DTypeError, match=message) as caught:
        call()
    assert any(note.startswith("in mlapi.ops.") for note in caught.value.__notes__)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.add(x),
        lambda x: ops.add(x, x, x),
        lambda x: ops.add(x, x, x2=x),
        lambda x: ops.add(x, y=x),
        lambda x: ops.sum(x, axes=0),
        lambda x: ops.sum(),
    ],
)
@pytest.mark.parametrize(
    "x", [tensor([1.0]), 1.0, mlapi.Input((2,))], ids=["tensor", "number", "symbol"]
)
def test_wrong_arguments_are_type_errors_as_in_python(call, x):
    with pytest.raises(TypeError):
        call(x)


def test_symbolic_calls_are_recorded():
    x = mlapi.Input((3,), name="x")
    for y in (ops.add(x, 1.0), ops.add(1.0, x), ops.add(x1=1.0, x2=x), x + 1.0):
        assert (y.shape, y.dtype) == ((None, 3), "float32")
        model = mlapi.Model(x, y)
        np.testing.assert_array_equal(numpy(model(np.zeros((2, 3)))), np.ones((2, 3)))


# Declaring


@op
def scaled(x: TensorLike, factor: float = 2.0) -> Tensor:
    """A user's operation."""
    return x * factor


@op(dtype=to_float)
def weighted(
    xs: Sequence[TensorLike], weight: TensorLike | None = None, *, shift: float = 0.0
) -> Tensor:
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    return (total if weight is None else total * weight) + shift


def test_a_declared_operation_has_the_door():
    np.testing.assert_array_equal(numpy(scaled([1, 2], 3)), [3, 6])
    np.testing.assert_array_equal(numpy(scaled(mlapi.Variable([1.0]))), [2])
    y = scaled(mlapi.Input((4,)), factor=0.5)
    assert y.shape == (None, 4)
    assert scaled.__doc__ == "A user's operation."
    assert registry["scaled"] is scaled


def test_sequences_and_optional_tensors_of_a_declared_operation():
    assert ops.dtype(weighted([1, 2])) == "float32"
    np.testing.assert_array_equal(numpy(weighted([[1, 2], [3, 4]], 2, shift=1.0)), [9, 13])
    np.testing.assert_array_equal(numpy(weighted(weight=None, xs=(1.0, 2.0))), 3)
    symbol = weighted([mlapi.Input((2,), dtype="int32")], mlapi.Input((2,)))
    assert (symbol.shape, symbol.dtype) == ((None, 2), "float32")


def test_a_user_may_use_a_name_of_ours_without_taking_it():
    @op
    def relu(x: TensorLike) -> Tensor:
        return x * 5

    np.testing.assert_array_equal(numpy(relu([-1.0])), [-5])
    x = mlapi.Input((1,))
    both = mlapi.Model(x, [relu(x), ops.relu(x)])
    mine, theirs = both(np.array([[-1.0]], "float32"))
    np.testing.assert_array_equal([numpy(mine), numpy(theirs)], [[[-5]], [[0]]])
    assert registry["relu"] is ops.relu


def test_a_declaration_without_a_body_needs_an_adapter():
    with pytest.raises(NotImplementedError, match="adapter lacks the operation 'nobody_has_this'"):

        @op
        def nobody_has_this(x: TensorLike) -> Tensor: ...


def test_numbers_met_while_tracing_are_forgotten():
    def double(x):
        return ops.multiply(ops.maximum(x, 0.0625), 2.0625)

    x = tensor([0.0, 1.0])
    found = mlapi.jit(lambda x: (double(x), double(x)), [])(x)
    for function in (double, mlapi.jit(lambda x: double(x) + 0.0, [])):  # outside, and traced anew
        for first in found:
            np.testing.assert_array_equal(numpy(function(x)), numpy(first))


def test_numbers_that_are_equal_and_not_the_same():
    x = tensor([1.0, 2.0])
    assert np.signbit(numpy(ops.multiply(x, -0.0))).all()
    assert not np.signbit(numpy(ops.multiply(x, 0.0))).any()
    found = [ops.dtype(ops.add(tensor([1, 2], "int32"), number)) for number in (1, 1.0, True, 1)]
    assert found == ["int32", "float32", "int32", "int32"]
    for number in range(3000):  # more than are kept
        assert float(ops.add(x, float(number))[0]) == 1 + number
