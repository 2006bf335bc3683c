"""The same networks and the same training by the API that mlapi and Keras share."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks import workloads
from tests.benchmarks.workloads import Workload


def network(api: Any, workload: Workload) -> Any:
    """The workload's network by `api`, mlapi or keras, with the workload's first weights."""
    layers = api.layers
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
        "transformer": lambda heads: lambda x: transform(api, heads, x),
        "mean": layers.GlobalAveragePooling1D,
    }
    x = inputs = api.Input(workload.shape)
    for kind, *size in workload.layers:
        x = makers[kind](*size)(x)
    model = api.Model(inputs, x)
    model.set_weights(workloads.weights(workload))
    return model


def transform(api: Any, heads: int, x: Any) -> Any:
    """A transformer's block."""
    layers = api.layers
    width = x.shape[-1]
    y = layers.LayerNormalization(epsilon=workloads.LN_EPSILON)(x)
    x = layers.add([x, layers.MultiHeadAttention(heads, width // heads)(y, y)])
    y = layers.LayerNormalization(epsilon=workloads.LN_EPSILON)(x)
    y = layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(y))
    return layers.add([x, y])


class Program:
    """A compiled model and its data.

    Args:
        api: the module mlapi or keras.
        options: what `compile` is told beyond optimizer, loss and metrics.
    """

    def __init__(
        self, api: Any, workload: Workload, inputs: np.ndarray, labels: np.ndarray, **options: Any
    ) -> None:
        self.model = network(api, workload)
        self.model.compile(
            optimizer=api.optimizers.Adam(
                workloads.LEARNING_RATE,
                beta_1=workloads.BETA_1,
                beta_2=workloads.BETA_2,
                epsilon=workloads.EPSILON,
            ),
            loss=api.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            **options,
        )
        self.inputs, self.labels = inputs, labels
        self.batch = workload.batch
        self.convert = api.ops.convert_to_tensor

    def epoch(self, count: int | None = None) -> tuple[float, float]:
        """Mean loss and accuracy of one epoch over the first `count` samples."""
        x, y = self.inputs[:count], self.labels[:count]
        history = self.model.fit(x, y, batch_size=self.batch, epochs=1, verbose=0).history
        return history["loss"][-1], history["accuracy"][-1]

    def predict(self) -> np.ndarray:
        """Logits of all samples."""
        return self.model.predict(self.inputs, batch_size=self.batch, verbose=0)

    def evaluate(self) -> tuple[float, float]:
        """Mean loss and accuracy over all samples."""
        found = self.model.evaluate(self.inputs, self.labels, batch_size=self.batch, verbose=0)
        return found[0], found[1]

    def train_on_batch(self) -> tuple[float, float]:
        """Loss and accuracy of one step on the first batch."""
        x, y = self.inputs[: self.batch], self.labels[: self.batch]
        loss, accuracy = self.model.train_on_batch(x, y)
        return float(loss), float(accuracy)

    def reset(self) -> None:
        """Forget earlier batches: in Keras, `train_on_batch` returns a mean over them, too."""
        self.model.reset_metrics()

    def caller(self) -> Callable[[], Any]:
        """Logits of one sample, by a call of the model on a tensor of the framework."""
        model, row = self.model, self.convert(self.inputs[:1])
        return lambda: model(row)
