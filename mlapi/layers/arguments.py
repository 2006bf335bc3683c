"""What layers are told, looked at: signatures, names, shapes of what they are called with."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from mlapi import dtypes, naming, tree
from mlapi.backends import adapter
from mlapi.backends.contract import Spec
from mlapi.errors import ArgumentError
from mlapi.graph import SymbolicTensor

_core = adapter.core


class Signature(NamedTuple):
    """What is known of a class's `call` and `build`, looked up once a class."""

    names: tuple[str, ...]
    required: tuple[str, ...]
    takes_training: bool
    takes_mask: bool
    takes_any: bool
    build_names: tuple[str, ...]


def _read(cls: Any) -> Signature:
    call = inspect.signature(cls.call).parameters
    build = inspect.signature(cls.build).parameters
    names = tuple(p.name for p in list(call.values())[1:] if p.kind is not p.VAR_KEYWORD)
    required = tuple(n for n in names if call[n].default is call[n].empty and call[n].kind < 2)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in call.values())
    build_names = tuple(p.name for p in list(build.values())[1:] if p.kind < p.VAR_POSITIONAL)
    return Signature(names, required, "training" in names, "mask" in names, takes_any, build_names)


signature: Callable[[type], Signature] = functools.cache(_read)


def as_shape(value: Any) -> Any:
    """A shape, or a nest of them, as tuples."""
    if value is None:
        return None
    return tree.map_shape_structure(tuple, value)


@functools.cache
def accepted(dtype: str) -> frozenset:
    """Native dtypes that need no cast on the way into a layer of this dtype."""
    others = [d for d in dtypes.NAMES if not dtypes.is_float(d)]
    return frozenset(_core.native_dtype(d) for d in (dtype, *others))


def specs_of(structure: Any) -> Any:
    """A Spec in the place of every tensor, None in that of anything else."""

    def spec(x: Any) -> Any:
        if type(x) is SymbolicTensor:
            return Spec(x.shape, x.dtype)
        return Spec(_core.shape_of(x), _core.dtype_of(x)) if _core.is_tensor(x) else None

    return tree.map_structure(spec, structure)


def specs_with_others(structure: Any) -> Any:
    """A Spec in the place of every tensor; what is none stays."""
    return tree.map_structure(lambda x: specs_of(x) or x, structure)


def shapes_of(structure: Any) -> Any:
    """A shape in the place of every tensor."""
    return tree.map_structure(lambda s: None if s is None else s.shape, specs_of(structure))


def are_numbers(value: Any) -> bool:
    """Whether a nest of lists holds Python numbers, and so is one array."""
    return all(isinstance(x, (int, float, bool)) for x in tree.flatten(value))


def checked_name(name: str | None, cls: type) -> str:
    """The name, or one made from the class's; names become parts of paths."""
    if name is None:
        return naming.auto_name(cls.__name__)
    if not isinstance(name, str) or not name or "/" in name or "\0" in name or len(name) > 255:
        raise ArgumentError(
            f"{cls.__name__}: name must be a non-empty str without slashes, received {name!r}."
        )
    return name


def legacy_shape(kwargs: dict[str, Any]) -> tuple | None:
    """The input shape that older programs give to the first layer, batch axis included."""
    batch_shape = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
    shape = kwargs.pop("input_shape", None)
    dim = kwargs.pop("input_dim", None)
    length = kwargs.pop("input_length", None)
    if batch_shape is not None:
        return tuple(batch_shape)
    if shape is not None:
        return (None, *((shape,) if isinstance(shape, int) else shape))
    if dim is not None:
        return (None, dim) if length is None else (None, length, dim)
    return None
