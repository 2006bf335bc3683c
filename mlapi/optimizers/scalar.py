"""Arithmetic on the numbers of a step: Python's where the host knows them, tensors elsewhere.

Step counts and learning rates are Python numbers in torch's eager mode and tensors without axes
inside a compiled step. Schedules and rules are written once with these functions and operators.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from mlapi import ops
from mlapi.backends import adapter
from mlapi.types import Tensor

Scalar: TypeAlias = float | Tensor


_NUMBERS = (int, float)


def _either(on_host: Callable[[float], float], op: Any) -> Callable[[Scalar], Scalar]:
    # Tensors here are floats, so the op's door has nothing to do; and what the door would learn
    # from its first call inside `torch.compile` would make the whole step compile again.
    on_tensor = op.native

    def function(x: Scalar) -> Scalar:
        return on_host(x) if isinstance(x, _NUMBERS) else on_tensor(x)

    return function


cos = _either(math.cos, ops.cos)
expm1 = _either(math.expm1, ops.expm1)
floor = _either(math.floor, ops.floor)
ceil = _either(math.ceil, ops.ceil)
log = _either(math.log, ops.log)
sqrt = _either(math.sqrt, ops.sqrt)


def minimum(x: Scalar, bound: float) -> Scalar:
    """The smaller of a scalar and a Python number."""
    return min(x, bound) if isinstance(x, _NUMBERS) else ops.minimum(x, bound)


def maximum(x: Scalar, bound: float) -> Scalar:
    """The larger of a scalar and a Python number."""
    return max(x, bound) if isinstance(x, _NUMBERS) else ops.maximum(x, bound)


_where = ops.where.native  # type: ignore[attr-defined]


def to_float(x: Any) -> Scalar:
    """A number or scalar tensor as a float: integer tensors would promote in their own ways."""
    return float(x) if isinstance(x, _NUMBERS) else ops.cast(x, "float32")


def where(condition: Any, yes: Scalar, no: Scalar) -> Scalar:
    """`yes` if the condition holds, else `no`; both must be computable."""
    if isinstance(condition, bool):
        return yes if condition else no
    convert = adapter.core.convert
    return _where(condition, convert(yes, "float32"), convert(no, "float32"))


def one_minus_power(base: float, exponent: Scalar) -> Scalar:
    """`1 - baseᵉ`, exact to the last digits also where `baseᵉ` is close to one."""
    return -expm1(exponent * math.log(base)) if base else 1.0
