"""How losses and metrics of `compile` meet the outputs of a model: by name, or with an error."""

import numpy as np
import pytest

import mlapi
from mlapi import losses, metrics, ops
from mlapi.errors import ArgumentError, DataError
from mlapi.training.compile import CompiledLoss, CompiledMetrics


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def random(*shapes):
    rng = np.random.default_rng(1)
    return [ops.convert_to_tensor(rng.normal(size=s).astype("float32")) for s in shapes]


def mse(y, p, weight=1.0):
    return (((numpy(p) - numpy(y)) ** 2).mean(-1) * weight).mean()


def mae(y, p, weight=1.0):
    return (np.abs(numpy(p) - numpy(y)).mean(-1) * weight).mean()


# --- losses of one output --------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        "MeanSquaredError",
        losses.mean_squared_error,
        losses.MeanSquaredError(),
        losses.MeanSquaredError,
        lambda y_true, y_pred: ops.mean(ops.square(y_true - y_pred), axis=-1),
        {"class_name": "MeanSquaredError", "config": {"name": "m"}},
        ["mse"],
        {"out": "mse"},
    ],
)
def test_one_output(loss):
    y, p, weight = random((6, 3), (6, 3), (6,))
    total = CompiledLoss(loss, output_names=["out"])
    for _ in range(2):  # the first call matches names, the second goes straight through
        np.testing.assert_allclose(numpy(total(y, p)), mse(y, p), rtol=1e-5)
        np.testing.assert_allclose(numpy(total(y, p, weight)), mse(y, p, numpy(weight)), rtol=1e-5)
        np.testing.assert_allclose(numpy(total({"out": y}, p)), mse(y, p), rtol=1e-5)
        np.testing.assert_allclose(
            numpy(total([y], [p], [weight])), mse(y, p, numpy(weight)), rtol=1e-5
        )
    assert total.metrics == []


def test_mask_of_one_output():
    y, p = random((6, 3), (6, 3))
    total = CompiledLoss("mse")
    mask = np.array([True, False, True, True, False, False])
    for _ in range(2):
        result = total(y, p, None, ops.convert_to_tensor(mask))
        np.testing.assert_allclose(numpy(result), mse(numpy(y)[mask], numpy(p)[mask]), rtol=1e-5)


def test_no_loss():
    y, p = random((6, 3), (6, 3))
    assert CompiledLoss(None)(y, p) is None
    assert CompiledLoss({"a": "mse"}, output_names=["a", "b"]).metrics == []


def test_weight_of_one_output():
    y, p = random((6, 3), (6, 3))
    np.testing.assert_allclose(numpy(CompiledLoss("mse", 0.5)(y, p)), mse(y, p) / 2, rtol=1e-5)
    np.testing.assert_allclose(numpy(CompiledLoss("mse", [0.5])(y, p)), mse(y, p) / 2, rtol=1e-5)


@pytest.mark.parametrize("name", ["crossentropy", "ce"])
@pytest.mark.parametrize(
    ("y_shape", "p_shape", "expected"),
    [
        ((6, 1), (6, 1), losses.binary_crossentropy),
        ((6, 3), (6, 3), losses.categorical_crossentropy),
        ((6,), (6, 3), losses.sparse_categorical_crossentropy),
    ],
)
def test_crossentropy_goes_by_shapes(name, y_shape, p_shape, expected):
    y = ops.convert_to_tensor(np.random.default_rng(1).integers(0, 2, y_shape))
    p = ops.sigmoid(random(p_shape)[0])
    expected = numpy(expected(y, p)).mean()
    np.testing.assert_allclose(numpy(CompiledLoss(name)(y, p)), expected, rtol=1e-5)


