"""Which dtypes the tensors of an op are brought to: the rules that several ops share.

A rule gets the dtypes of all tensors (Python numbers as `"int"`, `"float"`), and returns one dtype
for all of them or one for each. `mlapi.op` has the three commonest.
"""

from mlapi import dtypes


def keep_bools(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """All become one float type, but for masks."""
    target = dtypes.to_float(*[kind for kind in kinds if kind != "bool"])
    return tuple("bool" if kind == "bool" else target for kind in kinds)


def class_first(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Integer classes, then floats."""
    wide = kinds[0] in ("int64", "uint32", "uint64")
    return "int64" if wide else "int32", dtypes.to_float(kinds[1])


def condition_first(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """A condition, and what is chosen from."""
    return ("bool", *[dtypes.promote(*kinds[1:])] * (len(kinds) - 1))


def _index(kind: str) -> str:
    return "int64" if kind in ("int64", "uint32", "uint64") else "int32"


def indices_last(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Data keep their dtype; indices become 32 bits wide at least."""
    return (*kinds[:-1], _index(kinds[-1]))


def indices_first(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """As `indices_last`, with the indices in front."""
    return (_index(kinds[0]), *kinds[1:])


def updates_last(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The updates take the dtype of what they go into."""
    return (kinds[0], kinds[1], kinds[0])
