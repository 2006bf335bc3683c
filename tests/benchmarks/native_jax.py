"""The loop as it is written by hand in JAX: one jitted step, its state donated."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.benchmarks import workloads
from tests.benchmarks.workloads import Workload

State = dict[str, Any]


def forward(
    workload: Workload, params: list, moving: list, x: jax.Array, training: bool = True
) -> tuple:
    """Logits, and the moving averages after this batch."""
    values, averages, updated = iter(params), iter(moving), []
    for kind, *_ in workload.layers:
        if kind == "dense":
            x = x @ next(values) + next(values)
        elif kind == "conv":
            layout = ("NHWC", "HWIO", "NHWC")
            x = lax.conv_general_dilated(x, next(values), (1, 1), "VALID", dimension_numbers=layout)
            x = x + next(values)
        elif kind == "batch_norm":
            old = next(averages), next(averages)
            mean, variance = (x.mean((0, 1, 2)), x.var((0, 1, 2))) if training else old
            scale = next(values) * lax.rsqrt(variance + workloads.BN_EPSILON)
            x = (x - mean) * scale + next(values)
            momentum = workloads.BN_MOMENTUM
            updated.append(old[0] * momentum + mean * (1 - momentum))
            updated.append(old[1] * momentum + variance * (1 - momentum))
        elif kind == "max_pool":
            window = (1, 2, 2, 1)
            x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        elif kind == "flatten":
            x = x.reshape(len(x), -1)
        elif kind in workloads.GATES:
            x = RECURRENCES[kind](x, next(values), next(values), next(values))
        elif kind == "transformer":
            x = transform(x, [next(values) for _ in range(16)])
        elif kind == "mean":
            x = x.mean(1)
        else:
            x = jax.nn.relu(x)
    return x, updated


def projected(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """The input's part of all steps at once, the times first."""
    steps = jnp.swapaxes(x, 0, 1)
    flat = steps.reshape(-1, x.shape[-1]) @ kernel + bias
    return flat.reshape(*steps.shape[:2], -1)


def lstm(x: jax.Array, kernel: jax.Array, recurrent: jax.Array, bias: jax.Array) -> jax.Array:
    """The last output."""

    def step(state: tuple, z: jax.Array) -> tuple:
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    start = jnp.zeros((len(x), len(recurrent)))
    return lax.scan(step, (start, start), projected(x, kernel, bias))[0][0]


def gru(x: jax.Array, kernel: jax.Array, recurrent: jax.Array, bias: jax.Array) -> jax.Array:
    """The last output."""

    def step(h: jax.Array, at: jax.Array) -> tuple:
        z, r, g = jnp.split(h @ recurrent + bias[1], 3, -1)
        z_x, r_x, g_x = jnp.split(at, 3, -1)
        z, r = jax.nn.sigmoid(z_x + z), jax.nn.sigmoid(r_x + r)
        return z * h + (1 - z) * jnp.tanh(g_x + r * g), None

    start = jnp.zeros((len(x), len(recurrent)))
    return lax.scan(step, start, projected(x, kernel, bias[0]))[0]


RECURRENCES = {"lstm": lstm, "gru": gru}


def transform(x: jax.Array, values: list) -> jax.Array:
    """A transformer's block, in products of two axes: XLA is slower at those of three."""
    shape, (heads, width) = x.shape, values[2].shape[1:]
    kernels = [v.reshape(-1, heads * width) for v in values[2:8:2]]
    biases = [v.reshape(-1) for v in values[3:8:2]]
    x = x.reshape(-1, shape[-1])
    y = normalize(x, *values[:2])
    q, k, v = (
        (y @ kernel + bias).reshape(*shape[:2], heads, width)
        for kernel, bias in zip(kernels, biases)
    )
    share = jax.nn.softmax(jnp.einsum("bthk,bshk->bhts", q * width**-0.5, k))
    y = jnp.einsum("bhts,bshk->bthk", share, v).reshape(x.shape)
    x = x + y @ values[8].reshape(-1, shape[-1]) + values[9]
    y = normalize(x, *values[10:12])
    y = jax.nn.gelu(y @ values[12] + values[13], approximate=False)
    return (x + y @ values[14] + values[15]).reshape(shape)


def normalize(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
    """Layer normalization."""
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + workloads.LN_EPSILON) * gamma + beta


def train_step(workload: Workload, state: State, x: jax.Array, y: jax.Array) -> State:
    """One step of Adam; the metrics are part of the state."""

    def loss_fn(params: list) -> tuple:
        logits, moving = forward(workload, params, state["moving"], x)
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
        return -picked.mean(), (logits, moving)

    (loss, (logits, moving)), grads = jax.value_and_grad(loss_fn, has_aux=True)(state["params"])
    beta_1, beta_2 = workloads.BETA_1, workloads.BETA_2
    count = state["count"] + 1
    power = count.astype("float32")
    rate = workloads.LEARNING_RATE * jnp.sqrt(1 - beta_2**power) / (1 - beta_1**power)
    first = [m * beta_1 + g * (1 - beta_1) for m, g in zip(state["first"], grads)]
    second = [v * beta_2 + g * g * (1 - beta_2) for v, g in zip(state["second"], grads)]
    params = [
        p - rate * m / (jnp.sqrt(v) + workloads.EPSILON)
        for p, m, v in zip(state["params"], first, second)
    ]
    return {
        "params": params,
        "moving": moving,
        "first": first,
        "second": second,
        "count": count,
        "loss": state["loss"] + loss * len(y),
        "hits": state["hits"] + (logits.argmax(1) == y).sum(),
    }


