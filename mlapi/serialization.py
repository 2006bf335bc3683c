"""Objects to configs and back: the one gate that every saved model passes through.

A config is plain JSON data. An object in it is a record of four entries, those of Keras 3's format,
so that the files of either library can be read by the other:

    {"module": "keras.layers", "class_name": "Dense", "config": {…}, "registered_name": None}

What a record names is looked up in `mlapi.catalog`, never imported: first among the library's own
modelling classes and functions, then among those that the caller passed in `custom_objects` or the
program registered. A record that names one of ours always gets ours. Byte code is refused,
strings are never taken for paths or modules, and sizes are bounded before anything is built.
"""

import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import EllipsisType, FunctionType
from typing import Any, Self

import numpy as np

from mlapi import catalog, dtypes
from mlapi.backends import adapter
from mlapi.catalog import custom_object_scope, get_registered_name, get_registered_object
from mlapi.errors import ArgumentError, ArgumentTypeError, LoadError, nearest

# What a module path in a record may begin with to mean this library; the first is written.
_NAMESPACES = ("keras", "mlapi", "tf_keras", "tensorflow.keras")
# Where Keras looks for classes, if not under the name of their family.
_MODULES = {
    "Model": "keras",
    "Sequential": "keras",
    "Functional": "keras.src.models.functional",
    "DTypePolicy": "keras",
}
# Modules that hold what has its home in another family.
_HOMES = {"engine": ("models", "layers"), "mixed_precision": ("dtype_policies",)}
# Last words of arguments' names, and the families of what they may hold.
_ARGUMENTS = {
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}

MAX_DEPTH = 200
MAX_INTEGER = 2**53
MAX_JSON_BYTES = 64 * 2**20

# Names of the records around the one being read, outermost first.
_reading: ContextVar[tuple[str, ...]] = ContextVar("reading", default=())


