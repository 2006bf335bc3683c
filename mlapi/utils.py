"""Small helpers around training: seeds, one-hot labels, normalization."""

import gc
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import mlapi
from mlapi import config, dtypes, host_random, naming
from mlapi.backends import adapter
from mlapi.catalog import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    register_serializable,
)
from mlapi.data import PyDataset
from mlapi.data import pack as pack_x_y_sample_weight
from mlapi.data import unpack as unpack_x_y_sample_weight
from mlapi.errors import ArgumentError, DataError, DTypeError
from mlapi.graph import SymbolicTensor
from mlapi.serialization import deserialize_keras_object, serialize_keras_object
from mlapi.types import DTypeLike, TensorLike


def set_random_seed(seed: int) -> None:
    """Sets the seed of everything random: mlapi, Python's `random`, and NumPy's global generator.

    Initial weights, shuffles and splits are then the same on every backend; dropout and the like
    are the same on every run of one backend.

    Args:
        seed: an integer in [0, 2**53).

    Raises:
        ArgumentError: it is no such integer.
    """
    host_random.set_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002, what programs outside use


def clear_session(free_memory: bool = True) -> None:
    """Starts automatic names from their beginning: the next `Dense` is `dense` again.

    Args:
        free_memory: whether programs that the backend has compiled, and memory that it keeps for
            later, are given back too.
    """
    naming.reset()
    _uids.clear()
    if free_memory:
        gc.collect()
        adapter.core.free_memory()


def version() -> str:
    """Returns the version of this library."""
    return mlapi.__version__


def get_uid(prefix: str = "") -> int:
    """Returns 1 at the first call with a prefix, then 2, and so on.

    Args:
        prefix: whose calls are counted.
    """
    _uids[prefix] += 1
    return _uids[prefix]


_uids: Counter[str] = Counter()


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """A stretch of code in which new tensors are on a device.

    Args:
        device_name: its type, and its number after a colon: `"cpu"`, `"gpu:1"`.

    Raises:
        ArgumentError: the backend has no such device.

    Example:
        >>> import mlapi
        >>> with mlapi.device("cpu:0"):
        ...     x = mlapi.ops.ones((2, 2))
    """
    kind, _, index = str(device_name).lower().partition(":")
    if kind not in ("cpu", "gpu", "cuda", "tpu", "mps") or not (index or "0").isdecimal():
        raise ArgumentError(
            f"device: expected a type and a number, such as 'cpu' or 'gpu:1', received "
            f"{device_name!r}."
        )
    try:
        scope = adapter.core.device_scope("gpu" if kind == "cuda" else kind, int(index or 0))
    except (RuntimeError, IndexError) as error:
        raise ArgumentError(
            f"device: there is no {device_name!r}, only {', '.join(list_devices())}. {error}"
        ) from None
    with scope:
        yield


def list_devices() -> list[str]:
    """Returns the devices that the backend can compute on, as its framework calls them."""
    return adapter.core.describe_devices()


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, as `Input` returns."""
    return isinstance(x, SymbolicTensor)


def standardize_dtype(dtype: DTypeLike | None) -> str:
    """Returns the name of a dtype; `None` is the default float type.

    Example:
        >>> standardize_dtype(np.int8)
        'int8'
    """
    return dtypes.standardize(dtype)


def to_categorical(x: TensorLike, num_classes: int | None = None) -> np.ndarray:
    """Returns class numbers as one-hot rows.

    Args:
        x: whole numbers from 0 on, of any shape; a last axis of size one is dropped.
        num_classes: size of the new last axis; by default the largest number plus one.

    Returns:
        A float array of one axis more than the numbers.

    Raises:
        DataError: a number is negative, broken, or not below `num_classes`.
        DTypeError: `x` does not hold numbers.

    Example:
        >>> to_categorical([2, 0])
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """
    labels = _to_numpy(x)
    if labels.dtype.kind not in "biuf":
        raise DTypeError(f"to_categorical needs whole numbers, received dtype {labels.dtype}.")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.size == 0 and num_classes is None:
        raise DataError("to_categorical received no labels; pass num_classes.")
    broken = ~np.isfinite(labels) | (np.floor(labels) != labels)
    if broken.any():
        raise DataError(f"Labels must be whole numbers; found {_first(labels, broken)}.")
    numbers = labels.astype(np.int64)
    classes = int(numbers.max()) + 1 if num_classes is None else num_classes
    outside = (numbers < 0) | (numbers >= classes)
    if outside.any():
        raise DataError(
            f"Labels must be in [0, {classes}); found {_first(labels, outside)}"
            f"{'' if num_classes is None else f' with num_classes={num_classes}'}."
        )
    return np.equal(numbers[..., None], np.arange(classes)).astype(dtypes.numpy_dtype(None))


def _to_numpy(x: Any) -> np.ndarray:
    return np.asarray(adapter.core.to_numpy(x) if adapter.core.is_tensor(x) else x)


def _first(labels: np.ndarray, wrong: np.ndarray) -> str:
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{labels[index]} at index {index[0] if len(index) == 1 else index}"


def normalize(x: TensorLike, axis: int = -1, order: int = 2) -> np.ndarray:
    """Returns an array whose vectors along an axis have length one; zero vectors stay zero.

    Args:
        x: an array of any shape.
        axis: the axis along which the vectors lie.
        order: order of the norm; 2 is the Euclidean length.

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]], dtype=float32)
    """
    array = np.atleast_1d(_to_numpy(x))
    dtype = dtypes.to_float(array.dtype) if hasattr(x, "dtype") else config.floatx()
    array = array.astype(dtypes.numpy_dtype(dtype), copy=False)
    lengths = np.atleast_1d(np.linalg.norm(array, order, axis))
    lengths[lengths == 0] = 1
    return array / np.expand_dims(lengths, axis)


Sequence = PyDataset  # the name that it had before Keras 3

__all__ = [
    "CustomObjectScope",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "device",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "get_uid",
    "is_keras_tensor",
    "list_devices",
    "normalize",
    "pack_x_y_sample_weight",
    "register_keras_serializable",
    "register_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
    "version",
]
