"""What Python must know of the values of tensors. Not for users."""

from mlapi.backends import adapter
from mlapi.errors import ArgumentError
from mlapi.types import Tensor


def known(x: Tensor, what: str) -> int:
    """An integer that Python needs, since the shape of a result depends on it."""
    value = adapter.arrays.host_int(x)
    if value is None:
        raise ArgumentError(
            f"{what}: the shape of the result depends on the values of the tensors, which are not "
            "there while a function is compiled or a model is built. Call it outside, or give the "
            "size where it has such an argument."
        )
    return value