class Configurable:
    """A class whose constructor arguments are its config.

    Every argument is kept in an attribute of the same name; `get_config`, `from_config`, `clone`
    and `repr` follow from the constructor's signature.
    """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {name: getattr(self, name) for name in _constructor_arguments(type(self))}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns a new object from what `get_config` returned."""
        return cls(**config)

    def clone(self) -> Self:
        """Returns a new object with the same config."""
        return type(self).from_config(self.get_config())

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


@lru_cache(maxsize=512)
def _constructor_arguments(cls: type) -> tuple[str, ...]:
    _, *parameters = inspect.signature(cls.__init__).parameters.values()
    return tuple(
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )


@lru_cache(maxsize=512)
def _all_arguments(cls: type) -> frozenset[str]:
    """Returns the arguments of a class and of those that it inherits from."""
    return frozenset(name for base in cls.__mro__[:-1] for name in _constructor_arguments(base))


def get(family: str, identifier: Any, what: str | None = None) -> Any:
    """Returns the object that an argument means.

    Args:
        family: a family of public names, `"initializers"` for instance.
        identifier: `None`, a name, a record, a class (constructed without arguments), or an
            object or function, which is returned as it is.
        what: what it is called in errors.

    Raises:
        ArgumentError: a name that is unknown.
        ArgumentTypeError: none of the above.
    """
    if isinstance(identifier, str):
        identifier = catalog.find(family, identifier, what)
    elif isinstance(identifier, dict):
        identifier = deserialize(identifier, family=family)
    if isinstance(identifier, type):
        return identifier()
    home = catalog.family_of(type(identifier))
    if home in _ARGUMENTS.values() and home != family:
        raise ArgumentTypeError(
            f"{what or family.removesuffix('s')} cannot be {identifier!r}, one of {home}."
        )
    if identifier is None or callable(identifier) or hasattr(identifier, "get_config"):
        return identifier
    raise ArgumentTypeError(
        f"{what or family.removesuffix('s')} must be a name, a config, an object or a function, "
        f"received {identifier!r} ({type(identifier).__name__})."
    )


# Objects to configs


def serialize(obj: Any) -> Any:
    """Returns plain data for an object, or for a structure of them.

    Objects with `get_config` become records, functions of the library their names, tensors and
    arrays nested lists with a dtype. Numbers, strings and plain containers stay.

    Raises:
        ArgumentError: a lambda, or an object without `get_config`.

    Example:
        >>> from mlapi import regularizers
        >>> serialize(regularizers.L2(0.5))["config"]
        {'l2': 0.5}
    """
    if obj is None or isinstance(obj, str | int | float):
        return obj
    if isinstance(obj, dict):
        return {key: serialize(value) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        values = [serialize(value) for value in obj]
        return tuple(values) if isinstance(obj, tuple) else values
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray) or adapter.core.is_tensor(obj):
        array = np.asarray(obj if isinstance(obj, np.ndarray) else adapter.core.to_numpy(obj))
        kind = "__numpy__" if isinstance(obj, np.ndarray) else "__tensor__"
        dtype = dtypes.standardize(array.dtype)
        return _marker(kind, value=array.tolist(), dtype=dtype)
    if isinstance(obj, bytes):
        return _marker("__bytes__", value=obj.decode("latin-1"))
    if isinstance(obj, slice):
        return _marker("__slice__", start=obj.start, stop=obj.stop, step=obj.step)
    if isinstance(obj, EllipsisType):
        return _marker("__ellipsis__", value=None)
    if isinstance(obj, np.dtype):
        return dtypes.standardize(obj)
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _record(obj)
    if callable(obj) and hasattr(obj, "__name__"):
        return _function_record(obj)
    raise ArgumentError(
        f"{type(obj).__name__} cannot be saved: {obj!r}. Give its class a get_config method."
    )


def _marker(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}


def _record(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    family, name = catalog.family_of(cls), cls.__name__
    own_module = _MODULES.get(name, f"{_NAMESPACES[0]}.{family}")
    record = {
        "module": own_module if family else cls.__module__,
        "class_name": name,
        "config": serialize(obj.get_config()),
        "registered_name": None if family else get_registered_name(cls),
    }
    for part in ("build_config", "compile_config"):
        config = getattr(obj, f"get_{part}", dict)()
        if config:
            record[part] = serialize(config)
    return record


def _function_record(function: Any) -> str | dict[str, Any]:
    if function.__module__.startswith("mlapi."):
        for family in catalog.FUNCTIONS:
            for name, known in catalog.public(family).items():
                if known is function:  # by its name alone, unless it is an op
                    ops = f"{_NAMESPACES[0]}.ops"
                    return name if family != "ops" else _named_function(ops, name, name)
    if function.__name__ == "<lambda>":
        raise ArgumentError(
            "A lambda cannot be saved, because loading never runs code from a file. Write a named "
            "function, and register it or pass it in custom_objects when loading."
        )
    return _named_function(function.__module__, function.__name__, get_registered_name(function))


def _named_function(module: str, name: str, registered_name: str) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": registered_name,
    }


# Configs to objects


def deserialize(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    *,
    family: str | None = None,
) -> Any:
    """Returns the object of a record, or the structure with objects in the place of its records.

    Args:
        config: what `serialize` returned, or JSON data in Keras's format, older forms with only
            `class_name` and `config` included. Strings and numbers are returned as they are.
        custom_objects: name → class or function, for what is not the library's own.
        safe_mode: kept for programs written for Keras. Nothing unsafe exists to be allowed.
        family: the family of which the object must be if it is one of ours; it also decides
            between two of the same name where the record has no module.

    Raises:
        LoadError: the record is refused; the message has the names of the records around it.
    """
    del safe_mode
    if not _reading.get():
        _check_limits(config)
    if not custom_objects:
        return _read(config, family)
    with custom_object_scope(custom_objects):
        return _read(config, family)


serialize_keras_object = serialize
deserialize_keras_object = deserialize


def _read(config: Any, family: str | None = None) -> Any:
    if isinstance(config, list):
        return [_read(value) for value in config]
    if isinstance(config, tuple):
        return tuple(_read(value) for value in config)
    if not isinstance(config, dict):
        return config
    if not is_record(config):
        return {key: _read(value) for key, value in config.items()}
    name = config["class_name"]
    if not isinstance(name, str):
        raise LoadError(f"{_where()}class_name must be a string, found {type(name).__name__}.")
    if name.startswith("__"):
        return _read_marker(name, config)
    if name == "function":
        return _read_function(config)
    return _construct(_lookup(config, family), config)


def read_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns constructor arguments with objects in the place of records, for `from_config`.

    What an argument is called (`kernel_initializer`) decides which family its record must be of.
    """
    return {
        name: deserialize(value, family=_ARGUMENTS.get(name.rpartition("_")[2]))
        if is_record(value)
        else value
        for name, value in config.items()
    }


