"""Tensors, storage and the module class of the torch adapter."""

# torch's annotations ask for ints and lists where it takes sequences, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportAssignmentType=false, reportAttributeAccessIssue=false, reportIncompatibleVariableOverride=false

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from mlapi import dtypes, tree
from mlapi.backends import trials
from mlapi.backends.contract import Spec
from mlapi.backends.numbers import MANY_NUMBERS, number_key
from mlapi.errors import not_in_state

device = torch.device(
    "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
)

# Exact types that the door lets straight through; it adds subclasses that it meets.
native_types: set[type] = {torch.Tensor, torch.nn.Parameter}
eager_types = native_types


def dtype_key(x: torch.Tensor) -> torch.dtype:
    return x.dtype


def is_input_error(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | torch.AcceleratorError):
        return False
    return type(error) in _INPUT_ERRORS


_INPUT_ERRORS = {RuntimeError, TypeError, ValueError, IndexError, NotImplementedError}

NATIVE = {
    name: getattr(torch, name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
    )
}  # fmt: skip
NAMES = {native: name for name, native in NATIVE.items()}


def is_tensor(x: object) -> bool:
    return isinstance(x, torch.Tensor)


def is_module(x: object) -> bool:
    return isinstance(x, torch.nn.Module)


def dtype_of(x: torch.Tensor) -> str:
    return NAMES[x.dtype]


def native_dtype(dtype: str) -> torch.dtype:
    return NATIVE[dtype]


def shape_of(x: torch.Tensor) -> tuple[int, ...]:
    return tuple(x.shape)


def convert(x: Any, dtype: str | None = None) -> torch.Tensor:
    """A tensor on the working device, of `dtype` or of the value's own."""
    native = None if dtype is None else NATIVE[dtype]
    if isinstance(x, torch.Tensor):
        return x if native is None or native is x.dtype else x.to(native)
    target = working_device()
    if isinstance(x, np.ndarray):
        return _adopt(x, target, native)
    return torch.as_tensor(x, dtype=native, device=target)


def place(x: torch.Tensor) -> torch.Tensor:
    target = working_device()
    # A copy to the host that nobody waits for would be read before it is there.
    return x.to(target, non_blocking=target != _CPU)


_REAL = frozenset({torch.Tensor, torch.nn.Parameter})
_numbers: dict[Any, torch.Tensor] = {}


def number_like(x: complex, dtype: str, like: torch.Tensor) -> torch.Tensor:
    real = type(like) in _REAL and like.device.type != "meta"
    if not real or is_compiling():
        return torch.tensor(x, dtype=NATIVE[dtype], device=like.device)
    key = number_key(x, dtype, like.device)
    number = _numbers.get(key)
    if number is None:
        if len(_numbers) > MANY_NUMBERS:
            _numbers.clear()
        number = torch.tensor(x, dtype=NATIVE[dtype], device=like.device)
        if type(number) is torch.Tensor:  # no stand-in of a mode that will end
            _numbers[key] = number
    return number


_CPU = torch.device("cpu")
_META = torch.device("meta")


def is_imagining() -> bool:
    """Whether shapes are inferred: tensors are not there, or hold numbers that mean nothing."""
    return _rehearsing or _abstract is not None


_tracing = False


def is_compiling() -> bool:
    """Whether what runs now becomes part of a graph: ours, or that of `torch.compile`."""
    return _tracing or torch.compiler.is_compiling()


def stands_in() -> bool:
    """Whether variables have other storage than usual."""
    return _tracing


@contextmanager
def standing_in(variables: Sequence[Any], values: Sequence[torch.Tensor]) -> Iterator[None]:
    """Traces with other tensors as the variables' storage."""
    global _tracing
    stored = [v._storage for v in variables]
    _tracing = True
    try:
        for variable, value in zip(variables, values, strict=True):
            variable._storage = value
        yield
    finally:
        _tracing = False
        for variable, value in zip(variables, stored, strict=True):
            variable._storage = value


def working_device() -> torch.device:
    """Where new tensors are made: nowhere while shapes are inferred."""
    return device if _abstract is None else _META


def _adopt(x: np.ndarray, target: torch.device, native: torch.dtype | None) -> torch.Tensor:
    """Share the array's memory where possible: a copy would cost on every batch."""
    # Torch takes neither negative strides nor memory that may not be written to.
    if (not x.flags.forc and any(stride < 0 for stride in x.strides)) or not x.flags.writeable:
        x = x.copy()
    if x.dtype.kind == "V":  # an extension type of numpy, unknown to torch
        shared = torch.from_numpy(x.view(np.uint16)).view(torch.bfloat16)
    else:
        shared = torch.from_numpy(x)
    if target == _CPU and (native is None or native is shared.dtype):
        return shared
    return shared.to(target, native or shared.dtype)


