"""The same training by mlapi's `fit`."""

from collections.abc import Callable

import numpy as np

import mlapi
from tests.benchmarks import workloads
from tests.benchmarks.workloads import Workload


def build(workload: Workload) -> mlapi.Model:
    """The workload's network, compiled, with the workload's first weights."""
    layers = mlapi.layers
    makers = {
        "dense": layers.Dense,
        "conv": lambda filters: layers.Conv2D(filters, 3),
        "batch_norm": lambda: layers.BatchNormalization(
            momentum=workloads.BN_MOMENTUM, epsilon=workloads.BN_EPSILON
        ),
        "max_pool": layers.MaxPooling2D,
        "flatten": layers.Flatten,
        "relu": lambda: layers.Activation("relu"),
        "lstm": layers.LSTM,
        "gru": layers.GRU,
        "transformer": _block,
        "mean": layers.GlobalAveragePooling1D,
    }
    x = inputs = mlapi.Input(workload.shape)
    for kind, *size in workload.layers:
        x = makers[kind](*size)(x)
    model = mlapi.Model(inputs, x)
    model.set_weights(workloads.weights(workload))
    model.compile(
        optimizer=mlapi.optimizers.Adam(
            workloads.LEARNING_RATE,
            beta_1=workloads.BETA_1,
            beta_2=workloads.BETA_2,
            epsilon=workloads.EPSILON,
        ),
        loss=mlapi.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _block(heads: int) -> Callable:
    layers = mlapi.layers

    def block(x: mlapi.KerasTensor) -> mlapi.KerasTensor:
        width = x.shape[-1]
        y = layers.LayerNormalization(epsilon=workloads.LN_EPSILON)(x)
        x = layers.add([x, layers.MultiHeadAttention(heads, width // heads)(y, y)])
        y = layers.LayerNormalization(epsilon=workloads.LN_EPSILON)(x)
        y = layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(y))
        return layers.add([x, y])

    return block


class Program:
    """Trains by `fit`."""

    def __init__(self, workload: Workload, inputs: np.ndarray, labels: np.ndarray) -> None:
        self.model = build(workload)
        self.inputs, self.labels = inputs, labels
        self.batch = workload.batch

    def epoch(self, count: int | None = None) -> tuple[float, float]:
        """Mean loss and accuracy of one epoch over the first `count` samples."""
        x, y = self.inputs[:count], self.labels[:count]
        history = self.model.fit(x, y, batch_size=self.batch, epochs=1, verbose=0).history
        return history["loss"][-1], history["accuracy"][-1]
