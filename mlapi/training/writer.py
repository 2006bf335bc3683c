"""Writes checkpoints beside the training, one at a time."""

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mlapi.errors import SaveError
from mlapi.saving import snapshots

_KEPT = 2

Snapshot = tuple[str, Mapping[str, np.ndarray]]


class Writer:
    """A thread that writes snapshots to a folder, of which the last two stay.

    A snapshot that comes while another is being written waits; a newer one takes its place. What
    went wrong is raised by the next call.

    Args:
        folder: where to.
        good: a checkpoint there that is known to be whole, None if there is none.
    """

    def __init__(self, folder: Path, good: Path | None) -> None:
        self.folder = folder
        self._good = [] if good is None else [good]
        self._number = max([0, *map(snapshots.number_of, snapshots.checkpoints(folder))])
        self._changed = threading.Condition()
        self._waiting: Snapshot | None = None
        self._busy = False
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None

    def submit(self, snapshot: Snapshot) -> None:
        """Have a snapshot written; it must not change any more."""
        with self._changed:
            self._raise_failure()
            self._waiting = snapshot
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="mlapi-checkpoint", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def check(self) -> None:
        """Raises what went wrong, if anything did."""
        if self._failure is not None:
            with self._changed:
                self._raise_failure()

    def finish(self, drop: bool = False) -> None:
        """Wait until all is written; with `drop` only for what is being written now."""
        with self._changed:
            if drop:
                self._waiting = None
            while self._busy or self._waiting is not None:
                self._changed.wait()
            if not drop:
                self._raise_failure()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._waiting, self._busy = None, False
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is None:
            return
        good = self._good[-1].name if self._good else None
        kept = f"The last good one, {good}, is intact" if good else "There is none yet"
        reason = getattr(failure, "strerror", None) or failure
        raise SaveError(
            f"A checkpoint could not be written to {self.folder}: {reason}. {kept}; the model is "
            "as it was after its last batch."
        ) from failure

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._waiting is None and self._thread is not None:
                    self._changed.wait()
                if self._waiting is None:
                    return
                (text, arrays), self._waiting, self._busy = self._waiting, None, True
            failure = None
            try:
                self._write(text, arrays)
            except Exception as error:  # noqa: BLE001, the next call raises it
                failure = error
            with self._changed:
                self._busy = False
                self._failure = failure or self._failure
                self._changed.notify_all()

    def _write(self, text: str, arrays: Mapping[str, np.ndarray]) -> None:
        path = snapshots.path_of(self.folder, self._number + 1)
        snapshots.write(path, text, arrays)
        self._number += 1
        self._good = [*self._good, path][-_KEPT:]
        for other in snapshots.checkpoints(self.folder):
            if other not in self._good:
                other.unlink(missing_ok=True)
