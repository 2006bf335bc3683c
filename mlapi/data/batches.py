"""What a batch is: `(x, y, sample_weight)`, where the later two may be None."""

from collections.abc import Mapping
from typing import Any

from mlapi.data.leaves import batch_leaf, inherits, is_frame, map_arrays, package_of
from mlapi.errors import DataError


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a batch; what is not there is None.

    Example:
        >>> unpack(("features",))
        ('features', None, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise DataError(
            "a batch must be x, (x, y) or (x, y, sample_weight); "
            f"received a tuple of {len(data)} parts."
        )
    return (*data, None, None)[:3]  # type: ignore[return-value]


def pack(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The shortest batch that holds these: `x`, `(x, y)` or `(x, y, sample_weight)`."""
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (tuple, list)) else x


def as_batch(raw: Any, target: str | None = None) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of arrays and tensors, out of what a source yields.

    Args:
        raw: `x`, `(x, y)` or `(x, y, sample_weight)`.
        target: the column of a dict `x` that is `y`.
    """
    x, y, weight = unpack(raw)
    if target is not None:
        x, y = take_column(x, target)
    return (
        map_arrays(batch_leaf, x),
        None if y is None else map_arrays(batch_leaf, y),
        None if weight is None else map_arrays(batch_leaf, weight),
    )


def take_column(x: Any, name: str) -> tuple[Any, Any]:
    """The columns of a dict or frame without the one of this name, and that one."""
    if isinstance(x, Mapping):
        columns = list(x)
        if name in x:
            return {key: value for key, value in x.items() if key != name}, x[name]
    elif is_frame(x) and inherits(x, package_of(x), "DataFrame"):
        columns = list(x.columns)
        if name in columns:
            return x.drop(columns=name) if package_of(x) == "pandas" else x.drop(name), x[name]
    else:
        raise DataError(
            f"y={name!r} is the name of a column, but x is a {type(x).__name__}, which has none: "
            "pass the targets themselves, or a frame, a dict or a data set of columns as x."
        )
    raise DataError(
        f"y={name!r} names no column of x, which has {', '.join(map(repr, columns)) or 'none'}."
    )
