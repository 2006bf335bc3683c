"""A training loop of one's own, written once for all backends.

`mlapi.value_and_grad` differentiates a plain function with respect to Variables, the optimizer
applies the gradients, and `mlapi.jit` compiles the step with everything that it changes.

    MLAPI_BACKEND=jax python examples/custom_loop.py
"""

import time

import mlapi
from mlapi import layers, ops

mlapi.utils.set_random_seed(1)
(x, y), (x_test, y_test) = mlapi.datasets.digits.load_data()
x, x_test = x.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16

model = mlapi.Sequential(
    [
        mlapi.Input((64,)),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(10),
    ]
)
loss = mlapi.losses.SparseCategoricalCrossentropy(from_logits=True)
mean = mlapi.metrics.Mean()
optimizer = mlapi.optimizers.Adam(3e-3)
variables = model.trainable_variables  # which are searched for at each look
optimizer.build(variables)  # a compiled step must know all that it changes


def train_step(x, y):
    def compute():
        return loss(y, model(x, training=True))

    value, gradients = mlapi.value_and_grad(compute, variables)()
    optimizer.apply(gradients, variables)
    mean.update_state(value)


step = mlapi.jit(train_step, [model, optimizer, mean])
batches = [
    (ops.convert_to_tensor(x[i : i + 32], "float32"), ops.convert_to_tensor(y[i : i + 32], "int32"))
    for i in range(0, len(x) - 31, 32)
]
for epoch in range(10):
    start = time.perf_counter()
    mean.reset_state()
    for batch in batches:
        step(*batch)
    micros = (time.perf_counter() - start) / len(batches) * 1e6
    print(f"epoch {epoch + 1}: loss {float(mean.result()):.4f}, {micros:.0f} µs a step")

guess = ops.argmax(model(ops.convert_to_tensor(x_test, "float32")), axis=1)
accuracy = float(ops.mean(ops.cast(ops.equal(guess, y_test), "float32")))
print(f"test accuracy {accuracy:.1%}")
assert accuracy > 0.85
