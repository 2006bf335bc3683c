"""From whatever a framework raises about bad arguments to the one error that mlapi raises.

Runs on the way to an error only. Which error it is depends on the arguments, never on the words
of the framework, so that it is the same on every backend.
"""

import inspect
import math
import re
from collections.abc import Callable, Collection
from typing import Any, NoReturn

import numpy as np

from mlapi import dtypes, tree
from mlapi.backends import adapter
from mlapi.backends.contract import Spec
from mlapi.errors import ArgumentError, DTypeError, MlapiError, ShapeError
from mlapi.graph import SymbolicScope, SymbolicTensor, is_inferring

_core = adapter.core
_AXES = frozenset({"axis", "axes", "axis1", "axis2", "source", "destination"})
_LONGEST = 300  # of a framework's own message


def fail(error: Exception, fn: Callable, door: Callable, args: tuple, kwargs: dict) -> NoReturn:
    """Raises the error that says best why `fn(*args, **kwargs)` failed.

    Args:
        error: what was raised; also raised again if it has nothing to do with the arguments.
        fn: the op as it was declared.
        door: the public function made of it.
        args: the arguments of the call, as are `kwargs`.
    """
    source = error
    if isinstance(error, MlapiError):
        source = getattr(error, "source", None)  # there where an inner op has been here already
        if source is None:
            error.add_note(f"in ops.{fn.__name__}")
            raise error
    elif not _core.is_input_error(error):
        raise error
    try:
        bound = inspect.signature(fn).bind(*args, **kwargs).arguments
    except TypeError as misfit:
        raise TypeError(f"ops.{fn.__name__}() {misfit}") from None
    tensors = _tensors_of(bound, door.tensors)  # type: ignore[attr-defined]
    if not tensors:
        raise error
    kind, reason = _cause(door, bound, tensors)
    received = ", ".join(f"{n} of shape {s.shape} and dtype {s.dtype}" for n, s in tensors)
    words = _DECORATION.sub("", str(source)).strip().partition("\n")[0][:_LONGEST]
    said = f" {adapter.NAME} says: {words}" if words else ""
    fault = kind(f"ops.{fn.__name__}: {reason} Received {received}.{said}")
    fault.source = source  # type: ignore[attr-defined]
    raise fault from source


_DECORATION = re.compile(r"\{\{.*?\}\}\s*|\s*\[Op:\w+\].*$", re.DOTALL)


def _tensors_of(bound: dict[str, Any], names: Collection[str]) -> list[tuple[str, Spec]]:
    """Names, shapes and dtypes of the tensors among the arguments, members of lists by number."""
    found = []
    for name in names & bound.keys():
        value = bound[name]
        spec = _spec(value)
        if spec is not None:
            found.append((name, spec))
        else:
            specs = [(i, _spec(x)) for i, x in enumerate(value or ())]
            found += [(f"{name}[{i}]", spec) for i, spec in specs if spec is not None]
    order = list(bound)
    return sorted(found, key=lambda pair: order.index(pair[0].partition("[")[0]))


def _spec(x: Any) -> Spec | None:
    """Shape and dtype of a tensor, or of what would become one; None for lists of tensors."""
    if isinstance(x, SymbolicTensor):
        return Spec(tuple(x.shape), x.dtype)
    if _core.is_tensor(x):
        return Spec(_core.shape_of(x), _core.dtype_of(x))
    if x is None or isinstance(x, str):
        return None
    if not hasattr(x, "shape"):
        try:
            x = np.asarray(x)
        except Exception:  # a list of tensors: whatever their framework says to that
            return None
        if x.dtype.kind in "ifc":  # as the door takes Python's numbers
            weak = {"i": "int", "f": "float", "c": "complex"}[x.dtype.kind]
            return Spec(x.shape, dtypes.promote(weak))
    return Spec(tuple(x.shape), str(x.dtype)) if str(x.dtype) != "object" else None


def _cause(
    door: Callable, bound: dict[str, Any], tensors: list[tuple[str, Spec]]
) -> tuple[type[MlapiError], str]:
    outside = _axis_outside(door, bound, len(tensors[0][1].shape))
    if outside:
        return ArgumentError, outside
    if not is_inferring():
        if _works(door, bound, None):
            return ArgumentError, "the values do not fit."
        if any(_works(door, bound, kind) for kind in ("float32", "int32", "bool")):
            return DTypeError, "it is not defined for this dtype; convert with ops.cast."
    if [name for name, _ in tensors] == ["x1", "x2"]:
        return ShapeError, (
            "the shapes do not fit; from the last axis on, sizes must be equal or 1 unless the "
            "op says otherwise."
        )
    return ShapeError, "the shapes or sizes do not fit."


def _axis_outside(door: Callable, bound: dict[str, Any], rank: int) -> str | None:
    """What is wrong with an axis, if one is."""
    # Some put new axes in; then there are more to count.
    new = door.__name__ in ("expand_dims", "stack")
    for name in _AXES & bound.keys():
        axes = [a for a in tree.flatten(bound[name]) if type(a) is int]
        total = rank + (len(axes) if new else 0)
        for axis in axes:
            if not -total <= axis < total:
                have = f"from {-total} to {total - 1}" if total else "of which there is none"
                return f"{name}={bound[name]!r} names axis {axis}; axes are counted {have}."
    return None


def _works(door: Callable, bound: dict[str, Any], dtype: str | None) -> bool:
    """Whether zeros of these shapes, and perhaps of another dtype, would do."""

    def blank(x: Any) -> Any:
        spec = _spec(x)
        if spec is None:
            return [blank(member) for member in x] if isinstance(x, list | tuple) else x
        kind = dtype or spec.dtype
        if None in spec.shape or math.prod(filter(None, spec.shape)) > _MOST_ZEROS:
            return SymbolicTensor(spec.shape, kind)
        return _core.convert(np.zeros(spec.shape, dtypes.numpy_dtype(kind)), kind)  # type: ignore[arg-type]

    tensors: Collection[str] = door.tensors  # type: ignore[attr-defined]
    given = {name: blank(x) if name in tensors else x for name, x in bound.items()}
    try:
        with SymbolicScope():
            door(**given)
    except Exception:
        return False
    return True


_MOST_ZEROS = 10**6
