"""Weights in files, and back: `.weights.h5`, `.safetensors`, legacy `.h5`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlapi import dtypes
from mlapi._lazy import LazyModule
from mlapi.errors import ArgumentError, LoadError, NotBuiltError
from mlapi.saving import container, hdf5, legacy
from mlapi.saving.files import atomic, check_overwrite, check_readable
from mlapi.saving.naming import dotted_weights, numbered_weights, own_formats
from mlapi.state import Variable

if TYPE_CHECKING:
    import h5py
else:
    h5py = LazyModule("h5py")

FORMAT_VERSION = 1


def save_weights(model: Any, filepath: str | Path, overwrite: bool = True) -> None:
    """Write the weights; the suffix chooses the format.

    Args:
        model: a built model.
        filepath: ends in `.weights.h5`, `.safetensors`, or `.h5`/`.hdf5` for the legacy layout.
        overwrite: whether a file that is there is replaced.

    Raises:
        NotBuiltError: the model has no weights yet.
    """
    path = Path(filepath)
    check_overwrite(path, overwrite)
    if not model.built:
        raise NotBuiltError(
            f'Model "{model.name}" has no weights yet: call it once, or build it, before saving.'
        )
    if path.name.endswith(".weights.h5"):
        with atomic(path) as temporary, h5py.File(temporary, "w") as file:
            write_layers(file, model)
    elif path.suffix in (".h5", ".hdf5"):
        with atomic(path) as temporary, h5py.File(temporary, "w") as file:
            legacy.write_weights(file, model)
    elif path.suffix == ".safetensors":
        _save_safetensors(model, path)
    else:
        raise ArgumentError(
            f"{path} has no known ending for weights; use .weights.h5, .safetensors or .h5."
        )


def load_weights(
    model: Any, filepath: str | Path, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Read the weights; nothing is assigned unless all of them fit.

    Args:
        model: a built model.
        filepath: what `save_weights` or `save` wrote.
        skip_mismatch: leave weights alone that are missing or have another shape.
        by_name: match layers by their names, in legacy files.

    Raises:
        LoadError: the file is no such file, is damaged, or does not fit the model.
    """
    path = Path(filepath)
    check_readable(path)
    if not model.built:
        raise NotBuiltError(
            f'Model "{model.name}" has no weights yet: call it once, or build it with an input '
            "shape, before loading."
        )
    stores: Stores = []
    if path.suffix == ".safetensors":
        wanted = dotted_weights(model)
        found, others = _read_safetensors(path, wanted, skip_mismatch)
    elif path.suffix in (".keras", ".h5", ".hdf5"):
        source: Any = path
        if path.suffix == ".keras":
            source = io.BytesIO(container.read(path)["model.weights.h5"])
        with hdf5.open_file(source, str(path)) as file:
            if legacy.is_legacy(file):
                pairs = legacy.read_weights(file, model, str(path), by_name, skip_mismatch)
                assign(pairs, str(path))
                return
            wanted = numbered_weights(model)
            found, others = read_numbered(file, wanted, str(path), skip_mismatch)
            stores, others = read_own_formats(file, model, others, str(path))
    else:
        raise LoadError(
            f"{path} has no known ending for weights: .weights.h5, .safetensors, .h5 or .keras."
        )
    if by_name:
        raise LoadError(f"{path} does not name its layers: by_name=True is for legacy .h5 files.")
    check_complete(wanted, found, others, str(path), skip_mismatch)
    assign([(wanted[name], array) for name, array in found.items()], str(path), stores)


def write_layers(file: h5py.Group, model: Any) -> None:
    """Write the weights of a model and of all layers inside it."""
    write_numbered(file, numbered_weights(model))
    for place, layer in own_formats(model).items():
        store: dict[str, Any] = {}
        layer.save_own_variables(store)
        for name, value in store.items():
            array = np.asarray(value)
            if "/" in name or array.dtype.name not in dtypes.NAMES:
                raise ArgumentError(
                    f"{type(layer).__name__}.save_own_variables stored {name!r}: {value!r}. It may "
                    "store arrays of numbers, under names without slashes."
                )
            hdf5.write_array(file, f"{place}/{name}", array)


Stores = list[tuple[Any, dict[str, np.ndarray]]]


def read_own_formats(
    file: h5py.Group, model: Any, others: list[str], where: str
) -> tuple[Stores, list[str]]:
    """What layers that decide themselves have saved; and the names that are not theirs."""
    stores = []
    for place, layer in own_formats(model).items():
        mine = [name for name in others if name.rpartition("/")[0] == place]
        others = [name for name in others if name not in mine]
        arrays = {
            name.rpartition("/")[2]: hdf5.read_array(hdf5.child(file, name, where), None, where)
            for name in mine
        }
        stores.append((layer, arrays))
    return stores, others


