"""Shows how a run goes on: a live bar on a terminal or in a notebook, plain lines in files.

    Epoch 3/20 ━━━━━━━━━━━━━━━━━━──────────── 27/45  0:02 left  118ms/step  loss 0.1523
    Epoch 3/20 - 45/45 - 5.3s - 118ms/step - loss: 0.1498 - val_loss: 0.1702

A frame is drawn ten times a second at most, and only then do numbers leave the device; between
frames a batch costs one look at the clock.
"""

import logging
from time import perf_counter
from typing import Any

from mlapi import config
from mlapi.training.callback import Closing, Values
from mlapi.training.displays import (
    NEVER,
    Display,
    Lines,
    Notebook,
    Phase,
    Terminal,
    in_notebook,
    on_terminal,
    write_line,
)
from mlapi.training.every import Every

_log = logging.getLogger("mlapi")


class ProgressBar(Closing):
    """The progress of `fit`, `evaluate` and `predict`.

    With `verbose=1` in `params` a bar is drawn if the standard output is a terminal or a
    notebook's. Otherwise, and with `verbose=2`, a line is written when an epoch, an evaluation or
    a prediction ends, and every `log_every` steps if that is in `params`; to the logger `mlapi`
    where `config.disable_interactive_logging` was called.
    The time per step leaves out the very first step, which compiles, and validation.

    Attributes:
        next_frame: the reading of `time.perf_counter()` before which a batch changes nothing
            that is seen; a loop may leave out the calls until then.

    Example:
        >>> from mlapi.callbacks import CallbackList
        >>> bar = CallbackList(add_progbar=True, epochs=1, steps=10, verbose=2)
        >>> bar.listens("on_train_batch_end")
        True
    """

    next_frame = NEVER
    _display: Display | None = None
    _phase = Phase()
    _in_fit = False
    _every: Every | None = None

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Opens the display."""
        self._open()
        self._in_fit = True
        pace = self.params.get("log_every")
        self._every = Every(pace) if pace and isinstance(self._display, Lines) else None

    def on_train_end(self, logs: Values | None = None) -> None:
        """Closes the display."""
        self.close()

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Starts the bar of an epoch."""
        if self._every is not None:
            self._every.begin_epoch()
        epochs = str(self.params.get("epochs", "?"))
        steps_before = self._phase.done
        title = f"Epoch {epoch + 1:>{len(epochs)}}/{epochs}"
        self._begin(title, self.params.get("steps") or steps_before or None, not steps_before)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes the line that stays."""
        self._write(perf_counter(), logs or {})

    def on_train_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Draws a frame if one is due."""
        phase = self._phase
        phase.done = batch + 1
        if phase.ended is not None:  # validation has come between
            phase.resume()
        now = perf_counter()
        if now >= self.next_frame:
            self._draw(now, logs or {})
        if self._every is not None and self._every.passes(batch) and phase.done != phase.total:
            self._write(now, logs or {})

    def on_test_begin(self, logs: Values | None = None) -> None:
        """Starts the bar of an evaluation; in `fit` the bar of the epoch stays."""
        if self._in_fit:
            self._phase.ended = perf_counter()
        else:
            self._open()
            self._begin("Evaluate", self.params.get("steps"), compiles=True)

    def on_test_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Draws a frame if one is due."""
        if not self._in_fit:
            self.on_train_batch_end(batch, logs)
        elif (now := perf_counter()) >= self.next_frame:
            self._draw(now, {}, f"validating {batch + 1}")

    def on_test_end(self, logs: Values | None = None) -> None:
        """Writes the line that stays, unless an epoch's will."""
        if not self._in_fit:
            self._write(perf_counter(), logs or {})
            self.close()
        else:
            self._phase.resumed = perf_counter()

    def on_predict_begin(self, logs: Values | None = None) -> None:
        """Starts the bar of a prediction."""
        self._open()
        self._begin("Predict", self.params.get("steps"), compiles=True)

    def on_predict_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Draws a frame if one is due."""
        self.on_train_batch_end(batch)

    def on_predict_end(self, logs: Values | None = None) -> None:
        """Writes the line that stays."""
        self._write(perf_counter(), {})
        self.close()

    def close(self) -> None:
        """Gives the terminal back; does nothing if it has been given back."""
        display, self._display = self._display, None
        self._in_fit = False
        self._every = None
        self.next_frame = NEVER
        if display is not None:
            display.close()

    def _open(self) -> None:
        self.close()
        self._phase = Phase()
        verbose = self.params.get("verbose", 1)
        if verbose:
            if not config.is_interactive_logging_enabled():
                self._display = Lines(_log.info)
            elif verbose != 2 and on_terminal():
                self._display = Terminal()
            elif verbose != 2 and in_notebook():
                self._display = Notebook()
            else:
                self._display = Lines(write_line)
            self.next_frame = 0.0

    def _begin(self, title: str, total: int | None, compiles: bool) -> None:
        phase = self._phase = Phase(title, total, started=perf_counter())
        if phase.started >= self.next_frame:
            self._draw(phase.started, {})
        if not compiles:
            phase.timed_from = (phase.started, 0)
        elif self._display is not None:
            self.next_frame = 0.0  # see the first step end, to time from there

    def _draw(self, now: float, logs: Values, note: str = "") -> None:
        phase = self._phase
        if phase.timed_from is None and phase.done:
            phase.timed_from = (now, phase.done)
        if self._display is not None:
            self._display.frame(phase, now, logs, note)
            self.next_frame = now + self._display.frame_seconds

    def _write(self, now: float, logs: Values) -> None:
        if self._display is not None:
            self._display.line(self._phase, now, logs)
