"""Every metric against Keras's: 200 random cases each, after several batches, with weights."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
from keras.src import metrics as keras_metrics

from mlapi import catalog, losses, metrics, ops
from tests.losses import references as data

CASES = 200
BATCHES = (6, 3, 6)  # jax compiles every operation for each size

Maker = Callable[[np.random.Generator, tuple[int, ...]], tuple[np.ndarray, np.ndarray]]
NONE: dict[str, tuple[Any, ...]] = {}


@dataclass(frozen=True)
class Row:
    """A metric.

    Args:
        cls: name of its class.
        make: `(rng, shape)` → targets and predictions of a batch.
        options: names of arguments → what they are drawn from.
        inner: shapes of predictions without the axis of samples.
        axes: how many axes of a prediction its values lack; weights have the shape of values.
        weights: which of these are tried: none, per sample, "column" with further axes of size 1,
            and "full" of the shape of the values; "integers" are full and whole.
    """

    cls: str
    make: Maker
    options: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    inner: tuple[tuple[int, ...], ...] = ((4,), (3, 4))
    axes: int = 1
    weights: tuple[str | None, ...] = (None, "sample", "column", "full")


def scaled(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(2, *shape)) * rng.choice([0.3, 1.0, 20.0])


def related(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    y = rng.normal(size=shape)
    return y, y + rng.normal(size=shape)


def equal_often(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    return rng.integers(0, 3, (2, *shape))


def logits(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    return data.bits_logits(rng, shape)


def decided(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bits, of which not all are 1 and not all 0, and probabilities that tell something of them."""
    y = rng.integers(0, 2, shape)
    y[:2] = [[0], [1]] if y.ndim > 1 else [0, 1]
    return y, np.clip(0.3 + 0.4 * y + rng.normal(size=shape) * 0.3, 0.01, 0.99)


