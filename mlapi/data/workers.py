"""Processes that make batches.

They are spawned, never forked: a fork would copy the locks and threads of the framework, and hang
on them. Each has a pipe of its own. Batches are dealt out in turn and received in order, so that a
process that has died is found where its next batch is received, at once.
"""

import hashlib
import multiprocessing
import pickle
import random
import signal
import traceback
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from mlapi import host_random, tree
from mlapi.backends import adapter
from mlapi.data.batches import as_batch
from mlapi.data.leaves import seed_everything, to_array
from mlapi.errors import DataError


class Workers:
    """Processes that make the batches of one data set, epoch after epoch.

    Args:
        number: how many.
    """

    def __init__(self, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._sent = b""  # digest of the data set that they have
        self._processes: list[Any] = []
        # The processes end with this object; that they are daemons covers the rest.
        self._end = weakref.finalize(self, _end, self._processes, self._pipes)
        for i in range(number):
            here, there = context.Pipe()
            process = context.Process(
                target=_serve, args=(there,), name=f"mlapi data {i}", daemon=True
            )
            process.start()
            there.close()  # so that the pipe breaks when the process does
            self._processes.append(process)
            self._pipes.append(here)

    @property
    def closed(self) -> bool:
        """Whether the processes have ended."""
        return not self._end.alive

    def close(self) -> None:
        """Ends the processes, whatever they do."""
        self._end()

    def epoch(self, source: Any, order: Iterable[int], depth: int) -> Iterator[Any]:
        """The batches in order, of which up to `depth` are made or being made.

        The data set is sent as it is now, unless it is as it was. Where the epoch is not read to
        its end, the processes end too.
        """
        seed = host_random.next_seed()
        try:
            message = pickle.dumps(source)
        except Exception as error:
            error.add_note(
                "With use_multiprocessing=True the data set is sent to other processes: it must be "
                "one that can be pickled, of a class at the top of a module."
            )
            raise
        return self._epoch(message, iter(order), max(depth, len(self._pipes) + 1), seed)

    def _epoch(self, source: bytes, order: Iterator[int], depth: int, seed: int) -> Iterator[Any]:
        is_whole = False
        try:
            digest = hashlib.blake2b(source).digest()
            if digest != self._sent:
                for worker in range(len(self._pipes)):
                    self._send(worker, source)
                self._sent = digest
            del source
            turn = 0
            asked: deque[tuple[int, int]] = deque()
            while not is_whole:
                for index in islice(order, depth - len(asked)):
                    worker = turn % len(self._pipes)
                    turn += 1
                    self._send(worker, pickle.dumps((index, seed)))
                    asked.append((worker, index))
                if asked:
                    batch = self._receive(*asked.popleft())
                    # At least two are asked for, so this was the last one; nobody may ask for more.
                    is_whole = not asked
                    yield batch
                else:
                    is_whole = True
        finally:
            if not is_whole:
                self.close()

    def _send(self, worker: int, message: bytes) -> None:
        try:
            self._pipes[worker].send_bytes(message)
        except OSError:
            raise self._death(worker, "before it was given work") from None

    def _receive(self, worker: int, index: int) -> Any:
        try:
            batch, error, trace = receive(self._pipes[worker])
        except (EOFError, OSError):
            raise self._death(worker, f"while it made batch {index}") from None
        if error is not None:
            error.add_note(f"It happened in a worker process, at batch {index}:\n{trace}")
            raise error
        return batch

    def _death(self, worker: int, when: str) -> DataError:
        process = self._processes[worker]
        process.join(timeout=5)
        code = process.exitcode
        if code is not None and code < 0:
            how = f"was killed by signal {-code} ({signal.strsignal(-code)})"
            hint = "The system kills processes when memory runs out: try fewer workers."
        else:
            how = f"ended with exit code {code}"
            hint = (
                "Its own message, if any, stands above. A program that trains with processes must "
                'start in a block `if __name__ == "__main__":`, and the class of its data set be '
                "importable."
            )
        return DataError(
            f"worker process {worker + 1} of {len(self._pipes)} {how} {when}. {hint} "
            "With workers=1, use_multiprocessing=False the same code runs in this process."
        )


def _end(processes: list[Any], pipes: list[Connection]) -> None:
    for pipe in pipes:
        pipe.close()
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=5)


def _serve(pipe: Connection) -> None:
    """What a worker process does: receive a data set, then indices, and send batches."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to answer
    source: Any = None
    failure: tuple[Exception, str] | None = None
    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            return  # the main process has ended
        try:
            request = pickle.loads(message)
        except Exception as error:  # noqa: BLE001, it is raised in the main process
            failure = error, traceback.format_exc()
            request = None
        if type(request) is not tuple:
            source = request
            if request is not None:
                failure = None
            continue
        index, seed = request
        try:
            if failure is not None:
                reply = (None, *failure)
            else:
                seed_everything(_mixed(seed, index))
                reply = (_on_host(as_batch(source[index])), None, "")
        except Exception as error:  # noqa: BLE001, it is raised in the main process
            reply = (None, error, traceback.format_exc())
        _reply(pipe, reply)


def _on_host(batch: Any) -> Any:
    def array(x: Any) -> Any:
        return to_array(x, "a batch") if adapter.core.is_tensor(x) else x

    return tree.map_structure(array, batch)


def _mixed(seed: int, index: int) -> int:
    """A seed for one batch, whichever process makes it."""
    return random.Random(f"{seed} {index}").getrandbits(32)


def _reply(pipe: Connection, reply: tuple[Any, Exception | None, str]) -> None:
    batch, error, trace = reply
    if error is not None:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001, exceptions of others may be of any make
            error = RuntimeError(f"{type(error).__name__}: {error}")
    with suppress(OSError):  # the main process no longer listens; no other message will come
        send(pipe, (batch, error, trace))


def send(pipe: Connection, value: Any) -> None:
    """Sends arrays as they lie in memory, beside what describes them."""
    buffers: list[pickle.PickleBuffer] = []
    described = pickle.dumps(value, 5, buffer_callback=buffers.append)
    raws = [buffer.raw() for buffer in buffers]
    pipe.send_bytes(pickle.dumps((described, [raw.nbytes for raw in raws])))
    for raw in raws:
        if raw.nbytes:
            pipe.send_bytes(raw)


def receive(pipe: Connection) -> Any:
    """What `send` sent, its arrays read into memory of their own."""
    described, sizes = pickle.loads(pipe.recv_bytes())
    buffers = [np.empty(size, np.uint8) for size in sizes]
    for buffer in buffers:
        if buffer.size:
            pipe.recv_bytes_into(buffer.data)
    return pickle.loads(described, buffers=buffers)
