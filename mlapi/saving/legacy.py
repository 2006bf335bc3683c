"""The HDF5 layout of older Keras: layers by name, weights in order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from mlapi import serialization
from mlapi._lazy import LazyModule
from mlapi.errors import LoadError
from mlapi.saving import hdf5
from mlapi.state import Variable

if TYPE_CHECKING:
    import h5py
else:
    h5py = LazyModule("h5py")


def is_legacy(file: h5py.File) -> bool:
    """Whether the layers are listed by name."""
    names = ("layer_names", "layer_names0")
    return any(name in file.attrs for name in names) or hdf5.has(file, "model_weights")


def write_weights(group: h5py.Group, model: Any) -> None:
    """Layers in order, each with the names of its weights."""
    layers = list(model.layers)
    _write_names(group, "layer_names", [layer.name for layer in layers])
    group.attrs["backend"] = "mlapi"
    for layer in layers:
        mine = group.create_group(layer.name)
        names = [f"{layer.name}/{i}_{v.name}" for i, v in enumerate(layer.weights)]
        _write_names(mine, "weight_names", names)
        for name, variable in zip(names, layer.weights, strict=True):
            hdf5.write_array(mine, name, variable.numpy())


def read_weights(
    file: h5py.File, model: Any, where: str, by_name: bool, skip_mismatch: bool
) -> list[tuple[Variable, np.ndarray]]:
    """Variables with their values, layer by layer in order, or by name."""
    group = hdf5.child(file, "model_weights", where) or file
    stored = {}
    for name in _read_names(group, "layer_names", where):
        mine = hdf5.child(group, name, where)
        if mine is None:
            raise LoadError(f"{where}: layer {name!r} is listed, but not there.")
        weights = _read_names(mine, "weight_names", where)
        if weights:
            stored[name] = (mine, weights)
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    if by_name:
        matched = [(layers[name], *stored[name]) for name in stored if name in layers]
    else:
        if len(stored) != len(layers):
            raise LoadError(
                f"{where} has weights for {len(stored)} layers ({', '.join(stored)}), the model "
                f"has {len(layers)} with weights ({', '.join(layers)})."
            )
        matched = [
            (layer, *entry) for layer, entry in zip(layers.values(), stored.values(), strict=True)
        ]
    pairs = []
    for layer, mine, names in matched:
        variables = layer.weights
        if len(variables) != len(names):
            if skip_mismatch:
                continue
            raise LoadError(
                f"{where}: layer {layer.name!r} has {len(names)} weights in the file, "
                f"{len(variables)} in the model."
            )
        for variable, name in zip(variables, names, strict=True):
            dataset = hdf5.child(mine, name, where)
            if skip_mismatch and tuple(getattr(dataset, "shape", ())) != variable.shape:
                continue
            pairs.append((variable, hdf5.read_array(dataset, variable.shape, where)))
    return pairs


def read_json(file: h5py.File, name: str, where: str) -> Any:
    """A JSON attribute, or None."""
    text = hdf5.read_text(file, name, where, long=True)
    return None if text is None else serialization.from_json(text)


def _write_names(group: h5py.Group, key: str, names: list[str]) -> None:
    """Names in one attribute, or as many numbered ones as it takes."""
    encoded = [name.encode() for name in names]
    longest = max(map(len, encoded), default=1)
    size = hdf5.ROOM // longest
    if len(encoded) <= size:
        group.attrs[key] = np.array(encoded, dtype=f"S{longest}")
        return
    for number, start in enumerate(range(0, len(encoded), size)):
        group.attrs[f"{key}{number}"] = np.array(encoded[start : start + size], dtype="S")


def _read_names(group: h5py.Group, key: str, where: str) -> list[str]:
    keys = [key]
    if key not in group.attrs:
        numbered = (f"{key}{number}" for number in itertools.count())
        keys = list(itertools.takewhile(group.attrs.__contains__, numbered))
    names: list[str] = []
    for key in keys:
        attribute = group.attrs.get_id(key)
        if attribute.shape == (0,):  # of numbers, in Keras's files
            continue
        found = group.attrs[key]
        if getattr(found, "ndim", 0) != 1 or h5py.check_string_dtype(attribute.dtype) is None:
            raise LoadError(f"{where}: the attribute {key!r} of {group.name} holds no names.")
        names += [n.decode() if isinstance(n, bytes) else n for n in np.asarray(found)]
    return names
