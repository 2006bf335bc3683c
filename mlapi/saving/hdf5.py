"""HDF5, of which only plain arrays are accepted.

A file from a stranger may hold links to other files, virtual datasets, or shapes far larger than
what is stored. Here a dataset is read only if it is reached by hard links alone, holds numbers,
has the shape that the model expects, and has its bytes in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from mlapi import dtypes
from mlapi._lazy import LazyModule
from mlapi.errors import LoadError

if TYPE_CHECKING:
    import h5py
else:
    h5py = LazyModule("h5py")

# Most that a compressed array may grow when it is read.
_MAX_RATIO = 200
_FILTERS = {1, 2, 3}  # deflate, shuffle, Fletcher's checksum: HDF5's numbers


def write_array(group: h5py.Group, name: str, array: np.ndarray) -> None:
    """Store an array with its checksum; bfloat16 as the 16 bits that it is."""
    stored = array.view(np.uint16) if array.dtype.name == "bfloat16" else array
    dataset = group.create_dataset(name, data=stored)
    if stored is not array:
        dataset.attrs["dtype"] = "bfloat16"
    dataset.attrs["sha256"] = _digest(stored)


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


@contextmanager
def open_file(source: Path | IO[bytes], where: str) -> Iterator[h5py.File]:
    """An HDF5 file to read from; damage anywhere in it is a LoadError."""
    try:
        file = h5py.File(source, "r")
    except OSError as error:
        raise LoadError(f"{where} is not a readable HDF5 file: {error}") from None
    with file:
        try:
            yield file
        except (OSError, RuntimeError, KeyError) as error:
            raise LoadError(f"{where} is damaged: {error}") from error


def child(group: Any, name: str, where: str) -> Any:
    """A member of a group, reached by hard links; None if it is not there."""
    for part in name.split("/"):
        if not isinstance(group, h5py.Group) or group.get(part, getlink=True) is None:
            return None
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise LoadError(
                f"{where}: {group.name}/{part} is a link to elsewhere, which is not followed."
            )
        group = group[part]
    return group


def read_array(dataset: Any, shape: tuple[int, ...], where: str) -> np.ndarray:
    """The values of a dataset that has `shape`."""
    place = f"{where}: {getattr(dataset, 'name', '?')}"
    if not isinstance(dataset, h5py.Dataset):
        raise LoadError(f"{place} is not an array.")
    if tuple(dataset.shape or ()) != tuple(shape):
        raise LoadError(f"{place} has shape {dataset.shape}, but the model expects {shape}.")
    if dataset.dtype.kind not in "fiub":
        raise LoadError(f"{place} holds {dataset.dtype}, which is no number.")
    plan = dataset.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL or plan.get_external_count():
        raise LoadError(f"{place} takes its values from elsewhere, which is not followed.")
    filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
    if not filters <= _FILTERS:
        raise LoadError(f"{place} is packed by an unknown filter.")
    size = dataset.dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    stored = dataset.id.get_storage_size()
    if size > stored * (_MAX_RATIO if filters else 1):
        raise LoadError(f"{place} declares {size} bytes, but the file holds {stored} for it.")
    array = np.asarray(dataset[()])
    expected = dataset.attrs.get("sha256")
    if isinstance(expected, str) and _digest(array) != expected:
        raise LoadError(f"{place} is damaged: its checksum differs.")
    if dataset.attrs.get("dtype") == "bfloat16":
        return array.view(dtypes.numpy_dtype("bfloat16"))
    return array


def read_all(file: h5py.File, wanted: Mapping[str, tuple[int, ...]], where: str) -> dict:
    """The arrays at the given places; missing ones are left out."""
    found = {}
    for name, shape in wanted.items():
        dataset = child(file, name, where)
        if dataset is not None:
            found[name] = read_array(dataset, shape, where)
    return found


def dataset_names(group: h5py.Group, where: str, prefix: str = "") -> list[str]:
    """The places of all datasets, each object visited once."""
    names: list[str] = []
    seen: set[Any] = set()
    stack: list[tuple[str, Any]] = [(prefix, group)]
    while stack:
        path, node = stack.pop()
        key = h5py.h5o.get_info(node.id).addr  # pyright: ignore[reportAttributeAccessIssue]
        if key in seen:
            continue
        seen.add(key)
        for name in node:
            item = child(node, name, where)
            place = f"{path}/{name}" if path else name
            if isinstance(item, h5py.Group):
                stack.append((place, item))
            else:
                names.append(place)
    return names
