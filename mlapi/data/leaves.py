"""NumPy arrays of numbers out of what users have, and the widths that numbers are computed in.

Objects of other packages are recognised by the module of their type. The package is loaded then,
or there would be no such object; nothing is imported to ask.
"""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlapi import config
from mlapi.backends import adapter
from mlapi.errors import DataError

_core = adapter.core

_SMALL = 2**24  # bytes; arrays up to this are converted as a whole, larger ones batch by batch
_READY = "fiB?"  # float32, int32, uint8, bool: what batches mostly are, and stay


def package_of(x: object) -> str:
    """Name of the package that the type of `x` comes from."""
    return type(x).__module__.partition(".")[0]


def inherits(x: object, package: str, *names: str) -> bool:
    """Whether the type of `x` has a base of one of these names in `package`."""
    return any(
        base.__name__ in names and f"{base.__module__}.".startswith(f"{package}.")
        for base in type(x).__mro__
    )


def is_frame(x: object) -> bool:
    """Whether `x` is a frame or a series of pandas or polars."""
    return package_of(x) in ("pandas", "polars") and hasattr(x, "to_numpy")


def to_array(x: Any, what: str) -> np.ndarray:
    """NumPy's view of anything array-like: arrays, tensors of any framework, frames, lists.

    Raises:
        DataError: it holds no numbers, or has no batch axis.
    """
    array = _view(x, what)
    if array.dtype == object and is_frame(x):  # columns of different kinds
        array = np.array(array.tolist())
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise DataError(
            f"{what} holds {array.dtype}, which is no number; "
            f"received {type(x).__name__} of shape {array.shape}."
        )
    if array.ndim == 0:
        raise DataError(f"{what} must have a batch axis; received the single number {array}.")
    return array


def _view(x: Any, what: str) -> np.ndarray:
    if isinstance(x, np.ndarray):
        return x
    if _core.is_tensor(x):
        return _core.to_numpy(x)
    package = package_of(x)
    if package == "torch":
        return _of_torch(x)
    if package == "tensorflow" and hasattr(x, "numpy"):
        return np.asarray(x.numpy())
    if is_frame(x):
        return x.to_numpy()
    try:
        return np.asarray(x)
    except ValueError as error:
        raise DataError(f"{what} is a nest of different lengths: {error}") from None


def _of_torch(x: Any) -> np.ndarray:
    x = x.detach().cpu()
    if str(x.dtype) == "torch.bfloat16":  # which torch will not hand to NumPy
        return x.float().numpy()
    return x.resolve_conj().resolve_neg().numpy()


def narrow_dtype(array: np.ndarray) -> np.dtype | None:
    """What the array is to be cast to: 64 bits become 32 where numbers fit; None: nothing."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 4:
        wanted = np.dtype(config.floatx())
        return None if wanted == array.dtype else wanted
    if array.dtype.name == "int64":
        fits = not array.size or (array.max() < 2**31 and array.min() >= -(2**31))
        return np.dtype(np.int32) if fits else None
    return None


def narrowed(array: np.ndarray) -> np.ndarray:
    """The array in the width that numbers are computed in."""
    dtype = narrow_dtype(array)
    return array if dtype is None else array.astype(dtype)


def is_small(array: np.ndarray) -> bool:
    """Whether a copy of the whole array does no harm."""
    return array.nbytes <= _SMALL


def batch_leaf(x: Any) -> Any:
    """One array of a batch that somebody else made; tensors of the backend stay tensors."""
    if type(x) is np.ndarray and x.dtype.char in _READY and x.ndim:
        return x
    if x is None:
        return None
    if _core.is_tensor(x):
        x = _core.place(x)
        return _core.cast(x, config.floatx()) if _core.dtype_of(x) == "float64" else x
    return narrowed(to_array(x, "a batch"))


def map_arrays(fn: Any, nest: Any) -> Any:
    """`fn` of every array in a nest; a list of numbers or of rows is one array.

    A list or tuple with an array, a frame or a dict in it holds several.
    """
    if type(nest) is np.ndarray:
        return fn(nest)
    if isinstance(nest, Mapping):
        return {name: map_arrays(fn, value) for name, value in nest.items()}
    if isinstance(nest, (list, tuple)) and holds_several(nest):
        children = [map_arrays(fn, value) for value in nest]
        if isinstance(nest, list):
            return children
        return type(nest)(*children) if hasattr(nest, "_fields") else tuple(children)
    return fn(nest)


def holds_several(nest: Any) -> bool:
    """Whether a list or tuple is one of arrays, and not an array itself."""
    for value in nest:
        if value is None or isinstance(value, Mapping) or hasattr(value, "shape"):
            # NumPy's own numbers have a shape too.
            return not isinstance(value, np.generic)
        if isinstance(value, (list, tuple)) and holds_several(value):
            return True
        if isinstance(value, (bool, int, float, str, bytes)):
            return False
    return False


def seed_everything(seed: int) -> None:
    """Sets the global generators that a data set may draw from, in a process of its own."""
    import random

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002, what data sets outside use
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
