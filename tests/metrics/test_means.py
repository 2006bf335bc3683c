"""Means, sums and the metrics that are means of a function, against NumPy."""

import numpy as np
import pytest
from scipy.special import expit

import mlapi
from mlapi import losses, metrics, ops
from mlapi.errors import ArgumentError, ShapeError
from tests.losses import references
from tests.losses.references import LOSSES


def data_and_values(loss):
    return LOSSES[loss].make, LOSSES[loss].values


# Metric class → the data it is for, and its value for every sample.
WRAPPERS = {
    "MeanSquaredError": data_and_values("mean_squared_error"),
    "MeanAbsoluteError": data_and_values("mean_absolute_error"),
    "MeanAbsolutePercentageError": data_and_values("mean_absolute_percentage_error"),
    "MeanSquaredLogarithmicError": data_and_values("mean_squared_logarithmic_error"),
    "LogCoshError": data_and_values("log_cosh"),
    "CosineSimilarity": (references.real, references.cosine),
    "BinaryCrossentropy": data_and_values("binary_crossentropy"),
    "CategoricalCrossentropy": data_and_values("categorical_crossentropy"),
    "SparseCategoricalCrossentropy": data_and_values("sparse_categorical_crossentropy"),
    "KLDivergence": data_and_values("kl_divergence"),
    "Poisson": data_and_values("poisson"),
    "Hinge": data_and_values("hinge"),
    "SquaredHinge": data_and_values("squared_hinge"),
    "CategoricalHinge": data_and_values("categorical_hinge"),
    "BinaryAccuracy": (references.bits, lambda y, p: ((p > 0.5) == y).mean(-1)),
    "CategoricalAccuracy": (references.one_hot, lambda y, p: y.argmax(-1) == p.argmax(-1)),
    "SparseCategoricalAccuracy": (references.classes, lambda y, p: y == p.argmax(-1)),
}


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def batches(make, shapes):
    rng = np.random.default_rng(1)
    return [make(rng, shape) for shape in shapes]


def per_sample(values):
    """The mean of every sample: how each enters the mean over all."""
    return values.reshape(len(values), -1).mean(1)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", WRAPPERS)
def test_batches_add_up_to_the_mean_over_all_samples(name, compiled):
    make, reference = WRAPPERS[name]
    metric = getattr(metrics, name)()
    update = mlapi.jit(metric.update_state, metric) if compiled else metric.update_state
    seen = []
    inner = (4,) if compiled else (3, 4)
    for y, p in batches(make, [(5, *inner), (2, *inner), (5, *inner)]):
        update(ops.convert_to_tensor(y), ops.cast(p, "float32"))
        seen.append(per_sample(reference(y, p)))
    np.testing.assert_allclose(numpy(metric.result()), np.concatenate(seen).mean(), rtol=2e-4)
    metric.reset_state()
    assert numpy(metric.result()) == 0


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        *((name, (5,)) for name in WRAPPERS),
        ("MeanSquaredError", (5, 1)),
        ("MeanSquaredError", (5, 3)),
        ("SparseCategoricalAccuracy", (5, 1)),
        ("SparseCategoricalAccuracy", (5, 3)),
    ],
    ids=str,
)
def test_weights(name, weights):
    make, reference = WRAPPERS[name]
    metric = getattr(metrics, name)()
    rng = np.random.default_rng(2)
    total = count = 0
    for y, p in batches(make, [(5, 3, 4), (5, 3, 4)]):
        weight = rng.uniform(size=weights).astype("float32")
        metric.update_state(y, p.astype("float32"), weight)
        full = np.broadcast_to(weight.reshape(5, -1), (5, 3))
        total += (reference(y, p) * full).sum()
        count += full.sum()
    np.testing.assert_allclose(numpy(metric.result()), total / count, rtol=2e-4)


@pytest.mark.parametrize("name", WRAPPERS)
def test_config_makes_an_equal_metric(name):
    metric = getattr(metrics, name)(name="mine")
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    assert again.get_config()["name"] == "mine"


def test_root_mean_squared_error():
    y, p = references.real(np.random.default_rng(3), (6, 4))
    metric = metrics.RootMeanSquaredError()
    for half in (slice(0, 2), slice(2, 6)):
        metric.update_state(y[half], p[half])
    np.testing.assert_allclose(numpy(metric.result()), np.sqrt(((y - p) ** 2).mean()), rtol=1e-5)


def test_mean_of_numbers_and_of_samples_of_any_size():
    metric = metrics.Mean()
    metric.update_state(2.0)
    metric.update_state(5.0, sample_weight=3)
    assert numpy(metric.result()) == pytest.approx(17 / 4)
    metric.update_state(np.ones((2, 10)))
    metric.update_state(np.zeros((2, 3, 2)))
    assert numpy(metric.result()) == pytest.approx(19 / 8)


def test_mean_of_an_empty_batch_and_of_nothing_is_zero():
    metric = metrics.Mean()
    assert numpy(metric.result()) == 0
    metric.update_state(np.zeros((0,), "float32"))
    assert numpy(metric.result()) == 0


def test_sum():
    rng = np.random.default_rng(4)
    values, weights = rng.normal(size=(2, 5, 3)), rng.uniform(size=5)
    metric = metrics.Sum()
    metric.update_state(values[0])
    metric.update_state(values[1], weights)
    expected = values[0].sum() + (values[1] * weights[:, None]).sum()
    np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-5)


