"""Names that optimizers had in `tf.keras.optimizers.legacy`: today's classes, with a note."""

from typing import Any

from mlapi.optimizers import adam, adaptive, base, ftrl, gradient_descent
from mlapi.optimizers.arguments import deprecated

_CLASSES = {
    "Adagrad": adaptive.Adagrad,
    "Adam": adam.Adam,
    "Ftrl": ftrl.Ftrl,
    "Optimizer": base.Optimizer,
    "RMSprop": adaptive.RMSprop,
    "SGD": gradient_descent.SGD,
}

__all__ = list(_CLASSES)


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    deprecated(f"optimizers.legacy.{name}", f"optimizers.{name}")
    return _CLASSES[name]


def __dir__() -> list[str]:
    return __all__
