"""Every loss against Keras's: 200 random cases each, with weights, masks and all reductions."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from keras.src import losses as keras_losses

from mlapi import losses, ops
from tests.losses import references as data

CASES = 200
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)
# Few shapes, of several ranks: jax compiles every operation for each.
SHAPES = ((6, 4), (5, 3, 4), (2, 3, 3, 4))

Maker = Callable[[np.random.Generator, tuple[int, ...]], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Row:
    """A loss.

    Args:
        cls: name of its class.
        make: `(rng, shape)` → targets and predictions.
        options: names of arguments → what they are drawn from.
        shapes: of predictions.
    """

    cls: str
    make: Maker
    options: dict[str, tuple[Any, ...]]
    shapes: tuple[tuple[int, ...], ...] = SHAPES


def scaled(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(2, *shape)) * rng.choice([0.3, 1.0, 20.0])


def bits_or_signs(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    y, p = data.signs(rng, shape)
    return ((y + 1) / 2 if rng.uniform() < 0.5 else y), p * 2


def soft(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
    """Predictions that do not sum to 1, targets of one class or of several."""
    y = data.one_hot(rng, shape)[0] if rng.uniform() < 0.5 else data.distribution(rng, shape)
    return y, rng.uniform(0.01, 1.0, shape)


# Probabilities that Keras rounds in 32 bits before it takes their logarithms would differ in more
# than the fifth digit for larger logits, where it also cuts off at 1e-7; ours are exact.
def moderate(make: Maker) -> Maker:
    def limited(rng: np.random.Generator, shape: Any) -> tuple[np.ndarray, np.ndarray]:
        y, z = make(rng, shape)
        return y, np.clip(z, -4, 4)

    return limited


NONE: dict[str, tuple[Any, ...]] = {}
SMOOTHING = (0.0, 0, 0.1, 0.4)
GAMMAS = (0.0, 0.5, 1.0, 2.0, 3.5)
ROWS = [
    Row("MeanSquaredError", scaled, NONE),
    Row("MeanAbsoluteError", scaled, NONE),
    Row("MeanAbsolutePercentageError", scaled, NONE),
    Row("MeanSquaredLogarithmicError", data.counts, NONE),
    Row("Huber", scaled, {"delta": (0.1, 1.0, 3.0)}),
    Row("LogCosh", scaled, NONE),
    Row("Poisson", data.counts, NONE),
    Row("CosineSimilarity", scaled, {"axis": (-1, 1)}),
    Row("BinaryCrossentropy", data.bits, {"label_smoothing": SMOOTHING, "axis": (-1, 1)}),
    Row(
        "BinaryCrossentropy",
        data.bits_logits,
        {"from_logits": (True,), "label_smoothing": SMOOTHING, "axis": (-1, 1)},
    ),
    # Keras takes the number of classes for smoothing from the last axis, whatever `axis` is.
    Row("CategoricalCrossentropy", soft, {"label_smoothing": SMOOTHING}),
    Row("CategoricalCrossentropy", data.one_hot_logits, {"from_logits": (True,), "axis": (-1, 1)}),
    Row("SparseCategoricalCrossentropy", data.classes, {"ignore_class": (None, 2, -1)}),
    Row(
        "SparseCategoricalCrossentropy",
        data.classes_logits,
        {"from_logits": (True,), "ignore_class": (None, 0, 3)},
    ),
    Row("KLDivergence", soft, NONE),
    Row("Hinge", bits_or_signs, NONE),
    Row("SquaredHinge", bits_or_signs, NONE),
    Row("CategoricalHinge", data.one_hot_logits, NONE),
    Row(
        "BinaryFocalCrossentropy",
        data.bits,
        {
            "apply_class_balancing": (False, True),
            "alpha": (0.25, 0.7),
            "gamma": GAMMAS,
            "label_smoothing": SMOOTHING,
            "axis": (-1, 1),
        },
    ),
    Row(
        "BinaryFocalCrossentropy",
        moderate(data.bits_logits),
        {"apply_class_balancing": (False, True), "gamma": GAMMAS, "from_logits": (True,)},
    ),
    Row(
        "CategoricalFocalCrossentropy",
        soft,
        {"alpha": (0.25, [1.0, 0.2, 0.5, 2.0]), "gamma": GAMMAS, "label_smoothing": SMOOTHING},
    ),
    Row(
        "CategoricalFocalCrossentropy",
        moderate(data.one_hot_logits),
        {"gamma": GAMMAS, "from_logits": (True,), "axis": (-1, 1)},
    ),
    Row("CategoricalGeneralizedCrossEntropy", data.classes, {"q": (0.1, 0.5, 0.9)}),
    Row("Dice", data.bits, {"axis": (None, -1, (1,), (0, -1))}),
    # Keras exchanges alpha and beta, against its documentation and the paper (keras#23333).
    Row("Tversky", data.bits, {"axis": (None, -1, (1,)), "alpha": (0.5,)}),
    Row(
        "Circle",
        data.embeddings,
        {"gamma": (2.0, 80.0), "margin": (0.1, 0.4), "remove_diagonal": (True, False)},
        ((6, 4), (7, 3)),
    ),
    Row("CTC", data.sequences, NONE, ((3, 7, 4), (2, 5, 3))),
]


def drawn(row: Row, rng: np.random.Generator) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    options = {name: choices[rng.integers(len(choices))] for name, choices in row.options.items()}
    shape = row.shapes[rng.integers(len(row.shapes))]
    y, p = row.make(rng, shape)
    axis = options.get("axis", -1)
    if axis == 1 and row.cls.startswith("Categorical"):
        p = np.moveaxis(p, -1, 1)
        y = np.moveaxis(y, -1, 1)
    ignored = options.get("ignore_class")
    if ignored is not None:
        y = np.where(rng.uniform(size=y.shape) < 0.3, ignored, y)
    # Targets without the last axis of size 1, or class numbers with one.
    if row.cls.startswith("Sparse") and rng.uniform() < 0.3:
        y = y[..., None]
    return options, y.astype("int32" if y.dtype.kind == "i" else "float32"), p.astype("float32")


def weights_and_mask(
    values: np.ndarray, reduction: str | None, ignores: bool, rng: np.random.Generator
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Weights and mask of the ranks that Keras takes.

    It has no weights of a lower rank than the values, those of samples for values of steps; where
    it divides by the sum of weights, it sums them before they are broadcast; and a mask, that of
    an ignored class too, must have the very shape of the weights.
    """
    shape = values.shape
    masks, weights = [None], [None]
    if shape:
        masks.append(rng.uniform(size=shape) < 0.7)
        weights += [rng.uniform(size=shape), rng.uniform(size=(*shape, 1))]
    if len(shape) > 1 and reduction != "mean_with_sample_weight":
        weights.append(rng.uniform(size=(shape[0], *[1] * (len(shape) - 1))))
    weight, mask = weights[rng.integers(len(weights))], masks[rng.integers(len(masks))]
    if weight is not None and (ignores or mask is not None):
        weight = weight.reshape(shape) if weight.size == values.size else None
    return None if weight is None else weight.astype("float32"), mask


