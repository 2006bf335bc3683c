"""The one door: how a typed function becomes an operation on every backend.

`@op` reads a function's signature once, at import. Parameters annotated `TensorLike` (or
`TensorLike | None`, `Sequence[TensorLike]`) are tensors; all others are static. A function whose
body is `...` is supplied by every adapter under its own name; a function with a body is the
default, and an adapter may have a faster one. That one may leave some arguments to the body, by
returning NotImplemented; then it has an attribute `declines` that is true.

Whatever reaches an implementation has been through here: Python and NumPy values converted,
Variables read, dtypes promoted by the one lattice, symbolic tensors recorded. Native tensors
of equal dtype go straight through.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, get_args, overload

import numpy as np

from mlapi import config, dtypes
from mlapi.backends import adapter
from mlapi.diagnosis import fail
from mlapi.errors import DTypeError
from mlapi.graph import SymbolicTensor, record, registry
from mlapi.state import Variable
from mlapi.types import TensorLike

F = TypeVar("F", bound=Callable[..., Any])

_core = adapter.core
_guards_python = adapter.transforms.guards_python
_native = _core.native_types
_eager, _key = _core.eager_types, _core.dtype_key


def promoted(kinds: tuple[str, ...]) -> str:
    """All tensors get the dtype that the lattice gives to them together."""
    return dtypes.promote(*kinds)


def to_float(kinds: tuple[str, ...]) -> str:
    """As `promoted`, and integers and booleans become `config.floatx()`."""
    return dtypes.to_float(*kinds)


def to_bool(kinds: tuple[str, ...]) -> str:
    """Truth values: whatever is not zero is true."""
    return "bool"


Rule = Callable[[tuple[str, ...]], str | tuple[str, ...]]


@overload
def op(fn: F) -> F: ...


@overload
def op(*, dtype: Rule | None = promoted) -> Callable[[F], F]: ...


def op(fn: Callable[..., Any] | None = None, *, dtype: Rule | None = promoted) -> Any:
    """Declare an operation.

    Args:
        fn: the typed function; see the module's text.
        dtype: to which dtype the tensors are brought before the call: `promoted`, `to_float`,
            or None to leave them as they are. A rule of your own gets the dtypes of all tensors
            (Python numbers as "int", "float") and returns one dtype for all, or one for each.
    """
    if fn is None:
        return functools.partial(op, dtype=dtype)
    name = fn.__name__
    native = None
    if _is_ours(fn) or _is_declaration(fn):  # a body outside the library means what it says
        native = next((getattr(m, name) for m in adapter.IMPLEMENTATIONS if hasattr(m, name)), None)
    if native is not None and not _is_declaration(fn):
        native = _or_body(native, fn)
    if native is None:
        if _is_declaration(fn):
            raise NotImplementedError(f"the {adapter.NAME} adapter lacks the operation {name!r}")
        native = fn
    door = _make_door(fn, native, dtype)
    if name not in registry or _is_ours(fn) or not _is_ours(registry[name]):
        registry[name] = door
    return door


def _or_body(native: Callable, body: Callable) -> Callable:
    """The implementation, and the body where that declines by returning NotImplemented."""
    if not getattr(native, "declines", False):
        return native

    @functools.wraps(native)
    def run(*args: Any, **kwargs: Any) -> Any:
        out = native(*args, **kwargs)
        return body(*args, **kwargs) if out is NotImplemented else out

    return run


def _is_ours(fn: Callable) -> bool:
    return fn.__module__.startswith("mlapi.")


def _declared() -> None:
    """A function with nothing but a docstring and `...`."""
    ...


def _bare() -> None: ...


_DECLARATIONS = {_declared.__code__.co_code, _bare.__code__.co_code}


def _is_declaration(fn: Callable) -> bool:
    return fn.__code__.co_code in _DECLARATIONS


def _role(annotation: Any) -> str | None:
    if _is_sequence(annotation):
        return "tensors"
    if set(get_args(annotation)) >= _MEMBERS:  # `TensorLike`, or a union with it
        return "tensor"
    return None


_MEMBERS = set(get_args(TensorLike))


def _optional(signature: inspect.Signature) -> set[str]:
    """The parameters that may be None."""
    parameters = signature.parameters.values()
    return {p.name for p in parameters if type(None) in get_args(p.annotation)}


def _is_sequence(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is Sequence and get_args(annotation) == (
        TensorLike,
    )


def _make_door(fn: Callable, native: Callable, rule: Rule | None) -> Callable:
    """The public function: a look at the types, then straight to the implementation.

    `stable` collects the dtypes (one, or a tuple for several tensors) that the rule was seen to
    leave as they are: for those nothing has to be worked out again. Python numbers among tensors
    stand there by their types, and the dtypes that they become are the value.
    """
    signature = inspect.signature(fn)
    roles = {p.name: _role(p.annotation) for p in signature.parameters.values()}
    names = list(roles)
    leading = 0
    while leading < len(names) and roles[names[leading]] == "tensor":
        leading += 1
    tensor_names = frozenset(n for n in names if roles[n])
    stable: dict[Any, tuple[str, ...]] = {}
    general = _general(fn, native, rule, signature, roles, stable if leading else None)

    if leading == 1 and len(tensor_names) == 1:

        @functools.wraps(fn)
        def door(*args: Any, **kwargs: Any) -> Any:
            if args:
                x = args[0]
                if type(x) is Variable:
                    x = x.value
                    args = (x, *args[1:])
                if type(x) in _eager and (rule is None or _key(x) in stable):
                    try:
                        return native(*args, **kwargs)
                    except Exception as error:
                        fail(error, fn, door, args, kwargs)
            return general(args, kwargs)

    elif leading == 2 and len(tensor_names) == 2 and len(names) == 2:

        @functools.wraps(fn)
        def door(*args: Any, **kwargs: Any) -> Any:
            if len(args) == 2 and not kwargs:
                x, y = args
                if type(x) is Variable:
                    x = x.value
                if type(y) is Variable:
                    y = y.value
                plain = False
                if type(x) in _eager:
                    if type(y) in _eager:
                        plain = rule is None or (_key(x), _key(y)) in stable
                    elif type(y) in _WEAK and (kinds := stable.get((_key(x), type(y)))):
                        y = _core.number_like(y, kinds[0], x)
                        plain = True
                elif (
                    type(y) in _eager
                    and type(x) in _WEAK
                    and (kinds := stable.get((type(x), _key(y))))
                ):
                    x = _core.number_like(x, kinds[0], y)
                    plain = True
                if plain:
                    try:
                        return native(x, y)
                    except Exception as error:
                        fail(error, fn, door, args, kwargs)
            return general(args, kwargs)

    elif leading and "tensors" not in roles.values():
        places = [i for i, n in enumerate(names) if roles[n]]
        optional = {i for i, n in enumerate(names) if n in _optional(signature)}

        @functools.wraps(fn)
        def door(*args: Any, **kwargs: Any) -> Any:
            if kwargs and not tensor_names.isdisjoint(kwargs):
                return general(args, kwargs)
            ready = list(args)
            found = []
            numbers = []
            tensor = None
            for i in places:
                if i >= len(ready):
                    break
                x = ready[i]
                if type(x) is Variable:
                    x = ready[i] = x.value
                if type(x) in _eager:
                    found.append(_key(x))
                    tensor = x
                elif type(x) in _WEAK:
                    found.append(type(x))
                    numbers.append(i)
                elif x is not None or i not in optional:
                    return general(args, kwargs)
            kinds = stable.get(tuple(found))
            if kinds is not None or (rule is None and not numbers):
                for i, kind in zip(numbers, kinds or ()):
                    ready[i] = _core.number_like(ready[i], kind, tensor)
                try:
                    return native(*ready, **kwargs)
                except Exception as error:
                    fail(error, fn, door, args, kwargs)
            return general(args, kwargs)

    else:

        @functools.wraps(fn)
        def door(*args: Any, **kwargs: Any) -> Any:
            return general(args, kwargs)

    general.door = door  # type: ignore[attr-defined]
    door.tensors = tensor_names  # type: ignore[attr-defined]  # names of the arguments
    door.native = native  # type: ignore[attr-defined]  # for benchmarks and conformance tests
    return door


def _general(
    fn: Callable,
    native: Callable,
    rule: Rule | None,
    signature: inspect.Signature,
    roles: dict[str, str | None],
    stable: dict[Any, tuple[str, ...]] | None,
) -> Callable[[tuple, dict], Any]:
    """The way for everything that is not plainly native: scalars, arrays, symbols, mixed dtypes."""
    names = list(roles)
    known = frozenset(names)
    tensor_names = [n for n in names if roles[n]]
    optional = _optional(signature)
    keyword_only = {p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}

    required = {p.name for p in signature.parameters.values() if p.default is p.empty}
    places = len(names) - len(keyword_only)

    def bind(args: tuple, kwargs: dict) -> dict[str, Any]:
        bound = dict(zip(names, args))
        fits = len(args) <= places and all(k in known and k not in bound for k in kwargs)
        bound.update(kwargs)
        if not fits or not required <= bound.keys():
            try:
                signature.bind(*args, **kwargs)
            except TypeError as misfit:
                raise TypeError(f"ops.{fn.__name__}() {misfit}") from None
        return bound

    def general(args: tuple, kwargs: dict) -> Any:
        bound = bind(args, kwargs)
        flat: list[Any] = []
        for name in tensor_names:
            if name in bound:
                value = bound[name]
                if roles[name] == "tensors" and isinstance(value, (list, tuple)):
                    flat.extend(value)
                elif value is not None or name not in optional:
                    flat.append(value)
        for i, value in enumerate(flat):
            if type(value) is SymbolicTensor:
                try:
                    return record(general.door, args, kwargs)  # type: ignore[attr-defined]
                except Exception as error:
                    fail(error, fn, general.door, args, kwargs)  # type: ignore[attr-defined]
            if type(value) is Variable:
                flat[i] = value.value
        try:
            agreed = _agree(flat, rule)
        except DTypeError as error:
            error.add_note(f"in mlapi.ops.{fn.__name__}")
            raise
        if stable is not None and not _guards_python():
            _remember(stable, flat, agreed, len(tensor_names) == 1)
        ready = iter(agreed)
        for name in tensor_names:
            if name in bound:
                value = bound[name]
                if roles[name] == "tensors" and isinstance(value, (list, tuple)):
                    bound[name] = [next(ready) for _ in value]
                elif value is not None:
                    bound[name] = next(ready)
        # Tensors by position, since an alias such as `torch.mul` has its own parameter names.
        positional = []
        for name in names:
            if name not in bound or name in keyword_only:
                break
            positional.append(bound.pop(name))
        try:
            return native(*positional, **bound)
        except Exception as error:
            fail(error, fn, general.door, args, kwargs)  # type: ignore[attr-defined]

    return general


def _remember(
    stable: dict[Any, tuple[str, ...]], given: list[Any], agreed: list[Any], single: bool
) -> None:
    """Note that these kinds of arguments need no casts, but for Python numbers among tensors."""
    found: list[Any] = []
    numbers: list[str] = []
    for old, new in zip(given, agreed, strict=True):
        if type(new) not in _eager:
            return
        if new is old:
            found.append(_key(new))
        elif type(old) in _WEAK:
            found.append(type(old))
            numbers.append(_core.dtype_of(new))
        else:
            return
    if single:
        if not numbers:
            stable[found[0]] = ()
    elif len(numbers) < len(found):
        stable[tuple(found)] = tuple(numbers)


@contextmanager
def watched(see: Callable[[str, Any], None]) -> Iterator[None]:
    """A stretch of code in which `see(name, result)` is called after every operation.

    The implementations inside the doors are replaced meanwhile, so that it costs nothing outside.
    """

    def seen(name: str, native: Callable) -> Callable:
        def run(*args: Any, **kwargs: Any) -> Any:
            out = native(*args, **kwargs)
            see(name, out)
            return out

        return run

    cells = [(name, cell) for name, door in registry.items() for cell in _cells(door)]
    before = [(cell, cell.cell_contents) for _, cell in cells]
    try:
        for name, cell in cells:
            cell.cell_contents = seen(name, cell.cell_contents)
        yield
    finally:
        for cell, native in before:
            cell.cell_contents = native


def _cells(door: Any) -> Iterator[Any]:
    """Where a door, and the general way behind it, keep the implementation."""
    inside = dict(zip(door.__code__.co_freevars, door.__closure__))
    general = inside["general"].cell_contents
    for function in (door, general):
        cells = dict(zip(function.__code__.co_freevars, function.__closure__))
        if "native" in cells:
            yield cells["native"]


def as_tensor(value: Any) -> Any:
    """A native tensor of what the door would take for one."""
    return _agree([value.value if type(value) is Variable else value], None)[0]


def _agree(values: list[Any], rule: Rule | None) -> list[Any]:
    """Native tensors of the dtype on which the rule settles; Python numbers are weak."""
    values = list(values)
    kinds = []
    for i, value in enumerate(values):
        kind = type(value)
        if kind in _native:
            kinds.append(_core.dtype_of(value))
        elif kind in _WEAK:
            kinds.append(_WEAK[kind])
        elif _core.is_tensor(value):
            _native.add(kind)
            kinds.append(_core.dtype_of(value))
        elif isinstance(value, (list, tuple)) and any(map(_is_live, value)):
            values[i] = registry["stack"](value)  # as NumPy arrays they would lose their gradients
            kinds.append(_core.dtype_of(values[i]))
        else:
            array = _to_array(value)
            values[i] = array
            kinds.append(dtypes.standardize(array.dtype))
    if rule is None:
        return [
            v if type(v) in _native else _core.convert(v, _concrete(k))
            for v, k in zip(values, kinds, strict=True)
        ]
    targets = rule(tuple(kinds))
    if type(targets) is str:
        targets = (targets,) * len(kinds)
    out = []
    for value, kind, target in zip(values, kinds, targets, strict=True):
        if type(value) not in _native:
            out.append(_core.convert(value, target))
        else:
            out.append(value if kind == target else _core.cast(value, target))
    return out


_WEAK = {bool: "bool", int: "int", float: "float", complex: "complex"}
_ARRAY_DEFAULTS = {"f": config.floatx, "i": lambda: "int32", "c": lambda: "complex64"}


def _is_live(x: Any) -> bool:
    """Whether a member of a list is a tensor, or a list with tensors in it."""
    if isinstance(x, (list, tuple)):
        return any(map(_is_live, x))
    return type(x) is Variable or _core.is_tensor(x)


def _concrete(kind: str) -> str:
    return {"int": "int32", "float": config.floatx(), "complex": "complex64"}.get(kind, kind)


def _to_array(value: Any) -> np.ndarray:
    """An array of anything that is one; Python numbers in it count as 32 bits wide."""
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind in "OSUMm":
            raise DTypeError(f"expected numbers, got an array of {value.dtype}.")
        return np.asarray(value)
    if isinstance(value, (list, tuple, range)):
        array = np.asarray(value)
        narrow = _ARRAY_DEFAULTS.get(array.dtype.kind)
        if narrow and not any(isinstance(v, (np.ndarray, np.generic)) for v in value):
            array = array.astype(narrow())
        if array.dtype.kind in "biufc":
            return array
        raise DTypeError(f"expected numbers, got a {type(value).__name__} of {array.dtype}.")
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in "biufc":
            return array
    raise DTypeError(
        f"expected a tensor, an array, a number or a list of numbers, got {type(value).__name__}."
    )
