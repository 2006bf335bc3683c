"""Limits and fillings that are plain numbers.

`ops.maximum`, `ops.clip` and `ops.where` take tensors in their place too. To make tensors of
numbers costs an eager call more than the kernel itself; here the framework gets the numbers.
"""

from typing import Any

from mlapi import ops
from mlapi.backends import adapter
from mlapi.op import op
from mlapi.types import Tensor, TensorLike

_dtype_of = adapter.core.dtype_of


def differs(numbers: Any, number: int) -> Any:
    """Where integers differ from one, which need not be one of their dtype."""
    if _dtype_of(numbers) not in ("int32", "int64"):
        numbers = ops.cast(numbers, "int32")
    return numbers != number


@op(dtype=None)
def at_least(x: TensorLike, low: float) -> Tensor:
    """The larger of `x` and a number, element by element."""
    return ops.maximum(x, low)


@op(dtype=None)
def within(x: TensorLike, low: float, high: float) -> Tensor:
    """`x` moved into the range from `low` to `high`; outside, the gradient is zero."""
    return ops.clip(x, low, high)


@op(dtype=None)
def keep_where(condition: TensorLike, x: TensorLike, other: float) -> Tensor:
    """`x` where the condition holds, and a number elsewhere."""
    return ops.where(condition, x, other)
