"""F-scores, R², correlations, intersection over union and operating points, against NumPy."""

import json

import numpy as np
import pytest
from scipy import stats

import mlapi
from mlapi import metrics, ops
from mlapi.errors import ArgumentError, ArgumentTypeError, NotBuiltError, ShapeError

N = 40


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


# Data: targets and predictions of N samples.


def bits(rng):
    y = rng.integers(0, 2, (N, 3))
    return y, np.clip(0.5 + 0.2 * (y - 0.5) + rng.normal(size=y.shape) * 0.25, 0, 1)


def real(rng):
    y = rng.normal([0, 5, -2], size=(N, 3))
    return y, y + rng.normal(size=y.shape) * 0.5


def rows(rng):
    y = rng.normal(size=(N, 8))
    return y, y + rng.normal(size=y.shape)


def masks(rng):
    y = rng.integers(0, 4, (N, 3))
    return y, np.where(rng.uniform(size=y.shape) < 0.5, y, rng.integers(0, 4, y.shape))


def dirty_masks(rng):
    """Some targets are no class, or one that is to be ignored."""
    y, p = masks(rng)
    return np.where(rng.uniform(size=y.shape) < 0.3, rng.choice([-1, 7, 255]), y), p


def class_scores(rng):
    y, p = masks(rng)
    return np.eye(4)[y], np.eye(4)[p] + rng.normal(size=(N, 3, 4)) * 0.2


# Definitions: of targets, predictions and a weight for each sample.


def f_beta(beta, average=None, threshold=None):
    def score(y, p, w):
        hit = p > threshold if threshold else p == p.max(-1, keepdims=True)
        w = w[:, None] * np.ones_like(p)
        axis = None if average == "micro" else 0
        tp, fp, fn = ((w * x).sum(axis) for x in (hit * y, hit * (1 - y), (1 - hit) * y))
        values = (1 + beta**2) * tp / ((1 + beta**2) * tp + beta**2 * fn + fp)
        if average == "weighted":
            return np.average(values, weights=(w * y).sum(0))
        return values if average is None else values.mean()

    return score


def r2(aggregation, regressors=0):
    def score(y, p, w):
        w = w[:, None]
        total = (w * (y - np.average(y, axis=0, weights=w[:, 0])) ** 2).sum(0)
        values = 1 - (w * (y - p) ** 2).sum(0) / total
        if aggregation == "variance_weighted_average":
            values = np.average(values, weights=total)
        elif aggregation:
            values = values.mean()
        return 1 - (1 - values) * (len(y) - 1) / (len(y) - regressors - 1)

    return score


def pearson(y, p, w):
    values = [stats.pearsonr(a, b).statistic for a, b in zip(y, p, strict=True)]
    return np.average(values, weights=w)


def concordance(y, p, w):
    apart = (y.mean(-1) - p.mean(-1)) ** 2
    covariance = [np.cov(a, b, ddof=0)[0, 1] for a, b in zip(y, p, strict=True)]
    return np.average(2 * np.array(covariance) / (y.var(-1) + p.var(-1) + apart), weights=w)


def iou(classes, ignored=None, scores=False):
    def score(y, p, w):
        if scores:
            y, p = y.argmax(-1), p.argmax(-1)
        w = w.reshape(-1, *[1] * (y.ndim - 1)) * ((y >= 0) & (y < 4) & (y != ignored))
        both = [(w * ((y == c) & (p == c))).sum() for c in classes]
        either = [(w * ((y == c) | (p == c))).sum() for c in classes]
        return np.mean([b / e for b, e in zip(both, either, strict=True)])

    return score


def binary_iou(classes, threshold):
    return lambda y, p, w: iou(classes)(y, p >= np.float32(threshold), w)


