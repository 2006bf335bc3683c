"""Shapes with unknown sizes, by trying two different numbers in their place."""

from collections.abc import Callable, Sequence
from typing import Any

from mlapi import tree
from mlapi.backends.contract import Spec

# Multiples of 120, so that an unknown size can be halved, tripled or split in a reshape.
LARGE = (840, 1320)


def infer(
    run: Callable[[list[Spec]], Any], specs: Sequence[Spec], sizes: tuple[int, int] = LARGE
) -> Any:
    """What `run` returns for specs with unknown sizes: what differs between two trials is unknown.

    Args:
        run: takes specs of known shapes; returns a nest with a Spec for every tensor.
        specs: shapes may have None.
        sizes: the two numbers to try.
    """

    def filled(size: int) -> list[Spec]:
        return [Spec(tuple(size if n is None else n for n in s.shape), s.dtype) for s in specs]

    first = run(filled(sizes[0]))
    if all(None not in s.shape for s in specs):
        return first
    return tree.map_structure(common_spec, first, run(filled(sizes[1])))


def common_spec(a: Any, b: Any) -> Any:
    """What two trials agree about."""
    if not isinstance(a, Spec):
        return a
    shape = tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True))
    return Spec(shape, a.dtype)
