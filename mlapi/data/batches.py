"""What a batch is: `(x, y, sample_weight)`, where the later two may be None."""

from typing import Any

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
