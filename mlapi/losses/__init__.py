"""Losses: what training makes small."""

from collections.abc import Callable, Mapping
from typing import Any

from mlapi import serialization
from mlapi.losses.base import Loss, LossFunctionWrapper
from mlapi.losses.classification import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    check_labels,
    kl_divergence,
    sparse_categorical_crossentropy,
)
from mlapi.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from mlapi.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from mlapi.losses.labels import (
    CTC,
    Circle,
    circle,
    ctc,
)
from mlapi.losses.overlap import (
    Dice,
    Tversky,
    dice,
    tversky,
)
from mlapi.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

# Each function and the class that computes the same, faster in training.
_CLASS_OF: dict[Callable[..., Any], type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    huber: Huber,
    log_cosh: LogCosh,
    poisson: Poisson,
    cosine_similarity: CosineSimilarity,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    kl_divergence: KLDivergence,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    categorical_hinge: CategoricalHinge,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    dice: Dice,
    tversky: Tversky,
    circle: Circle,
    ctc: CTC,
}
_SHORT_NAMES = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "kld": kl_divergence,
}
ALIASES = {
    **_SHORT_NAMES,
    **{name.upper(): fn for name, fn in _SHORT_NAMES.items()},
    "logcosh": log_cosh,
    "huber_loss": huber,
    "kullback_leibler_divergence": kl_divergence,
}


def get(identifier: Any) -> Loss | Callable[..., Any] | None:
    """Returns the loss that a name, config, object or function stands for.

    Args:
        identifier: `"mean_squared_error"` and `"mse"` give the function, `"MeanSquaredError"` an
            object; objects, functions and None come back as they are.

    Raises:
        ArgumentError: the name is unknown; the message has the nearest one.
        ArgumentTypeError: it is something else.
    """
    return serialization.get("losses", identifier, "loss")


def serialize(loss: Loss | Callable[..., Any]) -> str | dict[str, Any]:
    """Returns a name or config, from which `deserialize` makes an equal loss."""
    return serialization.serialize(loss)


def deserialize(
    name: str | dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Loss | Callable[..., Any]:
    """Returns the loss that `serialize` was given.

    Args:
        name: a name or a config.
        custom_objects: further classes and functions by name.

    Raises:
        ArgumentError: the name is unknown.
        LoadError: the config is not one of a loss.
    """
    with serialization.custom_object_scope(custom_objects):
        return serialization.get("losses", name, "loss")


def as_loss(identifier: Any) -> Loss | None:
    """Returns what training calls: always an object, named as the user spelled it."""
    loss = get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    name = identifier if isinstance(identifier, str) else None
    if loss in _CLASS_OF:
        return _CLASS_OF[loss](name=name or loss.__name__)
    return LossFunctionWrapper(loss, name=name)
