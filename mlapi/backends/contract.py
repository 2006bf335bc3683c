"""What an adapter must supply, as types.

An adapter is a package with a `NAME`, the modules below, and in `IMPLEMENTATIONS` the modules with
its operations. The names of the operations that it
must have are those declared with a `...` body in `mlapi.ops`; `mlapi.testing.check_backend`
proves them. Tensors, dtypes and storage are the framework's own and opaque to everybody else.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape and dtype of a tensor that is not there."""

    shape: tuple[int | None, ...]
    dtype: str


class Slot(Protocol):
    """What an adapter may know of a `Variable`."""

    _storage: Any
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    # Trainable at creation: storage that optimizers of the framework itself would look for.
    is_parameter: bool
    path: str


class Core(Protocol):
    """Tensors, storage, and the class that every Layer inherits."""

    # Exact types of tensors.
    native_types: set[type]
    # Those of them that the door lets straight through, by a quickly found key of their dtype.
    eager_types: set[type]

    def dtype_key(self, x: Any) -> Any: ...
    def is_input_error(self, error: Exception) -> bool:
        """Whether the framework raises it for arguments that do not fit together."""
        ...

    # Base class of Layer: a `torch.nn.Module`, a `tf.Module`, or a plain class.
    Host: type

    # Base class of Variable: the framework's protocol for objects that stand for a tensor.
    TensorView: type

    def is_tensor(self, x: object) -> bool: ...
    def is_module(self, x: object) -> bool:
        """Whether `x` is the framework's own kind of module, which may sit in a layer."""
        ...

    def dtype_of(self, x: Any) -> str: ...
    def native_dtype(self, dtype: str) -> Any: ...
    def shape_of(self, x: Any) -> tuple[int | None, ...]: ...
    def convert(self, x: Any, dtype: str | None = None) -> Any: ...
    def place(self, x: Any) -> Any:
        """A tensor, wherever it is, on the working device; nobody waits for the copy."""
        ...

    def number_like(self, x: complex, dtype: str, like: Any) -> Any:
        """A Python number as a tensor that can be computed with `like`; kept where that is safe."""
        ...

    def to_numpy(self, x: Any) -> np.ndarray: ...
    def cast(self, x: Any, dtype: str) -> Any: ...
    def stop_gradient(self, x: Any) -> Any: ...
    def synchronize(self) -> None: ...
    def device_scope(self, kind: str, index: int) -> AbstractContextManager[Any]:
        """A stretch of code in which new tensors are on a device, of kind "cpu" or "gpu" say.

        Raises RuntimeError or IndexError where there is none.
        """
        ...

    def describe_devices(self) -> list[str]: ...
    def free_memory(self) -> None:
        """Drop what the framework keeps of functions compiled and memory used before."""
        ...

    def random_state(self) -> dict[str, Any]:
        """Where the framework's own global generators are, as a nest of numbers and arrays."""
        ...

    def restore_random_state(self, state: dict[str, Any]) -> None: ...

    def new_storage(self, variable: Slot, array: np.ndarray) -> None: ...
    def read(self, variable: Slot) -> Any: ...
    def assign(self, variable: Slot, value: Any) -> None: ...
    def assign_add(self, variable: Slot, value: Any) -> None: ...
    def assign_zero(self, variable: Slot) -> None: ...
    def set_trainable(self, variable: Slot, trainable: bool) -> None: ...

    def abstract_eval(
        self, fn: Callable[..., Any], specs: Sequence[Spec], variables: Sequence[Slot]
    ) -> Any:
        """The result of `fn(*tensors)` with a `Spec` for every tensor, without the data.

        Shapes may have None for unknown sizes, in `specs` and in the result (`backends/trials.py`
        helps). `variables` are all that `fn` may read; ones that it creates must end up real,
        and nothing that it assigns may last.
        """
        ...

    def call_without_values(self, fn: Callable[..., Any], specs: Sequence[Spec]) -> None:
        """Call `fn` with tensors of known shapes that have no values; fails if it asks for one."""
        ...

    def inference(self) -> AbstractContextManager[None]: ...

    def at_once(self) -> AbstractContextManager[None]:
        """What runs inside has its values at once, even where a graph is being traced."""
        ...


