"""Shows how a run goes on: a live bar on a terminal, plain lines in files and notebooks.

    Epoch 3/20 ━━━━━━━━━━━━━━━━━━──────────── 27/45  0:02 left  118ms/step  loss 0.1523
    Epoch 3/20 - 45/45 - 5.3s - 118ms/step - loss: 0.1498 - val_loss: 0.1702

A frame is drawn ten times a second at most, and only then do numbers leave the device; between
frames a batch costs one look at the clock.
"""

import logging
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from mlapi import config
from mlapi.training.callback import Closing, Values

_log = logging.getLogger("mlapi")

FRAME_SECONDS = 0.1
LONGEST_BAR, SHORTEST_BAR = 30, 10
NEVER = float("inf")


@dataclass
class _Phase:
    """One bar: an epoch, an evaluation or a prediction."""

    title: str = ""
    total: int | None = None
    started: float = 0.0
    done: int = 0
    # Clock and step from which the time per step is taken: after the first step if that compiles.
    timed_from: tuple[float, int] | None = None
    ended: float | None = None

    def seconds_per_step(self, now: float) -> float | None:
        if not self.done:
            return None
        clock, steps = self.timed_from or (self.started, 0)
        if steps == self.done:  # there was but one step
            clock, steps = self.started, 0
        return ((self.ended or now) - clock) / (self.done - steps)


