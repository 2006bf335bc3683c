"""Control flow and transformations of functions on tensorflow."""

# tensorflow's annotations lack what it takes: its own shapes, sizes not yet known, None.
# pyright: reportArgumentType=false, reportCallIssue=false, reportAssignmentType=false, reportOptionalOperand=false

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from mlapi import tree
from mlapi.backends.tensorflow import transforms
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
    if isinstance(count, int) and not transforms.under_xla:  # which unrolls as it likes
        size = min(count if unroll is True else int(unroll), count)
        if size > 1:
            return _scan_in_rounds(step, carry, xs, count, reverse, size)
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


def _scan_in_rounds(
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    xs: Any,
    count: int,
    reverse: bool,
    size: int,
) -> tuple[Any, Any]:
    """Several steps a round: a round of a loop costs as much as a few small operations."""
    like: list[Any] = []

    def several(carry: Any, rows: list[Tensor], steps: int) -> tuple[Any, list[Tensor]]:
        columns = [tf.unstack(row, steps) for row in rows]
        found: list[Any] = []
        for i in reversed(range(steps)) if reverse else range(steps):
            x = None if xs is None else tree.pack_sequence_as(xs, [each[i] for each in columns])
            carry, y = step(carry, x)
            found.append([leaf for leaf in tree.flatten(y) if leaf is not None])
            like[:] = [y]
        if reverse:
            found.reverse()
        return carry, [tf.stack(each) for each in zip(*found)]

    # The first round apart from the others: it tells what there is to collect, and takes as many
    # steps as leave whole rounds.
    first = (count - 1) % size + 1
    rounds = (count - first) // size
    border = count - first if reverse else first
    ahead, behind = slice(None, border), slice(border, None)
    near, far = (behind, ahead) if reverse else (ahead, behind)
    rows = [] if xs is None else tree.flatten(xs)
    carry, found = several(carry, [row[near] for row in rows], first)
    if rounds:
        given = [_array(tf.reshape(row[far], (rounds, size, *shape(row)[1:]))) for row in rows]
        kept = [
            tf.TensorArray(
                y.dtype, rounds + 1, infer_shape=False, element_shape=(None, *y.shape[1:])
            ).write(rounds if reverse else 0, y)
            for y in found
        ]

        def body(t: Tensor, carry: Any, kept: Any) -> tuple[Tensor, Any, Any]:
            i = rounds - 1 - t if reverse else t
            carry, ys = several(carry, [each.read(i) for each in given], size)
            place = i if reverse else i + 1
            return t + 1, carry, [array.write(place, y) for array, y in zip(kept, ys)]

        _, carry, kept = tf.while_loop(
            lambda t, *_: t < rounds, body, (0, carry, kept), maximum_iterations=rounds
        )
        shapes = [(count, *y.shape[1:]) for y in found]
        found = [tf.ensure_shape(each.concat(), size) for each, size in zip(kept, shapes)]
    leaves = iter(found)
    return carry, tree.map_structure(lambda y: y if y is None else next(leaves), like[0])


def _array(x: Tensor) -> tf.TensorArray:
    return tf.TensorArray(x.dtype, x.shape[0], element_shape=x.shape[1:]).unstack(x)


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