def infer(workload: Workload, params: list, moving: list, x: jax.Array) -> jax.Array:
    """Logits, with the moving averages as they are."""
    return forward(workload, params, moving, x, training=False)[0]


def test_step(
    workload: Workload, params: list, moving: list, sums: tuple, x: jax.Array, y: jax.Array
) -> tuple:
    """Sums of losses and hits with those of a batch."""
    logits = infer(workload, params, moving, x)
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
    return sums[0] - picked.sum(), sums[1] + (logits.argmax(1) == y).sum()


class Program:
    """Hands batches of NumPy arrays to the step; the metrics stay on the device until the end."""

    def __init__(self, workload: Workload, inputs: np.ndarray, labels: np.ndarray) -> None:
        self.batch = workload.batch
        self.step = jax.jit(partial(train_step, workload), donate_argnums=0)
        self.infer = jax.jit(partial(infer, workload))
        self.test_step = jax.jit(partial(test_step, workload))
        self.workload = workload
        self.random = np.random.default_rng()
        self.inputs, self.labels = inputs, labels.astype("int32")
        params, moving = _divide(workload, workloads.weights(workload))
        self.state: State = {
            "params": params,
            "moving": moving,
            "first": [jnp.zeros_like(p) for p in params],
            "second": [jnp.zeros_like(p) for p in params],
            "count": jnp.zeros((), "int32"),
        }

    def epoch(self, count: int | None = None) -> tuple[float, float]:
        """Mean loss and accuracy of one epoch over the first `count` samples."""
        order = self.random.permutation(count or len(self.inputs))
        state = {**self.state, "loss": jnp.zeros(()), "hits": jnp.zeros((), "int32")}
        for start in range(0, len(order), self.batch):
            index = order[start : start + self.batch]
            state = self.step(state, self.inputs[index], self.labels[index])
        self.state = state
        return float(state["loss"]) / len(order), int(state["hits"]) / len(order)

    def train_on_batch(self) -> tuple[float, float]:
        """Loss and accuracy of one step on the first batch."""
        x, y = self.inputs[: self.batch], self.labels[: self.batch]
        state = {**self.state, "loss": np.float32(0), "hits": np.int32(0)}
        self.state = state = self.step(state, x, y)
        return float(state["loss"]) / len(y), int(state["hits"]) / len(y)

    def predict(self) -> np.ndarray:
        """Logits of all samples."""
        params, moving = self.state["params"], self.state["moving"]
        outputs = [
            self.infer(params, moving, self.inputs[start : start + self.batch])
            for start in range(0, len(self.inputs), self.batch)
        ]
        return np.concatenate([np.asarray(output) for output in outputs])

    def evaluate(self) -> tuple[float, float]:
        """Mean loss and accuracy over all samples."""
        params, moving = self.state["params"], self.state["moving"]
        sums = np.float32(0), np.int32(0)
        for start in range(0, len(self.inputs), self.batch):
            part = slice(start, start + self.batch)
            sums = self.test_step(params, moving, sums, self.inputs[part], self.labels[part])
        return float(sums[0]) / len(self.inputs), int(sums[1]) / len(self.inputs)

    def caller(self) -> Callable[[], jax.Array]:
        """Logits of one sample, by plain functions one after another."""
        params, moving = self.state["params"], self.state["moving"]
        workload, row = self.workload, jnp.array(self.inputs[:1])
        return lambda: infer(workload, params, moving, row)


def _divide(workload: Workload, arrays: list[np.ndarray]) -> tuple[list, list]:
    """Trained weights, and moving averages."""
    values = iter([jnp.array(array) for array in arrays])
    params: list[jax.Array] = []
    moving: list[jax.Array] = []
    for kind, *_ in workload.layers:
        count = {"dense": 2, "conv": 2, "batch_norm": 2, "transformer": 16}.get(kind, 0)
        params += [next(values) for _ in range(3 if kind in workloads.GATES else count)]
        if kind == "batch_norm":
            moving += [next(values), next(values)]
    return params, moving


VARIANTS = {"jax.jit": Program}
ONLY: dict[str, tuple[str, ...]] = {}
_RECURRENT = {"jax.jit, lax.scan": Program}
RECURRENT = {"lstm": _RECURRENT, "gru": _RECURRENT}


def limit_threads(count: int) -> None:
    """JAX has no such switch: it takes as many threads as the process may use processors."""


def calling() -> AbstractContextManager:
    """Where models are called: nobody asks for gradients."""
    return nullcontext()
