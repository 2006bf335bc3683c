"""What the calls of nested layers share: `training` and masks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class CallContext(threading.local):
    """One for each thread.

    Attributes:
        training: what the nearest enclosing call was told, or None.
        masks: id of a tensor → (the tensor, its mask) while a model with masks runs, else None.
        inside: whether a layer is running that cleared the losses of its last call.
    """

    training: bool | None = None
    masks: dict[int, tuple[Any, Any]] | None = None
    inside: bool = False


context = CallContext()


@contextmanager
def masking() -> Iterator[None]:
    """Keep masks from one layer to the next until the block ends."""
    outer = context.masks
    if outer is None:
        context.masks = {}
    try:
        yield
    finally:
        context.masks = outer


def get_mask(x: Any) -> Any:
    """The mask that the layer which made `x` gave to it, or None."""
    if context.masks is None:
        return None
    return context.masks.get(id(x), (None, None))[1]


def set_mask(x: Any, mask: Any) -> None:
    """Makes `mask` the mask of the tensor `x` within this call."""
    if context.masks is not None and mask is not None:
        context.masks[id(x)] = (x, mask)
