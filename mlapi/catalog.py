"""What a name may mean: the library's public lists, and the objects that users made known.

Arguments (`activation="relu"`) and saved models name classes and functions. A name is looked up
in these dicts and nowhere else; nothing is ever imported or evaluated because a string says so.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

import mlapi
from mlapi.errors import ArgumentError, nearest
from mlapi.naming import to_snake_case

T = TypeVar("T")

# Where the modelling classes are public, and the classes of which each must inherit one.
CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "layers": ("Layer",),
        "models": ("Model",),
        "initializers": ("Initializer",),
        "regularizers": ("Regularizer",),
        "constraints": ("Constraint",),
        "losses": ("Loss",),
        "metrics": ("Metric",),
        "optimizers": ("Optimizer", "OptimizerMap"),
        "optimizers.schedules": ("LearningRateSchedule",),
        "random": ("SeedGenerator",),
        "dtype_policies": ("DTypePolicy",),
    }
)
# Where functions are public that a model may name, in the order in which they are searched.
FUNCTIONS = ("activations", "losses", "metrics", "ops")
_NOT_MODELLING = frozenset({"get", "serialize", "deserialize"})
# Layers that hold another library's code or read a folder: never made because a file says so.
_NEVER_LOADED = frozenset({"TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"})

_registered: dict[str, Any] = {}
_scope: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default=MappingProxyType({}))


@lru_cache(maxsize=32)
def public(family: str) -> Mapping[str, Any]:
    """Returns the modelling classes and functions of a family by name, read-only.

    Args:
        family: a key of `CLASSES` or one of `FUNCTIONS`.
    """
    module: Any = mlapi
    for part in family.split("."):
        module = getattr(module, part)
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", "").startswith(f"mlapi.{family}")
    ]
    bases = tuple(getattr(module, base) for base in CLASSES.get(family, ()))
    objects = {}
    for name in names:
        value = getattr(module, name)
        if isinstance(value, type):
            if issubclass(value, bases) and name not in _NEVER_LOADED:
                objects[name] = value
        elif family in FUNCTIONS and callable(value) and name not in _NOT_MODELLING:
            objects[name] = value
    return MappingProxyType(objects)


@lru_cache(maxsize=1024)
def family_of(cls: type) -> str | None:
    """Returns the family in which one of the library's classes is public, else `None`."""
    package, _, rest = cls.__module__.partition(".")
    if package != "mlapi":
        return None
    home = rest.split(".")[0]
    families = (family for family in CLASSES if family.split(".")[0] == home)
    return next((f for f in families if public(f).get(cls.__name__) is cls), None)


def find(family: str, name: str, what: str | None = None) -> Any:
    """Returns the class or function that a string in an argument means.

    Args:
        family: where the library's own are public, `"initializers"` for instance.
        name: a public name, in snake or lower case too, or the name of a custom object.
        what: what it is called in the error; by default the family without its last letter.

    Raises:
        ArgumentError: there is none; the message has the nearest name.

    Example:
        >>> find("initializers", "he_normal").__name__
        'HeNormal'
    """
    known = _spellings(family)
    if name in known:
        return known[name]
    custom = get_registered_object(name)
    if custom is not None:
        return custom
    hint = nearest(name, known) or f" Known: {', '.join(sorted(public(family)))}."
    raise ArgumentError(
        f"Unknown {what or family.removesuffix('s')} {name!r}.{hint} For your own, pass the object "
        "itself, or use its name inside mlapi.saving.custom_object_scope."
    )


@lru_cache(maxsize=32)
def _spellings(family: str) -> Mapping[str, Any]:
    """Returns all names that `find` takes: those of `public` have precedence, then `ALIASES`."""
    exact = public(family)
    aliases = getattr(getattr(mlapi, family), "ALIASES", {})
    lower = {name.lower(): value for name, value in exact.items()}
    snake = {to_snake_case(name): value for name, value in exact.items()}
    return MappingProxyType({**lower, **snake, **aliases, **exact})


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Makes objects known by name to everything inside a `with` block.

    Args:
        custom_objects: name → class or function.

    Example:
        >>> def double(x):
        ...     return 2 * x
        >>> with custom_object_scope({"double": double}):
        ...     find("activations", "double") is double
        True
    """
    token = _scope.set({**_scope.get(), **(custom_objects or {})})
    try:
        yield
    finally:
        _scope.reset(token)


CustomObjectScope = custom_object_scope


def register_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Makes a class or function of yours known to loading, as `package>name`.

    Args:
        package: what the name is unique in, your project for instance.
        name: by default the name of the class or function.

    Returns:
        A decorator that returns what it decorates.

    Raises:
        ArgumentError: a class without `get_config`, or a name in use for something else.

    Example:
        >>> @register_serializable("docs")
        ... def double(x):
        ...     return 2 * x
        >>> get_registered_name(double)
        'docs>double'
    """

    def decorate(target: T) -> T:
        full_name = f"{package}>{name or getattr(target, '__name__', target)}"
        if isinstance(target, type) and not hasattr(target, "get_config"):
            raise ArgumentError(f"{full_name} cannot be registered: it has no get_config method.")
        known = _registered.get(full_name)
        if known is not None and _definition(known) != _definition(target):
            raise ArgumentError(f"The name {full_name!r} is in use for {known!r}.")
        _registered[full_name] = target
        return target

    return decorate


register_keras_serializable = register_serializable


def _definition(target: Any) -> tuple[str, str]:
    """Where a class or function was written; the same when a notebook cell is run again."""
    return target.__module__, target.__qualname__


def get_custom_objects() -> dict[str, Any]:
    """Returns the dict of registered objects; what is put into it is known from then on."""
    return _registered


def get_registered_name(obj: Any) -> str:
    """Returns the full name under which a class or function is registered, or its own name."""
    return next((name for name, known in _registered.items() if known is obj), obj.__name__)


def get_registered_object(
    name: str | None,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Returns the class or function that users made known by that name, or `None`.

    Args:
        name: as `get_registered_name` returned it.
        custom_objects: searched first, then `custom_object_scope`, then what is registered.
        module_objects: searched last.
    """
    for objects in (custom_objects or {}, _scope.get(), _registered, module_objects or {}):
        if name is not None and name in objects:
            return objects[name]
    return None
