"""Gradients and compilation of plain functions that read and assign Variables."""

from collections.abc import Callable, Sequence
from typing import Any

from mlapi import dtypes, tree
from mlapi.backends import adapter
from mlapi.errors import ArgumentTypeError
from mlapi.state import StatelessScope, Variable, collect


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Variable] | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that computes `fn` and its gradient.

    `fn` may assign to Variables (moving averages, seeds): they keep what was assigned. Gradients
    nest, so a gradient penalty is a `grad` inside a `value_and_grad`.

    Args:
        fn: returns a scalar, or `(scalar, aux)` if `has_aux`.
        variables: with respect to these; by default to the first argument, a tensor or a nest
            of tensors; NumPy arrays and numbers become tensors.
        has_aux: whether `fn` returns something beside the scalar, which is passed through.

    Raises:
        ShapeError: what `fn` returns is no scalar.

    Returns:
        A function with the arguments of `fn` that returns `(value, gradients)`, or
        `((value, aux), gradients)`. Gradients come as a list, one for each variable, or in the
        structure of the first argument; what the value does not depend on has gradient zero.

    Example:
        >>> import mlapi
        >>> w = mlapi.Variable(3.0)
        >>> value, (g,) = mlapi.value_and_grad(lambda: w * w, [w])()
        >>> float(value), float(g)
        (9.0, 6.0)
    """
    run = adapter.transforms.value_and_grad(fn, _variables(variables), has_aux)
    if variables is not None:
        return run

    def with_tensors(point: Any, *args: Any, **kwargs: Any) -> Any:
        return run(tree.map_structure(as_differentiable, point), *args, **kwargs)

    return with_tensors


def grad(
    fn: Callable[..., Any], variables: Sequence[Variable] | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """As `value_and_grad`, but the function returns the gradients only, or `(gradients, aux)`.

    Example:
        >>> import mlapi
        >>> float(mlapi.grad(lambda x: x**3)(mlapi.ops.convert_to_tensor(2.0)))
        12.0
    """
    both = value_and_grad(fn, variables, has_aux)

    def run(*args: Any, **kwargs: Any) -> Any:
        value, grads = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return run


def jit(
    fn: Callable[..., Any], state: Any = (), *, jit_compile: bool | None = None
) -> Callable[..., Any]:
    """Compile a function that reads and assigns Variables.

    On jax this is one `jax.jit` with the state donated, on tensorflow a `tf.function`; on torch
    the function runs eagerly unless `jit_compile=True` asks for more: then it is traced, by running
    it once on stand-ins, and TorchInductor compiles the graph.

    Args:
        fn: a function of tensors, or nests of tensors, that returns a nest of tensors.
        state: everything with Variables that `fn` reads or assigns: Variables, layers, optimizers,
            metrics, or lists or dicts of them. They must be built.
        jit_compile: None for the backend's default; True for its strongest compiler (XLA on
            tensorflow, TorchInductor on torch); False for its weakest.

    Example:
        >>> import mlapi
        >>> count = mlapi.Variable(0.0)
        >>> step = mlapi.jit(lambda x: count.assign_add(x), [count])
        >>> for _ in range(3): step(mlapi.ops.convert_to_tensor(2.0))
        >>> float(count)
        6.0
    """
    return adapter.transforms.jit(fn, collect(state), jit_compile)


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that computes its intermediate results anew when its gradient is taken.

    They need not be kept then: memory for time (Chen et al., "Training deep nets with sublinear
    memory cost", 2016, arXiv:1604.06174). What `f` assigns to Variables it assigns once.

    Args:
        f: a function of tensors, or nests of tensors, that returns a nest of tensors; it may read
            and assign Variables.

    Example:
        >>> import mlapi
        >>> x = mlapi.ops.convert_to_tensor(0.0)
        >>> float(mlapi.grad(mlapi.remat(lambda x: mlapi.ops.sin(mlapi.ops.sin(x))))(x))
        1.0
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        before: dict[Variable, Any] = {}  # what the first run assigned to, and what it found there
        runs = 0

        def pure(*tensors: Any) -> tuple[Any, list[Any]]:
            nonlocal runs
            runs += 1
            given = tree.pack_sequence_as((args, kwargs), _filled(flat, tensors))
            with StatelessScope(before.items()) as scope:
                out = f(*given[0], **given[1])
            if runs == 1:
                before.update((v, v.value * 1) for v, _ in scope.updates)
            return out, [value for _, value in scope.updates]

        flat = tree.flatten((args, kwargs))
        tensors = [x for x in flat if adapter.core.is_tensor(x)]
        out, new = adapter.transforms.remat(pure)(*tensors)
        for variable, value in zip(list(before), new, strict=True):
            variable.assign(value)
        return out

    return run


def _filled(flat: list[Any], tensors: Sequence[Any]) -> list[Any]:
    rest = iter(tensors)
    return [next(rest) if adapter.core.is_tensor(x) else x for x in flat]


def as_differentiable(x: Any) -> Any:
    """A tensor of `x`, of floats if it was none before."""
    if type(x) is Variable:
        x = x.value
    if adapter.core.is_tensor(x):
        return x
    return adapter.core.convert(x, dtypes.to_float(getattr(x, "dtype", type(x))))


def _variables(variables: Sequence[Variable] | None) -> list[Variable] | None:
    if variables is None:
        return None
    variables = list(variables)
    for variable in variables:
        if type(variable) is not Variable:
            raise ArgumentTypeError(
                "`variables` must be mlapi Variables, for instance `layer.trainable_variables`; "
                f"got {type(variable).__name__}. For the gradient with respect to tensors, "
                "pass them as the function's first argument and leave `variables` out."
            )
    return variables