def sorted_ids(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    y, p = data.classes(rng, shape)
    return y, np.argsort(-p, axis=-1)


def maps(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    """Class numbers, some of which are no class."""
    y, p = rng.integers(0, 4, (2, *shape))
    return np.where(rng.uniform(size=shape) < 0.2, rng.choice([-1, 9]), y), p


def score_maps(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    y = np.eye(4)[rng.integers(0, 4, shape)]
    return y, rng.normal(size=y.shape)


SMOOTHING = (0.0, 0.1, 0.4)
THRESHOLDS = (None, 0.3, [0.2, 0.7], [0.0, 0.5, 1.0], [0.9, 0.1, 0.5])
COUNTS = ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
POINTS = {
    "SensitivityAtSpecificity": "specificity",
    "SpecificityAtSensitivity": "sensitivity",
    "PrecisionAtRecall": "recall",
    "RecallAtPrecision": "precision",
}
IOU = {"ignore_class": (None, 2, 9), "sparse_y_pred": (True,)}
CURVES = {
    "curve": ("ROC", "PR", "PRGAIN"),
    "summation_method": ("interpolation", "minoring", "majoring"),
}
ROWS = [
    Row("MeanSquaredError", scaled),
    Row("RootMeanSquaredError", scaled, axes=0, inner=((), (4,), (3, 4))),
    Row("MeanAbsoluteError", scaled),
    Row("MeanAbsolutePercentageError", scaled),
    Row("MeanSquaredLogarithmicError", data.counts),
    Row("LogCoshError", scaled),
    Row("CosineSimilarity", scaled, {"axis": (-1, 1)}),
    Row("Poisson", data.counts),
    Row("KLDivergence", data.distributions),
    Row("Hinge", data.signs),
    Row("SquaredHinge", data.signs),
    Row("CategoricalHinge", data.one_hot_logits),
    Row("BinaryCrossentropy", data.bits, {"label_smoothing": SMOOTHING}),
    Row("BinaryCrossentropy", logits, {"label_smoothing": SMOOTHING, "from_logits": (True,)}),
    Row("CategoricalCrossentropy", data.one_hot, {"label_smoothing": SMOOTHING}),
    Row("CategoricalCrossentropy", data.one_hot_logits, {"from_logits": (True,)}),
    Row("SparseCategoricalCrossentropy", data.classes),
    # Without weights Keras counts what is ignored as samples whose loss is 0.
    Row(
        "SparseCategoricalCrossentropy",
        data.classes_logits,
        {"from_logits": (True,), "ignore_class": (1, 3)},
        weights=("full",),
    ),
    Row("Accuracy", equal_often, axes=0, inner=((), (4,), (3, 4))),
    Row(
        "BinaryAccuracy",
        data.bits,
        {"threshold": (0.0, 0.2, 0.5)},
        axes=0,
        inner=((), (1,), (4,), (3, 4)),
    ),
    Row("CategoricalAccuracy", data.one_hot),
    Row("SparseCategoricalAccuracy", data.classes),
    Row("TopKCategoricalAccuracy", data.one_hot, {"k": (1, 2, 3)}),
    Row("SparseTopKCategoricalAccuracy", data.classes, {"k": (1, 2, 3)}),
    Row("SparseTopKCategoricalAccuracy", sorted_ids, {"k": (1, 2, 3), "from_sorted_ids": (True,)}),
    *(Row(name, decided, {"thresholds": THRESHOLDS}, axes=0, inner=((), (4,))) for name in COUNTS),
    *(
        Row(
            name,
            decided,
            {"thresholds": THRESHOLDS, "top_k": (None, 2)},
            axes=0,
            inner=((4,),),
        )
        for name in ("Precision", "Recall")
    ),
    *(
        Row(
            name,
            decided,
            {"thresholds": (None, 0.3), "top_k": (None, 2), "class_id": (0, 3)},
            axes=0,
            inner=((4,),),
            weights=(None, "sample", "column"),
        )
        for name in ("Precision", "Recall")
    ),
    *(
        Row(
            name,
            decided,
            {value: (0.3, 0.6, 0.9), "num_thresholds": (1, 2, 11, 200)},
            axes=0,
            inner=((), (4,)),
        )
        for name, value in POINTS.items()
    ),
    *(
        Row(
            name,
            decided,
            {value: (0.5,), "class_id": (0, 2)},
            axes=0,
            inner=((4,),),
            weights=(None, "sample", "column"),
        )
        for name, value in POINTS.items()
    ),
    Row(
        "AUC",
        decided,
        {**CURVES, "num_thresholds": (3, 20, 200)},
        axes=0,
        inner=((), (4,)),
    ),
    Row(
        "AUC",
        decided,
        {**CURVES, "thresholds": ([0.3, 0.4, 0.9], [0.7, 0.2])},
        axes=0,
        inner=((), (4,)),
    ),
    Row("AUC", logits, {"from_logits": (True,), "num_thresholds": (20,)}, ((4,),), 0),
    Row(
        "AUC",
        decided,
        {
            **CURVES,
            "multi_label": (True,),
            "num_labels": (None, 4),
            "label_weights": (None, [1.0, 0.0, 2.0, 0.5]),
        },
        axes=0,
        inner=((4,),),
    ),
    Row("AUC", decided, {"label_weights": ([1.0, 0.0, 2.0, 0.5],)}, axes=0, inner=((4,),)),
    Row(
        "FBetaScore",
        decided,
        {
            "average": (None, "micro", "macro", "weighted"),
            "beta": (0.5, 1.0, 2.0),
            "threshold": (None, 0.4),
        },
        inner=((4,),),
        weights=(None, "sample"),
    ),
    Row(
        "F1Score",
        decided,
        {"average": (None, "micro", "macro", "weighted"), "threshold": (None, 0.4)},
        inner=((4,),),
        weights=(None, "sample"),
    ),
    Row(
        "R2Score",
        related,
        {"class_aggregation": (None, "uniform_average", "variance_weighted_average")},
        inner=((1,), (4,)),
        axes=0,
    ),
    # Keras takes the number of samples times that of outputs for the number of samples.
    Row("R2Score", related, {"num_regressors": (0, 1, 5, 14, 20)}, inner=((1,),), axes=0),
    Row("PearsonCorrelation", related, {"axis": (-1,)}, inner=((8,), (3, 8))),
    Row("ConcordanceCorrelation", related, {"axis": (-1, 1)}, inner=((3, 8),)),
    # Keras rounds weights down to integers, against its documentation, unless dtype is a float's.
    Row(
        "IoU",
        maps,
        {**IOU, "num_classes": (4,), "target_class_ids": ([0], [1, 3], [0, 1, 2, 3])},
        axes=0,
        inner=((), (5,), (3, 3)),
        weights=(None, "integers"),
    ),
    Row(
        "IoU",
        maps,
        {**IOU, "num_classes": (4,), "target_class_ids": ([0], [1, 3]), "dtype": ("float32",)},
        axes=0,
        weights=(None, "full"),
    ),
    Row(
        "MeanIoU",
        maps,
        {**IOU, "num_classes": (4,), "dtype": (None, "float32")},
        axes=0,
        weights=(None, "integers"),
    ),
    Row(
        "OneHotIoU",
        score_maps,
        {"num_classes": (4,), "target_class_ids": ([2], [0, 3]), "ignore_class": (None, 1)},
        axes=0,
        inner=((), (5,), (3, 3)),
        weights=(None, "integers"),
    ),
    Row(
        "OneHotMeanIoU",
        score_maps,
        {"num_classes": (4,), "ignore_class": (None, 1), "dtype": ("float32",)},
        axes=0,
        inner=((), (5,)),
        weights=(None, "full"),
    ),
    Row(
        "BinaryIoU",
        decided,
        {"target_class_ids": ((0,), (1,), (0, 1)), "threshold": (0.3, 0.5)},
        axes=0,
        inner=((), (5,)),
        weights=(None, "integers"),
    ),
]


def batches(
    row: Row, options: dict[str, Any], rng: np.random.Generator
) -> list[tuple[np.ndarray, ...]]:
    inner = row.inner[rng.integers(len(row.inner))]
    kind = row.weights[rng.integers(len(row.weights))]
    found = []
    for size in BATCHES:
        y, p = row.make(rng, (size, *inner))
        y, p = (x.astype("int32" if x.dtype.kind == "i" else "float32") for x in (y, p))
        shape = (size, *inner)[: 1 + len(inner) - row.axes]
        if options.get("axis") == 1:
            shape = (size, *inner[1:])
        if kind == "sample":
            shape = shape[:1]
        elif kind == "column":
            shape = (size, *[1] * (len(shape) - 1))
        weights = rng.uniform(size=shape).astype("float32")
        if kind == "integers":
            weights = rng.integers(0, 4, shape).astype("int32")
        found.append((y, p) if kind is None else (y, p, weights))
    return found


def drawn(row: Row, rng: np.random.Generator) -> dict[str, Any]:
    return {name: choices[rng.integers(len(choices))] for name, choices in row.options.items()}


def numpy(x: Any) -> np.ndarray:
    return np.array(ops.convert_to_numpy(x))


EVERY = pytest.mark.parametrize("row", ROWS, ids=[f"{r.cls}-{i}" for i, r in enumerate(ROWS)])


@EVERY
def test_metric(row: Row) -> None:
    rng = np.random.default_rng(sum(map(ord, row.cls)))
    for _ in range(CASES):
        options = drawn(row, rng)
        ours = getattr(metrics, row.cls)(**options)
        theirs = getattr(keras.metrics, row.cls)(**options)
        for batch in batches(row, options, rng):
            ours.update_state(*batch)
            theirs.update_state(*map(keras.ops.convert_to_tensor, batch))
        expected = keras.ops.convert_to_numpy(theirs.result())
        shapes = [x.shape for x in batch]
        np.testing.assert_allclose(
            numpy(ours.result()), expected, 1e-5, 5e-6, err_msg=f"{options} {shapes}"
        )


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_reduction(name: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(CASES):
        ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
        inner = ((), (4,), (3, 4))[rng.integers(3)]
        for size in BATCHES:
            values = rng.normal(size=(size, *inner)).astype("float32")
            shapes = [None, (size,), (size, *[1] * len(inner)), values.shape, (*values.shape, 1)]
            shape = shapes[rng.integers(len(shapes))]
            given = [values] if shape is None else [values, rng.uniform(size=shape).astype("f")]
            ours.update_state(*given)
            theirs.update_state(*map(keras.ops.convert_to_tensor, given))
        expected = keras.ops.convert_to_numpy(theirs.result())
        np.testing.assert_allclose(numpy(ours.result()), expected, 1e-5, 1e-5)


def test_wrapper() -> None:
    rng = np.random.default_rng(2)
    for _ in range(CASES):
        delta = rng.uniform(0.1, 2.0)
        ours = metrics.MeanMetricWrapper(losses.huber, delta=delta)
        theirs = keras.metrics.MeanMetricWrapper(keras.losses.huber, delta=delta)
        for batch in batches(ROWS[0], {}, rng):
            ours.update_state(*batch)
            theirs.update_state(*map(keras.ops.convert_to_tensor, batch))
        expected = keras.ops.convert_to_numpy(theirs.result())
        np.testing.assert_allclose(numpy(ours.result()), expected, 1e-5, 1e-6)
    config = json.loads(json.dumps(keras.metrics.serialize(theirs)))
    assert metrics.deserialize(config).get_config()["fn"] is losses.huber


@pytest.mark.parametrize(
    ("name", "make", "options"),
    [
        ("binary_accuracy", data.bits, {"threshold": 0.3}),
        ("categorical_accuracy", data.one_hot, {}),
        ("sparse_categorical_accuracy", data.classes, {}),
        ("top_k_categorical_accuracy", data.one_hot, {"k": 2}),
        ("sparse_top_k_categorical_accuracy", data.classes, {"k": 2}),
        ("pearson_correlation", related, {"axis": 1}),
        ("concordance_correlation", related, {"axis": -1}),
    ],
)
def test_function(name: str, make: Maker, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    for shape in ((6, 4), (5, 3, 4)):
        y, p = make(rng, shape)
        y, p = y.astype("int32" if y.dtype.kind == "i" else "float32"), p.astype("float32")
        expected = getattr(keras.metrics, name)(
            keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(p), **options
        )
        found = numpy(getattr(metrics, name)(y, p, **options))
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), 1e-5, 1e-6)


@EVERY
def test_configs_are_exchangeable(row: Row) -> None:
    options = drawn(row, np.random.default_rng(4))
    if isinstance(options.get("label_weights"), list):
        options["label_weights"] = None  # which Keras does not write as JSON
    ours = getattr(metrics, row.cls)(**options, name="mine")
    theirs = getattr(keras.metrics, row.cls)(**options, name="mine")
    config = json.loads(json.dumps(keras.metrics.serialize(theirs)))
    assert set(config["config"]) <= set(ours.get_config())
    known = json.loads(json.dumps(metrics.deserialize(config).get_config()))
    integers = {"int64": "int32"}  # Keras on tensorflow
    expected = {k: integers.get(str(v), v) for k, v in config["config"].items()}
    assert {name: integers.get(str(known[name]), known[name]) for name in expected} == expected
    record = json.loads(json.dumps(metrics.serialize(ours)))
    again = getattr(keras.metrics, row.cls).from_config(record["config"])
    read = json.loads(json.dumps(again.get_config()))
    assert {name: integers.get(str(value), value) for name, value in read.items()} == expected


def test_names() -> None:
    """Keras's own names, of classes, mean the same here, or the function of that name."""
    for name, known in keras_metrics.ALL_OBJECTS_DICT.items():
        if known in (keras_metrics.MeanMetricWrapper, keras_metrics.Metric):
            continue
        found = catalog.find("metrics", name)
        kind = metrics._CLASS_OF.get(found, found)
        assert kind.__name__ == known.__name__, name


def test_names_and_defaults_of_objects() -> None:
    tried = {row.cls: {k: v[0] for k, v in row.options.items()} for row in reversed(ROWS)}
    for name, options in tried.items():
        keras.utils.clear_session()
        ours = getattr(metrics, name)(**options)
        theirs = getattr(keras.metrics, name)(**options)
        assert ours.name.rstrip("_0123456789") == theirs.name.rstrip("_0123456789")
        assert ours.dtype == theirs.dtype.replace("int64", "int32")