def to_numpy(x: Any) -> np.ndarray:
    x = x.detach()
    if x.device.type != "cpu":
        x = x.cpu()
    if x.dtype is torch.bfloat16:
        return x.view(torch.uint16).numpy().view(dtypes.numpy_dtype("bfloat16"))
    return x.resolve_conj().resolve_neg().numpy()


def cast(x: torch.Tensor, dtype: str) -> torch.Tensor:
    return x.to(NATIVE[dtype])


def stop_gradient(x: torch.Tensor) -> torch.Tensor:
    return x.detach()


def synchronize() -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def device_scope(kind: str, index: int) -> AbstractContextManager[Any]:
    chosen = torch.device(kind) if kind == "cpu" else torch.device(_KINDS.get(kind, kind), index)
    torch.empty(0, device=chosen)  # fails where there is none
    return _on_device(chosen)


_KINDS = {"gpu": "cuda"}


@contextmanager
def _on_device(chosen: torch.device) -> Iterator[None]:
    global device
    outer, device = device, chosen
    try:
        yield
    finally:
        device = outer


def describe_devices() -> list[str]:
    if device.type == "cuda":
        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [device.type]


def free_memory() -> None:
    if "torch._dynamo" in sys.modules:  # importing it takes seconds
        torch._dynamo.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def random_state() -> dict[str, Any]:
    states = {"cpu": to_numpy(torch.get_rng_state())}
    if torch.cuda.is_available():
        states |= {str(i): to_numpy(s) for i, s in enumerate(torch.cuda.get_rng_state_all())}
    return states


def restore_random_state(state: dict[str, Any]) -> None:
    states = {name: torch.from_numpy(np.array(words)) for name, words in state.items()}
    torch.set_rng_state(states.pop("cpu"))
    for name, words in states.items():
        torch.cuda.set_rng_state(words, int(name))


# --- variables -------------------------------------------------------------------------------


class TensorView:
    """Base of Variable: torch's own functions and operators take one for its tensor."""

    __slots__ = ()

    @classmethod
    def __torch_function__(
        cls, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        args, kwargs = tree.map_structure(_tensor_of, (args, kwargs or {}))
        return function(*args, **kwargs)


def _tensor_of(x: Any) -> Any:
    return x.value if isinstance(x, TensorView) else x


def new_storage(variable: Any, array: np.ndarray) -> None:
    """Give `variable` storage that holds `array`; parameters keep theirs for ever."""
    value = _adopt(np.array(array), device, NATIVE[variable.dtype])
    if variable.is_parameter:
        value = torch.nn.Parameter(value, requires_grad=variable.trainable)
    variable._storage = value
    if _abstract is not None:
        _abstract.hide(variable)


def read(variable: Any) -> torch.Tensor:
    return variable._storage


def assign(variable: Any, value: torch.Tensor) -> None:
    """Overwrite in place: the tensor's identity is what optimizers and DDP hold on to."""
    if _rehearsing:
        return
    storage = variable._storage
    if _tracing:
        _check_part_of_state(variable)
    if storage.requires_grad:
        with torch.no_grad():
            storage.copy_(value)
    else:
        storage.copy_(value.detach())


def _check_part_of_state(variable: Any) -> None:
    if type(variable._storage) in _REAL:
        raise not_in_state(variable.path)


def assign_add(variable: Any, value: Any) -> None:
    if _rehearsing:
        return
    storage = variable._storage
    if _tracing:
        _check_part_of_state(variable)
    if storage.requires_grad:
        with torch.no_grad():
            storage.add_(value)
    else:
        storage.add_(value.detach() if isinstance(value, torch.Tensor) else value)


def assign_zero(variable: Any) -> None:
    if not _rehearsing:
        with torch.no_grad():
            variable._storage.zero_()


def set_trainable(variable: Any, trainable: bool) -> None:
    if variable.is_parameter and variable._storage.is_floating_point():
        variable._storage.requires_grad_(trainable)


# --- abstract evaluation ---------------------------------------------------------------------

# Layers on small inputs are run for real, on these numbers of zeros in place of unknown sizes: an
# operation on meta tensors takes longer than on a few numbers, and the first one imports
# torch's compiler, which takes seconds.
_SMALL = (6, 10)
_LARGEST_REAL = 2**15
_rehearsing = False


def abstract_eval(fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Any]) -> Any:
    """What `fn(*tensors)` returns, with a Spec for every tensor."""
    if all(math.prod(n or 1 for n in s.shape) <= _LARGEST_REAL for s in specs):
        try:
            return trials.infer(lambda known: _run_small(fn, known), specs, _SMALL)
        except (RuntimeError, ValueError, IndexError) as error:
            # Perhaps only because the numbers were too small for a window or a reshape, or the
            # zeros that stand for values are no divisors.
            if all(None not in s.shape for s in specs) and "ZeroDivision" not in str(error):
                raise
    return trials.infer(lambda known: _run_meta(fn, known, variables), specs)


