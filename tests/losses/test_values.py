"""Every loss against its NumPy definition: values, gradients, dtypes, eager and compiled."""

import numpy as np
import pytest
from scipy.special import expit, softmax

import mlapi
from mlapi import losses, ops
from tests.losses import references
from tests.losses.references import LOSSES


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


CASES = [(label, shape) for label, case in LOSSES.items() for shape in case.shapes[:2]]


@pytest.mark.parametrize(("label", "shape"), CASES, ids=str)
def test_function_gives_a_value_per_sample(label, shape):
    case = LOSSES[label]
    y, p = case.make(np.random.default_rng(1), shape)
    result = numpy(getattr(losses, case.function)(y, p.astype("float32"), **case.arguments))
    assert result.dtype == np.float32
    expected = case.values(y, p)
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("label", LOSSES)
def test_class_takes_the_mean_eagerly_and_compiled(label):
    case = LOSSES[label]
    y, p = case.make(np.random.default_rng(2), case.shapes[0])
    loss = getattr(losses, case.cls)(**case.arguments)
    y, p = ops.convert_to_tensor(y), ops.cast(p, "float32")
    expected = case.mean(case.values(numpy(y), numpy(p).astype(float)))
    np.testing.assert_allclose(numpy(loss(y, p)), expected, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(numpy(mlapi.jit(loss)(y, p)), expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("label", LOSSES)
def test_gradient_is_that_of_the_definition(label):
    case = LOSSES[label]
    y, p = case.make(np.random.default_rng(3), case.shapes[2])
    loss = getattr(losses, case.cls)(**case.arguments)
    y_true = ops.convert_to_tensor(y)
    value, gradient = mlapi.value_and_grad(lambda x: loss(y_true, x))(ops.cast(p, "float32"))
    step, expected = 1e-6, np.zeros_like(p)
    for i in np.ndindex(*p.shape):
        up, down = p.copy(), p.copy()
        up[i] += step
        down[i] -= step
        difference = case.mean(case.values(y, up)) - case.mean(case.values(y, down))
        expected[i] = difference / (2 * step)
    np.testing.assert_allclose(numpy(value), case.mean(case.values(y, p)), rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(numpy(gradient), expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("label", LOSSES)
def test_predictions_at_the_end_of_the_range_have_finite_losses_and_slopes(label):
    case = LOSSES[label]
    rng = np.random.default_rng(12)
    y, _ = case.make(rng, case.shapes[2])
    p = case.far(rng, case.shapes[2])
    loss = getattr(losses, case.cls)(**case.arguments)
    y_true = ops.convert_to_tensor(y)
    value, gradient = mlapi.value_and_grad(lambda x: loss(y_true, x))(ops.cast(p, "float32"))
    assert np.isfinite(numpy(value))
    assert np.isfinite(numpy(gradient)).all()
    if case.arguments.get("from_logits"):  # nothing is cut off
        np.testing.assert_allclose(numpy(value), case.mean(case.values(y, p)), rtol=1e-5)


@pytest.mark.parametrize("label", LOSSES)
def test_half_precision_predictions_are_computed_in_float32(label):
    case = LOSSES[label]
    y, p = case.make(np.random.default_rng(4), case.shapes[2])
    p = p.astype("float16")
    loss = getattr(losses, case.cls)(**case.arguments)
    result = numpy(loss(y, ops.convert_to_tensor(p)))
    assert result.dtype == np.float32
    expected = case.mean(case.values(y, p.astype(float)))
    np.testing.assert_allclose(result, expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_logits_of_binary_crossentropy(smoothing):
    rng = np.random.default_rng(5)
    y, z = rng.integers(0, 2, (6, 3)).astype(float), rng.normal(size=(6, 3)) * 3
    smooth = y * (1 - smoothing) + smoothing / 2
    loss = losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing, reduction="none")
    expected = references.binary(smooth, expit(z)).mean(-1)
    np.testing.assert_allclose(numpy(loss(y, z)), expected, rtol=1e-4)
    over_rows = losses.binary_crossentropy(y, z, True, smoothing, axis=0)
    expected = references.binary(smooth, expit(z)).mean(0)
    np.testing.assert_allclose(numpy(over_rows), expected, rtol=1e-4)


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_logits_of_categorical_crossentropy(smoothing, axis):
    rng = np.random.default_rng(6)
    z = rng.normal(size=(4, 5, 3)) * 3
    classes = z.shape[axis]
    labels = rng.integers(0, classes, np.delete(z.shape, axis))
    y = np.moveaxis(np.eye(classes)[labels], -1, axis)
    loss = losses.CategoricalCrossentropy(True, smoothing, axis, reduction=None)
    smooth = y * (1 - smoothing) + smoothing / classes
    expected = references.categorical(
        np.moveaxis(smooth, axis, -1), softmax(np.moveaxis(z, axis, -1), -1)
    )
    np.testing.assert_allclose(numpy(loss(y, z)), expected, rtol=1e-4)
    if not smoothing:
        sparse = losses.SparseCategoricalCrossentropy(True, axis=axis, reduction=None)
        np.testing.assert_allclose(numpy(sparse(labels, z)), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["float", "column", "uint8"])
def test_class_numbers_come_in_any_form(kind):
    y, p = references.classes(np.random.default_rng(7), (6, 4))
    given = {"float": y.astype("float32"), "column": y[:, None], "uint8": y.astype("uint8")}[kind]
    result = losses.SparseCategoricalCrossentropy()(given, p)
    np.testing.assert_allclose(numpy(result), references.sparse(y, p).mean(), rtol=1e-5)


@pytest.mark.parametrize("ignored", [-1, 2, 255])
def test_ignored_class_counts_for_nothing(ignored):
    rng = np.random.default_rng(8)
    y, z = rng.integers(0, 2, (4, 6)), rng.normal(size=(4, 6, 4))
    y[rng.uniform(size=y.shape) < 0.4] = ignored
    kept = y != ignored
    values = np.where(kept, references.sparse_from_logits(np.where(kept, y, 0), z), 0)
    loss = losses.SparseCategoricalCrossentropy(True, ignored)
    np.testing.assert_allclose(numpy(loss(y, z)), values.sum() / kept.sum(), rtol=1e-5)
    function = losses.sparse_categorical_crossentropy(y, z, True, ignored)
    np.testing.assert_allclose(numpy(function), values, rtol=1e-4, atol=1e-6)
    weight = rng.uniform(size=4)
    weighted = losses.SparseCategoricalCrossentropy(True, ignored, "sum")(y, z, weight)
    np.testing.assert_allclose(numpy(weighted), (values * weight[:, None]).sum(), rtol=1e-5)


def test_large_logits_and_errors_stay_finite():
    z = np.array([[1e4, -1e4]], "float32")
    assert numpy(losses.BinaryCrossentropy(True)([[1.0, 0.0]], z)) == 0
    assert numpy(losses.BinaryCrossentropy(True)([[0.0, 1.0]], z)) == pytest.approx(1e4)
    assert numpy(losses.CategoricalCrossentropy(True)([[0.0, 1.0]], z)) == pytest.approx(2e4)
    assert numpy(losses.LogCosh()([[0.0, 0.0]], z)) == pytest.approx(1e4 - np.log(2))
    assert np.isfinite(numpy(losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.0, 1.0]])))
    assert np.isfinite(numpy(losses.CategoricalCrossentropy()([[0.0, 1.0]], [[1.0, 0.0]])))
    assert numpy(losses.CosineSimilarity()([[0.0, 0.0]], [[1.0, 0.0]])) == 0


def test_hinge_takes_bits_for_signs():
    y, p = references.signs(np.random.default_rng(9), (6, 4))
    bits = (y + 1) / 2
    np.testing.assert_allclose(numpy(losses.hinge(bits, p)), numpy(losses.hinge(y, p)), rtol=1e-6)


@pytest.mark.parametrize("delta", [0.1, 2.5])
def test_delta_of_huber(delta):
    y, p = references.real(np.random.default_rng(10), (50, 2))
    expected = references.huber(y, 4 * p, delta).mean()
    np.testing.assert_allclose(numpy(losses.Huber(delta)(y, 4 * p)), expected, rtol=1e-5)


def test_predictions_without_last_axis_are_samples():
    y, p = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(numpy(losses.MeanSquaredError(None)(y, p)), [0, 4, 9])
    weighted = losses.MeanSquaredError()(y, p, [1.0, 2.0, 0.0])
    np.testing.assert_allclose(numpy(weighted), 8 / 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("y_shape", "p_shape"), [((5,), (5, 1)), ((5, 1), (5,)), ((5, 3, 1), (5, 3))]
)
def test_a_last_axis_of_one_is_no_broadcast(y_shape, p_shape):
    y, p = references.real(np.random.default_rng(11), (15,))
    y, p = y[: np.prod(y_shape)], p[: np.prod(p_shape)]
    result = losses.MeanSquaredError()(y.reshape(y_shape), p.reshape(p_shape))
    np.testing.assert_allclose(numpy(result), ((p - y) ** 2).mean(), rtol=1e-5)
