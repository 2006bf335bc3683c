"""What a run looks like: plain lines, a bar on a terminal, one changing line in a notebook."""

import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from mlapi.training.callback import Values

FRAME_SECONDS = 0.1
LONGEST_BAR, SHORTEST_BAR = 30, 10
NEVER = float("inf")


@dataclass
class Phase:
    """One bar: an epoch, an evaluation or a prediction."""

    title: str = ""
    total: int | None = None
    started: float = 0.0
    done: int = 0
    # Clock and step from which the time per step is taken: after the first step if that compiles.
    timed_from: tuple[float, int] | None = None
    # Where validation began and where it ended, as long as no step has followed.
    ended: float | None = None
    resumed: float = 0.0
    paused: float = 0.0

    def resume(self) -> None:
        """Leaves the validation that is over out of the time per step."""
        pause = self.resumed - (self.ended or self.resumed)
        self.ended = None
        self.paused += pause
        if self.timed_from is not None:
            clock, steps = self.timed_from
            self.timed_from = clock + pause, steps

    def seconds_per_step(self, now: float) -> float | None:
        """Seconds per step so far, None before the first has ended."""
        if not self.done:
            return None
        clock, steps = self.timed_from or (self.started + self.paused, 0)
        if steps == self.done:  # there was but one step
            clock, steps = self.started + self.paused, 0
        return ((self.ended or now) - clock) / (self.done - steps)


class Display(Protocol):
    """Shows phases one after the other.

    Attributes:
        frame_seconds: how long a frame stays before the next is worth drawing.
    """

    frame_seconds: float

    def frame(self, phase: Phase, now: float, logs: Values, note: str) -> None:
        """Shows a phase that goes on, in place of its last frame."""

    def line(self, phase: Phase, now: float, logs: Values) -> None:
        """Shows a phase that is over, to stay."""

    def close(self) -> None:
        """Ends the display."""


class Lines:
    """Writes plain lines, for files, pipes and logs."""

    frame_seconds = NEVER

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def frame(self, phase: Phase, now: float, logs: Values, note: str) -> None:
        pass

    def line(self, phase: Phase, now: float, logs: Values) -> None:
        numbers = [f"{name}: {_shown(value)}" for name, value in logs.items()]
        self._write(" - ".join([phase.title, *_summary(phase, now), *numbers]))

    def close(self) -> None:
        pass


def write_line(line: str) -> None:
    """Writes a line to the standard output at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Terminal:
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

    def frame(self, phase: Phase, now: float, logs: Values, note: str) -> None:
        pace = _running(phase, now, note)
        fraction = phase.done / phase.total if phase.total else 0.0
        self._live.update(self._layout(phase.title, fraction, pace, logs), refresh=True)
        self._live.transient = False  # a run that breaks off leaves its last frame

    def line(self, phase: Phase, now: float, logs: Values) -> None:
        self._live.transient = True
        self._live.update(self._text(), refresh=True)
        self._console.print(self._layout(phase.title, 1.0, _summary(phase, now), logs))

    def close(self) -> None:
        self._live.stop()

    def _layout(self, title: str, fraction: float, pace: list[str], logs: Values) -> Any:
        """One line if it fits, with a bar as long as the width allows; else the numbers below.

        A line that stays does without the bar, if that brings it on one line.
        """
        numbers = [(name, _shown(value)) for name, value in logs.items()]
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


class Notebook:
    """Changes one output of a notebook's cell per phase, by IPython's own means."""

    frame_seconds = FRAME_SECONDS

    def __init__(self) -> None:
        self._display = import_module("IPython.display").display
        self._handle: Any = None

    def frame(self, phase: Phase, now: float, logs: Values, note: str) -> None:
        fraction = min(phase.done / phase.total, 1.0) if phase.total else 0.0
        self._show(phase.title, fraction, _running(phase, now, note), logs)

    def line(self, phase: Phase, now: float, logs: Values) -> None:
        self._show(phase.title, 1.0, _summary(phase, now), logs)
        self._handle = None  # stays, and the next phase gets an output of its own

    def close(self) -> None:
        pass

    def _show(self, title: str, fraction: float, pace: list[str], logs: Values) -> None:
        full = round(LONGEST_BAR * fraction)
        numbers = [f"{name} {_shown(value)}" for name, value in logs.items()]
        bar = "━" * full + "─" * (LONGEST_BAR - full)
        content = {"text/plain": f"{title} {bar} " + "  ".join([*pace, *numbers])}
        if self._handle is None:
            self._handle = self._display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def in_notebook() -> bool:
    """Whether the standard output is that of a notebook's kernel."""
    return type(sys.stdout).__module__.partition(".")[0] == "ipykernel"


def on_terminal() -> bool:
    """Whether the standard output is a terminal that a bar can be drawn on."""
    ask = getattr(sys.stdout, "isatty", None)  # objects that copy the output may not have it
    # Where somebody's bar is open already, rich has put its own object there.
    taken = type(sys.stdout).__module__.startswith("rich.")
    return ask is not None and ask() and not taken and os.environ.get("TERM") != "dumb"


def _running(phase: Phase, now: float, note: str) -> list[str]:
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


def _summary(phase: Phase, now: float) -> list[str]:
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


def _shown(value: Any) -> str:
    """Four decimals, or an exponent where these would not show what matters."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    plain = number == 0 or 1e-3 <= abs(number) < 1e5 or number != number
    return f"{number:.4f}" if plain else f"{number:.3e}"
