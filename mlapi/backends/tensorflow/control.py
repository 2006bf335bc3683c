"""Control flow and transformations of functions on tensorflow."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportAssignmentType=false, reportOptionalOperand=false

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from mlapi import tree
from mlapi.backends.tensorflow.ops import shape

Tensor = tf.Tensor

cond = tf.cond


def switch(index: Tensor, branches: Sequence[Callable[[], Any]]) -> Any:
    return tf.switch_case(tf.clip_by_value(index, 0, len(branches) - 1), list(branches))


def while_loop(
    test: Callable[..., Tensor],
    step: Callable[..., tuple[Any, ...]],
    values: tuple[Any, ...],
    maximum_iterations: int | None,
) -> tuple[Any, ...]:
    return tf.while_loop(test, step, values, maximum_iterations=maximum_iterations)


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any,
    length: int | None,
    reverse: bool,
    unroll: int | bool,
) -> tuple[Any, Any]:
    rows = [] if xs is None else tree.flatten(xs)
    count = shape(rows[0])[0] if rows else length
    given = [tf.TensorArray(x.dtype, count, element_shape=x.shape[1:]).unstack(x) for x in rows]

    def advance(t: Any, carry: Any) -> tuple[Any, Any, Any]:
        i = count - 1 - t if reverse else t
        x = None if xs is None else tree.pack_sequence_as(xs, [each.read(i) for each in given])
        return i, *step(carry, x)

    # The first step apart from the others: it tells what there is to collect.
    i, carry, y = advance(0, carry)
    leaves = [leaf for leaf in tree.flatten(y) if leaf is not None]
    out = [
        tf.TensorArray(leaf.dtype, count, element_shape=leaf.shape).write(i, leaf)
        for leaf in leaves
    ]

    def body(t: Tensor, carry: Any, out: Any) -> tuple[Tensor, Any, Any]:
        i, carry, y = advance(t, carry)
        return t + 1, carry, [array.write(i, leaf) for array, leaf in zip(out, tree.flatten(y))]

    # XLA differentiates loops of a known length only.
    loop = tf.while_loop(
        lambda t, *_: t < count, body, (1, carry, out), maximum_iterations=count - 1
    )
    _, carry, out = loop
    if not leaves:
        return carry, y
    return carry, tree.pack_sequence_as(y, [array.stack() for array in out])


# --- transformations -----------------------------------------------------------------------------


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    return tf.vectorized_map(function, elements)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    with tf.autodiff.ForwardAccumulator(list(primals), list(tangents)) as accumulator:
        out = fun(*primals)
    value, aux = out if has_aux else (out, None)
    slope = tree.map_structure(lambda y: accumulator.jvp(y, tf.UnconnectedGradients.ZERO), value)
    return (value, slope, aux) if has_aux else (value, slope)


def custom_gradient(function: Callable[..., Any], args: tuple[Tensor, ...]) -> Any:
    return tf.custom_gradient(function)(*args)
