"""Control flow that compiles.

The functions passed to `cond`, `while_loop`, `scan` and the like work on nests of tensors and
must not assign to Variables: where they are compiled, they run apart from the code around them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlapi import tree
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ShapeError
from mlapi.graph import SymbolicTensor, registry
from mlapi.ops.conversion import convert_to_tensor, dtype
from mlapi.ops.elementwise import cast
from mlapi.ops.logical import where
from mlapi.ops.shape import concatenate, flip, moveaxis, reshape, stack
from mlapi.types import TensorLike


def _tensors(structure: Any) -> Any:
    return tree.map_structure(convert_to_tensor, structure)


def _zeros(shape: Any, like: Any) -> Any:
    return convert_to_tensor(np.zeros(shape), dtype(like))


def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Calls one of two functions.

    Args:
        pred: a scalar truth value.
        true_fn: called without arguments if it is true.
        false_fn: called if not. Both return nests of tensors of the same structure, shapes and
            dtypes. Where `pred` is symbolic, or what they return is, both become part of the
            model and the result is chosen at last.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.cond(True, lambda: ops.ones((1,)), lambda: ops.zeros((1,))))
        array([1.], dtype=float32)
    """
    if isinstance(pred, bool | int | float | np.generic):
        return _tensors(true_fn() if pred else false_fn())
    truth = cast(pred, "bool")
    if isinstance(truth, SymbolicTensor):
        return tree.map_structure(lambda a, b: where(truth, a, b), true_fn(), false_fn())
    return adapter.control.cond(truth, lambda: _tensors(true_fn()), lambda: _tensors(false_fn()))


def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Calls one of several functions.

    Args:
        index: a scalar integer; below 0 it counts as 0, and above the last as the last.
        branches: they return nests of tensors of the same structure, shapes and dtypes.
        *operands: arguments of whichever is called.

    Example:
        >>> from mlapi import ops
        >>> int(ops.switch(1, [lambda x: x + 1, lambda x: x * 10], 5))
        50
    """
    if not branches:
        raise ArgumentError("switch: branches must not be empty.")
    given = _tensors(operands)
    calls = [lambda f=f: _tensors(f(*given)) for f in branches]
    return adapter.control.switch(cast(index, "int32"), calls)


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

    last = adapter.control.while_loop(test, step, first, maximum_iterations)
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
    if isinstance(lower, int) and isinstance(upper, int):  # so that all backends have a gradient
        indices = registry["arange"](lower, max(lower, upper), dtype="int32")
        return scan(lambda value, i: (body_fun(i, value), None), init_val, indices)[0]

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
    carry, xs = _tensors(init), None if xs is None else _tensors(xs)
    rows = [x for x in tree.flatten(xs) if x is not None]
    # A size may be unknown while a function is traced.
    sizes = {x.shape[0] if len(x.shape) else -1 for x in rows} - {None}
    sizes |= set() if length is None else {length}
    if len(sizes) > 1 or -1 in sizes or (not rows and length is None):
        raise ShapeError(
            "scan: xs must have a first axis, of the same size in all, or a length must be given; "
            f"received shapes {[tuple(x.shape) for x in rows]} and length={length}."
        )

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        carry, y = f(carry, x)
        return _tensors(carry), None if y is None else _tensors(y)

    if sizes == {0}:  # one step with zeros tells what the empty results look like
        ys = step(carry, tree.map_structure(lambda x: _zeros(x.shape[1:], x), xs))[1]
        return carry, tree.map_structure(lambda y: y if y is None else _zeros((0, *y.shape), y), ys)
    return adapter.control.scan(step, carry, xs, length, reverse, unroll)


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of every row of `xs`, one after another, the results stacked.

    Args:
        f: takes a nest of rows as `xs` is one of tensors, and returns a nest of tensors.
        xs: a nest of tensors with a first axis of the same size.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.map(lambda row: ops.sum(row), ops.ones((2, 3))))
        array([3., 3.], dtype=float32)
    """
    return scan(lambda carry, x: (carry, f(x)), 0, xs)[1]


def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """What `f` makes of the elements up to each place, in about `2 log2(n)` steps.

    Blelloch, "Prefix sums and their applications", 1990.

    Args:
        f: associative, `f(f(a, b), c) == f(a, f(b, c))`; of two nests with many elements along
            `axis`, each with its counterpart.
        elems: a nest of tensors of the same size along `axis`.
        reverse: whether to begin with the last.
        axis: of the elements.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.associative_scan(ops.add, ops.arange(5)))
        array([ 0,  1,  3,  6, 10], dtype=int32)
    """
    elems = _tensors(elems)
    leaves = [moveaxis(x, axis, 0) for x in tree.flatten(elems)]
    if len({x.shape[0] for x in leaves}) != 1:
        raise ShapeError(
            f"associative_scan: all must have the same size along axis {axis}, received shapes "
            f"{[tuple(x.shape) for x in tree.flatten(elems)]}."
        )

    def back(leaves: list[Any]) -> Any:
        return tree.pack_sequence_as(elems, [moveaxis(x, 0, axis) for x in leaves])

    def combine(before: list[Any], after: list[Any]) -> list[Any]:
        found = tree.flatten(_tensors(f(back(before), back(after))))
        return [moveaxis(x, axis, 0) for x in found]

    leaves = [flip(x, 0) for x in leaves] if reverse else leaves
    leaves = _prefixes(combine, leaves)
    return back([flip(x, 0) for x in leaves] if reverse else leaves)


def _prefixes(combine: Callable[[list[Any], list[Any]], list[Any]], xs: list[Any]) -> list[Any]:
    """Those up to odd places are the prefixes of pairs; of these come those up to even places."""
    size = xs[0].shape[0]
    if size < 2:
        return xs
    odd = _prefixes(combine, combine([x[:-1:2] for x in xs], [x[1::2] for x in xs]))
    even = [x[:1] for x in xs]
    if size > 2:
        rest = combine([x[: (size - 1) // 2] for x in odd], [x[2::2] for x in xs])
        even = [concatenate([a, b]) for a, b in zip(even, rest, strict=True)]
    return [_interleaved(a, b) for a, b in zip(even, odd, strict=True)]


def _interleaved(a: Any, b: Any) -> Any:
    """The rows of both in turn; `a` may have one more."""
    count = b.shape[0]
    both = reshape(stack([a[:count], b], 1), (2 * count, *tuple(a.shape)[1:]))
    return concatenate([both, a[count:]])
