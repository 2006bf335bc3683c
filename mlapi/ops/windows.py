"""Windows of signals, as vectors of the default float type; the number of points is an int."""

import operator
from collections.abc import Callable

import numpy as np

from mlapi import config
from mlapi.op import op
from mlapi.ops.control import convert_to_tensor
from mlapi.types import Tensor


@op(dtype=None)
def bartlett(x: int) -> Tensor:
    """Triangular window of `x` points, zero at both ends.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.bartlett(3))
        array([0., 1., 0.], dtype=float32)
    """
    return _window(np.bartlett, x)


@op(dtype=None)
def blackman(x: int) -> Tensor:
    """Blackman window of `x` points: `0.42 - 0.5 cos(2πn / (x-1)) + 0.08 cos(4πn / (x-1))`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.blackman(5)).round(2) + 0.0
        array([0.  , 0.34, 1.  , 0.34, 0.  ], dtype=float32)
    """
    return _window(np.blackman, x)


@op(dtype=None)
def hamming(x: int) -> Tensor:
    """Hamming window of `x` points: `0.54 - 0.46 cos(2πn / (x - 1))`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hamming(3))
        array([0.08, 1.  , 0.08], dtype=float32)
    """
    return _window(np.hamming, x)


@op(dtype=None)
def hanning(x: int) -> Tensor:
    """Hann window of `x` points: `0.5 - 0.5 cos(2πn / (x - 1))`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.hanning(3))
        array([0., 1., 0.], dtype=float32)
    """
    return _window(np.hanning, x)


@op(dtype=None)
def kaiser(x: int, beta: float) -> Tensor:
    """Kaiser window of `x` points, the narrower the larger `beta`.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.kaiser(3, 5.0)).round(3)
        array([0.037, 1.   , 0.037], dtype=float32)
    """
    return _window(np.kaiser, x, beta)


def _window(function: Callable[..., np.ndarray], size: int, *arguments: float) -> Tensor:
    """Worked out on the host, in 64 bits: the shape of a tensor cannot depend on another."""
    return convert_to_tensor(function(operator.index(size), *arguments), config.floatx())
