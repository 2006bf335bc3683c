"""The zip archive of a `.keras` file.

    metadata.json      versions and the date
    config.json        the architecture and what `compile` was given
    model.weights.h5   weights, and the optimizer's state

Exactly these members are read, each through its checksum; anything else is refused.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from mlapi.errors import LoadError

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
_MAX_JSON = 64 * 2**20
_MAX_RATIO = 200
# A member's time stamp would make two equal models two different files.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(path: Path, parts: Mapping[str, bytes]) -> None:
    """Write the members, by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in MEMBERS:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), parts[name])


def read(path: Path) -> dict[str, bytes]:
    """All members, checked."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path)
            return {name: archive.read(name) for name in MEMBERS}
    except LoadError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds over damaged bytes
        raise LoadError(f"{path} is a damaged archive: {error}") from error


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    names = [info.filename for info in archive.infolist()]
    if len(set(names)) != len(names):
        raise LoadError(f"{path}: the archive has a member twice.")
    for info in archive.infolist():
        if info.filename not in MEMBERS:
            raise LoadError(
                f"{path}: the archive has a member {info.filename!r}, which no model has."
            )
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise LoadError(f"{path}: the member {info.filename!r} is packed in an unknown way.")
        if info.flag_bits & 0x1:
            raise LoadError(f"{path}: the member {info.filename!r} is encrypted.")
        if info.file_size > max(1, info.compress_size) * _MAX_RATIO:
            raise LoadError(f"{path}: the member {info.filename!r} grows too much when unpacked.")
        if info.filename.endswith(".json") and info.file_size > _MAX_JSON:
            raise LoadError(f"{path}: the member {info.filename!r} is too large.")
    for name in MEMBERS:
        if name not in names:
            raise LoadError(f"{path}: the archive lacks the member {name!r}.")