def test_labels_are_checked_on_the_host():
    total = CompiledLoss("sparse_categorical_crossentropy")
    p = random((4, 3))[0]
    total.build(np.array([0, 1, 2, 0]), p)
    total.check_labels(np.array([0, 1, 2, 0]), p)
    with pytest.raises(DataError, match="3 classes"):
        total.check_labels(np.array([0, 1, 3, 0]), p)
    ignoring = CompiledLoss(losses.SparseCategoricalCrossentropy(ignore_class=3))
    ignoring.build(np.array([0]), p)
    ignoring.check_labels(np.array([0, 1, 3, 0]), p)
    dense = CompiledLoss("mse")
    dense.build(np.ones((4, 3)), p)
    dense.check_labels(np.full((4, 3), 9), p)


# --- losses of several outputs ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "weights"),
    [
        (["mse", "mae"], [1.0, 3.0]),
        ({"b": "mae", "a": "mse"}, {"b": 3.0}),
        ({"a": losses.MeanSquaredError(), "b": losses.mean_absolute_error}, (1, 3)),
    ],
    ids=["list", "dict", "mixed"],
)
@pytest.mark.parametrize("form", ["list", "tuple", "dict", "turned dict"])
def test_several_outputs(loss, weights, form):
    a, b, pa, pb, w = random((6, 3), (6, 2), (6, 3), (6, 2), (6,))
    total = CompiledLoss(loss, weights, ["a", "b"])
    y, p = {
        "list": ([a, b], [pa, pb]),
        "tuple": ((a, b), (pa, pb)),
        "dict": ({"a": a, "b": b}, {"a": pa, "b": pb}),
        "turned dict": ({"b": b, "a": a}, [pa, pb]),
    }[form]
    np.testing.assert_allclose(numpy(total(y, p)), mse(a, pa) + 3 * mae(b, pb), rtol=1e-5)
    weight = numpy(w)
    expected = mse(a, pa, weight) + 3 * mae(b, pb, weight)
    np.testing.assert_allclose(numpy(total(y, p, w)), expected, rtol=1e-5)
    expected = mse(a, pa) + 3 * mae(b, pb, weight)
    np.testing.assert_allclose(numpy(total(y, p, {"b": w})), expected, rtol=1e-5)


def test_each_output_of_several_is_tracked():
    a, b, pa, pb = random((6, 3), (6, 2), (6, 3), (6, 2))
    total = CompiledLoss("mse", [1.0, 5.0], ["a", "b"])
    total.build([a, b], [pa, pb])
    assert [m.name for m in total.metrics] == ["a_loss", "b_loss"]
    step = mlapi.jit(lambda y, p: total(y, p), total.metrics)
    step([a, b], [pa, pb])
    step([a[:2], b[:2]], [pa[:2], pb[:2]])
    results = [numpy(m.result()) for m in total.metrics]
    for result, y, p in zip(results, (a, b), (pa, pb), strict=True):
        expected = (6 * mse(y, p) + 2 * mse(y[:2], p[:2])) / 8
        np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_outputs_without_loss_need_no_targets():
    a, pa, pb = random((6, 3), (6, 3), (6, 2))
    for loss in ({"a": "mse"}, ["mse", None]):
        for y in (a, [a], {"a": a}, [a, None]):
            total = CompiledLoss(loss, output_names=["a", "b"])
            np.testing.assert_allclose(numpy(total(y, [pa, pb])), mse(a, pa), rtol=1e-5)


def test_nested_outputs_have_paths():
    a, b, pa, pb = random((6, 3), (6, 2), (6, 3), (6, 2))
    y, p = {"x": {"a": a}, "y": [b]}, {"x": {"a": pa}, "y": [pb]}
    total = CompiledLoss({"x": {"a": "mse"}, "y": ["mae"]})
    np.testing.assert_allclose(numpy(total(y, p)), mse(a, pa) + mae(b, pb), rtol=1e-5)
    assert [m.name for m in total.metrics] == ["x/a_loss", "y/0_loss"]


