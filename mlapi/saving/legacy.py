"""The HDF5 layout of older Keras: layers by name, weights in order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from mlapi._lazy import LazyModule
from mlapi.errors import LoadError
from mlapi.saving import hdf5
from mlapi.state import Variable

if TYPE_CHECKING:
    import h5py
else:
    h5py = LazyModule("h5py")

# HDF5 keeps attributes in the object's header, which has room for 64 KiB.
_ROOM = 60_000


def is_legacy(file: h5py.File) -> bool:
    """Whether the layers are listed by name."""
    return "layer_names" in file.attrs or "layer_names0" in file.attrs or "model_weights" in file


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
    group = hdf5.child(file, "model_weights", where) if "model_weights" in file else file
    stored = {}
    for name in _read_names(group, "layer_names"):
        mine = hdf5.child(group, name, where)
        if mine is None:
            raise LoadError(f"{where}: layer {name!r} is listed, but not there.")
        weights = _read_names(mine, "weight_names")
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
    text = file.attrs.get(name)
    if text is None:
        return None
    if not isinstance(text, (str, bytes)):
        raise LoadError(f"{where}: the attribute {name!r} is not text.")
    try:
        return json.loads(text)
    except ValueError as error:
        raise LoadError(f"{where}: the attribute {name!r} is not JSON: {error}") from None


def _write_names(group: h5py.Group, key: str, names: list[str]) -> None:
    encoded = [name.encode() for name in names]
    if sum(map(len, encoded)) + 16 * len(encoded) < _ROOM:
        group.attrs[key] = np.array(encoded, dtype="S") if encoded else np.array([], dtype="S1")
        return
    longest = max(map(len, encoded))
    size = max(1, _ROOM // longest)
    for number, start in enumerate(range(0, len(encoded), size)):
        group.attrs[f"{key}{number}"] = np.array(encoded[start : start + size], dtype="S")


def _read_names(group: Any, key: str) -> list[str]:
    if key in group.attrs:
        raw = list(group.attrs[key])
    else:
        raw, number = [], 0
        while f"{key}{number}" in group.attrs:
            raw.extend(group.attrs[f"{key}{number}"])
            number += 1
    return [n.decode() if isinstance(n, bytes) else str(n) for n in raw]