class ProgressBar(Closing):
    """The progress of `fit`, `evaluate` and `predict`.

    With `verbose=1` in `params` a bar is drawn if the standard output is a terminal. Otherwise,
    and with `verbose=2`, a line is written when an epoch, an evaluation or a prediction ends; to
    the logger `mlapi` where `config.disable_interactive_logging` was called.
    The time per step leaves out the very first step, which compiles.

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
    _display: "_Lines | _Terminal | None" = None
    _phase = _Phase()
    _in_fit = False

    def on_train_begin(self, logs: Values | None = None) -> None:
        """Opens the display."""
        self._open()
        self._in_fit = True

    def on_train_end(self, logs: Values | None = None) -> None:
        """Closes the display."""
        self.close()

    def on_epoch_begin(self, epoch: int, logs: Values | None = None) -> None:
        """Starts the bar of an epoch."""
        epochs = str(self.params.get("epochs", "?"))
        steps_before = self._phase.done
        title = f"Epoch {epoch + 1:>{len(epochs)}}/{epochs}"
        self._begin(title, self.params.get("steps") or steps_before or None, not steps_before)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes the line that stays."""
        self._finish(logs or {})

    def on_train_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Draws a frame if one is due."""
        self._phase.done = batch + 1
        now = perf_counter()
        if now >= self.next_frame:
            self._draw(now, logs or {})

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
            self._finish(logs or {})
            self.close()

    def on_predict_begin(self, logs: Values | None = None) -> None:
        """Starts the bar of a prediction."""
        self._open()
        self._begin("Predict", self.params.get("steps"), compiles=True)

    def on_predict_batch_end(self, batch: int, logs: Values | None = None) -> None:
        """Draws a frame if one is due."""
        self.on_train_batch_end(batch)

    def on_predict_end(self, logs: Values | None = None) -> None:
        """Writes the line that stays."""
        self._finish({})
        self.close()

    def close(self) -> None:
        """Gives the terminal back; does nothing if it has been given back."""
        display, self._display = self._display, None
        self._in_fit = False
        self.next_frame = NEVER
        if display is not None:
            display.close()

    def _open(self) -> None:
        self.close()
        self._phase = _Phase()
        verbose = self.params.get("verbose", 1)
        if verbose:
            if not config.is_interactive_logging_enabled():
                self._display = _Lines(_log.info)
            elif verbose != 2 and _on_terminal():
                self._display = _Terminal()
            else:
                self._display = _Lines(_print)
            self.next_frame = 0.0

    def _begin(self, title: str, total: int | None, compiles: bool) -> None:
        phase = self._phase = _Phase(title, total, started=perf_counter())
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

    def _finish(self, logs: Values) -> None:
        if self._display is not None:
            self._display.line(self._phase, perf_counter(), logs)


class _Lines:
    """Writes plain lines, for files, pipes, notebooks and logs."""

    frame_seconds = NEVER

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def frame(self, phase: _Phase, now: float, logs: Values, note: str) -> None:
        pass

    def line(self, phase: _Phase, now: float, logs: Values) -> None:
        numbers = [f"{name}: {_number(value)}" for name, value in logs.items()]
        self._write(" - ".join([phase.title, *_summary(phase, now), *numbers]))

    def close(self) -> None:
        pass


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class _Terminal:
    """Keeps a bar at the bottom of the terminal, and puts finished ones above it."""

    frame_seconds = FRAME_SECONDS

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._text = Text
        self._console = Console(file=sys.stdout, highlight=False)
        # Empty between bars and transient then, so that nothing is left over at the end.
        self._live = Live(Text(), console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def frame(self, phase: _Phase, now: float, logs: Values, note: str) -> None:
        pace = _running(phase, now, note)
        fraction = phase.done / phase.total if phase.total else 0.0
        self._live.update(self._layout(phase.title, fraction, pace, logs), refresh=True)
        self._live.transient = False  # a run that breaks off leaves its last frame

    def line(self, phase: _Phase, now: float, logs: Values) -> None:
        self._live.transient = True
        self._live.update(self._text(), refresh=True)
        self._console.print(self._layout(phase.title, 1.0, _summary(phase, now), logs))

    def close(self) -> None:
        self._live.stop()

    def _layout(self, title: str, fraction: float, pace: list[str], logs: Values) -> Any:
        """One line if it fits, with a bar as long as the width allows; else the numbers below.

        A line that stays does without the bar, if that brings it on one line.
        """
        numbers = [(name, _number(value)) for name, value in logs.items()]
        width = self._console.width - 1
        words = len(title) + 2 + len("  ".join(pace))
        together = words + sum(len(name) + len(number) + 3 for name, number in numbers)
        below = width < together + (0 if fraction >= 1 else SHORTEST_BAR)
        bar = min(LONGEST_BAR, width - (words if below else together))
        text = self._text(f"{title} ")
        if bar >= SHORTEST_BAR:
            full = round(bar * min(fraction, 1.0))
            style = "bar.finished" if fraction >= 1 else "bar.complete"
            done, rest = ("=", "-") if self._console.options.ascii_only else ("━", "─")
            text.append(done * full, style).append(rest * (bar - full), "bar.back").append(" ")
        text.append("  ".join(pace), "progress.remaining")
        indent = len(title) - 1
        column = width if below else 0
        for name, number in numbers:
            if below and column + len(name) + len(number) + 3 > width:
                text.append("\n" + " " * indent)
                column = indent
            text.append(f"  {name} ", "dim").append(number)
            column += len(name) + len(number) + 3
        return text


def _on_terminal() -> bool:
    ask = getattr(sys.stdout, "isatty", None)  # objects that copy the output may not have it
    # Where somebody's bar is open already, rich has put its own object there.
    taken = type(sys.stdout).__module__.startswith("rich.")
    return ask is not None and ask() and not taken and os.environ.get("TERM") != "dumb"


def _running(phase: _Phase, now: float, note: str) -> list[str]:
    """Steps done, time left, and time per step, of a phase that goes on."""
    if phase.total:
        words = [f"{phase.done:>{len(str(phase.total))}}/{phase.total}"]
    else:
        words = [f"{phase.done} steps"]
    seconds = phase.seconds_per_step(now)
    if note:
        words.append(note)
    elif phase.total and seconds is not None and phase.timed_from != (now, phase.done):
        left = math.ceil(seconds * max(phase.total - phase.done, 0))
        words.append(f"{left // 60}:{left % 60:02} left")
    if seconds is not None and phase.timed_from != (now, phase.done):
        words.append(f"{_duration(seconds)}/step")
    return words


def _summary(phase: _Phase, now: float) -> list[str]:
    """Steps done, time taken, and time per step, of a phase that is over."""
    done = f"{phase.done}/{phase.total}" if phase.total else f"{phase.done} steps"
    words = [done, _duration(now - phase.started)]
    seconds = phase.seconds_per_step(now)
    return words if seconds is None else [*words, f"{_duration(seconds)}/step"]


def _duration(seconds: float) -> str:
    if seconds >= 99.5:
        minutes = round(seconds) // 60
        return f"{minutes}m{round(seconds) % 60:02}s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= 0.9995 * scale:
            amount = seconds / scale
            return f"{amount:.1f}{unit}" if amount < 9.95 else f"{amount:.0f}{unit}"
    return f"{seconds * 1e6:.0f}us"


def _number(value: Any) -> str:
    """Four decimals, or an exponent where these would not show what matters."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    plain = number == 0 or 1e-3 <= abs(number) < 1e5 or number != number
    return f"{number:.4f}" if plain else f"{number:.3e}"