@pytest.mark.parametrize(
    ("loss", "weights", "message"),
    [
        ("msee", None, "Unknown loss 'msee'"),
        ({"hed": "mse"}, None, r"names 'hed'.*Did you mean 'head'.*Expected \['head', 'b'\]"),
        (["mse"] * 3, None, "loss has 3 entries, but the model has 2 outputs: head, b"),
        ("mse", [1.0], "loss_weights has 1 entries"),
        ("mse", {"c": 1.0}, "loss_weights names 'c'"),
    ],
)
def test_losses_that_fit_no_output(loss, weights, message):
    a, b = random((6, 3), (6, 2))
    with pytest.raises(ArgumentError, match=message):
        CompiledLoss(loss, weights, ["head", "b"])([a, b], [a, b])


@pytest.mark.parametrize("bad", [["a"], {"head": "a"}, {"head": "a", "c": "a"}], ids=str)
def test_targets_that_fit_no_output(bad):
    a, b = random((6, 3), (6, 2))
    bad = [a] if isinstance(bad, list) else dict.fromkeys(bad, a)
    with pytest.raises(DataError, match="head"):
        CompiledLoss("mse", output_names=["head", "b"])(bad, [a, b])


# --- metrics ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize(
    ("y_shape", "p_shape", "kind"),
    [
        ((6, 1), (6, 1), metrics.BinaryAccuracy),
        ((6, 3), (6, 3), metrics.CategoricalAccuracy),
        ((6,), (6, 3), metrics.SparseCategoricalAccuracy),
    ],
)
def test_accuracy_keeps_the_name_that_it_was_given(name, y_shape, p_shape, kind):
    y = ops.convert_to_tensor(np.random.default_rng(1).integers(0, 2, y_shape))
    p = ops.sigmoid(random(p_shape)[0])
    compiled = CompiledMetrics([name])
    assert compiled.metrics == []
    compiled.update_state(y, p)
    assert type(compiled.metrics[0]) is kind
    expected = kind()
    expected.update_state(y, p)
    np.testing.assert_allclose(numpy(compiled.result()[name]), numpy(expected.result()))


@pytest.mark.parametrize(
    "given",
    [
        ["mae", "mse"],
        [["mae", "mse"]],
        ("mae", metrics.MeanSquaredError(name="mse")),
        {"out": ["mae", "mse"]},
    ],
)
def test_metrics_of_one_output(given):
    y, p = random((6, 3), (6, 3))
    compiled = CompiledMetrics(given, output_names=["out"])
    assert [m.name for m in compiled.metrics] == ["mae", "mse"]
    for _ in range(2):
        compiled.update_state(y, p)
    result = {name: float(value) for name, value in compiled.result().items()}
    assert result == pytest.approx({"mae": mae(y, p), "mse": mse(y, p)}, rel=1e-5)
    compiled.reset_state()
    assert all(float(value) == 0 for value in compiled.result().values())


def test_functions_and_losses_are_metrics_too():
    def largest(y_true, y_pred):
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    y, p = random((6, 3), (6, 3))
    compiled = CompiledMetrics(
        [largest, losses.MeanSquaredError(), losses.huber, metrics.AUC(name="area")]
    )
    compiled.update_state(ops.cast(y > 0, "float32"), ops.sigmoid(p))
    assert list(compiled.result()) == ["largest", "mean_squared_error", "huber", "area"]
    y, p = ops.cast(y > 0, "float32"), ops.sigmoid(p)
    expected = np.abs(numpy(y) - numpy(p)).max(-1).mean()
    np.testing.assert_allclose(numpy(compiled.result()["largest"]), expected, rtol=1e-5)
    np.testing.assert_allclose(numpy(compiled.result()["mean_squared_error"]), mse(y, p), rtol=1e-5)


def test_only_weighted_metrics_see_weights():
    y, p, w = random((6, 3), (6, 3), (6,))
    w = ops.abs(w)
    compiled = CompiledMetrics(["mse"], ["mse", "mae"])
    compiled.update_state(y, p, w)
    weight = numpy(w) / numpy(w).mean()
    result = {name: float(value) for name, value in compiled.result().items()}
    expected = {"mse": mse(y, p), "weighted_mse": mse(y, p, weight), "mae": mae(y, p, weight)}
    assert result == pytest.approx(expected, rel=1e-5)


