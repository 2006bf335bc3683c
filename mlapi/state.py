"""Variables: the mutable state of layers, optimizers, metrics and seed generators.

A `Variable` is a slot over the framework's own storage. Plain Python code assigns to it on every
backend; `mlapi.jit` and `mlapi.value_and_grad` lift it in and out of compiled functions.
"""

import itertools
import math
import operator
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

import numpy as np

from mlapi import config, dtypes
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, LoadError, ShapeError, one_of
from mlapi.types import DTypeLike, Shape, Tensor, TensorLike

_core = adapter.core


class _Scope(threading.local):
    """What changes how Variables are read and assigned in a thread.

    Attributes:
        plain: whether nothing does.
        autocast: dtype as which Variables of floats are read, or None for their own.
        stateless: the innermost `StatelessScope`, or None.
        path: names of the layers that are being built, and of `name_scope`s, outermost first.
    """

    plain = True
    autocast: str | None = None
    stateless: "StatelessScope | None" = None
    path: tuple[str, ...] = ()

    def settle(self) -> None:
        """Take note of a change."""
        self.plain = self.autocast is None and self.stateless is None


scope = _Scope()

_AGGREGATIONS = ("none", "mean", "sum", "only_first_replica")

# Numbers variables in the order of their creation, which is the order of weights in files.
_serial = itertools.count()


class Variable(_core.TensorView):
    """A named tensor that can be assigned to.

    Args:
        initializer: the first value, as an array, or a callable `(shape, dtype) -> array`
            (an `mlapi.initializers.Initializer`, for instance), which needs `shape`.
        shape: tuple of ints.
        dtype: standard dtype name; by default that of the array, or `config.floatx()`.
        trainable: whether gradients change it.
        autocast: whether layers that compute in another float type read it cast to that.
        aggregation: how replicas combine theirs: `"none"`, `"mean"`, `"sum"` or
            `"only_first_replica"`.
        synchronization: kept for programs written for Keras, which passes it on to TensorFlow.
        name: the last part of `path`.
        layout: how it is spread over devices, or None.
        path: where it is in a model; by default the names of the scopes around, and its own.
        regularizer: function of the value whose result is added to the loss, or None.
        constraint: function applied to the value after each update, or None.

    Example:
        >>> import mlapi
        >>> v = mlapi.Variable([1.0, 2.0])
        >>> v.assign(v * 2)
        >>> v.numpy().tolist()
        [2.0, 4.0]
    """

    __slots__ = (
        "__weakref__", "_storage", "_trainable", "aggregation", "autocast", "constraint", "dtype",
        "is_parameter", "layout", "name", "overwrite_with_gradient", "path", "regularizer",
        "serial", "shape", "synchronization",
    )  # fmt: skip

    def __init__(
        self,
        initializer: Any,
        shape: Shape | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        *,
        path: str | None = None,
        regularizer: Callable | None = None,
        constraint: Callable | None = None,
    ) -> None:
        name = name or "variable"
        if callable(initializer):
            if shape is None:
                raise ShapeError(f'Variable "{name}": an initializer needs `shape`.')
            self.dtype = dtypes.standardize(dtype or config.floatx())
            _spend(name, tuple(shape), self.dtype)
            array = _draw(initializer, tuple(shape), self.dtype)
        else:
            array = _as_array(initializer)
            if dtype is None:
                dtype = dtypes.promote(_python_dtype(initializer, array))
            self.dtype = dtypes.standardize(dtype)
            if shape is not None and tuple(shape) != array.shape:
                raise ShapeError(
                    f'Variable "{name}": the value has shape {array.shape}, '
                    f"but shape={tuple(shape)} was asked for."
                )
        self.shape = tuple(int(n) for n in array.shape)
        self.name = name
        self.path = path or "/".join((*scope.path, name))
        self.regularizer = regularizer
        self.constraint = constraint
        self.autocast = autocast
        self.aggregation = one_of("aggregation", aggregation or "none", _AGGREGATIONS)
        self.synchronization = synchronization
        self.layout = layout
        self.overwrite_with_gradient = False
        self.serial = next(_serial)
        self._trainable = bool(trainable)
        self.is_parameter = self._trainable and dtypes.is_float(self.dtype)
        _core.new_storage(self, array)

    # NumPy arrays leave operators with a Variable to it, rather than turn it into an array.
    __array_priority__ = 100

    @property
    def value(self) -> Tensor:
        """The current value: the framework's own tensor."""
        return _core.read(self) if scope.plain else self._value_in_scope()

    @property
    def native(self) -> Any:
        """What the framework itself keeps the value in, for loops written with its own functions.

        A `torch.nn.Parameter` (a plain tensor if not trainable) or a `tf.Variable`, the same
        object for good; on jax, whose arrays do not change, the present array.
        """
        return self._storage

    def _value_in_scope(self) -> Tensor:
        value = scope.stateless.get_current_value(self) if scope.stateless else None
        if value is None:
            value = _core.read(self)
        dtype = scope.autocast
        if dtype is None or not self.autocast or not dtypes.is_float(self.dtype):
            return value
        return _core.cast(value, dtype)

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._trainable = bool(trainable)
        _core.set_trainable(self, self._trainable)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def assign(self, value: TensorLike) -> None:
        """Replace the value; `value` must have the variable's shape."""
        value = self._accept(value)
        if scope.stateless is not None:
            scope.stateless.add_update((self, value))
        else:
            _core.assign(self, value)

    def assign_zero(self) -> None:
        """Replace the value by zeros."""
        if scope.stateless is not None:
            self.assign(np.zeros(self.shape))
        else:
            _core.assign_zero(self)

    def assign_add(self, value: TensorLike) -> None:
        """Add `value`, which must have the variable's shape or be a scalar."""
        if type(value) is not int and type(value) is not float:
            value = self._accept(value, scalar=True)
        if scope.stateless is not None:
            self.assign(self.value + value)
        else:
            _core.assign_add(self, value)

    def assign_sub(self, value: TensorLike) -> None:
        """Subtract `value`, which must have the variable's shape or be a scalar."""
        self.assign_add(-value if isinstance(value, (int, float)) else -self._accept(value, True))

    def numpy(self) -> np.ndarray:
        """A copy on the host."""
        return np.array(_core.to_numpy(self.value))

    def _accept(self, value: Any, scalar: bool = False) -> Any:
        if type(value) is Variable:
            value = value.value
        if type(value) not in _core.native_types or _core.dtype_of(value) != self.dtype:
            value = _core.convert(value, self.dtype)
        shape = value.shape
        if shape != self.shape and tuple(shape) != self.shape and not (scalar and len(shape) == 0):
            raise ShapeError(
                f'Variable "{self.path}" has shape {self.shape}; '
                f"a value of shape {tuple(shape)} cannot be assigned to it."
            )
        return value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype=dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __getitem__(self, index: Any) -> Tensor:
        return self.value[index]

    def __neg__(self) -> Tensor:
        return -self.value

    def __abs__(self) -> Tensor:
        return abs(self.value)

    def __repr__(self) -> str:
        return f"<Variable path={self.path} shape={self.shape} dtype={self.dtype}>"


