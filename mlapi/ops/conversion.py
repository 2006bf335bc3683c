"""Into tensors and out of them."""

from typing import Any

import numpy as np

from mlapi import dtypes
from mlapi.backends import adapter
from mlapi.errors import ArgumentError
from mlapi.graph import SymbolicTensor
from mlapi.op import op
from mlapi.ops.elementwise import cast
from mlapi.state import Variable
from mlapi.types import DTypeLike, Tensor, TensorLike


@op(dtype=None)
def stop_gradient(variable: TensorLike) -> Tensor:
    """The same values, as constants for every gradient.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.stop_gradient([1.0]))
        array([1.], dtype=float32)
    """
    ...


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of the framework or a symbolic one.

    Example:
        >>> from mlapi import ops
        >>> ops.is_tensor([1.0]), ops.is_tensor(ops.ones((1,)))
        (False, True)
    """
    return adapter.core.is_tensor(x) or isinstance(x, SymbolicTensor)


@op(dtype=None)
def convert_to_tensor(
    x: TensorLike,
    dtype: DTypeLike | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
) -> Tensor:
    """A tensor of the framework with the values of `x`.

    Args:
        x: a tensor, Variable, array, number or nested list. Symbolic tensors stay symbolic.
        dtype: of the result; by default that of `x`, and for Python's numbers int32, bool or the
            default float type.
        sparse: must not be True; there are no sparse tensors.
        ragged: must not be True; there are no ragged tensors.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.convert_to_tensor([1, 2], dtype="float32"))
        array([1., 2.], dtype=float32)
    """
    if sparse or ragged:
        raise ArgumentError("convert_to_tensor: there are no sparse or ragged tensors.")
    tensor: Any = x  # the door has made one of it
    return tensor if dtype is None else cast(tensor, dtype)


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """The values of a tensor on the host.

    Args:
        x: a tensor, Variable, array, number or nested list.

    Returns:
        An array, which may share memory with a tensor on the CPU: copy it before you write to it.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy([1, 2])
        array([1, 2], dtype=int32)
    """
    return adapter.core.to_numpy(convert_to_tensor(x))


def dtype(x: TensorLike) -> str:
    """Name of the dtype of a tensor, Variable, array or number.

    Example:
        >>> from mlapi import ops
        >>> ops.dtype([1, 2])
        'int32'
    """
    if adapter.core.is_tensor(x):
        return adapter.core.dtype_of(x)
    if isinstance(x, (SymbolicTensor, Variable)):
        return x.dtype
    if isinstance(x, (np.ndarray, np.generic)):
        return dtypes.standardize(x.dtype)
    return adapter.core.dtype_of(convert_to_tensor(x))
