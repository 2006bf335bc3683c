"""Nested structures of dicts, lists, tuples and namedtuples, in plain Python.

Everything else, `None` included, is a leaf. Dicts keep the order of their keys; where several
structures are walked together their dicts are matched by key. Plain recursion is as fast as a
compiled tree library on the small structures that a model is called with, and `torch.compile`
sees through it.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any

from mlapi.errors import ArgumentError

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]

Path = tuple[int | str, ...]


class MAP_TO_NONE:
    """What the function given to `traverse` returns (the class itself) to have None there."""


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a dict, list or tuple, empty ones included."""
    return isinstance(structure, (dict, list, tuple))


def flatten(structure: Any) -> list[Any]:
    """Returns the leaves of a structure in order.

    Example:
        >>> flatten({"b": [1, (2, None)], "a": 3})
        [1, 2, None, 3]
    """
    if not isinstance(structure, (dict, list, tuple)):
        return [structure]
    leaves: list[Any] = []
    _collect(structure, leaves)
    return leaves


def _collect(structure: Any, leaves: list[Any]) -> None:
    for child in structure.values() if isinstance(structure, dict) else structure:
        if isinstance(child, (dict, list, tuple)):
            _collect(child, leaves)
        else:
            leaves.append(child)


def flatten_with_path(structure: Any) -> list[tuple[Path, Any]]:
    """Returns pairs of path and leaf; a path is the keys and indices that lead to the leaf.

    Example:
        >>> flatten_with_path({"a": [5, 6]})
        [(('a', 0), 5), (('a', 1), 6)]
    """
    return list(_walk(structure, ()))


