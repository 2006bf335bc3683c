"""HDF5, of which only plain arrays are accepted.

A file from a stranger may hold links to other files, virtual datasets, or shapes far larger than
what is stored. Here a dataset is read only if it is reached by hard links alone, holds numbers,
has the shape that the model expects, and has its bytes in the file.
"""

from __future__ import annotations

import hashlib
import math
import zlib
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
# HDF5 keeps attributes in the object's header, which has room for 64 KiB each.
ROOM = 60_000
# Filters by HDF5's numbers, in the order of their use.
_DEFLATE, _SHUFFLE, _FLETCHER = 1, 2, 3
_PACKINGS = {
    (_SHUFFLE,),
    (_DEFLATE,),
    (_SHUFFLE, _DEFLATE),
    (_FLETCHER,),
    (_DEFLATE, _FLETCHER),
    (_SHUFFLE, _DEFLATE, _FLETCHER),
}


def write_array(group: h5py.Group, name: str, array: np.ndarray) -> None:
    """Store an array with its checksum; bfloat16 as the 16 bits that it is."""
    stored = array.view(np.uint16) if array.dtype.name == "bfloat16" else array
    dataset = group.create_dataset(name, data=stored)
    if stored is not array:
        write_text(dataset, "dtype", "bfloat16")
    write_text(dataset, "sha256", digest(stored))


def digest(array: np.ndarray) -> str:
    """The SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def write_text(node: Any, name: str, text: str) -> None:
    """Text as an attribute, of fixed length if there is room in the object's header."""
    data = text.encode()
    node.attrs[name] = np.bytes_(data) if len(data) < ROOM else text


def read_text(node: Any, name: str, where: str, long: bool = False) -> str | None:
    """An attribute that is text, or None.

    Text of variable length is read only where it may be `long`: it lies in a heap, and over a
    damaged heap HDF5 never comes to an end.
    """
    if name not in node.attrs:
        return None
    kind = h5py.check_string_dtype(node.attrs.get_id(name).dtype)
    if kind is None or (kind.length is None and not long):
        raise LoadError(f"{where}: the attribute {name!r} of {node.name} is not plain text.")
    text = node.attrs[name]
    return text if isinstance(text, str) else bytes(text).decode()


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
        except LoadError:
            raise
        except Exception as error:  # h5py raises a dozen kinds over damaged bytes
            raise LoadError(f"{where} is damaged: {error}") from error


def has(group: Any, name: str) -> bool:
    """Whether a group has a member, which is not opened: it might lead elsewhere."""
    return group.get(name, getlink=True) is not None


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


def read_array(dataset: Any, shape: tuple[int, ...] | None, where: str) -> np.ndarray:
    """The values of a dataset that has `shape`; None for any."""
    place = f"{where}: {getattr(dataset, 'name', '?')}"
    if not isinstance(dataset, h5py.Dataset):
        raise LoadError(f"{place} is not an array.")
    if shape is None:
        shape = dataset.shape or ()
    if dataset.shape != tuple(shape):  # None where there are no values at all
        raise LoadError(f"{place} has shape {dataset.shape}, but the model expects {shape}.")
    if dataset.dtype.name not in dtypes.NAMES:
        raise LoadError(f"{place} holds {dataset.dtype}, which is no number.")
    plan = dataset.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL or plan.get_external_count():
        raise LoadError(f"{place} takes its values from elsewhere, which is not followed.")
    size = dataset.dtype.itemsize * math.prod(shape)
    stored = dataset.id.get_storage_size()
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if size > stored * (_MAX_RATIO if filters else 1):
        raise LoadError(f"{place} declares {size} bytes, but the file holds {stored} for it.")
    if filters:
        _check_chunks(dataset, filters, place)
    array = np.asarray(dataset[()])
    if read_text(dataset, "sha256", where) not in (None, digest(array)):
        raise LoadError(f"{place} is damaged: its checksum differs.")
    if read_text(dataset, "dtype", where) == "bfloat16":
        return array.view(dtypes.numpy_dtype("bfloat16"))
    return array


def _check_chunks(dataset: h5py.Dataset, filters: list[int], place: str) -> None:
    """Unpack every chunk as far as it may grow, which HDF5 itself would not stop at."""
    if tuple(filters) not in _PACKINGS:
        raise LoadError(f"{place} is packed by an unknown filter.")
    room = dataset.dtype.itemsize * math.prod(dataset.chunks or ())
    for number in range(dataset.id.get_num_chunks()):
        info = dataset.id.get_chunk_info(number)
        if room > info.size * _MAX_RATIO:
            raise LoadError(f"{place} has chunks of {room} bytes, of which {info.size} are stored.")
        mask, packed = dataset.id.read_direct_chunk(info.chunk_offset)
        inflated = _DEFLATE in filters and zlib.decompressobj().decompress(packed, room + 1)
        if mask or (inflated and len(inflated) > room):
            raise LoadError(f"{place} grows too much when unpacked.")


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