def write_numbered(file: h5py.Group, weights: Mapping[str, Variable]) -> None:
    """Write each Variable at its place."""
    file.attrs["format"] = f"mlapi weights {FORMAT_VERSION}"
    for name, variable in weights.items():
        hdf5.write_array(file, name, variable.numpy())


def read_numbered(
    file: h5py.Group, wanted: Mapping[str, Variable], where: str, skip_mismatch: bool
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Arrays for the wanted places, and the names of arrays that nobody wants."""
    found = {}
    for name, variable in wanted.items():
        dataset = hdf5.child(file, name, where)
        if dataset is None:
            continue
        if skip_mismatch and tuple(getattr(dataset, "shape", ())) != variable.shape:
            continue
        found[name] = hdf5.read_array(dataset, variable.shape, where)
    others = [
        name
        for name in hdf5.dataset_names(file, where)
        if name not in wanted and not name.startswith("optimizer/")
    ]
    return found, others


def check_complete(
    wanted: Mapping[str, Variable],
    found: Mapping[str, Any],
    others: list[str],
    where: str,
    skip_mismatch: bool,
) -> None:
    """Missing and unexpected weights are errors, unless mismatches are to be skipped."""
    missing = [name for name in wanted if name not in found]
    if skip_mismatch or not (missing or others):
        return
    lines = [f"{where} does not fit the model."]
    lines += [f"  missing: {n} {wanted[n].shape} ({wanted[n].path})" for n in missing[:10]]
    lines += [f"  unexpected: {name}" for name in others[:10]]
    more = max(0, len(missing) - 10) + max(0, len(others) - 10)
    if more:
        lines.append(f"  … and {more} more")
    lines.append("Build the model as it was when saved, or pass skip_mismatch=True.")
    raise LoadError("\n".join(lines))


def assign(
    pairs: list[tuple[Variable, np.ndarray]], where: str, stores: Stores | None = None
) -> None:
    """Check every cast, then assign every array, those of `stores` by the layers' own code."""
    ready = []
    for variable, array in pairs:
        if tuple(array.shape) != variable.shape:
            raise LoadError(
                f"{where}: weight {variable.path} has shape {variable.shape} in the model, "
                f"but {tuple(array.shape)} in the file."
            )
        target = dtypes.numpy_dtype(variable.dtype)
        if array.dtype != target:
            if dtypes.is_float(variable.dtype) != dtypes.is_float(array.dtype.name):
                raise LoadError(
                    f"{where}: weight {variable.path} is {variable.dtype} in the model, but "
                    f"{array.dtype} in the file."
                )
            with np.errstate(over="ignore"):
                cast = array.astype(target)
            if np.isinf(cast.astype(np.float64)).sum() > np.isinf(array.astype(np.float64)).sum():
                raise LoadError(
                    f"{where}: weight {variable.path} holds numbers too large for {variable.dtype}."
                )
            array = cast
        ready.append((variable, array))
    before = [(v, v.numpy()) for layer, _ in stores or () for v in layer.variables]
    for layer, store in stores or ():
        try:
            layer.load_own_variables(store)
        except Exception as error:
            for variable, array in before:
                variable.assign(array)
            name = type(layer).__name__
            raise LoadError(f"{where}: {name}.load_own_variables: {error}") from error
    for variable, array in ready:
        variable.assign(array)


def _save_safetensors(model: Any, path: Path) -> None:
    from safetensors.numpy import save_file

    weights = dotted_weights(model).items()
    arrays = {name: np.ascontiguousarray(variable.numpy()) for name, variable in weights}
    checksums = {name: hdf5.digest(array) for name, array in arrays.items()}
    # One entry: the library writes several in an order that differs from run to run.
    metadata = {"mlapi": json.dumps({"version": FORMAT_VERSION, "sha256": checksums})}
    with atomic(path) as temporary:
        save_file(arrays, temporary, metadata)


def _read_safetensors(
    path: Path, wanted: Mapping[str, Variable], skip_mismatch: bool
) -> tuple[dict[str, np.ndarray], list[str]]:
    from safetensors import safe_open

    found, others = {}, []
    try:
        with safe_open(path, "numpy") as file:
            about = json.loads((file.metadata() or {}).get("mlapi", "{}"))
            checksums = about.get("sha256", {})
            for name in file.keys():  # noqa: SIM118 (not a dict)
                if name not in wanted:
                    others.append(name)
                    continue
                shape = tuple(file.get_slice(name).get_shape())
                if shape != wanted[name].shape:
                    if skip_mismatch:
                        continue
                    raise LoadError(
                        f"{path}: {name} has shape {shape}, but the model expects "
                        f"{wanted[name].shape}."
                    )
                found[name] = array = file.get_tensor(name)
                if checksums and hdf5.digest(array) != checksums.get(name):
                    raise LoadError(f"{path}: {name} is damaged: its checksum differs.")
    except LoadError:
        raise
    except Exception as error:  # the library has errors of its own, and Python's of JSON
        raise LoadError(f"{path} is not a readable safetensors file: {error}") from error
    return found, others
