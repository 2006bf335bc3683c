"""The loop as it is written by hand in TensorFlow: one `tf.function` over variables."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np
import tensorflow as tf

from tests.benchmarks import native_recurrence, workloads
from tests.benchmarks.workloads import Workload


class Program:
    """Hands batches to the compiled step; the metrics are variables that are read at the end.

    Args:
        kernel: whether Adam is TensorFlow's own kernel, or written with `assign`.
        jit: whether the step is compiled by XLA.
        recurrence: how recurrent layers are written: a function of `native_recurrence`.
    """

    def __init__(
        self,
        workload: Workload,
        inputs: np.ndarray,
        labels: np.ndarray,
        *,
        kernel: bool = True,
        jit: bool = False,
        recurrence: Callable[..., tf.Tensor] = native_recurrence.unrolled,
    ) -> None:
        self.workload, self.kernel, self.recurrence = workload, kernel, recurrence
        self.random = np.random.default_rng()
        self.inputs, self.labels = inputs, labels
        self.moving: list[tf.Variable] = []
        self.params: list[tf.Variable] = []
        values = iter(workloads.weights(workload))
        for kind, *_ in workload.layers:
            count = {"dense": 2, "conv": 2, "batch_norm": 2, "transformer": 16}.get(kind, 0)
            count = 3 if kind in workloads.GATES else count
            self.params += [tf.Variable(next(values)) for _ in range(count)]
            if kind == "batch_norm":
                self.moving += [tf.Variable(next(values)), tf.Variable(next(values))]
        self.first = [tf.Variable(tf.zeros_like(p)) for p in self.params]
        self.second = [tf.Variable(tf.zeros_like(p)) for p in self.params]
        self.count, self.loss = tf.Variable(0.0), tf.Variable(0.0)
        self.hits = tf.Variable(0, dtype=tf.int64)
        self.step = tf.function(self.train_step, autograph=False, jit_compile=jit)
        self.infer = tf.function(self.forward, autograph=False, jit_compile=jit)
        self.test = tf.function(self.test_step, autograph=False, jit_compile=jit)

    def forward(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        values, averages = iter(self.params), iter(self.moving)
        for kind, *_ in self.workload.layers:
            if kind == "dense":
                x = x @ next(values) + next(values)
            elif kind == "conv":
                x = tf.nn.bias_add(tf.nn.conv2d(x, next(values), 1, "VALID"), next(values))
            elif kind == "batch_norm":
                variables = (next(values), next(values), next(averages), next(averages))
                x = self.normalize(x, training, *variables)
            elif kind == "max_pool":
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            elif kind == "flatten":
                x = tf.reshape(x, (-1, np.prod(x.shape[1:])))
            elif kind in workloads.GATES:
                x = self.recurrence(kind, x, next(values), next(values), next(values))
            elif kind == "transformer":
                x = transform(x, [next(values) for _ in range(16)])
            elif kind == "mean":
                x = tf.reduce_mean(x, 1)
            else:
                x = tf.nn.relu(x)
        return x

    def normalize(self, x: tf.Tensor, training: bool, *variables: tf.Variable) -> tf.Tensor:
        gamma, beta, moving_mean, moving_variance = variables
        if not training:
            return tf.compat.v1.nn.fused_batch_norm(
                x, *variables, epsilon=workloads.BN_EPSILON, is_training=False
            )[0]
        x, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            x, gamma, beta, epsilon=workloads.BN_EPSILON, is_training=True
        )
        rate = 1 - workloads.BN_MOMENTUM
        moving_mean.assign_sub(rate * (moving_mean - mean))
        moving_variance.assign_sub(rate * (moving_variance - variance))
        return x

    def train_step(self, x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            logits = self.forward(x, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
            loss = tf.reduce_mean(losses)
        grads = tape.gradient(loss, self.params)
        self.update(grads)
        size = tf.shape(y)[0]
        self.loss.assign_add(loss * tf.cast(size, "float32"))
        self.hits.assign_add(tf.math.count_nonzero(tf.argmax(logits, 1) == y))

    def test_step(self, x: tf.Tensor, y: tf.Tensor) -> None:
        logits = self.forward(x)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        self.loss.assign_add(tf.reduce_sum(losses))
        self.hits.assign_add(tf.math.count_nonzero(tf.argmax(logits, 1) == y))

    def update(self, grads: list[tf.Tensor]) -> None:
        beta_1, beta_2 = workloads.BETA_1, workloads.BETA_2
        count = self.count.assign_add(1.0)
        power_1, power_2 = beta_1**count, beta_2**count
        rate = workloads.LEARNING_RATE * tf.sqrt(1 - power_2) / (1 - power_1)
        for p, m, v, g in zip(self.params, self.first, self.second, grads):
            if self.kernel:
                tf.raw_ops.ResourceApplyAdam(
                    var=p.handle,
                    m=m.handle,
                    v=v.handle,
                    beta1_power=power_1,
                    beta2_power=power_2,
                    lr=workloads.LEARNING_RATE,
                    beta1=beta_1,
                    beta2=beta_2,
                    epsilon=workloads.EPSILON,
                    grad=g,
                )
            else:
                m.assign_add((g - m) * (1 - beta_1))
                v.assign_add((g * g - v) * (1 - beta_2))
                p.assign_sub(rate * m / (tf.sqrt(v) + workloads.EPSILON))

    def epoch(self, count: int | None = None) -> tuple[float, float]:
        """Mean loss and accuracy of one epoch over the first `count` samples."""
        order = self.random.permutation(count or len(self.inputs))
        batch = self.workload.batch
        self.loss.assign(0.0)
        self.hits.assign(0)
        for start in range(0, len(order), batch):
            index = order[start : start + batch]
            self.step(tf.constant(self.inputs[index]), tf.constant(self.labels[index]))
        return float(self.loss) / len(order), int(self.hits) / len(order)

    def train_on_batch(self) -> tuple[float, float]:
        """Loss and accuracy of one step on the first batch."""
        batch = self.workload.batch
        self.loss.assign(0.0)
        self.hits.assign(0)
        self.step(tf.constant(self.inputs[:batch]), tf.constant(self.labels[:batch]))
        return float(self.loss) / batch, int(self.hits) / batch

    def predict(self) -> np.ndarray:
        """Logits of all samples."""
        batch = self.workload.batch
        outputs = [
            self.infer(tf.constant(self.inputs[start : start + batch]))
            for start in range(0, len(self.inputs), batch)
        ]
        return np.concatenate([output.numpy() for output in outputs])

    def evaluate(self) -> tuple[float, float]:
        """Mean loss and accuracy over all samples."""
        batch = self.workload.batch
        self.loss.assign(0.0)
        self.hits.assign(0)
        for start in range(0, len(self.inputs), batch):
            part = slice(start, start + batch)
            self.test(tf.constant(self.inputs[part]), tf.constant(self.labels[part]))
        return float(self.loss) / len(self.inputs), int(self.hits) / len(self.inputs)

    def caller(self) -> Callable[[], tf.Tensor]:
        """Logits of one sample, by plain functions one after another."""
        row = tf.constant(self.inputs[:1])
        return lambda: self.forward(row)


def transform(x: tf.Tensor, values: list) -> tf.Tensor:
    """A transformer's block, in products of two axes."""
    steps, inputs = x.shape[1:]
    heads, width = values[2].shape[1:]
    x = tf.reshape(x, (-1, inputs))
    y = normalize(x, *values[:2])
    q, k, v = (
        _to_heads(tf.reshape(_dense(y, kernel, bias), (-1, steps, heads, width)))
        for kernel, bias in zip(values[2:8:2], values[3:8:2])
    )
    share = tf.nn.softmax(tf.matmul(q * width**-0.5, k, transpose_b=True))
    y = tf.reshape(_to_heads(tf.matmul(share, v)), (-1, heads * width))
    x = x + _dense(y, values[8], values[9])
    y = tf.nn.gelu(_dense(normalize(x, *values[10:12]), values[12], values[13]))
    return tf.reshape(x + _dense(y, values[14], values[15]), (-1, steps, inputs))


