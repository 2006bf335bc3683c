"""Which dtypes the tensors of an op are brought to: the rules that several ops share.

A rule gets the dtypes of all tensors (Python numbers as `"int"`, `"float"`), and returns one dtype
for all of them or one for each. `mlapi.op` has the three commonest.
"""

from mlapi import dtypes
from mlapi.errors import DTypeError


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
    """Data, indices, and updates that take the dtype of the data."""
    return kinds[0], _index(kinds[1]), kinds[0]


def float_and_wide(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """A float, and numbers for it that are exact to 32 bits at least."""
    kind = dtypes.to_float(kinds[0])
    return kind, *(("float64" if kind == "float64" else "float32"),) * (len(kinds) - 1)


def selection(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Conditions, as many choices, and perhaps a default, which has the choices' dtype."""
    count = len(kinds) // 2
    return ("bool",) * count + (dtypes.promote(*kinds[count:]),) * (len(kinds) - count)


def comparable(kinds: tuple[str, ...]) -> str:
    """As promoted, with int32 for booleans, which have no order in some frameworks."""
    kind = dtypes.promote(*kinds)
    return "int32" if kind == "bool" else kind


def only_floats(kinds: tuple[str, ...]) -> str:
    """Real floats; integers are an error where they would hardly be meant."""
    kind = dtypes.promote(*kinds)
    return _checked(kind, dtypes.is_float(kind), "floats")


def images_and_numbers(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Images keep their dtype; where to look in them is told in 32 bits at least."""
    return kinds[0], *(_wide_float(kind) for kind in kinds[1:])


def floats_and_numbers(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """As `images_and_numbers`, with floats for integers in the images."""
    return dtypes.to_float(kinds[0]), *images_and_numbers(kinds)[1:]


def _wide_float(kind: str) -> str:
    return "float64" if kind == "float64" else "float32"


def real(kinds: tuple[str, ...]) -> str:
    """One dtype for all, and not a complex one."""
    kind = dtypes.promote(*kinds)
    return _checked(kind, not dtypes.is_complex(kind), "real numbers")


def real_float(kinds: tuple[str, ...]) -> str:
    """One real float type."""
    return real((dtypes.to_float(*kinds),))


def parts(kinds: tuple[str, ...]) -> str:
    """A float type of which there are complex numbers."""
    return dtypes.promote(real_float(kinds), "float32")


def integers(kinds: tuple[str, ...]) -> str:
    """One integer dtype."""
    kind = dtypes.promote(*kinds)
    return _checked(kind, dtypes.is_integer(kind), "integers")


def bits(kinds: tuple[str, ...]) -> str:
    """One integer dtype, or bool."""
    return "bool" if set(kinds) == {"bool"} else integers(kinds)


def counted_bools(kinds: tuple[str, ...]) -> str:
    """One dtype, in which booleans count as int32."""
    return dtypes.promote(*("int32" if kind == "bool" else kind for kind in kinds))


def float_and_integer(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """A float, and a whole number."""
    integers(kinds[1:])
    return real_float(kinds[:1]), "int32"


def _checked(kind: str, fits: bool, expected: str) -> str:
    if not fits:
        raise DTypeError(f"expected {expected}, received {kind}. Convert with mlapi.ops.cast.")
    return kind