def _run_small(fn: Callable[..., Any], specs: list[Spec]) -> Any:
    global _rehearsing
    outer, _rehearsing = _rehearsing, True
    try:
        with torch.no_grad():
            return _specs_of(
                fn(*[torch.zeros(s.shape, dtype=NATIVE[s.dtype], device=device) for s in specs])
            )
    finally:
        _rehearsing = outer


class _Abstract:
    """While shapes are inferred, variables hold meta tensors; their real ones wait here."""

    def __init__(self) -> None:
        self.real: dict[int, tuple[Any, torch.Tensor]] = {}

    def hide(self, variable: Any) -> None:
        if id(variable) not in self.real:
            self.real[id(variable)] = (variable, variable._storage)
            variable._storage = variable._storage.detach().to("meta")


_abstract: _Abstract | None = None


def _run_meta(fn: Callable[..., Any], specs: list[Spec], variables: Sequence[Any]) -> Any:
    global _abstract
    outer, scope = _abstract, _abstract or _Abstract()
    _abstract = scope
    try:
        for variable in variables:
            scope.hide(variable)
        with _META, torch.no_grad():
            return _specs_of(fn(*[torch.empty(s.shape, dtype=NATIVE[s.dtype]) for s in specs]))
    finally:
        _abstract = outer
        if outer is None:
            for variable, storage in scope.real.values():
                variable._storage = storage


def _specs_of(structure: Any) -> Any:
    def spec(x: Any) -> Any:
        return Spec(tuple(x.shape), NAMES[x.dtype]) if isinstance(x, torch.Tensor) else x

    return tree.map_structure(spec, structure)


def call_without_values(fn: Callable[..., Any], specs: Sequence[Spec]) -> None:
    from torch._subclasses import FakeTensorMode  # imports torch's compiler

    with FakeTensorMode():
        fn(*[torch.empty(s.shape, dtype=NATIVE[s.dtype], device=device) for s in specs])


at_once = nullcontext


@contextmanager
def inference() -> Iterator[None]:
    """Work whose gradient nobody will ask for."""
    with torch.no_grad():
        yield


# --- modules ---------------------------------------------------------------------------------


class _Slots(dict):
    """Name → tensor of a layer's own variables. What torch writes here reaches the variables."""

    def __init__(self, variables: dict[str, Any]) -> None:
        super().__init__({name: v._storage for name, v in variables.items()})
        self._variables = variables

    def __setitem__(self, name: str, value: torch.Tensor) -> None:
        super().__setitem__(name, value)
        self._variables[name]._storage = value


class Host(torch.nn.Module):
    """Base of every Layer: a torch module whose tables are read from the layer's attributes.

    Attributes live in `__dict__` as in any Python object (so reading one costs nothing extra);
    torch's `parameters()`, `state_dict()`, `to()`, hooks and wrappers see them through the three
    tables below, computed when asked.
    """

    def __init__(self) -> None:
        super().__init__()

    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(type(self), name, None)
        if hasattr(found, "__get__"):  # it raised an AttributeError of its own, which says more
            return found.__get__(self, type(self))
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def _parameters(self) -> dict[str, Any]:
        return _Slots({n: v for n, v in self._own_named_variables() if v.is_parameter})

    @_parameters.setter
    def _parameters(self, value: dict) -> None:
        pass

    @property
    def _buffers(self) -> dict[str, Any]:
        return _Slots({n: v for n, v in self._own_named_variables() if not v.is_parameter})

    @_buffers.setter
    def _buffers(self, value: dict) -> None:
        pass

    @property
    def _modules(self) -> dict[str, Any]:
        return dict(self._named_children_of(torch.nn.Module))

    @_modules.setter
    def _modules(self, value: dict) -> None:
        pass
