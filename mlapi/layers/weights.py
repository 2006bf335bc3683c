"""Attributes of layers that `build` fills in."""

from typing import Any

from mlapi.errors import NotBuiltError


class _Weight:
    """Reached while the attribute is missing only: one of the instance hides it."""

    __slots__ = ("name",)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        raise MissingWeightError(
            f'{owner.__name__} "{layer.name}" has no {self.name} yet: call the layer once, or '
            "build it with an input shape."
        )


class MissingWeightError(NotBuiltError, AttributeError):
    """Also an AttributeError, so that `hasattr` says no."""


def weight() -> Any:
    """Declares a Variable that `build` makes: an error says so to whoever asks for it before.

    Example:
        >>> import mlapi
        >>> hasattr(mlapi.layers.Dense(2), "kernel")
        False
    """
    return _Weight()
