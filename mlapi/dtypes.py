"""One lattice of dtypes for all backends, and the promotion that follows from it.

Dtypes are strings everywhere above the adapters. Promotion is that of JAX (its "Type promotion
semantics" page): two dtypes meet at their least upper bound in the graph below, Python numbers are
weak (they take the dtype of what they meet), and a weak type alone has 32 bits.

    bool    → int
    int     → uint8, int8
    uint8   → uint16, int16         int8  → int16
    uint16  → uint32, int32         int16 → int32
    uint32  → uint64, int64         int32 → int64
    uint64  → float                 int64 → float
    float   → float16, bfloat16, complex
    float16 → float32               bfloat16 → float32
    float32 → float64, complex64    complex  → complex64
    float64 → complex128            complex64 → complex128

`int`, `float` and `complex` are the weak types of Python's numbers.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from mlapi import settings
from mlapi.errors import DTypeError, nearest
from mlapi.types import DTypeLike

# Each dtype and the next ones up.
_ABOVE: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("uint16", "int16"),
    "uint16": ("uint32", "int32"),
    "uint32": ("uint64", "int64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("float16", "bfloat16", "complex"),
    "float16": ("float32",),
    "bfloat16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}
_WEAK = ("int", "float", "complex")
_PYTHON: dict[type, str] = {bool: "bool", int: "int", float: "float", complex: "complex"}

NAMES: tuple[str, ...] = tuple(name for name in _ABOVE if name not in _WEAK)
"""The dtypes a tensor can have."""

_KNOWN = frozenset((*NAMES, "string"))
_INTEGERS = frozenset(name for name in NAMES if "int" in name)
_FLOATS = frozenset(name for name in NAMES if "float" in name)
_COMPLEX = frozenset(name for name in NAMES if "complex" in name)


def standardize(dtype: DTypeLike | None) -> str:
    """Returns the name of a dtype.

    Args:
        dtype: a name, Python type, NumPy dtype or scalar type, or a framework's own dtype object.
            `None` and `float` mean the default float type, `int` means int32.

    Raises:
        DTypeError: it is none of these.

    Example:
        >>> standardize("int8"), standardize(np.float64), standardize(bool), standardize(int)
        ('int8', 'float64', 'bool', 'int32')
    """
    if type(dtype) is str and dtype in _KNOWN:
        return dtype
    if dtype is None:
        return settings.floatx()
    return _strengthen(_name(dtype), settings.floatx())


def promote(*dtypes: DTypeLike) -> str:
    """Returns the dtype that values of these dtypes have together.

    Args:
        *dtypes: dtypes as for `standardize`. Python's types and the names `"int"`, `"float"` and
            `"complex"` are weak. Without any, the result is the default float type.

    Raises:
        DTypeError: one is unknown, or strings meet numbers.

    Example:
        >>> promote("int8", "uint8"), promote("float16", float), promote("int64", "float16")
        ('int16', 'float16', 'float16')
    """
    return _promote(dtypes, settings.floatx())


def to_float(*dtypes: DTypeLike) -> str:
    """Returns `promote(*dtypes)`, or the default float type where that is an integer or bool."""
    name = promote(*dtypes)
    return name if name in _FLOATS or name in _COMPLEX else settings.floatx()


def is_bool(dtype: DTypeLike) -> bool:
    """Whether a dtype is bool."""
    return standardize(dtype) == "bool"


def is_integer(dtype: DTypeLike) -> bool:
    """Whether a dtype is a signed or unsigned integer (bool is none)."""
    return standardize(dtype) in _INTEGERS


def is_float(dtype: DTypeLike) -> bool:
    """Whether a dtype is a real floating-point type."""
    return standardize(dtype) in _FLOATS


def is_complex(dtype: DTypeLike) -> bool:
    """Whether a dtype is complex."""
    return standardize(dtype) in _COMPLEX


def numpy_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Returns the NumPy dtype; for bfloat16 that of the package `ml_dtypes`."""
    return _numpy_dtype(standardize(dtype))


@lru_cache(maxsize=64)
def _numpy_dtype(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(object if name == "string" else name)


@lru_cache(maxsize=4096)
def _promote(dtypes: tuple[DTypeLike, ...], floatx: str) -> str:
    names = {_name(dtype) for dtype in dtypes} or {floatx}
    if "string" in names:
        if len(names) > 1:
            raise DTypeError(f"Strings do not mix with numbers: received {sorted(names)}.")
        return "string"
    common = set.intersection(*(set(_upper_bounds(name)) for name in names))
    # The least upper bound is the one below which all the others lie.
    least = next(name for name in common if common <= _upper_bounds(name))
    return _strengthen(least, floatx)


@lru_cache(maxsize=64)
def _upper_bounds(name: str) -> frozenset[str]:
    return frozenset((name,)).union(*(_upper_bounds(above) for above in _ABOVE[name]))


def _strengthen(name: str, floatx: str) -> str:
    """Gives a weak type the size that it has alone."""
    if name == "float":
        return floatx
    return {"int": "int32", "complex": "complex64"}.get(name, name)


def _name(dtype: DTypeLike) -> str:
    """Returns the name of a dtype, weak ones as such."""
    try:
        return _cached_name(dtype)
    except TypeError as error:  # a list, for instance, cannot be looked up
        if isinstance(error, DTypeError):
            raise
        raise _unknown(dtype) from None


@lru_cache(maxsize=256)
def _cached_name(dtype: Any) -> str:
    if isinstance(dtype, str):
        name = str(dtype)
    elif isinstance(dtype, type) and dtype in _PYTHON:
        name = _PYTHON[dtype]
    elif dtype is str:
        name = "string"
    else:
        name = _foreign_name(dtype)
    if name in _KNOWN or name in _WEAK:
        return name
    raise _unknown(dtype)


def _foreign_name(dtype: Any) -> str:
    """Reads the name off NumPy's and the frameworks' dtype objects without importing any."""
    dtype = getattr(dtype, "dtype", dtype) if not isinstance(dtype, type) else dtype
    if isinstance(dtype, type):
        try:
            dtype = np.dtype(dtype)
        except TypeError:
            return dtype.__name__
    if isinstance(dtype, np.dtype):
        return "string" if dtype.kind in "UST" else dtype.name
    return getattr(dtype, "name", str(dtype).rpartition(".")[2])


def _unknown(dtype: object) -> DTypeError:
    hint = nearest(dtype, NAMES) if isinstance(dtype, str) else ""
    return DTypeError(f"Unknown dtype {dtype!r}.{hint} Known dtypes: {', '.join(NAMES)}.")
