"""The file of a checkpoint: a tree of plain data and arrays, in the format of safetensors.

The arrays are the file's tensors. Everything else is JSON in its metadata, which also holds a
SHA-256 of each array and of itself: a file that was damaged anywhere is refused. No code is ever
read.

The file is written here, not by the safetensors library, which keeps other threads from running
meanwhile; it is read by the library.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlapi.backends import adapter
from mlapi.errors import ArgumentTypeError, LoadError
from mlapi.saving.files import atomic
from mlapi.state import Variable

Arrays = Mapping[str, np.ndarray]

# Stands in the tree where an array was, with the name of the array.
_MARK = "array:"
_NAME = re.compile(r"checkpoint-(\d{8,})\.safetensors")

_CODES = {
    "bool": "BOOL", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "uint8": "U8",
    "uint16": "U16", "uint32": "U32", "uint64": "U64", "float16": "F16", "bfloat16": "BF16",
    "float32": "F32", "float64": "F64", "complex64": "C64",
}  # fmt: skip


def freeze(tree: Any, arrays: dict[str, np.ndarray], where: str) -> Any:
    """The tree with names in place of its arrays, copies of which are added to `arrays`.

    Raises:
        ArgumentTypeError: it holds something else than numbers, text, None, arrays, and lists
            and dicts of them.
    """
    if tree is None or isinstance(tree, bool | int | float):
        return tree
    if isinstance(tree, str):
        return {_MARK: None, "text": tree} if tree.startswith(_MARK) else tree
    if isinstance(tree, np.generic) and tree.dtype.kind in "biuf":
        return tree.item()
    if isinstance(tree, np.ndarray | np.generic | Variable) or adapter.core.is_tensor(tree):
        array = np.array(adapter.core.to_numpy(tree) if adapter.core.is_tensor(tree) else tree)
        if array.dtype.name in _CODES:
            name = f"{len(arrays)}"
            arrays[name] = array
            return _MARK + name
    if isinstance(tree, list | tuple):
        return [freeze(item, arrays, f"{where}[{i}]") for i, item in enumerate(tree)]
    if isinstance(tree, Mapping) and all(isinstance(k, str) and k != _MARK for k in tree):
        return {key: freeze(item, arrays, f"{where}[{key!r}]") for key, item in tree.items()}
    raise ArgumentTypeError(
        f"{where} cannot be written to a checkpoint: it must be a number, text, None, an array, "
        f"or a list of these or a dict of them with text as keys; received {tree!r:.200}."
    )


def thaw(tree: Any, arrays: Arrays) -> Any:
    """What `freeze` was given, tuples as lists and tensors as arrays."""
    if isinstance(tree, str):
        return arrays[tree.removeprefix(_MARK)] if tree.startswith(_MARK) else tree
    if isinstance(tree, list):
        return [thaw(item, arrays) for item in tree]
    if isinstance(tree, dict):
        if _MARK in tree:
            return tree["text"]
        return {key: thaw(item, arrays) for key, item in tree.items()}
    return tree


def write(path: Path, text: str, arrays: Arrays) -> None:
    """Write JSON text and arrays; the file is there whole or not at all."""
    views = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    record = json.dumps(
        {"tree": text, "sha256": {name: _digest(array) for name, array in views.items()}}
    )
    header: dict[str, Any] = {
        "__metadata__": {"mlapi": hashlib.sha256(record.encode()).hexdigest() + record}
    }
    start = 0
    for name, array in views.items():
        place = [start, start + array.nbytes]
        code = _CODES[array.dtype.name]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": place}
        start += array.nbytes
    data = json.dumps(header).encode()
    data += b" " * (-len(data) % 8)
    with atomic(path) as temporary, open(temporary, "wb") as file:
        file.write(len(data).to_bytes(8, "little") + data)
        for array in views.values():
            file.write(_bytes(array))


def read(path: Path) -> tuple[Any, dict[str, np.ndarray]]:
    """The tree and the arrays.

    Raises:
        LoadError: the file is damaged, or none that `write` wrote.
    """
    from safetensors import safe_open

    try:
        with safe_open(path, "numpy") as file:
            entry = (file.metadata() or {})["mlapi"]
            checksum, record = entry[:64], entry[64:]
            if hashlib.sha256(record.encode()).hexdigest() != checksum:
                raise LoadError(f"{path} is damaged: its checksum differs.")
            content = json.loads(record)
            checksums = content["sha256"]
            if set(file.keys()) != set(checksums):
                raise LoadError(f"{path} is damaged: it lacks arrays, or has some too many.")
            arrays = {name: file.get_tensor(name) for name in checksums}
        for name, array in arrays.items():
            if _digest(array) != checksums[name]:
                raise LoadError(f"{path} is damaged: the checksum of array {name} differs.")
        return json.loads(content["tree"]), arrays
    except LoadError:
        raise
    except Exception as error:  # the library has errors of its own, and Python's of JSON
        raise LoadError(f"{path} is not a readable checkpoint: {error}") from error


def _digest(array: np.ndarray) -> str:
    about = hashlib.sha256(f"{array.dtype.name}{array.shape}".encode())
    about.update(_bytes(array))
    return about.hexdigest()


def _bytes(array: np.ndarray) -> Any:
    """The numbers as they lie in memory, not copied."""
    return np.asarray(array, order="C").reshape(-1).view(np.uint8)


# --- folders of checkpoints ------------------------------------------------------------------


def path_of(folder: Path, number: int) -> Path:
    """The file of a checkpoint."""
    return folder / f"checkpoint-{number:08d}.safetensors"


def number_of(path: Path) -> int:
    """The number of a checkpoint; later ones have larger ones."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def checkpoints(folder: Path) -> list[Path]:
    """The files of a folder's checkpoints, the newest first."""
    found = [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=number_of, reverse=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what a process left that ended while it wrote."""
    for path in folder.glob(".checkpoint-*.safetensors.*.tmp"):
        path.unlink(missing_ok=True)
