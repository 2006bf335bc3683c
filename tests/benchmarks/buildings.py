"""Large networks that are only built: by mlapi, and by Keras where it is installed."""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.benchmarks import fitted, keras_side, measure
from tests.benchmarks.measure import Row


def resnet50(api: Any) -> Any:
    """Sixteen bottleneck blocks on images of 224×224 (He et al., 2015)."""
    layers = api.layers

    def convolve(x: Any, filters: int, size: int, strides: int = 1) -> Any:
        x = layers.Conv2D(filters, size, strides=strides, padding="same")(x)
        return layers.BatchNormalization()(x)

    x = inputs = api.Input((224, 224, 3))
    x = layers.Activation("relu")(convolve(x, 64, 7, 2))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            strides = 2 if block == 0 and width > 64 else 1
            y = layers.Activation("relu")(convolve(x, width, 1, strides))
            y = layers.Activation("relu")(convolve(y, width, 3))
            y = convolve(y, 4 * width, 1)
            if block == 0:
                x = convolve(x, 4 * width, 1, strides)
            x = layers.Activation("relu")(layers.add([x, y]))
    x = layers.Dense(1000)(layers.GlobalAveragePooling2D()(x))
    return api.Model(inputs, x)


def transformer(api: Any) -> Any:
    """Twelve blocks on 128 steps of 256."""
    x = inputs = api.Input((128, 256))
    for _ in range(12):
        x = fitted.transform(api, 4, x)
    return api.Model(inputs, api.layers.Dense(10)(x))


def perceptron(api: Any) -> Any:
    """Two hundred dense layers."""
    x = inputs = api.Input((64,))
    for _ in range(200):
        x = api.layers.Dense(64, activation="relu")(x)
    return api.Model(inputs, x)


NETWORKS = {
    "ResNet50, 224×224×3": resnet50,
    "transformer, 12 blocks, 128×256": transformer,
    "MLP, 200 layers of 64": perceptron,
}


def complete(make: Callable[[Any], Any], api: Any) -> None:
    """Build a network and wait for its weights, which an asynchronous device may still draw."""
    for weight in make(api).weights:
        value = weight.value
        if hasattr(value, "block_until_ready"):
            value.block_until_ready()


def rows(backend: str, rounds: int, clock: Callable[[], float]) -> list[Row]:
    """Seconds to build each network, its first weights included."""
    import mlapi

    apis = {"mlapi": mlapi}
    if keras_side.installed():
        apis[f"Keras on {backend}"] = keras_side.load()
    found: list[Row] = []
    for title, make in NETWORKS.items():
        sizes = {name: make(api).count_params() for name, api in apis.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"{title} is built with different numbers of weights: {sizes}")
        programs = {name: partial(complete, make, api) for name, api in apis.items()}
        seconds = measure.race(programs, rounds, clock, between=gc.collect)
        found += measure.rows_of(seconds, title=title, kind="build", backend=backend)
    return found
