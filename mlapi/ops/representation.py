"""How numbers are stored: their bits, the range of a dtype, its NaN and infinities."""

import math
from typing import Any

import ml_dtypes
import numpy as np

from mlapi import dtypes
from mlapi.op import op
from mlapi.ops import rules
from mlapi.ops.elementwise import cast, clip, floor_divide, power
from mlapi.ops.logical import equal, greater, isnan, less, logical_or, where
from mlapi.types import DTypeLike, Tensor, TensorLike

# The smallest and the largest number of each dtype, as Python numbers.
_LIMITS: dict[str, tuple[float, float]] = {}
for _kind in dtypes.NAMES:
    if dtypes.is_integer(_kind):
        _integers = np.iinfo(dtypes.numpy_dtype(_kind))
        _LIMITS[_kind] = int(_integers.min), int(_integers.max)
    elif dtypes.is_float(_kind):
        _floats = ml_dtypes.finfo(dtypes.numpy_dtype(_kind))
        _LIMITS[_kind] = float(_floats.min), float(_floats.max)


@op(dtype=None)
def view(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """The same bits read as another dtype; the last axis grows or shrinks with the elements' size.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.view([1.0, -1.0], "int32"))
        array([ 1065353216, -1082130432], dtype=int32)
    """
    ...


@op(dtype=rules.real)
def signbit(x: TensorLike) -> Tensor:
    """Whether an element is negative, which -0.0 and a NaN may be too.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.signbit([-0.0, 1.0]))
        array([ True, False])
    """
    y: Any = x
    kind = dtypes.standardize(y.dtype)
    return less(cast(x, "int32") if kind == "bool" else _bits(x, kind), 0)


@op(dtype=rules.real_float)
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The number of the dtype that follows `x1` in the direction of `x2`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nextafter(1.0, 2.0)) - 1 == 2.0**-23
        np.True_
    """
    y: Any = x1
    kind = dtypes.standardize(y.dtype)
    one, other = _bits(x1, kind), _bits(x2, kind)
    least = np.iinfo(dtypes.numpy_dtype(one.dtype)).min
    # Integers in the order of the numbers; both zeros are 0.
    place, goal = (where(less(bits, 0), least - bits, bits) for bits in (one, other))
    place = where(less(place, goal), place + 1, where(greater(place, goal), place - 1, place))
    stepped = view(where(less(place, 0), least - place, place), kind)
    return where(logical_or(isnan(x1), isnan(x2)), math.nan, stepped)


def _bits(x: TensorLike, kind: str) -> Any:
    """Floats as integers of their size; their sign is that of the integer. Integers stay."""
    if not dtypes.is_float(kind):
        return x
    return view(x, f"int{8 * dtypes.numpy_dtype(kind).itemsize}")


@op(dtype=rules.float_and_integer)
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 * 2**x2` for whole `x2`, without overflow on the way.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.ldexp([1.0, 3.0], [3, -1]))
        array([8. , 1.5], dtype=float32)
    """
    y: Any = x1
    kind = dtypes.standardize(y.dtype)
    reach = {"float16": 45, "float64": 3000}.get(kind, 360)  # four powers that do not overflow
    exponent: Any = clip(x2, -reach, reach)
    quarter = floor_divide(exponent, 4)
    rest = cast(exponent - 4 * quarter, kind)  # 0 to 3, for which the polynomial is 2**rest
    factor = power(2, cast(quarter, kind))
    return y * factor * factor * factor * (factor * (1 + rest * (5 + rest * rest) / 6))


@op
def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers in place of NaN and infinities. Integers stay as they are.

    Args:
        x: any shape.
        nan: in place of NaN.
        posinf: in place of infinity, by default the largest number of the dtype.
        neginf: in place of minus infinity, by default the smallest number of the dtype.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.nan_to_num([float("nan"), float("inf")], posinf=9))
        array([0., 9.], dtype=float32)
    """
    y: Any = x
    kind = dtypes.standardize(y.dtype)
    if not dtypes.is_float(kind):
        return y
    least, most = _LIMITS[kind]
    y = where(equal(y, math.inf), most if posinf is None else posinf, y)
    y = where(equal(y, -math.inf), least if neginf is None else neginf, y)
    return where(isnan(x), nan, y)


@op(dtype=None)
def saturate_cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """As `cast`, but what is out of the dtype's range becomes the nearest number in it, NaN 0.

    Floats still can be NaN, and bools and complex numbers have no range.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.saturate_cast([-3.0, 300.0], "uint8"))
        array([  0, 255], dtype=uint8)
    """
    y: Any = x
    kind, target = dtypes.standardize(y.dtype), dtypes.standardize(dtype)
    if any(dtypes.is_bool(one) or dtypes.is_complex(one) for one in (kind, target)):
        return cast(x, target)
    (low, high), (least, most) = _LIMITS[kind], _LIMITS[target]
    if least <= low and high <= most:
        return cast(x, target)
    if dtypes.is_float(target) or dtypes.is_integer(kind):
        return cast(clip(x, max(low, least), min(high, most)), target)
    # The largest float that is not above the largest integer: that itself may be rounded up.
    digits = {"float16": 11, "bfloat16": 8, "float32": 24}.get(kind, 53)
    low, high = float(max(low, least)), float(min(high, most - (int(most) >> digits)))
    y = cast(where(equal(x, x), clip(x, low, high), 0), target)
    if least == low and most == high:
        return y
    return where(greater(x, high), most, where(less(x, low), least, y))