def _dense(x: tf.Tensor, kernel: tf.Variable, bias: tf.Variable) -> tf.Tensor:
    kernel = tf.reshape(kernel, (x.shape[-1], -1))
    return tf.nn.bias_add(x @ kernel, tf.reshape(bias, (-1,)))


def _to_heads(x: tf.Tensor) -> tf.Tensor:
    return tf.transpose(x, (0, 2, 1, 3))


def normalize(x: tf.Tensor, gamma: tf.Variable, beta: tf.Variable) -> tf.Tensor:
    """Layer normalization; `tf.nn.moments` and `tf.nn.batch_normalization` take longer."""
    deviation = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.square(deviation), -1, keepdims=True)
    return deviation * (tf.math.rsqrt(variance + workloads.LN_EPSILON) * gamma) + beta


VARIANTS = {
    "tf.function": Program,
    "tf.function, Adam by assign": partial(Program, kernel=False),
    "tf.function, XLA": partial(Program, jit=True),
}
# What else variants differ in: the others do the same outside training.
ONLY = {
    "tf.function, Adam by assign": ("fit", "train_on_batch"),
    "tf.function, XLA": ("fit", "predict", "evaluate", "train_on_batch"),
}

_RECURRENT = {
    "tf.function, steps written out": Program,
    "tf.function, while_loop": partial(Program, recurrence=native_recurrence.looped),
    "tf.function, XLA, while_loop": partial(
        Program, kernel=False, jit=True, recurrence=native_recurrence.looped
    ),
}
_BLOCK = {"tf.function, BlockLSTM": partial(Program, recurrence=native_recurrence.block)}
RECURRENT = {"lstm": _RECURRENT | _BLOCK, "gru": _RECURRENT}


def limit_threads(count: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def calling() -> AbstractContextManager:
    """Where models are called: nobody asks for gradients."""
    return nullcontext()
