"""Counts at thresholds and areas under curves, against counting in NumPy and rank statistics."""

import numpy as np
import pytest
from scipy.stats import rankdata

import mlapi
from mlapi import metrics, ops
from mlapi.errors import ArgumentError, NotBuiltError, ShapeError

COUNTS = {
    "TruePositives": lambda y, hit: y * hit,
    "FalsePositives": lambda y, hit: (1 - y) * hit,
    "TrueNegatives": lambda y, hit: (1 - y) * ~hit,
    "FalseNegatives": lambda y, hit: y * ~hit,
}
THRESHOLDS = [None, 0.3, [0.3, 0.7], [0.9, 0.1, 0.5]]


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def data(seed, shape=(60,)):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, shape)
    p = np.clip(0.5 + 0.2 * (y - 0.5) + rng.normal(size=shape) * 0.25, 0, 1).astype("float32")
    return y, p


def counted(name, y, p, weights, thresholds):
    levels = np.atleast_1d(0.5 if thresholds is None else thresholds).astype("float32")
    weights = np.ones(y.shape) if weights is None else weights
    result = np.array([(COUNTS[name](y, p > level) * weights).sum() for level in levels])
    return result if np.ndim(thresholds) else result[0]


@pytest.mark.parametrize("thresholds", THRESHOLDS, ids=str)
@pytest.mark.parametrize("name", COUNTS)
def test_counts(name, thresholds):
    metric = getattr(metrics, name)(thresholds)
    compiled = isinstance(thresholds, float)
    update = mlapi.jit(metric.update_state, metric) if compiled else metric.update_state
    y, p = data(1)
    for part in (slice(0, 30), slice(30, 60)):
        update(ops.convert_to_tensor(y[part]), ops.convert_to_tensor(p[part]))
    np.testing.assert_allclose(numpy(metric.result()), counted(name, y, p, None, thresholds))
    metric.reset_state()
    assert not numpy(metric.result()).any()


@pytest.mark.parametrize("thresholds", THRESHOLDS, ids=str)
def test_precision_and_recall(thresholds):
    y, p = data(2, (60, 3))
    weights = np.random.default_rng(3).uniform(size=60).astype("float32")
    full = np.broadcast_to(weights[:, None], y.shape)
    found = counted("TruePositives", y, p, full, thresholds)
    false = counted("FalsePositives", y, p, full, thresholds)
    missed = counted("FalseNegatives", y, p, full, thresholds)
    precision, recall = metrics.Precision(thresholds), metrics.Recall(thresholds)
    for part in (slice(0, 30), slice(30, 60)):
        precision.update_state(y[part], p[part], weights[part])
        recall.update_state(y[part], p[part], weights[part])
    np.testing.assert_allclose(numpy(precision.result()), found / (found + false), rtol=1e-5)
    np.testing.assert_allclose(numpy(recall.result()), found / (found + missed), rtol=1e-5)


@pytest.mark.parametrize("class_id", [None, 1])
@pytest.mark.parametrize("k", [1, 3])
def test_top_k_and_one_class(k, class_id):
    rng = np.random.default_rng(4)
    y, p = rng.integers(0, 2, (30, 5)), rng.normal(size=(30, 5)).astype("float32")
    hit = p >= np.sort(p, -1)[:, -k : -k + 1 or None]
    if class_id is not None:
        y_seen, hit = y[:, class_id], hit[:, class_id]
    else:
        y_seen = y
    precision = metrics.Precision(top_k=k, class_id=class_id)(y, p)
    recall = metrics.Recall(top_k=k, class_id=class_id)(y, p)
    np.testing.assert_allclose(numpy(precision), (y_seen * hit).sum() / hit.sum(), rtol=1e-5)
    np.testing.assert_allclose(numpy(recall), (y_seen * hit).sum() / y_seen.sum(), rtol=1e-5)


def test_nothing_found_gives_zero():
    assert numpy(metrics.Precision()([1, 0], [0.1, 0.1])) == 0
    assert numpy(metrics.Recall()([0, 0], [0.9, 0.1])) == 0
    assert numpy(metrics.AUC()([1, 1], [0.9, 0.1])) == 0


def rank_area(y, p):
    """The area under the ROC curve as the Mann-Whitney statistic, ties counting half."""
    positives = y.sum()
    ranks = rankdata(p)[y == 1].sum()
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(y) - positives))


def curve_area(y, p, weights, edges, curve, method):
    """The area as the documentation defines it, from counts at every threshold."""
    hits = p[None, :] > np.asarray(edges, "float32")[:, None]
    tp, fp = (hits * y * weights).sum(1), (hits * (1 - y) * weights).sum(1)
    recall, fall_out = tp / (y * weights).sum(), fp / ((1 - y) * weights).sum()
    precision = np.divide(tp, tp + fp, out=np.zeros_like(tp), where=tp + fp > 0)
    x, height = (fall_out, recall) if curve == "ROC" else (recall, precision)
    pair = {"interpolation": np.add, "minoring": np.minimum, "majoring": np.maximum}[method]
    heights = pair(height[:-1], height[1:]) / (2 if method == "interpolation" else 1)
    return ((x[:-1] - x[1:]) * heights).sum()


@pytest.mark.parametrize("seed", range(5))
def test_area_under_roc_is_the_rank_statistic(seed):
    y, p = data(seed, (500,))
    result = numpy(metrics.AUC(num_thresholds=2000)(y, p))
    assert result == pytest.approx(rank_area(y, p), abs=1e-3)