def _walk(structure: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if not is_nested(structure):
        yield path, structure
        return
    for key, child in _items(structure):
        yield from _walk(child, (*path, key))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Applies `func` to the leaves of one structure, or to those of several that match.

    Args:
        func: called with one leaf of each structure.
        *structures: one or more. Their dicts must have the same keys, in any order.
        none_is_leaf: False to leave `None` (in the first structure) alone.

    Returns:
        The results in the structure of the first.

    Raises:
        ArgumentError: the structures do not match; the message says where.

    Example:
        >>> map_structure(lambda a, b: a + b, {"x": 1, "y": [2]}, {"y": [10], "x": 20})
        {'x': 21, 'y': [12]}
    """
    if not structures:
        raise ArgumentError("map_structure needs at least one structure.")
    if not none_is_leaf:
        whole, func = func, lambda *leaves: None if leaves[0] is None else whole(*leaves)
    if len(structures) == 1:
        return _map(func, structures[0])
    return _map_together(func, structures, ())


def _map(func: Callable[[Any], Any], structure: Any) -> Any:
    if not isinstance(structure, (dict, list, tuple)):
        return func(structure)
    if isinstance(structure, dict):
        return _rebuild(structure, [_map(func, child) for child in structure.values()])
    return _rebuild(structure, [_map(func, child) for child in structure])


def _map_together(func: Callable[..., Any], structures: tuple[Any, ...], path: Path) -> Any:
    first, *others = structures
    if not is_nested(first):
        for other in others:
            if is_nested(other):
                _mismatch(first, other, path)
        return func(*structures)
    for other in others:
        _check_node(first, other, path)
    return _rebuild(
        first,
        [
            _map_together(func, (child, *(other[key] for other in others)), (*path, key))
            for key, child in _items(first)
        ],
    )


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """As `map_structure`, but goes only as deep as `shallow_structure` does.

    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], (3,)])
        [2, 1]
    """
    return _map_up_to(shallow_structure, func, structures, ())


def _map_up_to(
    shallow: Any, func: Callable[..., Any], structures: tuple[Any, ...], path: Path
) -> Any:
    if not is_nested(shallow):
        return func(*structures)
    for structure in structures:
        _check_node(shallow, structure, path)
    return _rebuild(
        shallow,
        [
            _map_up_to(child, func, tuple(each[key] for each in structures), (*path, key))
            for key, child in _items(shallow)
        ],
    )


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Returns the values of `flat_sequence` in the place of the leaves of `structure`.

    Raises:
        ArgumentError: there are more or fewer values than leaves.

    Example:
        >>> pack_sequence_as({"a": 0, "b": (0, 0)}, [1, 2, 3])
        {'a': 1, 'b': (2, 3)}
    """
    values = list(flat_sequence)
    leaves = len(flatten(structure))
    if leaves != len(values):
        raise ArgumentError(f"The structure has {leaves} leaves, but {len(values)} values came.")
    remaining = iter(values)
    return _map(lambda _: next(remaining), structure)


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Checks that two structures have the same containers, lengths and keys.

    Args:
        a: a structure.
        b: another.
        check_types: kept for older programs; it changes nothing.

    Raises:
        ArgumentError: they differ; the message says where.
    """
    _map_together(lambda *_: None, (a, b), ())


def assert_same_paths(a: Any, b: Any) -> None:
    """Checks that the leaves of two structures have the same paths, whatever the containers.

    Raises:
        ArgumentError: they have not; the message lists paths that only one has.

    Example:
        >>> assert_same_paths([1, {"x": 2}], (3, {"x": 4}))
    """
    paths = [{path for path, _ in flatten_with_path(each)} for each in (a, b)]
    for mine, others, which in zip(paths, reversed(paths), ("first", "second"), strict=True):
        if alone := sorted(mine - others, key=str):
            raise ArgumentError(f"Only the {which} structure has the paths {alone[:5]}.")


def map_shape_structure(func: Callable[[tuple[int | None, ...]], Any], structure: Any) -> Any:
    """As `map_structure`, but a tuple or list of sizes (`int` or `None`) is a leaf.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3), "b": [(2,), (4, 5, 6)]})
        {'a': 2, 'b': [1, 3]}
    """
    if is_shape(structure):
        return func(tuple(structure))
    if not is_nested(structure):
        raise ArgumentError(f"Expected shapes (tuples of sizes), received {structure!r}.")
    return _rebuild(structure, [map_shape_structure(func, child) for _, child in _items(structure)])


def is_shape(structure: Any) -> bool:
    """Whether `structure` is a tuple or list of sizes only; `()` is the shape of a scalar."""
    return isinstance(structure, (list, tuple)) and all(
        size is None or isinstance(size, int) for size in structure
    )


def lists_to_tuples(structure: Any) -> Any:
    """Returns the structure with tuples in the place of its lists."""
    if not is_nested(structure):
        return structure
    children = [lists_to_tuples(child) for _, child in _items(structure)]
    return tuple(children) if isinstance(structure, list) else _rebuild(structure, children)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Applies `func` to every container and leaf, which what it returns, unless None, replaces.

    Args:
        func: called with each container or leaf.
        structure: what is walked.
        top_down: containers before what they hold. A container that `func` replaced is then not
            entered.

    Where `func` returns `MAP_TO_NONE`, the result has None.
    """
    if top_down:
        replaced = func(structure)
        if replaced is not None:
            return None if replaced is MAP_TO_NONE else replaced
    if is_nested(structure):
        children = [traverse(func, child, top_down) for _, child in _items(structure)]
        structure = _rebuild(structure, children)
    if top_down:
        return structure
    replaced = func(structure)
    if replaced is MAP_TO_NONE:
        return None
    return structure if replaced is None else replaced


def _items(structure: Any) -> Iterable[tuple[Any, Any]]:
    return structure.items() if isinstance(structure, dict) else enumerate(structure)


def _rebuild(like: Any, children: list[Any]) -> Any:
    """Returns a container of the kind and keys of `like` that holds `children`."""
    kind = type(like)
    if kind is list:
        return children
    if kind is tuple:
        return tuple(children)
    if kind is dict:
        return dict(zip(like, children, strict=True))
    if isinstance(like, dict):  # copied for what the class keeps besides, as defaultdict does
        result = copy(like)
        result.update(zip(like, children, strict=True))
        return result
    return kind(*children) if hasattr(like, "_fields") else kind(children)


def _check_node(a: Any, b: Any, path: Path) -> None:
    """Raises unless two containers are of one kind, with as many children of the same keys."""
    kind = next(kind for kind in (dict, list, tuple) if isinstance(a, kind))
    if not isinstance(b, kind) or len(a) != len(b):
        _mismatch(a, b, path)
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() != b.keys():
        _mismatch(a, b, path)


def _mismatch(a: Any, b: Any, path: Path) -> None:
    where = "".join(f"[{key!r}]" for key in path) or "the top"
    raise ArgumentError(
        f"Structures differ at {where}: one has {_describe(a)}, another {_describe(b)}."
    )


def _describe(structure: Any) -> str:
    kind = type(structure).__name__
    if isinstance(structure, dict):
        return f"a {kind} with keys {list(structure)}"
    return f"a {kind} of {len(structure)}" if is_nested(structure) else f"a leaf ({kind})"
