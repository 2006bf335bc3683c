"""Numbers of half precision, where the frameworks have kernels for wider ones only."""

from collections.abc import Callable
from typing import Any

from mlapi import tree
from mlapi.backends import adapter

_core = adapter.core


def in_single(function: Callable[..., Any], *tensors: Any) -> Any:
    """`function(*tensors)`; for float16 and bfloat16 by way of float32, results in their dtype."""
    kind = _core.dtype_of(tensors[0])
    if kind not in ("float16", "bfloat16"):
        return function(*tensors)

    def narrow(y: Any) -> Any:
        return _core.cast(y, kind) if _core.dtype_of(y) == "float32" else y

    return tree.map_structure(narrow, function(*[_core.cast(x, "float32") for x in tensors]))