def test_masks_reach_all_metrics():
    y, p, w = random((6, 5, 3), (6, 5, 3), (6,))
    w = ops.abs(w)
    mask = np.random.default_rng(2).uniform(size=(6, 5)) < 0.5
    compiled = CompiledMetrics(["mse"], ["mae"])
    compiled.update_state(y, p, w, ops.convert_to_tensor(mask))
    errors = np.abs(numpy(p) - numpy(y))
    weights = mask * numpy(w)[:, None]
    expected = {
        "mse": (errors**2).mean(-1)[mask].mean(),
        "mae": (errors.mean(-1) * weights).sum() / weights.sum(),
    }
    result = {name: float(value) for name, value in compiled.result().items()}
    assert result == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("form", ["list", "dict"])
@pytest.mark.parametrize(
    "given", [[["mse", "mae"], "mae"], {"b": "mae", "a": ["mse", "mae"]}], ids=["list", "dict"]
)
def test_metrics_of_several_outputs(given, form):
    a, b, pa, pb = random((6, 3), (6, 2), (6, 3), (6, 2))
    y, p = ([a, b], [pa, pb]) if form == "list" else ({"b": b, "a": a}, {"a": pa, "b": pb})
    compiled = CompiledMetrics(given, output_names=["a", "b"])
    for _ in range(2):
        compiled.update_state(y, p)
    result = {name: float(value) for name, value in compiled.result().items()}
    expected = {"a_mse": mse(a, pa), "a_mae": mae(a, pa), "b_mae": mae(b, pb)}
    assert result == pytest.approx(expected, rel=1e-5)


def test_a_result_may_be_a_dict():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.seen = self.add_weight(name="seen")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.seen.assign_add(1.0)

        def result(self):
            return {"seen": self.seen, "twice": self.seen * 2}

    a, b = random((6, 3), (6, 2))
    one = CompiledMetrics([Both()])
    one.update_state(a, a)
    assert {k: float(v) for k, v in one.result().items()} == {"seen": 1, "twice": 2}
    two = CompiledMetrics({"b": Both()}, output_names=["a", "b"])
    two.update_state([a, b], [a, b])
    assert {k: float(v) for k, v in two.result().items()} == {"b_seen": 1, "b_twice": 2}


def test_state_waits_for_shapes_only_where_it_must():
    y, p = random((6, 3), (6, 3))
    compiled = CompiledMetrics([metrics.AUC(multi_label=True, name="area"), "accuracy"])
    assert [len(m.variables) for m in compiled.metrics] == [0]
    compiled.build(y, p)
    assert [len(m.variables) for m in compiled.metrics] == [1, 2]
    update = mlapi.jit(compiled.update_state, compiled.metrics)
    update(ops.cast(y > 0, "float32"), ops.sigmoid(p))
    assert 0 <= float(compiled.result()["area"]) <= 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["acuracy"], "Did you mean 'Accuracy'|Did you mean"),
        ({"hed": "mse"}, r"Did you mean 'head'.*received \['hed'\]"),
        (["mse", "mae", "mse"], "has 3 for 2 outputs.*each of head, b"),
        ("mse", "has one for 2 outputs"),
    ],
)
def test_metrics_that_fit_no_output(given, message):
    a, b = random((6, 3), (6, 2))
    with pytest.raises(ArgumentError, match=message):
        CompiledMetrics(given, output_names=["head", "b"]).update_state([a, b], [a, b])


def test_the_config_of_a_plain_compile_has_keras_names_alone():
    """Keras reads our files and passes the config to its own `compile`."""
    model = mlapi.Sequential([mlapi.Input((2,)), mlapi.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert set(model.get_compile_config()) == {
        *("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly"),
        *("steps_per_execution", "jit_compile", "auto_scale_loss"),
    }
