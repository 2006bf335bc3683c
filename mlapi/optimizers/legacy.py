"""Names that optimizers had in `tf.keras.optimizers.legacy`: today's classes, with a note."""

from typing import TYPE_CHECKING, Any

from mlapi.optimizers import adam, adaptive, base, ftrl, gradient_descent
from mlapi.optimizers.arguments import deprecated

if TYPE_CHECKING:
    from mlapi.optimizers.adam import Adam
    from mlapi.optimizers.adaptive import Adagrad, RMSprop
    from mlapi.optimizers.base import Optimizer
    from mlapi.optimizers.ftrl import Ftrl
    from mlapi.optimizers.gradient_descent import SGD

__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]

# Given out by `__getattr__`, which knows when one is asked for.
_CLASSES = {
    "SGD": gradient_descent.SGD,
    "Adagrad": adaptive.Adagrad,
    "Adam": adam.Adam,
    "Ftrl": ftrl.Ftrl,
    "Optimizer": base.Optimizer,
    "RMSprop": adaptive.RMSprop,
}


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    deprecated(f"optimizers.legacy.{name}", f"optimizers.{name}")
    return _CLASSES[name]


def __dir__() -> list[str]:
    return __all__
