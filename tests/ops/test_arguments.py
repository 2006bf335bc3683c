"""What ops say to arguments that do not fit, and what they do with unusual ones."""

import numpy as np
import pytest

import mlapi
from mlapi import ops
from mlapi.errors import ArgumentError, DTypeError, ShapeError

IMAGE, KERNEL = np.ones((1, 6, 6, 4), "float32"), np.ones((3, 3, 4, 2), "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.conv(IMAGE, KERNEL, padding="full"), "padding 'full'.*valid"),
        (lambda: ops.conv(IMAGE, KERNEL, data_format="first"), "data_format 'first'"),
        (lambda: ops.conv(IMAGE, KERNEL, strides=(1, 2, 3)), "strides.*2.*spatial"),
        (lambda: ops.conv(IMAGE, KERNEL, strides=0), "strides must be a positive int"),
        (lambda: ops.max_pool(IMAGE, (2, 2, 2)), "window's size"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.conv(IMAGE, KERNEL[0]), r"as many axes as the inputs, 4.*\(3, 4, 2\)"),
        (lambda: ops.conv(IMAGE[..., :3], KERNEL), "3 channels do not fit"),
        (lambda: ops.depthwise_conv(IMAGE, KERNEL[:, :, :2]), "4 channels do not fit"),
        (lambda: ops.max_pool(IMAGE[0, 0], 2), r"one to three spatial axes.*\(6, 4\)"),
        (lambda: ops.binary_crossentropy([0.0, 1.0], [[0.5], [0.5]]), r"same shape.*\(2,\)"),
        (lambda: ops.categorical_crossentropy([[0, 1]], [[0.1, 0.2, 0.7]]), r"\(1, 2\).*\(1, 3\)"),
        (lambda: ops.sparse_categorical_crossentropy([0, 1], [[0.5, 0.5]]), r"\(2,\) and \(1,\)"),
    ],
)
def test_bad_shapes(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


def test_targets_are_not_broadcast():
    """A column against a row would make a loss of every target with every output."""
    with pytest.raises(ShapeError):
        ops.binary_crossentropy(np.ones((3, 1), "float32"), np.ones((3,), "float32") / 2)


@pytest.mark.parametrize("value", ["text", object(), None])
def test_what_is_no_number(value):
    with pytest.raises((DTypeError, TypeError)):
        ops.exp(value)


def test_misspelled_argument():
    with pytest.raises(TypeError, match="axes"):
        ops.sum([1.0], axes=0)
    with pytest.raises(TypeError, match="x2"):
        ops.add(1.0)


def test_empty_extreme():
    for op in (ops.max, ops.min):
        with pytest.raises((ValueError, RuntimeError, IndexError)):
            op(np.zeros((0, 2), "float32"), axis=0)


def test_numbers_take_the_dtype_of_tensors():
    for kind in ("float16", "bfloat16", "int8"):
        assert ops.dtype(ops.add(ops.ones((2,), kind), 1)) == kind
    assert ops.dtype(ops.multiply(ops.ones((2,), "int8"), 0.5)) == "float32"
    assert ops.dtype(ops.where([True], ops.ones((1,), "bfloat16"), 0.0)) == "bfloat16"


def test_dtypes_meet_by_the_lattice():
    x = ops.ones((2,), "float16")
    assert ops.dtype(ops.multiply(x, ops.cast(x, "float32"))) == "float32"
    assert ops.dtype(ops.add(ops.ones((2,), "int8"), ops.ones((2,), "uint8"))) == "int16"
    assert ops.dtype(ops.concatenate([ops.ones((2,), "bool"), ops.ones((2,), "int32")])) == "int32"


def test_where_without_values_gives_indices():
    rows, columns = ops.where(np.array([[True, False], [True, True]]))
    assert ops.convert_to_numpy(rows).tolist() == [0, 1, 1]
    assert ops.convert_to_numpy(columns).tolist() == [0, 0, 1]
    assert ops.dtype(rows) == "int32"


def test_ids_decide_how_many_segments_there_are():
    sums = ops.segment_sum(np.float32([1, 2, 4]), [2, 0, 2])
    assert ops.convert_to_numpy(sums).tolist() == [2.0, 0.0, 5.0]


def test_einsum_of_several():
    x = np.arange(6, dtype="float32").reshape(2, 3)
    found = ops.einsum("ij,kj->ik", x, ops.convert_to_tensor(x))
    np.testing.assert_allclose(ops.convert_to_numpy(found), x @ x.T)


def test_dilated_convolution_with_strides():
    """No framework but torch and jax has both at once for gradients: the sum shows all of them."""
    image = np.arange(81, dtype="float32").reshape(1, 9, 9, 1)
    kernel = ops.ones((2, 2, 1, 1))
    y = ops.conv(image, kernel, strides=2, dilation_rate=2)
    wanted = sum(image[0, i : i + 7 : 2, j : j + 7 : 2, 0] for i in (0, 2) for j in (0, 2))
    np.testing.assert_allclose(ops.convert_to_numpy(y)[0, :, :, 0], wanted)


def test_layout_comes_from_the_configuration():
    x = np.ones((1, 2, 6, 6), "float32")
    mlapi.config.set_image_data_format("channels_first")
    try:
        assert ops.shape(ops.max_pool(x, 2)) == (1, 2, 3, 3)
    finally:
        mlapi.config.set_image_data_format("channels_last")
    assert ops.shape(ops.max_pool(x, 2)) == (1, 1, 3, 6)


def test_ints_of_any_width_are_indices():
    table = np.float32([[0.0], [1.0], [2.0]])
    for kind in ("int8", "uint8", "int16", "int32"):
        index = np.array([2, 0], kind)
        for found in (ops.take(table, index, 0), ops.embedding(index, table)):
            assert ops.convert_to_numpy(found).ravel().tolist() == [2.0, 0.0]


@pytest.mark.parametrize("kind", ["float64", "int64", "uint16", "uint32"])
def test_arithmetic_of_rarer_dtypes(kind):
    x = np.array([3, 2, 1], kind)
    total = ops.sum(ops.add(ops.multiply(x, 2), x))
    assert int(total) == 18
    assert ops.dtype(ops.maximum(x, x)) == kind


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_volumes_of_half_precision_are_pooled(kind: str) -> None:
    x = np.arange(16, dtype="float32").reshape(1, 2, 2, 4, 1)
    found = ops.average_pool(ops.cast(x, kind), 2)
    assert ops.dtype(found) == kind
    expected = x.reshape(1, 1, 2, 1, 2, 2, 2, 1).mean((2, 4, 6))
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.cast(found, "float32")), expected)


def test_kron_of_views() -> None:
    x, y = np.arange(3.0, dtype="float32"), np.arange(8.0, dtype="float32").reshape(2, 1, 4)
    view = ops.transpose(ops.convert_to_tensor(y))
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.kron(x, view)), np.kron(x, y.T))
