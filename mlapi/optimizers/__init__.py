"""Optimizers: how variables follow their gradients."""

from collections.abc import Mapping
from typing import Any

from mlapi import serialization
from mlapi.errors import ArgumentTypeError
from mlapi.optimizers import legacy, schedules
from mlapi.optimizers.adafactor import Adafactor
from mlapi.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from mlapi.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from mlapi.optimizers.base import Optimizer
from mlapi.optimizers.ftrl import Ftrl
from mlapi.optimizers.gradient_descent import SGD, Lion
from mlapi.optimizers.loss_scale import LossScaleOptimizer
from mlapi.optimizers.multi import MultiOptimizer, OptimizerMap
from mlapi.optimizers.muon import Muon
from mlapi.optimizers.schedule_free import ScheduleFreeAdamW

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]


def get(identifier: Any) -> Optimizer:
    """Returns the optimizer that an argument means.

    Args:
        identifier: a name (`"adam"`, `"AdamW"`), a config, a class, or an optimizer.

    Raises:
        ArgumentError: a name that is unknown; the message has the nearest one.
        ArgumentTypeError: none of the above.

    Example:
        >>> get("sgd").momentum
        0.0
    """
    optimizer = serialization.get("optimizers", identifier)
    if isinstance(optimizer, Optimizer):
        return optimizer
    raise ArgumentTypeError(
        "optimizer must be a name, a config, or an mlapi.optimizers.Optimizer, "
        f"received {identifier!r} ({type(identifier).__name__})."
    )


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Returns the config record of an optimizer, from which `deserialize` makes an equal one."""
    return serialization.serialize(optimizer)


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Optimizer:
    """Returns the optimizer of a config record, without the state of training.

    Args:
        config: what `serialize` returned.
        custom_objects: name → class, for optimizers and schedules of yours.

    Raises:
        LoadError: the record is refused.
    """
    return serialization.deserialize(config, custom_objects, family="optimizers")
