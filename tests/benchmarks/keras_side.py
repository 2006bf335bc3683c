"""The same by Keras 3 on the same backend, where Keras is installed."""

import importlib.metadata
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from tests.benchmarks import fitted


def installed() -> bool:
    """Whether Keras 3 can be imported (asked without importing it)."""
    if importlib.util.find_spec("keras") is None:
        return False
    return importlib.metadata.version("keras").startswith("3.")


def load() -> ModuleType:
    """Keras; its backend was chosen in the environment, before this process began."""
    import keras

    wanted, found = os.environ["MLAPI_BACKEND"], keras.backend.backend()
    if wanted != found:
        raise RuntimeError(f"Keras runs on {found} where {wanted} is timed; set KERAS_BACKEND.")
    return keras


def Program(*data: Any, **options: Any) -> fitted.Program:
    """A model of Keras, compiled."""
    return partial(fitted.Program, load())(*data, **options)


def adam(start: list[np.ndarray], grads: list[np.ndarray]) -> Callable[[], Any]:
    """One update of many variables, compiled as Keras's own training compiles it."""
    keras = load()
    optimizer = keras.optimizers.Adam()
    variables = [keras.Variable(x, name=f"w{i}") for i, x in enumerate(start)]
    optimizer.build(variables)
    tensors = [keras.ops.convert_to_tensor(g) for g in grads]
    if keras.backend.backend() == "torch":
        import torch

        def step() -> Any:
            with torch.no_grad():
                optimizer.apply(tensors, variables)

        return step
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        update = tf.function(lambda g: optimizer.apply(g, variables), autograph=False)
        return lambda: update(tensors)

    import jax

    update = jax.jit(optimizer.stateless_apply, donate_argnums=(0, 2))
    state = [[v.value for v in optimizer.variables], [v.value for v in variables]]

    def stateless() -> Any:
        state[1], state[0] = update(state[0], tensors, state[1])
        return state[1][-1]

    return stateless
