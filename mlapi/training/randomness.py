"""Where all generators of random numbers are, to go on from there in another process.

Those of mlapi, of Python and of NumPy, which data of a user's own may draw from, and the global
ones of the framework. Generators that a user's program keeps to itself are not among them.
"""

import random as python_random
from typing import Any

import numpy as np

from mlapi import random
from mlapi.backends import adapter


def state() -> dict[str, Any]:
    """Returns where they are, for `restore`: a nest of plain data and arrays."""
    version, words, gauss = python_random.getstate()
    return {
        **random.global_state(),
        "python": [version, np.array(words, np.uint32), gauss],
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002, what programs outside use
        "backend": adapter.NAME,
        "native": adapter.core.random_state(),
    }


def restore(state: dict[str, Any]) -> None:
    """Goes on from what `state` returned; the framework's own only if it is the same one."""
    random.restore_global(state)
    version, words, gauss = state["python"]
    python_random.setstate((version, tuple(words.tolist()), gauss))
    np.random.set_state(state["numpy"])  # noqa: NPY002
    if state["backend"] == adapter.NAME:
        adapter.core.restore_random_state(state["native"])
