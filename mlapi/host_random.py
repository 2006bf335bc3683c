"""Random numbers drawn on the host, the same on every backend.

Initial weights, shuffles and splits come from here. Every draw has a generator of its own: NumPy's
Philox, a counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
2011), keyed by the global seed and the number of draws so far. Two programs that set the same seed
and draw in the same order get the same bits, whatever framework runs beneath.
"""

import operator
import secrets
import threading
from typing import TypedDict

import numpy as np

from mlapi.errors import ArgumentError

# Words of the Philox counter that keep the three kinds of streams below apart.
_DRAWS, _EXPLICIT, _STREAMS = 0, 1, 2
_LIMIT = 2**53  # the largest integers that JSON keeps in every reader
_SEED_LIMIT = 2**31 - 1  # what every framework takes as a seed, in 32 bits


class State(TypedDict):
    """What is needed to go on drawing where another process stopped."""

    seed: int
    counter: int


_lock = threading.Lock()
_state: State | None = None
_restarts = 0


def set_seed(seed: int) -> None:
    """Sets the global seed and starts the count of draws again.

    Raises:
        ArgumentError: `seed` is not an integer in [0, 2**53).
    """
    restore({"seed": seed, "counter": 0})


def seed() -> int:
    """Returns the global seed; if none was set, one is taken from the operating system."""
    return state()["seed"]


def restarts() -> int:
    """Returns how many times a seed or state was set: who keeps what follows from it asks this."""
    return _restarts


def generator(seed: int | None = None, stream: int | None = None) -> np.random.Generator:
    """Returns a fresh generator.

    Args:
        seed: `None` for the next draw under the global seed, or an integer that alone decides
            the numbers.
        stream: number of an independent stream under the seed, an epoch for instance. With it
            the count of draws is neither used nor changed.

    Example:
        >>> set_seed(1)
        >>> first = generator().random()
        >>> set_seed(1)
        >>> first == generator().random()
        True
    """
    if seed is not None:
        return _philox(_checked(seed), _checked(stream or 0, "stream"), _EXPLICIT)
    if stream is not None:
        return _philox(state()["seed"], _checked(stream, "stream"), _STREAMS)
    with _lock:
        current = _current()
        number = current["counter"]
        current["counter"] = number + 1
    return _philox(current["seed"], number, _DRAWS)


def next_seed() -> int:
    """Returns a fresh seed in [0, 2**31 - 1) for a framework's generator; counts as a draw."""
    return int(generator().integers(_SEED_LIMIT))


def state() -> State:
    """Returns the global seed and the number of draws so far, for `restore`."""
    with _lock:
        current = _current()
        return {"seed": current["seed"], "counter": current["counter"]}


def restore(state: State, restart: bool = True) -> None:
    """Goes on drawing from what `state` returned.

    Args:
        state: the seed and the number of draws.
        restart: whether what follows from the seed elsewhere starts again, too.

    Raises:
        ArgumentError: a number is missing or not an integer in [0, 2**53).
    """
    global _state, _restarts
    try:
        fresh: State = {
            "seed": _checked(state["seed"]),
            "counter": _checked(state["counter"], "counter"),
        }
    except KeyError as error:
        raise ArgumentError(f"The state of the host generator has no entry {error}.") from None
    with _lock:
        _state = fresh
        _restarts += restart


def _current() -> State:
    global _state
    if _state is None:
        _state = {"seed": secrets.randbits(32), "counter": 0}
    return _state


def _philox(key: int, number: int, kind: int) -> np.random.Generator:
    words = np.array([key, number], np.uint64)
    return np.random.Generator(np.random.Philox(key=words, counter=[0, 0, 0, kind]))


def _checked(value: int, what: str = "seed") -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if isinstance(value, bool) or not 0 <= number < _LIMIT:
        raise ArgumentError(f"{what} must be an integer in [0, 2**53), received {value!r}.")
    return number
