"""A TensorFlow training loop around an mlapi model.

`Variable.native` is the `tf.Variable` in which a value is kept, for `tf.GradientTape`.

    MLAPI_BACKEND=tensorflow python examples/loop_tensorflow.py
"""

import sys
import time

import mlapi
from mlapi import layers

if mlapi.config.backend() != "tensorflow":
    print("this example is TensorFlow's: run it with MLAPI_BACKEND=tensorflow")
    sys.exit()

import tensorflow as tf

mlapi.utils.set_random_seed(1)
(x, y), (x_test, y_test) = mlapi.datasets.digits.load_data()
y, y_test = tf.constant(y, tf.int32), tf.constant(y_test, tf.int64)
x, x_test = (tf.constant(a.reshape(-1, 64) / 16, tf.float32) for a in (x, x_test))

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
weights = [variable.native for variable in model.trainable_variables]


@tf.function(reduce_retracing=True)
def step(x, y):
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
        loss = tf.reduce_mean(losses)
    optimizer.apply(tape.gradient(loss, weights), model.trainable_variables)
    return loss


batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(32, drop_remainder=True).cache()
for epoch in range(10):
    start, total = time.perf_counter(), 0.0
    for batch in batches:
        total += step(*batch)
    micros = (time.perf_counter() - start) / len(batches) * 1e6
    print(f"epoch {epoch + 1}: loss {total / len(batches):.4f}, {micros:.0f} µs a step")

accuracy = tf.reduce_mean(tf.cast(tf.argmax(model(x_test), 1) == y_test, tf.float32))
print(f"test accuracy {accuracy:.1%}")
assert accuracy > 0.85
