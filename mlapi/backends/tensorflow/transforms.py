"""Gradients and compilation on tensorflow."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from mlapi import tree


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Any] | None, has_aux: bool
) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            if variables is None:
                points = tree.flatten(args[0])
            else:
                points = [v._storage for v in variables]
            for point in points:
                tape.watch(point)
            out = fn(*args, **kwargs)
            loss, aux = out if has_aux else (out, None)
        grads = tape.gradient(loss, points, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        grads = [
            tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g for g in grads
        ]
        if variables is None:
            grads = tree.pack_sequence_as(args[0], grads)
        return ((loss, aux), grads) if has_aux else (loss, grads)

    return run


def jit(fn: Callable[..., Any], variables: Sequence[Any], jit_compile: bool | None) -> Callable:
    return tf.function(fn, jit_compile=jit_compile or None, autograph=False)