def is_record(config: Any) -> bool:
    """Whether `config` is the record of an object rather than an ordinary dict."""
    return (
        isinstance(config, dict)
        and "class_name" in config
        and ("config" in config or config["class_name"] == "__tuple__")
    )


def _construct(cls: Any, record: dict[str, Any]) -> Any:
    """Calls `from_config` and, if the record has it, `build_from_config`."""
    name = record["class_name"]
    if not hasattr(cls, "from_config"):
        raise LoadError(f"{_where()}{name} has no from_config method.")
    config = dict(_inner(record))
    ours = catalog.family_of(cls) is not None
    if ours:  # an argument that only another version has says nothing as long as it is None
        known = _all_arguments(cls)
        config = {key: v for key, v in config.items() if v is not None or key in known}
    with _inside(f"{name} {config['name']!r}" if isinstance(config.get("name"), str) else name):
        try:
            obj = cls.from_config(config)
            build_config = record.get("build_config")
            if isinstance(build_config, dict) and hasattr(obj, "build_from_config"):
                obj.build_from_config(_read(build_config))
        except LoadError:
            raise
        except Exception as error:
            if not ours:
                error.add_note(f"while reading the config of {name}")
                raise
            raise LoadError(f"{_where()}the config does not fit: {error}") from error
    return obj


def _lookup(record: dict[str, Any], family: str | None) -> type:
    """Returns the class that a record names."""
    name, module = record["class_name"], record.get("module")
    registered_name = record.get("registered_name")
    path = _own_path(module)
    if path is not None or (module is None and not registered_name):
        families = _families_with(name, path, family)
        # Older files give no module; what they hold are layers, and those are listed first.
        if len(families) == 1 or families[:1] == ["layers"]:
            return catalog.public(families[0])[name]
        if families:
            raise LoadError(
                f"{_where()}{name!r} without a module may be any of: {', '.join(families)}."
            )
    if path is None:
        for key in (registered_name, name):
            custom = get_registered_object(key) if isinstance(key, str) else None
            if isinstance(custom, type):
                return custom
    place = f" of {module!r}" if module else ""
    wanted = f" where one of {family} is expected" if family else ""
    raise LoadError(
        f"{_where()}unknown class {name!r}{place}{wanted}.{_nearest_class(name, family)} A class "
        f"of yours must be registered, or passed to loading in custom_objects={{{name!r}: …}}."
    )


def _families_with(name: str, path: str | None, family: str | None) -> list[str]:
    """Returns the families in which a class is public, of those that its module path allows."""
    families = [family] if family else list(catalog.CLASSES)
    if path:
        head, *rest = path.removeprefix("src.").split(".")
        if head == "backend" and len(rest) > 1:  # of classes that each backend of Keras has itself
            head = rest[1]
        heads = _HOMES.get(head, (head,))
        families = [f for f in families if f.split(".")[0] in heads]
    return [f for f in families if f in catalog.CLASSES and name in catalog.public(f)]


def _own_path(module: Any) -> str | None:
    """Returns what follows the library's name in a module path, `None` for other modules."""
    if module is not None and not isinstance(module, str):
        raise LoadError(f"{_where()}module must be a string, found {type(module).__name__}.")
    module = module or "builtins"
    for namespace in _NAMESPACES:
        if module == namespace:
            return ""
        if module.startswith(f"{namespace}."):
            return module.removeprefix(f"{namespace}.")
    return None