def test_half_precision_adds_up_in_float32():
    metric = metrics.Mean()
    values = ops.cast(np.full(6000, 1.0), "float16")
    for _ in range(15):
        metric.update_state(values)  # 90,000 is more than float16 can hold
    assert numpy(metric.result()) == 1.0


def test_results_are_not_changed_by_later_batches():
    for metric in (metrics.Mean(), metrics.Sum(), metrics.AUC(), metrics.TruePositives()):
        arguments = ([1.0],) if isinstance(metric, metrics.Mean | metrics.Sum) else ([1], [0.9])
        metric.update_state(*arguments)
        first = metric.result()
        before = numpy(first).copy()
        metric.update_state(*arguments)
        metric.reset_state()
        np.testing.assert_array_equal(numpy(first), before)


def test_state_stays_out_of_gradients():
    metric = metrics.MeanSquaredError()

    def loss(x):
        metric.update_state([[1.0]], x)
        return ops.sum(x * x) + 0.0 * metric.result()

    for _ in range(2):
        value, gradient = mlapi.value_and_grad(loss)(ops.convert_to_tensor([[3.0]]))
        np.testing.assert_allclose(numpy(gradient), [[6.0]])
        np.testing.assert_allclose(numpy(value), 9.0)
    np.testing.assert_allclose(numpy(metric.result()), 4.0)


def test_wrapper_passes_arguments_on():
    metric = metrics.MeanMetricWrapper(losses.huber, name="h", delta=0.5)
    y, p = references.real(np.random.default_rng(5), (20, 2))
    expected = references.huber(y, p, 0.5).mean()
    np.testing.assert_allclose(numpy(metric(y, p)), expected, rtol=1e-5)
    assert metrics.MeanMetricWrapper(losses.huber).name == "huber"


def test_ignored_class_counts_for_nothing():
    rng = np.random.default_rng(6)
    y, z = rng.integers(0, 4, (5, 6)), rng.normal(size=(5, 6, 4))
    kept = y != 2
    values = references.sparse_from_logits(y, z)
    metric = metrics.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)
    np.testing.assert_allclose(numpy(metric(y, z)), values[kept].mean(), rtol=1e-5)
    weight = rng.uniform(size=5)
    metric.reset_state()
    expected = (values * kept * weight[:, None]).sum() / (kept * weight[:, None]).sum()
    np.testing.assert_allclose(numpy(metric(y, z, weight)), expected, rtol=1e-5)


def test_logits():
    rng = np.random.default_rng(7)
    y, z = rng.integers(0, 2, (6, 3)).astype(float), rng.normal(size=(6, 3))
    expected = references.binary(y * 0.8 + 0.1, expit(z)).mean()
    metric = metrics.BinaryCrossentropy(from_logits=True, label_smoothing=0.2)
    np.testing.assert_allclose(numpy(metric(y, z)), expected, rtol=1e-5)
    one_hot, z = np.eye(4)[rng.integers(0, 4, 6)], rng.normal(size=(6, 4))
    expected = references.sparse_from_logits(one_hot.argmax(-1), z).mean()
    metric = metrics.CategoricalCrossentropy(from_logits=True)
    np.testing.assert_allclose(numpy(metric(one_hot, z)), expected, rtol=1e-5)


class Doubled(metrics.Metric):
    """A metric as users write them, with another metric inside."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.seen = self.add_weight(name="seen")
        self.mean = metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign(self.seen + 1)
        self.mean.update_state(y_pred)

    def result(self):
        return {"seen": self.seen.value, "doubled": self.factor * self.mean.result()}


def test_metrics_of_users():
    metric = Doubled(3.0, name="doubled")
    metric.update_state([0.0], [2.0])
    result = metric([0.0, 0.0], [5.0, 5.0])
    assert numpy(result["seen"]) == 2
    assert numpy(result["doubled"]) == 12
    assert [v.path for v in metric.variables] == ["doubled/seen", "mean/total", "mean/count"]
    metric.reset_state()
    assert all(v.numpy() == 0 for v in metric.variables)
    assert metric.get_config() == {"factor": 3.0, "name": "doubled", "dtype": "float32"}


def test_stateless_forms_leave_the_metric_alone():
    metric = metrics.Mean()
    metric.update_state([4.0])
    state = metric.stateless_reset_state()
    for values in ([1.0, 2.0], [6.0]):
        state = metric.stateless_update_state(state, values)
    assert numpy(metric.stateless_result(state)) == 3.0
    assert numpy(metric.result()) == 4.0
    with pytest.raises(ShapeError, match="2 variables, received 1"):
        metric.stateless_result(state[:1])


def test_abstract_methods_say_so():
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state()
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric().result()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", losses.mean_squared_error),
        ("MAE", losses.mean_absolute_error),
        ("categorical_accuracy", metrics.categorical_accuracy),
        ("AUC", metrics.AUC),
        ("auc", metrics.AUC),
        ("rmse", metrics.RootMeanSquaredError),
    ],
)
def test_get(name, expected):
    found = metrics.get(name)
    assert found is expected or type(found) is expected


def test_unknown_names_get_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 'categorical_accuracy'"):
        metrics.get("categorical_acuracy")
    assert metrics.get(None) is None


def test_weights_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"\(3,\) do not fit values of shape \(2,\)"):
        metrics.Mean().update_state([1.0, 2.0], [1.0, 1.0, 1.0])
