"""Where each weight of a model stands in a file.

The place depends on the structure of the model alone, not on automatic names, which differ
from one instance to the next. It is Keras 3's: a model's layers by class and number under
`layers`, other children by the name of their attribute, a layer's own weights by number.
"""

from collections.abc import Iterator
from typing import Any

from mlapi.layers import Layer
from mlapi.naming import to_snake_case
from mlapi.state import Variable


def numbered_weights(layer: Layer) -> dict[str, Variable]:
    """`layers/dense_1/vars/0` → Variable, for HDF5 files; without what `own_formats` has."""
    found: dict[str, Variable] = {}
    for path, owner in _owners(layer):
        if not _has_own_format(owner):
            for i, variable in enumerate(owner._own_weights()):
                found["/".join((*path, "vars", str(i)))] = variable
    return found


def own_formats(layer: Layer) -> dict[str, Layer]:
    """`layers/mine/vars` → layer that decides itself what is saved of it."""
    owners = ((path, owner) for path, owner in _owners(layer) if _has_own_format(owner))
    return {"/".join((*path, "vars")): owner for path, owner in owners}


def _has_own_format(layer: Layer) -> bool:
    return type(layer).load_own_variables is not Layer.load_own_variables


def dotted_weights(layer: Layer) -> dict[str, Variable]:
    """`layers.dense_1.kernel` → Variable, for safetensors files."""
    found: dict[str, Variable] = {}
    for path, owner in _owners(layer):
        for name, variable in owner._own_named_variables():
            found[".".join(part.lstrip("_") for part in (*path, name))] = variable
    return found


def _owners(layer: Layer) -> Iterator[tuple[tuple[str, ...], Layer]]:
    """Every layer once, with its place, parents first."""
    seen: set[int] = set()
    stack: list[tuple[tuple[str, ...], Layer]] = [((), layer)]
    while stack:
        path, owner = stack.pop()
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        yield path, owner
        stack.extend(reversed([((*path, *place), child) for place, child in _children(owner)]))


def _children(layer: Layer) -> list[tuple[tuple[str, ...], Layer]]:
    own_layers = layer.layers if _is_graph(layer) else []
    listed = {id(child) for child in own_layers}
    used: dict[tuple[str, ...], int] = {}
    children = [(_unique(("layers", _class_name(c)), used), c) for c in own_layers]
    for name, child in layer._named_children_of(Layer):
        if id(child) not in listed:
            attribute, *inner = name.split(".")
            place = (_place(layer, attribute),)
            children.append(
                (_unique((*place, _class_name(child)), used) if inner else place, child)
            )
    return children


def _place(layer: Layer, attribute: str) -> str:
    """The attribute's name, or that of a property without underscore that stands for it."""
    public = attribute.lstrip("_")
    is_property = isinstance(getattr(type(layer), public, None), property)
    if is_property and getattr(layer, public) is getattr(layer, attribute):
        return public
    return attribute


def _is_graph(layer: Any) -> bool:
    """Functional and Sequential models, whose layers are not attributes."""
    return hasattr(layer, "_set_program")


def _class_name(layer: Layer) -> str:
    return to_snake_case(type(layer).__name__)


def _unique(place: tuple[str, ...], used: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    number = used.get(place, 0)
    used[place] = number + 1
    return (*place[:-1], f"{place[-1]}_{number}") if number else place
