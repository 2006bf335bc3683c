"""Traces on tensorflow."""

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import tensorflow as tf

_PICOSECONDS = 1e6  # in a microsecond


@contextmanager
def profiler(folder: str | PathLike[str]) -> Iterator[None]:
    # Only where it is needed: tensorflow itself does not load it.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        tf.profiler.experimental.start(place)
        try:
            yield
        finally:
            tf.profiler.experimental.stop()
        space: Any = vars(xplane_pb2)["XSpace"]()
        for written in Path(place).rglob("*.xplane.pb"):
            space.MergeFromString(written.read_bytes())
    with gzip.open(Path(folder) / "trace.json.gz", "wt", encoding="utf-8") as file:
        json.dump({"displayTimeUnit": "ms", "traceEvents": list(_events(space))}, file)


def _events(space: Any) -> Iterator[dict[str, Any]]:
    """The events of tensorflow's own format, a process for each plane, a thread for each line."""
    for process, plane in enumerate(space.planes, start=1):
        yield _named("process_name", plane.name, process, 0)
        names = {key: kind.display_name or kind.name for key, kind in plane.event_metadata.items()}
        for thread, line in enumerate(plane.lines, start=1):
            yield _named("thread_name", line.display_name or line.name, process, thread)
            for event in line.events:
                yield {
                    "ph": "X",
                    "name": names[event.metadata_id],
                    "pid": process,
                    "tid": thread,
                    "ts": line.timestamp_ns / 1e3 + event.offset_ps / _PICOSECONDS,
                    "dur": event.duration_ps / _PICOSECONDS,
                }


def _named(kind: str, name: str, process: int, thread: int) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}