def operating_point(rate, least, bound, count=200, column=None):
    def score(y, p, w):
        w = w[:, None] * np.ones_like(p)
        if column is not None:
            y, p, w = y[:, column], p[:, column], w[:, column]
        edges = np.arange(count) / (count - 1) if count > 1 else [0.5]
        hits = p[None] > np.asarray(edges, "float32")[:, None, None][..., *[0] * (2 - p.ndim)]
        axes = tuple(range(1, hits.ndim))
        tp, fp = (w * hits * y).sum(axes), (w * hits * (1 - y)).sum(axes)
        fn, tn = (w * ~hits * y).sum(axes), (w * ~hits * (1 - y)).sum(axes)
        with np.errstate(invalid="ignore"):
            rates = {"recall": tp / (tp + fn), "spec": tn / (tn + fp), "prec": tp / (tp + fp)}
        return np.max(np.where(np.nan_to_num(rates[bound]) >= least, rates[rate], 0))

    return score


ROWS = [
    (metrics.F1Score(), bits, f_beta(1.0)),
    (metrics.F1Score("weighted", 0.4), bits, f_beta(1.0, "weighted", 0.4)),
    (metrics.FBetaScore("micro", 2.0, 0.6), bits, f_beta(2.0, "micro", 0.6)),
    (metrics.FBetaScore("macro", 0.5), bits, f_beta(0.5, "macro")),
    (metrics.R2Score(), real, r2("uniform_average")),
    (metrics.R2Score(None, 2), real, r2(None, 2)),
    (metrics.R2Score("variance_weighted_average"), real, r2("variance_weighted_average")),
    (metrics.PearsonCorrelation(), rows, pearson),
    (metrics.ConcordanceCorrelation(), rows, concordance),
    (metrics.IoU(4, [0, 2]), masks, iou([0, 2])),
    (metrics.IoU(4, [1], ignore_class=2), masks, iou([1], 2)),
    (metrics.MeanIoU(4, ignore_class=255, dtype="float32"), dirty_masks, iou(range(4), 255)),
    (metrics.OneHotIoU(4, (3, 1)), class_scores, iou([3, 1], scores=True)),
    (metrics.OneHotMeanIoU(4, ignore_class=0), class_scores, iou(range(4), 0, True)),
    (metrics.BinaryIoU((0,), 0.4), bits, binary_iou([0], 0.4)),
    (metrics.BinaryIoU(), bits, binary_iou([0, 1], 0.5)),
    (metrics.SensitivityAtSpecificity(0.7), bits, operating_point("recall", 0.7, "spec")),
    (metrics.SpecificityAtSensitivity(0.6, 11), bits, operating_point("spec", 0.6, "recall", 11)),
    (metrics.PrecisionAtRecall(0.5, 1), bits, operating_point("prec", 0.5, "recall", 1)),
    (
        metrics.RecallAtPrecision(0.7, class_id=1),
        bits,
        operating_point("recall", 0.7, "prec", column=1),
    ),
]
EVERY = pytest.mark.parametrize(
    ("metric", "make", "definition"), ROWS, ids=lambda value: getattr(value, "name", "")
)


@EVERY
@pytest.mark.parametrize("way", ["plain", "weighted", "compiled"])
def test_batches_add_up_to_the_definition(metric, make, definition, way):
    rng = np.random.default_rng(1)
    y, p = make(rng)
    y, p = y.astype("int32" if y.dtype.kind == "i" else "float32"), p.astype("float32")
    weights = rng.uniform(0.1, 1.0, N).astype("float32") if way == "weighted" else None
    metric.reset_state()
    if hasattr(metric, "build"):
        metric.build(y.shape, p.shape)
    update = mlapi.jit(metric.update_state, metric) if way == "compiled" else metric.update_state
    for part in (slice(0, 10), slice(10, 20), slice(20, N)) if way != "compiled" else (slice(N),):
        batch = [y[part], p[part]] if weights is None else [y[part], p[part], weights[part]]
        update(*map(ops.convert_to_tensor, batch))
    result = mlapi.jit(metric.result, metric)() if way == "compiled" else metric.result()
    expected = definition(y, p, np.ones(N) if weights is None else weights)
    np.testing.assert_allclose(numpy(result), expected, rtol=2e-5)
    metric.reset_state()
    assert all(not v.numpy().any() for v in metric.variables)