def _read_function(record: dict[str, Any]) -> Any:
    name, module = record["config"], record.get("module")
    if not isinstance(name, str):
        raise LoadError(f"{_where()}a function is given by its name, found {type(name).__name__}.")
    if module in (None, "builtins") or _own_path(module) is not None:
        home = (_own_path(module) or "").removeprefix("src.").split(".")[0]
        for family in sorted(catalog.FUNCTIONS, key=lambda family: family != home):
            found = catalog.public(family).get(name)
            if isinstance(found, FunctionType):
                return found
    for key in (record.get("registered_name"), name):
        custom = get_registered_object(key) if isinstance(key, str) else None
        if custom is not None:
            return custom
    raise LoadError(
        f"{_where()}unknown function {name!r}. Register it with mlapi.saving.register_serializable,"
        f" or pass custom_objects={{{name!r}: the function}}."
    )


def _read_marker(kind: str, record: dict[str, Any]) -> Any:
    """Returns the tuple, array, bytes, slice or ellipsis of a record without a class."""
    if kind == "__lambda__":
        raise LoadError(
            f"{_where()}the file holds byte code of a lambda, which is never run. Build the model "
            "in code and load only its weights."
        )
    if kind == "__keras_tensor__":
        return record
    config = _inner(record)
    try:
        if kind == "__tuple__":
            return tuple(_read(value) for value in config.get("value") or record.get("items") or ())
        if kind in ("__tensor__", "__numpy__"):
            return np.asarray(config["value"], dtypes.numpy_dtype(config["dtype"]))
        if kind == "__bytes__":
            return config["value"].encode("latin-1")
        if kind == "__slice__":
            return slice(*(_read(config[part]) for part in ("start", "stop", "step")))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise LoadError(f"{_where()}{kind} is malformed.") from error
    if kind == "__ellipsis__":
        return ...
    raise LoadError(f"{_where()}unknown kind {kind!r}.")


def _inner(record: dict[str, Any]) -> dict[str, Any]:
    config = record.get("config", {})
    if config is None:
        return {}
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        raise LoadError(
            f"{_where()}the config of {record['class_name']!r} must be a dict with names as keys."
        )
    return config


def _nearest_class(name: str, family: str | None) -> str:
    families = [family] if family in catalog.CLASSES else catalog.CLASSES
    return nearest(name, {other for each in families for other in catalog.public(each)})


def _where() -> str:
    names = _reading.get()
    return f"In {' / '.join(names)}: " if names else ""


@contextmanager
def _inside(name: str) -> Iterator[None]:
    token = _reading.set((*_reading.get(), name))
    try:
        yield
    finally:
        _reading.reset(token)


# JSON


def to_json(config: Any, indent: int | None = None) -> str:
    """Returns a config as JSON text; infinities keep Python's spelling, as in Keras's files."""
    return json.dumps(config, indent=indent)


def from_json(text: str | bytes) -> Any:
    """Returns the data of a JSON text that came from outside, within limits.

    Raises:
        LoadError: it is no JSON, or beyond 64 MiB, 200 levels or integers of 2**53.
    """
    if len(text) > MAX_JSON_BYTES:
        raise LoadError(f"The config has {len(text)} bytes; at most {MAX_JSON_BYTES} are read.")
    try:
        config = json.loads(text, parse_int=_parse_int)
    except RecursionError:
        raise LoadError(f"The config is nested deeper than {MAX_DEPTH} levels.") from None
    except LoadError:
        raise
    except ValueError as error:
        position = f" at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise LoadError(f"The config is not valid JSON{position}.") from None
    _check_limits(config)
    return config


def _parse_int(digits: str) -> int:
    if len(digits) > 17:
        raise LoadError("The config holds an integer beyond 2**53.")
    return int(digits)


def _check_limits(config: Any) -> None:
    """Raises if data from outside are nested too deep or hold integers that are too large."""
    pending: list[tuple[Any, int]] = [(config, 0)]
    while pending:
        value, depth = pending.pop()
        if isinstance(value, dict):
            children: Any = value.values()
        elif isinstance(value, list | tuple):
            children = value
        else:
            if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise LoadError("The config holds an integer beyond 2**53.")
            continue
        if depth == MAX_DEPTH:
            raise LoadError(f"The config is nested deeper than {MAX_DEPTH} levels.")
        pending.extend((child, depth + 1) for child in children)
