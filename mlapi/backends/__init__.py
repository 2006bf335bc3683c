"""The adapter of the backend that was chosen; importing this package loads its framework.

Adapters, the built-in three and anybody else's, are found through the entry-point group
`mlapi.backends`: a name, and a package that supplies what `contract.py` lists.
"""

import importlib
import importlib.metadata
import importlib.util
from types import ModuleType

from mlapi import settings
from mlapi.errors import BackendError, nearest

__all__ = ["adapter", "available"]

GROUP = "mlapi.backends"
BUILT_IN = {name: f"mlapi.backends.{name}" for name in ("jax", "torch", "tensorflow")}


def available() -> dict[str, str]:
    """Name → module path of every adapter that can be chosen, its framework installed or not."""
    found = dict(BUILT_IN)
    for entry in importlib.metadata.entry_points(group=GROUP):
        found.setdefault(entry.name, entry.value)
    return found


def _load(name: str) -> ModuleType:
    if name in BUILT_IN:
        if importlib.util.find_spec(name) is None:
            raise BackendError(
                f"The backend {name!r} was chosen, but {name} is not installed. "
                f'Install it: pip install "mlapi[{name}]"'
            )
        return importlib.import_module(BUILT_IN[name])
    known = available()
    if name not in known:
        raise BackendError(
            f"MLAPI_BACKEND={name!r} names no backend.{nearest(name, known)} "
            f"Choose one of {', '.join(sorted(known))}."
        )
    return importlib.import_module(known[name])


adapter: ModuleType = _load(settings.backend())
