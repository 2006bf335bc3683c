"""Files that TensorBoard reads, written without TensorFlow or TensorBoard.

A file is a row of records, each a protocol buffer of type `Event` between its length and its
checksums (`tensorflow/core/lib/io/record_writer.cc`). The few messages that are needed are put
together here, field by field; the numbers of the fields are those of `event.proto`,
`summary.proto` and `tensor.proto` in the source of TensorBoard.
"""

import itertools
import os
import socket
import struct
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

_count = itertools.count()
_STRING = 7  # DT_STRING of types.proto


class EventFile:
    """One event file, made when the first thing is written.

    Args:
        folder: where it is to be; TensorBoard shows folders as runs.

    Example:
        >>> from mlapi.training.event_files import EventFile
        >>> with EventFile("logs/train") as file:
        ...     file.scalar("loss", 0.5, step=1)
        ...     file.text("note", "Began **well**.", step=1)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._file: Any = None

    def scalar(self, name: str, data: Any, step: int) -> None:
        """Writes a number."""
        self._write_value(step, _text(1, name) + _float(2, float(data)))

    def histogram(self, name: str, data: Any, step: int, buckets: int = 30) -> None:
        """Writes how the finite numbers of an array are distributed."""
        values = np.asarray(data, "float64").ravel()
        values = values[np.isfinite(values)]
        if not values.size:
            return
        counts, edges = np.histogram(values, buckets)
        moments = (values.min(), values.max(), values.size, values.sum(), values @ values)
        message = b"".join(_double(i, float(v)) for i, v in enumerate(moments, start=1))
        message += _doubles(6, edges[1:]) + _doubles(7, counts)
        self._write_value(step, _text(1, name) + _bytes(5, message))

    def image(self, name: str, data: Any, step: int) -> None:
        """Writes a picture.

        Args:
            name: what to call it.
            data: array of shape (height, width) or (height, width, channels), with 1, 3 or 4
                channels; of `uint8`, or of floats from 0 to 1.
            step: where on the axis of steps it belongs.
        """
        pixels = np.asarray(data)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if pixels.dtype != np.uint8:
            pixels = np.round(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)
        height, width, channels = pixels.shape
        message = _int(1, height) + _int(2, width) + _int(3, channels)
        message += _bytes(4, png(pixels))
        self._write_value(step, _text(1, name) + _bytes(4, message))

    def text(self, name: str, data: str, step: int) -> None:
        """Writes a text, which TensorBoard shows as Markdown."""
        self.string(name, data, step, plugin="text")

    def string(self, name: str, data: str, step: int, plugin: str, content: bytes = b"") -> None:
        """Writes a string for one of TensorBoard's plugins, with that plugin's own bytes."""
        metadata = _bytes(1, _text(1, plugin) + _bytes(2, content))
        shape = _bytes(2, b"")  # of no dimensions
        tensor = _int(1, _STRING) + shape + _text(8, data)
        self._write_value(step, _text(1, name) + _bytes(8, tensor) + _bytes(9, metadata))

    def flush(self) -> None:
        """Hands what was written to the system, so that TensorBoard sees it."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Closes the file; what is written later goes to another."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> "EventFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write_value(self, step: int, value: bytes) -> None:
        if self._file is None:
            self._open()
        self._write(_int(2, int(step)) + _bytes(5, _bytes(1, value)))

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        unique = f"{int(now):010d}.{socket.gethostname()}.{os.getpid()}.{next(_count)}"
        self._file = open(self.folder / f"events.out.tfevents.{unique}", "xb")  # noqa: SIM115
        self._write(_text(3, "brain.Event:2"))

    def _write(self, event: bytes) -> None:
        self._file.write(record(_double(1, time.time()) + event))


def record(data: bytes) -> bytes:
    """Returns `data` as a record: its length, the length's checksum, itself, its checksum."""
    length = struct.pack("<Q", len(data))
    sums = (struct.pack("<I", _masked(crc32c(part))) for part in (length, data))
    return length + next(sums) + data + next(sums)


def crc32c(data: bytes) -> int:
    """Returns the cyclic redundancy check of Castagnoli's polynomial (RFC 3720, B.4).

    Example:
        >>> from mlapi.training.event_files import crc32c
        >>> hex(crc32c(bytes(32)))
        '0x8a9136aa'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _entry(crc: int) -> int:
    for _ in range(8):
        crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc


_TABLE = [_entry(byte) for byte in range(256)]


def _masked(crc: int) -> int:
    # Sums of data that hold sums themselves would be weak: record files rotate them.
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def png(pixels: np.ndarray) -> bytes:
    """Returns an image of shape (height, width, channels) and `uint8` as a PNG file."""
    height, width, channels = pixels.shape
    color = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)  # every row without a filter
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


# Fields of protocol buffers: a number and a kind, then the value.


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF  # negative numbers are written as 64 bits
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + np.float32(value).tobytes()


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _doubles(field: int, values: Iterable[float]) -> bytes:
    return _bytes(field, np.asarray(values, "<f8").tobytes())