def _binary(function: Callable, swap: bool) -> Callable:
    def method(self: Variable, other: Any) -> Any:
        kind, mine = type(other), self.value
        if kind is Variable:
            other = other.value
        elif kind not in _core.native_types:
            if isinstance(other, (np.ndarray, np.generic)):
                dtype = dtypes.promote(self.dtype, dtypes.standardize(other.dtype))
                other, mine = _core.convert(np.asarray(other), dtype), _core.cast(mine, dtype)
            elif getattr(other, "is_symbolic", False):
                return NotImplemented  # it records the operator, with this Variable as an argument
        return function(other, mine) if swap else function(mine, other)

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    _function = getattr(operator, _name)
    setattr(Variable, f"__{_name}__", _binary(_function, swap=False))
    setattr(Variable, f"__r{_name}__", _binary(_function, swap=True))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Variable, f"__{_name}__", _binary(getattr(operator, _name), swap=False))


_allowance: ContextVar[list[int] | None] = ContextVar("allowance", default=None)


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Inside, refuse to draw initial values of more than `size` bytes in all.

    A small file can describe a layer that no computer has room for.
    """
    token = _allowance.set([size])
    try:
        yield
    finally:
        _allowance.reset(token)


def _spend(name: str, shape: Shape, dtype: str) -> None:
    left = _allowance.get()
    if left is not None:
        left[0] -= math.prod(n or 0 for n in shape) * dtypes.numpy_dtype(dtype).itemsize
        if left[0] < 0:
            raise LoadError(
                f'Variable "{name}" of shape {shape} is larger than anything that the file can '
                "hold values for."
            )


def _draw(initializer: Callable, shape: Shape, dtype: str) -> np.ndarray:
    draw = getattr(initializer, "draw", None)
    if draw is not None:
        return np.asarray(draw(shape, dtype))
    value = initializer(shape, dtype=dtype)
    return _core.to_numpy(value) if _core.is_tensor(value) else np.asarray(value)


def _as_array(value: Any) -> np.ndarray:
    if type(value) is Variable:
        return value.numpy()
    return np.asarray(_core.to_numpy(value) if _core.is_tensor(value) else value)


def _python_dtype(value: Any, array: np.ndarray) -> str:
    """NumPy makes 64-bit arrays of Python numbers; ours are 32 bits wide."""
    if hasattr(value, "dtype"):
        return dtypes.standardize(array.dtype)
    return {"f": config.floatx(), "i": "int32"}.get(array.dtype.kind) or dtypes.standardize(
        array.dtype
    )


class StatelessScope:
    """A stretch of code in which no Variable changes: assignments are kept aside.

    Args:
        state_mapping: pairs of a Variable and the tensor that it holds meanwhile.
        collect_losses: whether layers hand what they `add_loss` to the scope instead of keeping it.
        initialize_variables: kept for programs written for Keras; Variables always have a value.

    Attributes:
        losses: what came by `add_loss`.

    Example:
        >>> import mlapi
        >>> v = mlapi.Variable(1.0)
        >>> with mlapi.StatelessScope([(v, mlapi.ops.ones(()) * 5)]) as scope:
        ...     v.assign(v * 2)
        >>> float(scope.get_current_value(v)), float(v)
        (10.0, 1.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.losses: list[Any] = []
        self._values: dict[int, tuple[Variable, Any]] = {}
        for variable, value in state_mapping or ():
            if type(variable) is not Variable:
                raise TypeError(
                    "StatelessScope: state_mapping must hold pairs of a Variable and a tensor, "
                    f"received {type(variable).__name__}."
                )
            self.add_update((variable, variable._accept(value)))

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Note a Variable's new value."""
        self._values[id(update[0])] = update

    @property
    def updates(self) -> list[tuple[Variable, Any]]:
        """Variables that hold something else than outside, and what they hold."""
        return list(self._values.values())

    def add_loss(self, loss: Any) -> None:
        """Note a loss."""
        self.losses.append(loss)

    def get_current_value(self, variable: Variable) -> Any:
        """What the Variable holds in here, or None if that is its own value."""
        return self._values.get(id(variable), (None, None))[1]

    def __enter__(self) -> Self:
        self._outer = scope.stateless
        scope.stateless = self
        scope.settle()
        return self

    def __exit__(self, *exc: object) -> None:
        scope.stateless = self._outer
        scope.settle()


class name_scope:
    """A stretch of code in which new layers and Variables have a name before their paths.

    Args:
        name: a part of a path, without slashes.
        **kwargs: kept for programs written for Keras.

    Example:
        >>> import mlapi
        >>> with mlapi.name_scope("encoder"):
        ...     mlapi.Variable(1.0, name="scale").path
        'encoder/scale'
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        if not isinstance(name, str) or not name or "/" in name:
            raise ArgumentError(
                f"name_scope: name must be a non-empty str without slashes, received {name!r}."
            )
        self.name = name

    def __enter__(self) -> Self:
        self._outer = scope.path
        scope.path = (*scope.path, self.name)
        return self

    def __exit__(self, *exc: object) -> None:
        scope.path = self._outer


class Stateful:
    """An object that keeps Variables in its attributes: layers, metrics, seed generators.

    Attributes are searched when asked, through lists, tuples and dicts too, so nothing needs to
    be registered and nothing is missed when a list grows later.
    """

    def _state_of(self) -> Iterator[tuple[str, Any]]:
        """`(name, object)` of every Variable and Stateful in the attributes, in order."""
        for name, value in self.__dict__.items():
            if name not in _PRIVATE:
                yield from _search(name, value)

    def _own_named_variables(self) -> Iterator[tuple[str, Variable]]:
        return ((n, v) for n, v in self._state_of() if type(v) is Variable)

    def _named_children_of(self, kind: type) -> Iterator[tuple[str, Any]]:
        return ((n, v) for n, v in self._state_of() if isinstance(v, kind))


# Attributes that hold bookkeeping rather than state; a model's trainer parts are listed apart.
_PRIVATE = frozenset(
    {
        "_init_args", "_trainer", "optimizer", "_nodes", "_program", "_masks", "_step_metrics",
        "_step_variables",
    }
)  # fmt: skip


def _search(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (Variable, Stateful)) or _core.is_module(value):
        yield name, value
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _search(f"{name}.{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _search(f"{name}.{key}", item)


def in_order(variable: Variable) -> tuple[bool, int]:
    """Sorts a layer's own variables: trainable ones first, then by creation, as Keras does."""
    return not variable.is_parameter, variable.serial


def collect(state: Any) -> list[Variable]:
    """Every Variable in a Variable, a Stateful, or a nest of them, each once, in order.

    Own trainable variables come first, then own others, then those of the children: the order
    in which Keras lists weights, so that weight lists are exchangeable.
    """
    found: list[Variable] = []
    _collect(state, found, set())
    return found


def _collect(state: Any, found: list[Variable], seen: set[int]) -> None:
    if id(state) in seen or state is None:
        return
    seen.add(id(state))
    if type(state) is Variable:
        found.append(state)
    elif isinstance(state, Stateful):
        parts = list(state._state_of())
        own = [v for _, v in parts if type(v) is Variable]
        for variable in sorted(own, key=in_order):
            _collect(variable, found, seen)
        for _, part in parts:
            if isinstance(part, Stateful):
                _collect(part, found, seen)
    elif isinstance(state, (list, tuple)):
        for item in state:
            _collect(item, found, seen)
    elif isinstance(state, dict):
        for item in state.values():
            _collect(item, found, seen)
    elif hasattr(state, "variables"):
        # Not the list itself: it may be made for us, and its identity be another's afterwards.
        for variable in state.variables:
            _collect(variable, found, seen)
    else:
        raise TypeError(
            "state must be a Variable, a layer, a metric, an optimizer, or a list or dict of "
            f"them; got {type(state).__name__}."
        )