def test_area_is_exact_with_a_threshold_between_any_two_predictions():
    y, p = data(6)
    values = np.unique(p)
    between = (values[:-1].astype(float) + values[1:]) / 2
    result = numpy(metrics.AUC(thresholds=between)(y, p))
    assert result == pytest.approx(rank_area(y, p), abs=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("method", ["interpolation", "minoring", "majoring"])
@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_area_by_its_definition(curve, method, compiled):
    y, p = data(7)
    weights = np.random.default_rng(8).uniform(size=60).astype("float32")
    metric = metrics.AUC(num_thresholds=12, curve=curve, summation_method=method)
    update = mlapi.jit(metric.update_state, metric) if compiled else metric.update_state
    for part in (slice(0, 30), slice(30, 60)):
        update(*(ops.convert_to_tensor(a[part]) for a in (y, p, weights)))
    if (curve, method) == ("PR", "interpolation"):
        expected = interpolated(y, p, weights, metric.thresholds)
    else:
        expected = curve_area(y, p, weights, metric.thresholds, curve, method)
    np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-4)


def interpolated(y, p, weights, edges):
    """Davis and Goadrich: between two thresholds true positives grow linearly in all positives."""
    hits = p[None, :] > np.asarray(edges, "float32")[:, None]
    tp, fp = (hits * y * weights).sum(1), (hits * (1 - y) * weights).sum(1)
    area = 0.0
    for i in range(len(edges) - 1):
        t = np.linspace(1, 0, 20001)
        true = tp[i + 1] + t * (tp[i] - tp[i + 1])
        both = true + fp[i + 1] + t * (fp[i] - fp[i + 1])
        precision = np.divide(true, both, out=np.full_like(true, np.nan), where=both > 0)
        precision[np.isnan(precision)] = np.nanmean(precision) if (both > 0).any() else 0
        area += ((precision[1:] + precision[:-1]) / 2 * -np.diff(true)).sum()
    return area / (y * weights).sum()


def test_logits_are_brought_to_probabilities():
    y, p = data(9)
    p = np.clip(p, 0.01, 0.99)
    logits = np.log(p) - np.log1p(-p)
    a, b = metrics.AUC(from_logits=True)(y, logits), metrics.AUC()(y, p)
    np.testing.assert_allclose(numpy(a), numpy(b), atol=1e-3)


@pytest.mark.parametrize("num_labels", [None, 3])
@pytest.mark.parametrize("label_weights", [None, [1.0, 2.0, 0.5]])
def test_labels_apart(num_labels, label_weights):
    y, p = data(10, (60, 3))
    metric = metrics.AUC(multi_label=True, num_labels=num_labels, label_weights=label_weights)
    for part in (slice(0, 30), slice(30, 60)):
        metric.update_state(y[part], p[part])
    columns = [numpy(metrics.AUC()(y[:, i], p[:, i])) for i in range(3)]
    expected = np.average(columns, weights=label_weights)
    np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-5)
    assert metric.true_positives.shape == (200, 3)


def test_weights_of_labels_in_one_curve():
    y, p = data(11, (60, 3))
    weights = np.broadcast_to([1.0, 2.0, 0.5], y.shape)
    a = metrics.AUC(label_weights=[1.0, 2.0, 0.5])(y, p)
    b = metrics.AUC()(y, p, weights)
    np.testing.assert_allclose(numpy(a), numpy(b), rtol=1e-6)


@pytest.mark.parametrize(
    "metric",
    [
        metrics.AUC(num_thresholds=7, curve="PR", summation_method="minoring", name="area"),
        metrics.AUC(thresholds=[0.2, 0.4], multi_label=True, num_labels=2, from_logits=True),
        metrics.Precision(thresholds=[0.7, 0.2], class_id=1),
        metrics.Recall(top_k=2, name="r"),
        metrics.FalseNegatives(0.2),
    ],
    ids=lambda metric: metric.name,
)
def test_config_makes_an_equal_metric(metric):
    again = metrics.deserialize(metrics.serialize(metric))
    assert again.get_config() == metric.get_config()
    assert [v.shape for v in again.variables] == [v.shape for v in metric.variables]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"curve": "RoC curve"}, "curve must be 'roc', 'pr' or 'prgain'"),
        ({"label_weights": [-1.0]}, "label_weights must be a list of numbers of at least 0"),
        ({"summation_method": "interpolate"}, "Did you mean 'interpolation'"),
        ({"num_thresholds": 1}, "at least 2, received 1"),
        ({"thresholds": [0.5, 2.0]}, "from 0 to 1"),
        ({"num_labels": 3}, "multi_label=True"),
    ],
)
def test_bad_arguments_of_auc(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        metrics.AUC(**arguments)


def test_bad_use():
    with pytest.raises(ArgumentError, match=r"from 0 to 1, received 1\.5"):
        metrics.Precision(1.5)
    with pytest.raises(NotBuiltError, match="num_labels"):
        metrics.AUC(multi_label=True).result()
    with pytest.raises(ShapeError, match=r"\(batch, labels\)"):
        metrics.AUC(multi_label=True)([1, 0], [0.1, 0.2])
    with pytest.raises(ShapeError, match="y_true has shape"):
        metrics.Recall()(np.ones((3, 2)), np.ones((3, 4)))
