"""A JAX training loop around an mlapi model: pure functions of the values of its variables.

`stateless_call` is the model as a function of them, `stateless_apply` the optimizer.

    MLAPI_BACKEND=jax python examples/loop_jax.py
"""

import sys
import time

import mlapi
from mlapi import layers

if mlapi.config.backend() != "jax":
    print("this example is JAX's: run it with MLAPI_BACKEND=jax")
    sys.exit()

import jax
import jax.numpy as jnp

mlapi.utils.set_random_seed(1)
(x, y), (x_test, y_test) = mlapi.datasets.digits.load_data()
x, x_test = (jnp.asarray(a.reshape(-1, 64) / 16, "float32") for a in (x, x_test))

model = mlapi.Sequential(
    [
        mlapi.Input((64,)),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(10),
    ]
)
optimizer = mlapi.optimizers.Adam(3e-3)
optimizer.build(model.trainable_variables)


def compute_loss(trainable, others, x, y):
    logits, others = model.stateless_call(trainable, others, x, training=True)
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
    return -picked.mean(), others


@jax.jit
def step(state, x, y):
    trainable, others, slots = state
    compute = jax.value_and_grad(compute_loss, has_aux=True)
    (loss, others), gradients = compute(trainable, others, x, y)
    trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
    return loss, (trainable, others, slots)


def values(variables):
    return [variable.value for variable in variables]


state = tuple(
    map(values, (model.trainable_variables, model.non_trainable_variables, optimizer.variables))
)
batches = [(x[i : i + 32], jnp.asarray(y[i : i + 32], "int32")) for i in range(0, len(x) - 31, 32)]
for epoch in range(10):
    start, total = time.perf_counter(), 0.0
    for batch in batches:
        loss, state = step(state, *batch)
        total += loss
    mean = float(total) / len(batches)
    micros = (time.perf_counter() - start) / len(batches) * 1e6
    print(f"epoch {epoch + 1}: loss {mean:.4f}, {micros:.0f} µs a step")

# The model has its first values still; from here on it is to have those that were learnt.
for variable, value in zip(model.trainable_variables, state[0], strict=True):
    variable.assign(value)
accuracy = float((model(x_test).argmax(1) == jnp.asarray(y_test)).mean())
print(f"test accuracy {accuracy:.1%}")
assert accuracy > 0.85
