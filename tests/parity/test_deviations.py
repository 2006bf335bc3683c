"""Where Keras does otherwise than it documents, or silently wrong: must differ until it does not.

The random cases of `test_losses` and `test_metrics` leave these regions out.
"""

from typing import Any

import keras
import numpy as np
import pytest

import mlapi
from mlapi import ops
from tests.losses import references as data

RNG = np.random.default_rng(0)
Y, P = data.bits(RNG, (3, 3, 4))
NUMBERS, Q = data.classes(RNG, (3, 4))
ONE_HOT, R = data.one_hot(RNG, (5, 3))
WEIGHTS = RNG.uniform(size=3).astype("float32")
TARGETS = RNG.normal(size=(2, 20, 3)).astype("float32")


def loss(name: str, *args: Any, reduction: str = "sum", **options: Any) -> Any:
    return lambda k: getattr(k.losses, name)(**options, reduction=reduction)(*args)


def metric(name: str, *args: Any, **options: Any) -> Any:
    return lambda k: getattr(k.metrics, name)(**options)(*args)


CASES = {
    "alpha of Tversky is the price of false positives": loss("Tversky", Y, P, alpha=0.1, beta=0.9),
    "smoothing spreads over the classes of the axis": loss(
        "CategoricalCrossentropy", ONE_HOT.T, R.T, label_smoothing=0.2, axis=0
    ),
    "a weight belongs to a sample, not to a step": loss("MeanSquaredError", Y, P, WEIGHTS),
    "the weighted mean divides by the weights of all values": loss(
        "MeanSquaredError", Y, P, WEIGHTS[:, None], reduction="mean_with_sample_weight"
    ),
    "predictions without a last axis are samples": loss(
        "MeanSquaredError", Y[:, 0, 0], P[:, 0, 0], WEIGHTS
    ),
    "class numbers may stand in a column": loss(
        "CategoricalGeneralizedCrossEntropy", NUMBERS[:, None], Q
    ),
    "large logits of focal losses keep their slope": loss(
        "CategoricalFocalCrossentropy", [[1.0, 0.0]], [[-30.0, 0.0]], from_logits=True
    ),
    "weights of IoU are not rounded": metric(
        "IoU", [0, 0, 1, 1], [0, 1, 0, 1], [0.3, 0.3, 0.3, 0.1], num_classes=2, target_class_ids=[0]
    ),
    "classes may be in another axis": metric(
        "MeanIoU", NUMBERS[None], Q.T[None], num_classes=4, sparse_y_pred=False, axis=1
    ),
    "what is ignored is no sample": metric(
        "SparseCategoricalCrossentropy", NUMBERS, Q, ignore_class=int(NUMBERS[0])
    ),
    "the adjusted R2 counts samples": metric("R2Score", *TARGETS, num_regressors=5),
}


@pytest.mark.parametrize("what", CASES)
def test_deviation(what: str) -> None:
    found = np.array(ops.convert_to_numpy(CASES[what](mlapi)))
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(CASES[what](keras)), 1e-3)