@EVERY
def test_config_makes_an_equal_metric(metric, make, definition):
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


def test_r2_of_targets_far_from_zero():
    """Sums of squares would have no digit left in 32 bits."""
    rng = np.random.default_rng(2)
    y = (rng.normal(size=(200, 1)) + 1e4).astype("float32")
    p = y + rng.normal(size=y.shape).astype("float32") * 0.5
    metric = metrics.R2Score()
    for part in np.split(np.arange(200), 8):
        metric.update_state(y[part], p[part])
    expected = 1 - ((y - p).astype(float) ** 2).sum() / (200 * y.astype(float).var())
    np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-3)


def test_r2_of_constant_targets_and_of_too_few_samples():
    assert numpy(metrics.R2Score()([[2.0], [2.0]], [[2.0], [2.0]])) == 1
    assert numpy(metrics.R2Score()([[2.0], [2.0]], [[2.0], [3.0]])) == 0
    metric = metrics.R2Score(num_regressors=5)
    assert numpy(metric([[1.0], [2.0]], [[1.0], [2.5]])) == 0.5


def test_iou_of_classes_that_do_not_occur_is_left_out():
    assert numpy(metrics.MeanIoU(5)([1, 1], [1, 2])) == pytest.approx(0.25, abs=1e-6)
    assert numpy(metrics.MeanIoU(5).result()) == 0


def test_axes_of_classes_and_weights_of_pixels():
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 4, (5, 6)), rng.normal(size=(5, 4, 6)).astype("float32")
    weights = rng.uniform(size=(5, 6)).astype("float32")
    metric = metrics.MeanIoU(4, sparse_y_pred=False, axis=1)
    found = p.argmax(1)
    both = np.array([(weights * ((y == c) & (found == c))).sum() for c in range(4)])
    either = np.array([(weights * ((y == c) | (found == c))).sum() for c in range(4)])
    np.testing.assert_allclose(numpy(metric(y, p, weights)), (both / either).mean(), rtol=1e-5)
    correlation = metrics.PearsonCorrelation(axis=(1, 2))
    a, b = rng.normal(size=(2, 5, 4, 6)).astype("float32")
    expected = np.mean([stats.pearsonr(u.ravel(), v.ravel()).statistic for u, v in zip(a, b)])
    np.testing.assert_allclose(numpy(correlation(a, b)), expected, rtol=1e-4)


def test_of_equal_predictions_only_k_are_the_highest():
    y, p = np.eye(4, dtype="float32"), np.zeros((4, 4), "float32")
    metric = metrics.Precision(top_k=2)
    metric.update_state(y, p)
    positives = metric.true_positives + metric.false_positives
    assert numpy(positives).sum() == 8


def test_targets_that_are_not_0_are_positive():
    metric = metrics.TruePositives()
    assert numpy(metric([0.05, 0.95, 0.0], [0.9, 0.9, 0.9])) == 2


