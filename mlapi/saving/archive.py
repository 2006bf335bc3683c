"""A whole model in one file: `.keras`, a zip of config and weights, or a legacy `.h5`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlapi import serialization
from mlapi._lazy import LazyModule
from mlapi.catalog import custom_object_scope
from mlapi.errors import ArgumentError, LoadError, NotBuiltError
from mlapi.saving import container, hdf5, legacy
from mlapi.saving.files import atomic, check_overwrite, check_readable
from mlapi.saving.naming import numbered_weights
from mlapi.saving.weights import (
    assign,
    check_complete,
    read_numbered,
    read_own_formats,
    write_layers,
    write_numbered,
)
from mlapi.state import Variable, limited

if TYPE_CHECKING:
    import h5py
else:
    h5py = LazyModule("h5py")


# Most that the variables of a model may be larger than the file that describes it.
_MAX_GROWTH = 200


def save_model(
    model: Any,
    filepath: str | Path,
    overwrite: bool = True,
    zipped: bool | None = None,
    *,
    include_optimizer: bool = True,
    **kwargs: Any,
) -> None:
    """Write architecture, weights, and what is needed to go on training.

    Args:
        model: a built model whose config can be had.
        filepath: ends in `.keras`, or `.h5`/`.hdf5` for the legacy layout.
        overwrite: whether a file that is there is replaced.
        zipped: kept for programs written for Keras; a `.keras` file always is a zip archive.
        include_optimizer: whether the optimizer's state is written.
        **kwargs: `save_format` of older programs, which the ending of the file decides today.
    """
    kwargs.pop("save_format", None)
    if zipped is False or kwargs:
        what = "zipped=False" if zipped is False else f"{next(iter(kwargs))}=…"
        raise ArgumentError(f"save_model: {what} is not supported: a model is one file.")
    path = Path(filepath)
    check_overwrite(path, overwrite)
    if not model.built:
        raise NotBuiltError(
            f'Model "{model.name}" has no weights yet: call it once, or build it, before saving.'
        )
    if path.suffix not in (".keras", ".h5", ".hdf5"):
        raise ArgumentError(f"{path} has no known ending for models; use .keras or .h5.")
    record = _model_record(model)
    optimizer = model.optimizer if include_optimizer else None
    if path.suffix == ".keras":
        with atomic(path) as temporary:
            _write_zip(temporary, model, record, optimizer)
        return
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        _write_legacy(file, model, record, optimizer)


def load_model(
    filepath: str | Path,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Read a model that `save_model` wrote, on any backend.

    Args:
        filepath: a `.keras` or legacy `.h5` file.
        custom_objects: name → class or function of yours that the file mentions.
        compile: whether to compile it as it was, the optimizer's state included.
        safe_mode: accepted for Keras's sake; no file is ever allowed to bring code.

    Raises:
        LoadError: the file is damaged, or asks for something that is refused.
    """
    path = Path(filepath)
    check_readable(path)
    with open(path, "rb") as file:
        start = file.read(8)
    try:
        with limited(path.stat().st_size * _MAX_GROWTH):
            if start.startswith(b"PK"):
                return _read_zip(path, custom_objects, compile)
            if start == b"\x89HDF\r\n\x1a\n":
                return _read_legacy(path, custom_objects, compile)
    except LoadError as error:
        if str(path) not in str(error):
            error.add_note(f"while loading {path}")
        raise
    raise LoadError(f"{path} is neither a .keras archive nor an HDF5 file.")


def _model_record(model: Any) -> dict[str, Any]:
    record = serialization.serialize(model)
    record["build_config"] = serialization.serialize(model.get_build_config())
    record["compile_config"] = model.get_compile_config()
    return record


def _compile(model: Any, record: Any, custom_objects: Any, where: str) -> None:
    if not record:
        return
    try:
        with custom_object_scope(custom_objects):
            model.compile_from_config(record)
    except LoadError:
        raise
    except Exception as error:
        raise LoadError(
            f"{where}: what the model was compiled with does not fit: {error} "
            "Pass compile=False to load the model alone."
        ) from error


# --- .keras ----------------------------------------------------------------------------------