def numpy(x: Any) -> np.ndarray:
    return np.array(ops.convert_to_numpy(ops.stop_gradient(x)))


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.cls}-{i}" for i, row in enumerate(ROWS)])
def test_loss(row: Row) -> None:
    rng = np.random.default_rng(sum(map(ord, row.cls)))
    for _ in range(CASES):
        options, y, p = drawn(row, rng)
        reduction = REDUCTIONS[rng.integers(len(REDUCTIONS))]
        ours = getattr(losses, row.cls)(**options, reduction=reduction)
        theirs = getattr(keras.losses, row.cls)(**options, reduction=reduction)
        values = numpy(getattr(losses, row.cls)(**options, reduction=None)(y, p))
        ignores = options.get("ignore_class") is not None
        weight, mask = weights_and_mask(values, reduction, ignores, rng)
        given = keras.ops.convert_to_tensor(p)
        if mask is not None:
            given._keras_mask = keras.ops.convert_to_tensor(mask)
        found = numpy(ours(y, p, weight, mask=mask))
        expected = keras.ops.convert_to_numpy(theirs(y, given, weight))
        if found.ndim == 1:  # which Keras leaves with the axis of size 1 that its weights have
            expected = expected.reshape(found.shape)
        np.testing.assert_allclose(
            found, expected, 1e-5, 1e-6, err_msg=f"{options} {reduction} {p.shape}"
        )


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.cls}-{i}" for i, row in enumerate(ROWS)])
def test_function(row: Row) -> None:
    rng = np.random.default_rng(1)
    (name,) = {function for function, cls in data.CLASSES.items() if cls == row.cls}
    for _ in range(CASES // 10):
        options, y, p = drawn(row, rng)
        theirs = getattr(keras.losses, name)
        expected = theirs(keras.ops.convert_to_tensor(y), keras.ops.convert_to_tensor(p), **options)
        found = getattr(losses, name)(y, p, **options)
        np.testing.assert_allclose(
            numpy(found), keras.ops.convert_to_numpy(expected), 1e-5, 1e-6, err_msg=f"{options}"
        )


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.cls}-{i}" for i, row in enumerate(ROWS)])
def test_configs_are_exchangeable(row: Row) -> None:
    rng = np.random.default_rng(2)
    options, _, _ = drawn(row, rng)
    ours = getattr(losses, row.cls)(**options, reduction="sum", name="mine")
    theirs = getattr(keras.losses, row.cls)(**options, reduction="sum", name="mine")
    config = json.loads(json.dumps(keras.losses.serialize(theirs)))
    assert set(config["config"]) <= set(ours.get_config())
    read = losses.deserialize(config)
    known = {name: json.loads(json.dumps(read.get_config()))[name] for name in config["config"]}
    assert known == config["config"]
    record = json.loads(json.dumps(losses.serialize(ours)))
    again = getattr(keras.losses, row.cls).from_config(record["config"])
    assert json.loads(json.dumps(again.get_config())) == config["config"]


def test_names() -> None:
    """Keras's own names, of functions and classes, mean the same here."""
    for name, known in keras_losses.ALL_OBJECTS_DICT.items():
        if known is keras_losses.LossFunctionWrapper:
            continue
        found = losses.get(name)
        kind = found if not isinstance(found, losses.Loss) else type(found)
        assert kind.__name__ == known.__name__, name


def test_names_and_defaults_of_objects() -> None:
    for name in losses.__all__:
        if name[0].isupper() and name not in ("Loss", "LossFunctionWrapper"):
            ours, theirs = getattr(losses, name)(), getattr(keras.losses, name)()
            assert (ours.name, ours.dtype, ours.reduction) == (
                theirs.name,
                theirs.dtype,
                theirs.reduction,
            )
