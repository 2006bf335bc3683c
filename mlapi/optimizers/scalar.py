"""Arithmetic on the numbers of a step: Python's where the host knows them, tensors elsewhere.

Step counts and learning rates are Python numbers in torch's eager mode and tensors without axes
inside a compiled step. Schedules and rules are written once with these functions and operators.
The tensors are float32 already, so the adapter's functions are called without the door of
`mlapi.ops`, which `torch.compile` would have to trace.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from mlapi.backends import adapter
from mlapi.state import Variable
from mlapi.types import Tensor

Scalar: TypeAlias = float | Tensor

_NUMBERS = (int, float)
_convert = adapter.core.convert


def _either(on_host: Callable[[float], float], on_tensor: Any) -> Callable[[Scalar], Scalar]:
    def function(x: Scalar) -> Scalar:
        return on_host(x) if isinstance(x, _NUMBERS) else on_tensor(x)

    return function


cos = _either(math.cos, adapter.elementwise.cos)
expm1 = _either(math.expm1, adapter.elementwise.expm1)
floor = _either(math.floor, adapter.elementwise.floor)
ceil = _either(math.ceil, adapter.elementwise.ceil)
log = _either(math.log, adapter.elementwise.log)
sqrt = _either(math.sqrt, adapter.elementwise.sqrt)


def minimum(x: Scalar, bound: Scalar) -> Scalar:
    """The smaller of two scalars; where `x` is a Python number, `bound` must be one."""
    if isinstance(x, _NUMBERS):
        return min(x, bound)
    return adapter.elementwise.minimum(x, _convert(bound, "float32"))


def maximum(x: Scalar, bound: float) -> Scalar:
    """The larger of a scalar and a Python number."""
    if isinstance(x, _NUMBERS):
        return max(x, bound)
    return adapter.elementwise.maximum(x, _convert(bound, "float32"))


def where(condition: Any, yes: Scalar, no: Scalar) -> Scalar:
    """`yes` if the condition holds, else `no`; both must be computable."""
    if isinstance(condition, bool):
        return yes if condition else no
    return adapter.elementwise.where(condition, _convert(yes, "float32"), _convert(no, "float32"))


def to_float(x: Any) -> Scalar:
    """A number, scalar tensor or Variable as a float: integer tensors promote in their own ways."""
    if isinstance(x, _NUMBERS):
        return float(x)
    return _convert(x.value if isinstance(x, Variable) else x, "float32")


def one_minus_power(base: float, exponent: Scalar) -> Scalar:
    """`1 - baseᵉ`, exact to the last digits also where `baseᵉ` is close to one."""
    return -expm1(exponent * math.log(base)) if base else 1.0