def _write_zip(path: Path, model: Any, record: dict[str, Any], optimizer: Any) -> None:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        write_layers(file, model)
        if optimizer is not None and optimizer.built:
            write_numbered(file, _optimizer_variables(optimizer))
    metadata = {
        "keras_version": "3.15.1",
        "written_by": "mlapi",
        "date_saved": datetime.now(UTC).strftime("%Y-%m-%d@%H:%M:%S"),
    }
    parts = {
        "metadata.json": json.dumps(metadata).encode(),
        "config.json": serialization.to_json(record).encode(),
        "model.weights.h5": weights.getvalue(),
    }
    container.write(path, parts)


def _optimizer_variables(optimizer: Any) -> dict[str, Variable]:
    return {f"optimizer/vars/{i}": v for i, v in enumerate(optimizer.places_in_files())}


def _read_zip(path: Path, custom_objects: Any, compile: bool) -> Any:
    members = container.read(path)
    record = serialization.from_json(members["config.json"])
    weights = io.BytesIO(members["model.weights.h5"])
    model = _rebuild(record, custom_objects, str(path))
    compiled = record.get("compile_config") if compile else None
    _compile(model, compiled, custom_objects, str(path))
    where = f"{path}: model.weights.h5"
    with hdf5.open_file(weights, where) as file:
        _read_state(file, model, where)
    return model


def _rebuild(record: Any, custom_objects: Any, where: str) -> Any:
    if not isinstance(record, dict):
        raise LoadError(f"{where}: the config is not that of a model.")
    model = serialization.deserialize(record, custom_objects)
    if not hasattr(model, "fit"):
        raise LoadError(f"{where}: the config makes a {type(model).__name__}, not a model.")
    return model


def _read_state(file: h5py.File, model: Any, where: str) -> None:
    """Weights and the optimizer's variables: all are read and checked before one is assigned."""
    wanted = dict(numbered_weights(model))
    found, others = read_numbered(file, wanted, where, skip_mismatch=False)
    stores, others = read_own_formats(file, model, others, where)
    check_complete(wanted, found, others, where, skip_mismatch=False)
    if model.optimizer is not None and hdf5.has(file, "optimizer"):
        state = _optimizer_variables(model.optimizer)
        values, _ = read_numbered(file, state, where, skip_mismatch=False)
        check_complete(state, values, [], where, skip_mismatch=False)
        wanted.update(state)
        found.update(values)
    assign([(wanted[name], array) for name, array in found.items()], where, stores)


# --- legacy .h5 ------------------------------------------------------------------------------


def _write_legacy(file: h5py.File, model: Any, record: dict[str, Any], optimizer: Any) -> None:
    compiled = record.pop("compile_config")
    file.attrs["keras_version"] = "3.15.1"
    hdf5.write_text(file, "model_config", serialization.to_json(record))
    if compiled is not None:
        hdf5.write_text(file, "training_config", json.dumps(compiled))
    legacy.write_weights(file.create_group("model_weights"), model)
    if optimizer is not None and optimizer.built:
        write_numbered(file, _optimizer_variables(optimizer))


def _read_legacy(path: Path, custom_objects: Any, compile: bool) -> Any:
    where = str(path)
    with hdf5.open_file(path, where) as file:
        record = legacy.read_json(file, "model_config", where)
        compiled = legacy.read_json(file, "training_config", where) if compile else None
    if record is None:
        raise LoadError(
            f"{where} holds weights alone, no architecture: build the model and call "
            "model.load_weights(…)."
        )
    model = _rebuild(record, custom_objects, where)
    _compile(model, compiled, custom_objects, where)
    with hdf5.open_file(path, where) as file:
        pairs = legacy.read_weights(file, model, where, by_name=False, skip_mismatch=False)
        if model.optimizer is not None and hdf5.has(file, "optimizer"):
            state = _optimizer_variables(model.optimizer)
            values, _ = read_numbered(file, state, where, skip_mismatch=False)
            check_complete(state, values, [], where, skip_mismatch=False)
            pairs += [(state[name], array) for name, array in values.items()]
    assign(pairs, where)
    return model


def to_json(model: Any, **kwargs: Any) -> str:
    """The architecture as JSON text; `**kwargs` as for `json.dumps`."""
    return json.dumps(serialization.serialize(model), **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A new model with the architecture that `to_json` described."""
    return _rebuild(serialization.from_json(json_string), custom_objects, "the JSON text")
