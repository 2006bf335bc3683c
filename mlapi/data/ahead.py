"""Reading ahead in a thread, for sources that keep training waiting."""

import threading
import time
from collections.abc import Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any
from weakref import WeakKeyDictionary

_SLOW = 1e-3  # seconds for a batch; below, a thread costs more than it brings
_PROBES = 64
_END = object()


def paced(source: Iterator[Any], depth: int = 2, shared: bool = False) -> Iterator[Any]:
    """The items of `source`, read ahead by a thread once it is seen to be slow.

    Slow is a source that mostly waits: for a disk, a network, other processes or threads. One
    that computes in Python is left where it is: a thread would take turns with the training loop
    and make both slower.

    Args:
        source: what is read.
        depth: how many items are kept ready.
        shared: whether others go on reading `source` later; what was read ahead when this ends
            is then kept for whoever calls `paced` with it next.
    """
    if shared:
        if not _is_key(source):  # zip, map and the like: what is read ahead would be lost
            yield from source
            return
        yield from _take_left(source)
    seen_slow = 0
    for _ in range(_PROBES):
        began, worked = time.perf_counter(), time.thread_time()
        item = next(source, _END)
        took, worked = time.perf_counter() - began, time.thread_time() - worked
        if item is _END:
            return
        yield item
        if took > _SLOW and worked < took / 3:
            seen_slow += 1
            if seen_slow == 2:  # the first item alone may have opened files or started workers
                yield from read_ahead(source, depth, shared)
                return
    yield from source


def read_ahead(source: Iterator[Any], depth: int, shared: bool = False) -> Iterator[Any]:
    """The items of `source`, of which a thread keeps up to `depth` ready.

    What the source raises is raised here, with the source's own traceback. The thread ends with
    the source, or after the item that it is at when this iterator is closed.
    """
    reader = _Reader(source, depth)
    try:
        while True:
            item, error = reader.items.get()
            if error is not None:
                raise error
            if item is _END:
                return
            reader.room.release()
            yield item
    finally:
        reader.stop()
        if shared:
            _left[source] = reader


class _Reader:
    """A thread that reads, and the items that nobody has taken yet."""

    def __init__(self, source: Iterator[Any], depth: int) -> None:
        # Pairs of an item and None, or of None and the exception that ended it all.
        self.items: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self.room = threading.Semaphore(max(depth, 1))
        self._stopped = False
        self.thread = threading.Thread(
            target=copy_context().run,
            args=(self._read, source),
            name="mlapi reads ahead",
            daemon=True,
        )
        self.thread.start()

    def _read(self, source: Iterator[Any]) -> None:
        try:
            while True:
                self.room.acquire()
                if self._stopped:
                    return
                item = next(source, _END)
                self.items.put((item, None))
                if item is _END:
                    return
        except BaseException as error:  # noqa: BLE001, it is raised again where items are taken
            self.items.put((None, error))

    def stop(self) -> None:
        """Let the thread end; one that waits for its source is not waited for very long."""
        self._stopped = True
        self.room.release()
        self.thread.join(timeout=1.0)


_left: WeakKeyDictionary[Iterator[Any], _Reader] = WeakKeyDictionary()


def _take_left(source: Iterator[Any]) -> Iterator[Any]:
    """What was read ahead by somebody who has ended since, and not taken."""
    reader = _left.get(source)
    if reader is None:
        return
    reader.thread.join()  # a generator cannot be read by two
    while not reader.items.empty():
        item, error = reader.items.get()
        if error is not None:
            raise error
        if item is not _END:
            yield item
    del _left[source]


def _is_key(source: Any) -> bool:
    """Whether something can be kept for as long as `source` lives."""
    return type(source).__weakrefoffset__ > 0 and type(source).__hash__ is not None
