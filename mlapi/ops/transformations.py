"""Functions of functions: their derivatives and their vectorized forms."""

import functools
from collections.abc import Callable
from typing import Any

from mlapi import tree
from mlapi.backends import adapter
from mlapi.errors import ArgumentError
from mlapi.graph import SymbolicTensor, record
from mlapi.ops.conversion import convert_to_tensor
from mlapi.transforms import as_differentiable


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` of every row, all at once, the results stacked.

    Args:
        function: takes a nest of rows as `elements` is one of tensors, and returns a nest of
            tensors. It is called once, with the ops of the framework standing for all rows.
        elements: a nest of tensors with a first axis of the same size.

    Example:
        >>> from mlapi import ops
        >>> ops.convert_to_numpy(ops.vectorized_map(lambda row: ops.sum(row), ops.ones((2, 3))))
        array([3., 3.], dtype=float32)
    """

    def run(row: Any) -> Any:
        return tree.map_structure(convert_to_tensor, function(row))

    return adapter.control.vectorized_map(run, tree.map_structure(convert_to_tensor, elements))


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """`fun(*primals)`, and its change along `tangents`: the product of Jacobian and vector.

    Args:
        fun: returns a nest of tensors, or `(nest, aux)` if `has_aux`.
        primals: tuple or list of the arguments, nests of floating-point tensors.
        tangents: of the same structure and shapes.
        has_aux: whether `fun` returns something beside, which is passed through.

    Returns:
        `(value, change)`, or `(value, change, aux)`.

    Example:
        >>> from mlapi import ops
        >>> value, change = ops.jvp(ops.square, (3.0,), (1.0,))
        >>> float(value), float(change)
        (9.0, 6.0)
    """
    if len(primals) != len(tangents):
        raise ArgumentError(
            f"jvp: as many tangents as primals are needed, received {len(tangents)} and "
            f"{len(primals)}."
        )
    points, directions = (
        tree.map_structure(as_differentiable, tuple(x)) for x in (primals, tangents)
    )
    return tuple(adapter.control.jvp(fun, points, directions, has_aux))


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a function that knows its own gradient.

    Args:
        f: takes tensors by position and returns `(value, gradient)`. `gradient` gets one tensor
            for each tensor of the value, the gradient of what comes after, and returns one for
            each argument. Variables that are to have gradients must be arguments.

    Example:
        >>> import mlapi
        >>> from mlapi import ops
        >>> @ops.custom_gradient
        ... def straight_through(x):
        ...     return ops.round(x), lambda upstream: upstream
        >>> float(mlapi.grad(straight_through)(1.7))
        1.0
    """

    @functools.wraps(f)
    def run(*args: Any) -> Any:
        if any(isinstance(x, SymbolicTensor) for x in args):
            return record(run, args, {})
        return adapter.control.custom_gradient(with_tensors, tuple(map(convert_to_tensor, args)))

    def with_tensors(*args: Any) -> Any:
        value, gradient = f(*args)

        def back(*upstream: Any) -> tuple[Any, ...]:
            found = gradient(*upstream)
            found = tuple(found) if isinstance(found, list | tuple) else (found,)
            if len(found) != len(args):
                raise ArgumentError(
                    f"custom_gradient: {f.__name__} has {len(args)} arguments, and its gradient "
                    f"function returned {len(found)} gradients."
                )
            return tuple(convert_to_tensor(x) for x in found)

        return tree.map_structure(convert_to_tensor, value), back

    return run
