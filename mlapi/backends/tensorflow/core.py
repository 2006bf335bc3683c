"""Tensors, storage and the module class of the tensorflow adapter."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportAssignmentType=false, reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

# Without a public name.
from tensorflow.python.eager import context

# The public route to a scratch graph, a concrete function, is several times slower, and shapes
# are inferred twice for every call of a model's construction.
from tensorflow.python.framework.func_graph import FuncGraph

# Asked through the public function, it would make a generator where there is none.
from tensorflow.python.ops import stateful_random_ops

from mlapi import dtypes, tree
from mlapi.backends import trials
from mlapi.backends.contract import Spec
from mlapi.backends.numbers import MANY_NUMBERS, number_key

# Not found by making a tensor: that would fix the devices and threads, which users may still set.
native_types: set[type] = {tf.__internal__.EagerTensor}

_SYMBOLIC = FuncGraph("probe")
with _SYMBOLIC.as_default():
    native_types.add(type(tf.constant(0.0)))

eager_types: set[type] = {tf.__internal__.EagerTensor}
# Its number, since a DType is hashed in Python.
dtype_key = operator.methodcaller("_datatype_enum")


def is_input_error(error: Exception) -> bool:
    return type(error) in _INPUT_ERRORS


_INPUT_ERRORS = {
    TypeError,
    ValueError,
    IndexError,
    tf.errors.InvalidArgumentError,
    tf.errors.NotFoundError,  # no kernel for a dtype
    tf.errors.UnimplementedError,
}


def is_tensor(x: object) -> bool:
    return isinstance(x, tf.Tensor)


def is_module(x: object) -> bool:
    return isinstance(x, tf.Module)


def dtype_of(x: tf.Tensor) -> str:
    return x.dtype.name


def native_dtype(dtype: str) -> tf.DType:
    return tf.as_dtype(dtype)


def shape_of(x: tf.Tensor) -> tuple[int | None, ...]:
    return tuple(x.shape)


def convert(x: Any, dtype: str | None = None) -> tf.Tensor:
    if isinstance(x, tf.Tensor):
        return x if dtype is None or x.dtype.name == dtype else tf.cast(x, dtype)
    # Of numbers an array, since tensorflow takes one zero for the other.
    if isinstance(x, (np.ndarray, np.generic, bool, float)) and dtype is not None:
        return tf.convert_to_tensor(np.asarray(x, dtypes.numpy_dtype(dtype)))
    return tf.convert_to_tensor(x, dtype)


def place(x: tf.Tensor) -> tf.Tensor:
    return x  # tensorflow moves arguments itself


_ALIGNMENT = 64  # bytes; on arrays that are not so aligned, TensorFlow's kernels end the process


def from_host(array: np.ndarray) -> tf.Tensor:
    """A tensor of a copy of the array, several times faster than `tf.constant` makes one."""
    if array.dtype.char not in "?bBhHiIlLefd" or not array.dtype.isnative:
        return tf.convert_to_tensor(array)
    memory = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % _ALIGNMENT
    copy = np.ndarray(array.shape, array.dtype, memory, start)
    copy[...] = array
    return tf.experimental.dlpack.from_dlpack(copy.__dlpack__())


_numbers: dict[Any, tf.Tensor] = {}


def number_like(x: complex, dtype: str, like: Any) -> tf.Tensor:
    key = number_key(x, dtype)
    number = _numbers.get(key)
    if number is None:
        if len(_numbers) > MANY_NUMBERS:
            _numbers.clear()
        number = convert(x, dtype)
        if type(number) in eager_types:  # no tracer
            _numbers[key] = number
    return number


def to_numpy(x: Any) -> np.ndarray:
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x)  # a scalar is no array yet


def cast(x: tf.Tensor, dtype: str) -> tf.Tensor:
    return tf.cast(x, dtype)


stop_gradient = tf.stop_gradient


def synchronize() -> None:
    tf.test.experimental.sync_devices()


def device_scope(kind: str, index: int) -> AbstractContextManager[Any]:
    return tf.device(tf.config.list_logical_devices(kind.upper())[index].name)


def describe_devices() -> list[str]:
    return [device.name for device in tf.config.list_logical_devices()]


def free_memory() -> None:
    if (session := context.context_safe()) is not None:
        session.clear_kernel_cache()


def random_state() -> dict[str, Any]:
    states: dict[str, Any] = {}
    if stateful_random_ops.global_generator is not None:
        states["generator"] = stateful_random_ops.global_generator.state.numpy()
    # Seeds of the older operations come from a generator in Python, once a seed was set.
    seeds = getattr(context.context_safe(), "_rng", None)
    if seeds is not None:
        states["seeds"] = seeds.getstate()
    return states


def restore_random_state(state: dict[str, Any]) -> None:
    generator = stateful_random_ops.global_generator
    if "generator" in state and generator is None:
        made = tf.random.Generator.from_state(state["generator"], "auto_select")
        tf.random.set_global_generator(made)
    elif "generator" in state:
        generator.reset(state["generator"])
    seeds = getattr(context.context_safe(), "_rng", None)
    if seeds is not None and "seeds" in state:
        version, words, more = state["seeds"]
        seeds.setstate((version, tuple(words), more))
        free_memory()  # kernels that were given the same seeds before would go on from there


# --- variables -------------------------------------------------------------------------------


class TensorView:
    """Base of Variable: tensorflow's own functions and operators take one for its tensor.

    Without this they would ask for a NumPy array, and gradients would end there.
    """

    __slots__ = ()

    def __tf_tensor__(self, dtype: tf.DType | None = None, name: str | None = None) -> tf.Tensor:
        return tf.convert_to_tensor(self.value, dtype, name)


def new_storage(variable: Any, array: np.ndarray) -> None:
    with tf.init_scope():  # real, even where a graph is being traced
        variable._storage = tf.Variable(
            tf.convert_to_tensor(np.asarray(array, dtypes.numpy_dtype(variable.dtype))),
            trainable=variable.is_parameter,
            name=variable.name.replace(":", "_") or None,
        )


def read(variable: Any) -> tf.Tensor:
    return variable._storage.value()


def assign(variable: Any, value: tf.Tensor) -> None:
    variable._storage.assign(value, read_value=False)


def assign_add(variable: Any, value: tf.Tensor | float) -> None:
    if variable.shape and not getattr(value, "shape", ()):
        value = tf.fill(variable.shape, tf.cast(value, variable.dtype))
    variable._storage.assign_add(value, read_value=False)


def assign_zero(variable: Any) -> None:
    variable._storage.assign(tf.zeros(variable.shape, variable.dtype), read_value=False)


def set_trainable(variable: Any, trainable: bool) -> None:
    pass


def abstract_eval(fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Any]) -> Any:
    """What `fn(*tensors)` returns, with a Spec for every tensor, in a graph that is thrown away."""

    def run(known: list[Spec]) -> Any:
        with FuncGraph("infer").as_default():
            out = fn(*[tf.compat.v1.placeholder(s.dtype, s.shape) for s in known])
        return tree.map_structure(
            lambda t: Spec(tuple(t.shape), t.dtype.name) if isinstance(t, tf.Tensor) else t, out
        )

    return trials.infer(run, specs)


def call_without_values(fn: Callable[..., Any], specs: Sequence[Spec]) -> None:
    abstract_eval(fn, specs, ())


at_once = tf.init_scope


@contextmanager
def inference() -> Iterator[None]:
    """Work whose gradient nobody will ask for."""
    yield


class Host(tf.Module):
    """Base of every Layer: a `tf.Module` whose attributes stay what the user wrote.

    TensorFlow would wrap lists and dicts on assignment; here they are left alone, and
    checkpoints and SavedModels see the children through `_trackable_children`.
    """

    name = ""  # a plain attribute, where `tf.Module` has a property

    def __init__(self) -> None:
        pass

    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def _trackable_children(self, save_type: Any = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        children = dict(self._named_children_of(tf.Module))
        children.update({n: v._storage for n, v in self._own_named_variables()})
        return children
