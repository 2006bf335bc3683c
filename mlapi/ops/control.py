"""Into tensors and out of them, and control flow that compiles.

The functions passed to `cond`, `while_loop`, `fori_loop` and `scan` work on nests of tensors and
must not assign to Variables: where they are compiled, they run apart from the code around them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mlapi import dtypes, tree
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
    if isinstance(x, SymbolicTensor | Variable):
        return x.dtype
    if isinstance(x, np.ndarray | np.generic):
        return dtypes.standardize(x.dtype)
    return adapter.core.dtype_of(convert_to_tensor(x))


def _tensors(structure: Any) -> Any:
    return tree.map_structure(convert_to_tensor, structure)


def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Calls one of two functions.

    Args:
        pred: a scalar truth value.
        true_fn: called without arguments if it is true.
        false_fn: called if not. Both return nests of tensors of the same structure, shapes and
            dtypes.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cond(True, lambda: ops.ones((1,)), lambda: ops.zeros((1,))))
        array([1.], dtype=float32)
    """
    pred = cast(pred, "bool")
    return adapter.ops.cond(pred, lambda: _tensors(true_fn()), lambda: _tensors(false_fn()))


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Repeats `body` as long as `cond` holds.

    Args:
        cond: called with the loop variables, returns a scalar truth value.
        body: called with the loop variables, returns their next values, of the same structure,
            shapes and dtypes.
        loop_vars: their first values: a tuple or list, whose items are the arguments, or one
            tensor or dict, which is the only argument.
        maximum_iterations: end after so many at the latest.

    Returns:
        The last values, in the structure of `loop_vars`.

    Example:
        >>> from mlapi import ops
        >>> i, = ops.while_loop(lambda i: i < 5, lambda i: (i + 2,), (0,))
        >>> int(i)
        6
    """
    single = not isinstance(loop_vars, list | tuple)
    first = _tensors((loop_vars,) if single else tuple(loop_vars))

    def test(*values: Any) -> Any:
        return cast(cond(*values), "bool")

    def step(*values: Any) -> tuple[Any, ...]:
        out = body(*values)
        return _tensors((out,) if single else tuple(out))

    last = adapter.ops.while_loop(test, step, first, maximum_iterations)
    return last[0] if single else type(loop_vars)(last)


def fori_loop(lower: int, upper: int, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Calls `value = body_fun(i, value)` for `i` from `lower` up to, but without, `upper`.

    Args:
        lower: the first index; a number or scalar tensor, as is `upper`.
        upper: the end.
        body_fun: returns the next value, of the same structure, shapes and dtypes.
        init_val: the first value, a nest of tensors.

    Example:
        >>> from mlapi import ops
        >>> int(ops.fori_loop(0, 4, lambda i, total: total + i, 0))
        6
    """

    def step(i: Any, value: Any) -> tuple[Any, Any]:
        return i + 1, body_fun(i, value)

    return while_loop(lambda i, _: i < upper, step, (lower, init_val))[1]


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Goes through the first axis of `xs`, carrying a state along.

    Args:
        f: `(carry, x) -> (carry, y)`; the carry keeps its structure, shapes and dtypes.
        init: the first carry, a nest of tensors.
        xs: a nest of tensors with a first axis of the same size; None for none.
        length: the number of steps, needed where `xs` is None.
        reverse: whether to go from the last to the first; `ys` keep the places of their `xs`.
        unroll: how many steps a compiler may write out in one; a hint.

    Returns:
        The last carry, and the `ys` stacked along a new first axis.

    Example:
        >>> from mlapi import ops
        >>> total, sums = ops.scan(lambda c, x: (c + x, c + x), 0, ops.arange(4))
        >>> ops.convert_to_numpy(sums)
        array([0, 1, 3, 6], dtype=int32)
    """

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        carry, y = f(carry, x)
        return _tensors(carry), None if y is None else _tensors(y)

    xs = None if xs is None else _tensors(xs)
    return adapter.ops.scan(step, _tensors(init), xs, length, reverse, unroll)
