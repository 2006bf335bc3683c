"""Python numbers that stand among tensors: what keeps the tensors made of them apart."""

from typing import Any

# So many are kept at most; more than that are no constants of a program.
MANY_NUMBERS = 1024


def number_key(x: complex, *others: Any) -> tuple[Any, ...]:
    """A key that tells 1 from 1.0 and True, and zeros of both signs from one another."""
    return (type(x), x, *others) if x else (repr(x), *others)
