"""Tensors, storage and the module class of the jax adapter.

Arrays cannot be changed, so a Variable's slot is. While a function is traced the slots hold
tracers; `Borrowed` puts the arrays back afterwards and says what was written meanwhile.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mlapi import dtypes, tree
from mlapi.backends import trials
from mlapi.backends.contract import Spec
from mlapi.backends.numbers import MANY_NUMBERS, number_key

_ARRAY = type(jnp.zeros(()))
# The door adds the kinds of tracers that it meets.
native_types: set[type] = {_ARRAY}
eager_types = native_types


def dtype_key(x: jax.Array) -> np.dtype:
    return x.dtype


def is_input_error(error: Exception) -> bool:
    return type(error) in _INPUT_ERRORS  # those about tracers are subclasses


_INPUT_ERRORS = {TypeError, ValueError, IndexError, ZeroDivisionError, NotImplementedError}


def is_tensor(x: object) -> bool:
    return isinstance(x, jax.Array)


def is_module(x: object) -> bool:
    return False


def dtype_of(x: jax.Array) -> str:
    return x.dtype.name


def native_dtype(dtype: str) -> np.dtype:
    return dtypes.numpy_dtype(dtype)


def shape_of(x: jax.Array) -> tuple[int, ...]:
    return x.shape


def convert(x: Any, dtype: str | None = None) -> jax.Array:
    native = None if dtype is None else _available(dtype)
    if isinstance(x, jax.Array):
        return x if native is None or x.dtype == native else x.astype(native)
    return jnp.asarray(x, native)


def place(x: jax.Array) -> jax.Array:
    return x  # jax moves arguments itself


def _available(dtype: str) -> np.dtype:
    """What jax has for it: 32 bits for 64 unless the program set `jax_enable_x64`."""
    return jax.dtypes.canonicalize_dtype(dtype)


_numbers: dict[Any, jax.Array] = {}


def number_like(x: complex, dtype: str, like: Any) -> jax.Array:
    key = number_key(x, dtype)
    number = _numbers.get(key)
    if number is None:
        if len(_numbers) > MANY_NUMBERS:
            _numbers.clear()
        number = jnp.asarray(x, _available(dtype))
        if type(number) is _ARRAY:  # no tracer
            _numbers[key] = number
    return number


def to_numpy(x: Any) -> np.ndarray:
    return np.asarray(x)


def cast(x: jax.Array, dtype: str) -> jax.Array:
    return jax.lax.convert_element_type(x, _available(dtype))


stop_gradient = jax.lax.stop_gradient


def synchronize() -> None:
    jax.effects_barrier()


def device_scope(kind: str, index: int) -> AbstractContextManager[Any]:
    return jax.default_device(jax.devices(kind)[index])


def describe_devices() -> list[str]:
    return [str(device) for device in jax.devices()]


free_memory = jax.clear_caches


def random_state() -> dict[str, Any]:
    return {}  # there are no global generators


def restore_random_state(state: dict[str, Any]) -> None:
    pass


# --- variables -------------------------------------------------------------------------------


class TensorView:
    """Base of Variable: jax's own functions and operators take one for its array."""

    __slots__ = ()

    def __jax_array__(self) -> jax.Array:
        return self.value  # type: ignore[attr-defined]


class Borrowed:
    """Slots that hold something else for a while.

    Inside, assignments by anybody are noted; on leaving, every slot has its old value again, and
    `written` lists the variables that were assigned to, with what they held last.
    """

    _open: "list[Borrowed]" = []

    def __init__(self, variables: Sequence[Any] = (), values: Sequence[Any] = ()) -> None:
        self._old: dict[int, tuple[Any, Any]] = {}
        self._variables, self._values = variables, values
        self.written: list[Any] = []
        self.last: list[Any] = []

    def note(self, variable: Any) -> None:
        if id(variable) not in self._old:
            self._old[id(variable)] = (variable, variable._storage)
        if all(variable is not v for v in self.written):
            self.written.append(variable)

    def __enter__(self) -> "Borrowed":
        for variable, value in zip(self._variables, self._values, strict=True):
            self._old[id(variable)] = (variable, variable._storage)
            variable._storage = value
        Borrowed._open.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        Borrowed._open.pop()
        self.last = [variable._storage for variable in self.written]
        for variable, value in self._old.values():
            variable._storage = value


def new_storage(variable: Any, array: np.ndarray) -> None:
    # A variable that is created while something is traced must hold a real array all the same.
    with jax.ensure_compile_time_eval():
        # A copy: memory shared with NumPy cannot be donated.
        variable._storage = jnp.array(array, dtype=variable.dtype, copy=True)


def read(variable: Any) -> jax.Array:
    return variable._storage


def assign(variable: Any, value: jax.Array) -> None:
    if Borrowed._open:
        Borrowed._open[-1].note(variable)
    elif value is variable._storage:
        return
    variable._storage = value


def assign_add(variable: Any, value: jax.Array) -> None:
    assign(variable, variable._storage + value)


def assign_zero(variable: Any) -> None:
    assign(variable, _zeros(variable.shape, variable.dtype)())


@cache
def _zeros(shape: tuple[int, ...], dtype: str) -> Callable[[], jax.Array]:
    """Compiled, which is ten times faster than `jnp.zeros`."""
    return jax.jit(lambda: jnp.zeros(shape, dtype))


def set_trainable(variable: Any, trainable: bool) -> None:
    pass


def abstract_eval(fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Any]) -> Any:
    """What `fn(*tensors)` returns, with a Spec for every tensor, by `jax.eval_shape`."""
    return trials.infer(lambda known: _eval_shape(fn, known), specs)


def _eval_shape(fn: Callable[..., Any], specs: list[Spec]) -> Any:
    skeleton: list[Any] = []

    def pure(*tensors: jax.Array) -> list[jax.Array]:
        with Borrowed():
            out = fn(*tensors)
        leaves = tree.flatten(out)
        skeleton[:] = [out, leaves]
        return [leaf for leaf in leaves if is_tensor(leaf)]

    shaped = [jax.ShapeDtypeStruct(s.shape, native_dtype(s.dtype)) for s in specs]
    found = iter(jax.eval_shape(pure, *shaped))
    out, leaves = skeleton
    packed = []
    for leaf in leaves:
        if is_tensor(leaf):
            struct = next(found)
            leaf = Spec(tuple(struct.shape), struct.dtype.name)
        packed.append(leaf)
    return tree.pack_sequence_as(out, packed)


def call_without_values(fn: Callable[..., Any], specs: Sequence[Spec]) -> None:
    abstract_eval(fn, specs, ())


at_once = jax.ensure_compile_time_eval


@contextmanager
def inference() -> Iterator[None]:
    """Work whose gradient nobody will ask for."""
    yield


class Host:
    """Base of every Layer: nothing but the call."""

    forward: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)
