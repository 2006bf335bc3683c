"""Names for layers, variables and models that were given none."""

import itertools
import re
from collections import defaultdict
from collections.abc import Collection
from functools import lru_cache

_WORD_START = re.compile(r"(?<=[^_])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")
# Classes that have another name inside Keras, from which it makes the places of weights in files.
_INNER_NAMES = {"GroupQueryAttention": "GroupedQueryAttention"}
_counters: "defaultdict[str, itertools.count[int]]" = defaultdict(itertools.count)


@lru_cache(maxsize=1024)
def to_snake_case(name: str) -> str:
    """Returns a class name in lower case with underscores between its words.

    Example:
        >>> to_snake_case("BatchNormalization"), to_snake_case("Conv2D"), to_snake_case("LSTMCell")
        ('batch_normalization', 'conv2d', 'lstm_cell')
    """
    name = _INNER_NAMES.get(name, name)
    return _WORD_START.sub("_", re.sub(r"\W", "", name)).lower().strip("_")


def auto_name(prefix: str) -> str:
    """Returns the next free automatic name: `dense`, then `dense_1`, then `dense_2`.

    Args:
        prefix: a class name, or a name in snake case.
    """
    name = to_snake_case(prefix)
    number = next(_counters[name])
    return f"{name}_{number}" if number else name


def unique_name(name: str, taken: Collection[str]) -> str:
    """Returns `name`, or the first of `name_1`, `name_2`, … that is not in `taken`."""
    if name not in taken:
        return name
    return next(
        candidate
        for candidate in (f"{name}_{number}" for number in itertools.count(1))
        if candidate not in taken
    )


def reset() -> None:
    """Starts the automatic names again from their beginning."""
    _counters.clear()