class Transforms(Protocol):
    """Gradients and compilation of functions that read and assign Variables."""

    # Whether compiled functions must know all their Variables from the start.
    LIFTS_STATE: bool

    def is_tracing(self) -> bool:
        """Whether a step becomes part of a graph, where unread results cost nothing."""
        ...

    def guards_python(self) -> bool:
        """Whether Python state that changes now would be checked again at every call."""
        ...

    def value_and_grad(
        self, fn: Callable[..., Any], variables: Sequence[Slot] | None, has_aux: bool
    ) -> Callable[..., Any]: ...
    def remat(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """A pure function of tensors whose intermediate results are not kept for its gradient."""
        ...

    def jit(
        self, fn: Callable[..., Any], variables: Sequence[Slot], jit_compile: bool | None
    ) -> Callable[..., Any]: ...
    def step(
        self, fn: Callable[[Any], Any], variables: Sequence[Slot], jit_compile: bool | None
    ) -> Callable[[Any], Any]:
        """`fn` of one batch, which may hold NumPy arrays; `jit_compile=False`: not compiled."""
        ...

    def steps(
        self, fn: Callable[[Any], Any], variables: Sequence[Slot], jit_compile: bool | None
    ) -> Callable[[list[Any]], Any]:
        """`fn` of batches of one shape, one after the other in one call; what the last one gives.

        Where this is compiled, `fn` is traced once for all of them.
        """
        ...

    def profiler(self, folder: str | PathLike[str]) -> AbstractContextManager[None]:
        """What runs inside is traced, for `trace.json.gz` in the folder, which is made.

        The file is in the format of Chrome's traces: `traceEvents` with `name`, `ts` and `dur`.
        """
        ...


class Image(Protocol):
    """Kernels for images."""

    def bilinear(self, x: Any, sizes: tuple[int, int]) -> Any:
        """Images (batch, height, width, channels) at other sizes."""
        ...


class Control(Protocol):
    """Control flow and transformations; functions work on nests of tensors."""

    def cond(self, pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any: ...
    def switch(self, index: Any, branches: Sequence[Callable[[], Any]]) -> Any: ...
    def while_loop(
        self,
        test: Callable[..., Any],
        step: Callable[..., tuple[Any, ...]],
        values: tuple[Any, ...],
        maximum_iterations: int | None,
    ) -> tuple[Any, ...]: ...
    def scan(
        self,
        f: Callable[[Any, Any], tuple[Any, Any]],
        init: Any,
        xs: Any,
        length: int | None,
        reverse: bool,
        unroll: int | bool,
    ) -> tuple[Any, Any]: ...
    def vectorized_map(self, function: Callable[[Any], Any], elements: Any) -> Any: ...
    def jvp(self, fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any: ...
    def custom_gradient(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any: ...


class Arrays(Protocol):
    """What the bodies of ops on indices are made of, besides the ops of this module."""

    def host_int(self, x: Any) -> int | None:
        """The number in a scalar tensor, or None where it is not known while this is traced."""
        ...

    def accumulate(self, into: Any, ids: Any, rows: Any, how: str | None, sorted: bool) -> Any:
        """`into` with rows combined ("add", "mul", "max", "min") or replaced at `ids`, 1-d."""
        ...

    def windows(self, x: Any, axis: int, size: int, stride: int, dilation: int) -> Any:
        """The axis becomes two, all windows that fit and their elements."""
        ...

    def search(self, sorted_sequence: Any, values: Any, side: str) -> Any:
        """Where numbers belong, as int32; there are no NaN."""
        ...


class Linalg(Protocol):
    """Kernels for matrices in the last two axes; the ops have checked what they are given."""

    def cholesky(self, x: Any) -> Any: ...
    def det(self, x: Any) -> Any: ...
    def slogdet(self, x: Any) -> tuple[Any, Any]: ...
    def eig(self, x: Any) -> tuple[Any, Any]: ...
    def eigh(self, x: Any) -> tuple[Any, Any]: ...
    def inv(self, x: Any) -> Any: ...
    def lu_factor(self, x: Any) -> tuple[Any, Any]: ...
    def pinv(self, x: Any, rcond: float) -> Any: ...
    def qr(self, x: Any, mode: str) -> Any: ...
    def svd(self, x: Any, full_matrices: bool) -> Any: ...
    def svdvals(self, x: Any) -> Any: ...
    def solve(self, a: Any, b: Any) -> Any: ...
    def solve_triangular(self, a: Any, b: Any, lower: bool) -> Any: ...
    def norm(self, x: Any, ord: Any, axis: Any, keepdims: bool) -> Any: ...
    def conjugate(self, x: Any) -> Any: ...
    def eye(self, x: Any) -> Any:
        """Unit matrices of the shape of `x`."""
        ...


class Signal(Protocol):
    """Fourier transforms along the last axis, of complex tensors."""

    def complex_of(self, real: Any, imag: Any) -> Any: ...
    def parts(self, z: Any) -> tuple[Any, Any]: ...
    def frames(self, x: Any, length: int, stride: int) -> Any: ...
    def fft(self, z: Any) -> Any: ...
    def fft2(self, z: Any) -> Any: ...
    def ifft2(self, z: Any) -> Any: ...
    def rfft(self, x: Any, length: int) -> Any: ...
    def irfft(self, z: Any, length: int) -> Any: ...


class Optimizers(Protocol):
    """Updates of many variables at once."""

    # Arithmetic on lists of tensors, with the methods of `backends.bundles.Leaves`.
    Bundle: type
    # Name of a rule → its kernel `(rule, p, g, slots, lr, t, decay)`, which returns False where it
    # does not compute that rule with those arguments, having changed nothing.
    kernels: dict[str, Callable[..., bool]]

    def number(self, x: Any) -> Any:
        """A scalar as a Python number where the host knows it, else as a tensor."""
        ...

    def set_number(self, variable: Slot, value: Any) -> None: ...
    def snapshot(self, variable: Slot) -> Any:
        """The value of a variable, as a tensor that later assignments do not change."""
        ...

    def when(self, condition: Any, update: Callable[[], None], variables: Sequence[Slot]) -> None:
        """Call `update`, which assigns to `variables`, if the condition is true.

        It comes from `number`: inside a compiled step a tensor, whose value nobody waits for.
        """
        ...

    def keep_on_host(self, variable: Slot) -> None:
        """Move a scalar to where reading it waits for nothing."""
        ...

    def accept(self, gradients: Sequence[Any], variables: Sequence[Slot]) -> list[Any]:
        """The gradients as dense tensors; raises ShapeError unless shaped as the variables."""
        ...

    def unrecorded(self, function: Callable[..., None], *args: Any) -> None:
        """Call `function` with no gradient being recorded."""
        ...
