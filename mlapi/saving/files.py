"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlapi.errors import ArgumentError, LoadError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    rights = os.fstat(handle).st_mode & 0o777  # without what the user's umask takes away
    os.close(handle)
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, rights)
        os.replace(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)


def check_overwrite(path: Path, overwrite: bool) -> None:
    """Raise if there is a file that must not be replaced."""
    if path.exists() and not overwrite:
        raise ArgumentError(f"{path} exists already; pass overwrite=True to replace it.")


def check_readable(path: Path) -> None:
    """Raise if there is no file."""
    if not path.is_file():
        raise LoadError(f"{path} cannot be loaded: there is no such file.")