def test_precision_recall_gain():
    """Flach and Kull: both gains are harmonic distances from the share of positives."""
    rng = np.random.default_rng(4)
    y, p = bits(rng)
    metric = metrics.AUC(num_thresholds=5, curve="PRGAIN")
    metric.update_state(y, p)
    edges = np.asarray(metric.thresholds, "float32")
    tp, fp = (np.array([(z * (p.astype("float32") > e)).sum() for e in edges]) for z in (y, 1 - y))
    share = y.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, precision = tp / y.sum(), tp / (tp + fp)
        x = (recall - share) / ((1 - share) * recall)
        height = (precision - share) / ((1 - share) * precision)
    x = np.where(tp == 0, 0, np.maximum(x, 0))
    height = np.where(tp == 0, 1, height)
    expected = ((x[:-1] - x[1:]) * (height[:-1] + height[1:]) / 2).sum()
    np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("F1Score", {"average": "mikro"}, "Did you mean 'micro'"),
        ("FBetaScore", {"beta": 0.0}, "beta must be a number above 0"),
        ("F1Score", {"threshold": 0.0}, "threshold must be a number above 0, and 1 at most"),
        ("R2Score", {"class_aggregation": "uniform"}, "Did you mean 'uniform_average'"),
        ("R2Score", {"num_regressors": -1}, "num_regressors must be an integer of at least 0"),
        ("IoU", {"num_classes": 2, "target_class_ids": [2]}, "below num_classes=2"),
        ("IoU", {"num_classes": 2, "target_class_ids": 1}, "target_class_ids must be a list"),
        ("MeanIoU", {"num_classes": 0}, "num_classes must be an integer of at least 1"),
        ("BinaryIoU", {"threshold": "half"}, "threshold must be a number"),
        ("PearsonCorrelation", {"axis": "rows"}, "axis must be an integer or a list"),
        ("SensitivityAtSpecificity", {"specificity": 1.5}, "specificity must be a number from 0"),
        ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 0}, "num_thresholds must be"),
        ("RecallAtPrecision", {"precision": 0.5, "class_id": -1}, "class_id must be an integer"),
        ("Precision", {"top_k": 0}, "top_k must be an integer of at least 1, or None"),
        ("TopKCategoricalAccuracy", {"k": 0}, "k must be an integer of at least 1"),
        ("AUC", {"from_logits": "yes"}, "from_logits must be True or False"),
        ("BinaryCrossentropy", {"label_smoothing": -1}, "label_smoothing must be a number from 0"),
    ],
)
def test_wrong_arguments_are_refused(name, arguments, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        getattr(metrics, name)(**arguments)


def test_in_training():
    """They are part of the compiled step, with targets that lack the axis of the one output."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(48, 4)).astype("float32")
    y = (x @ [1.0, -2.0, 0.5, 0.0] > 0).astype("float32")
    model = mlapi.Sequential([mlapi.Input((4,)), mlapi.layers.Dense(1, activation="sigmoid")])
    names = ["r2_score", "f1_score", "binary_io_u", "auc", "root_mean_squared_error"]
    model.compile(
        "sgd",
        mlapi.losses.BinaryFocalCrossentropy(),
        metrics=[*names, metrics.PrecisionAtRecall(0.5, name="p")],
    )
    logs = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    p = model.predict(x, verbose=0)
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    assert set(results) == {"loss", *names, "p"} == set(logs)
    np.testing.assert_allclose(results["r2_score"], r2(None)(y[:, None], p, np.ones(48)), rtol=1e-4)
    expected = binary_iou([0, 1], 0.5)(y[:, None].astype(int), p, np.ones(48))
    np.testing.assert_allclose(results["binary_io_u"], expected, rtol=1e-5)


def test_bad_use():
    with pytest.raises(NotBuiltError, match="number of classes is unknown"):
        metrics.F1Score().result()
    with pytest.raises(NotBuiltError, match="number of outputs is unknown"):
        metrics.R2Score().result()
    with pytest.raises(ShapeError, match=r"shape \(batch, classes\)"):
        metrics.F1Score()([1, 0], [0.5, 0.5])
    with pytest.raises(ShapeError, match=r"shape \(batch, outputs\)"):
        metrics.R2Score()([1.0, 0.0], [0.5, 0.5])
    with pytest.raises(ShapeError, match="sparse_y_pred"):
        metrics.MeanIoU(3)(np.zeros((4, 5)), np.zeros((4, 5, 3)))
    with pytest.raises(ShapeError, match="class_id=1 needs predictions"):
        metrics.Recall(class_id=1)([1, 0], [0.5, 0.2])
