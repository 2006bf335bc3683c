"""Gradients and compilation on tensorflow."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# Whether a gradient tape is open around us: then the function must be one that it can follow.
from tensorflow.python.pywrap_tfe import TFE_Py_TapeSetIsEmpty

from mlapi import tree
from mlapi.backends.tensorflow import profiling
from mlapi.backends.tensorflow.core import convert, from_host
from mlapi.errors import not_scalar

profiler = profiling.profiler

# A traced function cannot make Variables: they must all exist.
LIFTS_STATE = True


def is_tracing() -> bool:
    """Steps are compiled here, where unread results cost nothing."""
    return True


def guards_python() -> bool:
    """Tracing here leaves no checks behind."""
    return False


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
            if loss.shape.rank:
                raise not_scalar(loss.shape)
        grads = tape.gradient(loss, points, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        grads = [tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g for g in grads]
        if variables is None:
            grads = tree.pack_sequence_as(args[0], grads)
        return ((loss, aux), grads) if has_aux else (loss, grads)

    return run


remat = tf.recompute_grad

# Whether what is traced is for XLA, which lacks some kernels.
under_xla = False


def _traced_for_xla(fn: Callable[..., Any]) -> Callable[..., Any]:
    def traced(*args: Any, **kwargs: Any) -> Any:
        global under_xla
        outer, under_xla = under_xla, True
        try:
            return fn(*args, **kwargs)
        finally:
            under_xla = outer

    return traced


def jit(fn: Callable[..., Any], variables: Sequence[Any], jit_compile: bool | None) -> Callable:
    """A graph for each structure, shape and dtype of the arguments, called without ceremony.

    `tf.function` spends more on binding and looking up its arguments than a small step takes to
    run; here the graph is found by a plain tuple and called with its flat tensors.
    """
    if jit_compile:
        fn = _traced_for_xla(fn)
    whole = tf.function(fn, jit_compile=jit_compile or None, autograph=False)
    graphs: dict[Any, _Graph] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        if not tf.executing_eagerly() or not TFE_Py_TapeSetIsEmpty():
            return whole(*args, **kwargs)
        tensors: list[Any] = []
        key = _key((args, kwargs), tensors)
        graph = graphs.get(key)
        if graph is None:
            graph = graphs[key] = _Graph(fn, (args, kwargs), jit_compile)
        return graph(tensors)

    return call


def _key(x: Any, tensors: list[Any]) -> Any:
    """What a graph is made for: structure, shapes, dtypes, other values. Collects the tensors."""
    if isinstance(x, (np.ndarray, tf.Tensor)):
        tensors.append(x)
        return x.shape, x.dtype
    if isinstance(x, (tuple, list)):
        return type(x), *[_key(item, tensors) for item in x]
    if isinstance(x, dict):
        return dict, *[(name, _key(item, tensors)) for name, item in x.items()]
    return type(x), x


class _Graph:
    """One traced graph of `fn`, for one structure of arguments."""

    def __init__(self, fn: Callable[..., Any], structure: Any, jit_compile: bool | None) -> None:
        flat = tree.flatten(structure)
        self._places = [i for i, x in enumerate(flat) if isinstance(x, (tf.Tensor, np.ndarray))]

        def flat_fn(*tensors: Any) -> Any:
            filled = list(flat)
            for i, tensor in zip(self._places, tensors, strict=True):
                filled[i] = tensor
            args, kwargs = tree.pack_sequence_as(structure, filled)
            return fn(*args, **kwargs)

        specs = [tf.TensorSpec(flat[i].shape, flat[i].dtype) for i in self._places]
        traced = tf.function(flat_fn, jit_compile=jit_compile or None, autograph=False)
        self._concrete = traced.get_concrete_function(*specs)
        self._captured = list(self._concrete.captured_inputs)
        inference = getattr(self._concrete, "inference_fn", None)
        self._call = getattr(inference, "call_preflattened", None)
        flat[:] = [None if i in self._places else x for i, x in enumerate(flat)]

    def __call__(self, tensors: list[Any]) -> Any:
        tensors = [from_host(x) if type(x) is np.ndarray else x for x in tensors]
        if self._call is None:
            return self._concrete(*tensors)
        return self._call(tensors + self._captured)


def step(fn: Callable[[Any], Any], variables: Sequence[Any], jit_compile: bool | None) -> Callable:
    """`fn` of one batch, which may hold NumPy arrays."""
    if jit_compile is False:
        return lambda batch: fn(tree.map_structure(_tensor, batch))
    return jit(fn, variables, jit_compile)


def steps(
    fn: Callable[[Any], Any], variables: Sequence[Any], jit_compile: bool | None
) -> Callable[[list[Any]], Any]:
    """A `tf.while_loop` around one traced step."""

    def looped(batches: Any) -> Any:
        flat = tree.flatten(batches)
        rows = [tf.gather(x, 0) if isinstance(x, tf.Tensor) else x for x in flat]
        traced = tf.function(fn, autograph=False)
        one = traced.get_concrete_function(tree.pack_sequence_as(batches, rows))
        outputs = tree.flatten(one.structured_outputs)
        first = [tf.zeros(x.shape, x.dtype) for x in outputs if x is not None]

        def body(i: Any, *_: Any) -> list[Any]:
            out = one(*[tf.gather(x, i) for x in flat if isinstance(x, tf.Tensor)])
            return [i + 1, *(x for x in tree.flatten(out) if x is not None)]

        count = next(x.shape[0] for x in flat if isinstance(x, tf.Tensor))
        _, *last = tf.while_loop(lambda i, *_: i < count, body, [0, *first])
        rest = iter(last)
        return tree.map_structure(lambda x: x if x is None else next(rest), one.structured_outputs)

    run = jit(looped, variables, jit_compile)
    return lambda batches: run(tree.map_structure(_stacked, *batches))


def _stacked(*parts: Any) -> Any:
    if parts[0] is None:
        return None
    return (np if isinstance(parts[0], np.ndarray) else tf).stack(parts)


def _tensor(x: Any) -> Any:
    return convert(x) if x is not None else None
