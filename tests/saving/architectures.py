"""Models to be saved, each with data that fit it."""

from typing import Any

import numpy as np

import mlapi
from mlapi import layers, ops


def _data(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


class Residual(layers.Layer):
    """A user's layer with sublayers in a list."""

    def __init__(self, depth: int, scale: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.depth = depth
        self.scale = scale
        self.parts: list[layers.Dense] = []

    def build(self, input_shape):
        self.parts = [layers.Dense(input_shape[-1], "tanh") for _ in range(self.depth)]
        self.shift = self.add_weight(input_shape[-1:], "ones", name="shift")
        for part in self.parts:
            part.build(input_shape)

    def call(self, x):
        for part in self.parts:
            x = x + self.scale * part(x)
        return x + self.shift


class Pair(mlapi.Model):
    """A user's model with an argument, a nested model and two outputs."""

    def __init__(self, units: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.body = mlapi.Sequential([layers.Dense(units, "relu"), Residual(1)])
        self.heads = {"a": layers.Dense(1), "b": layers.Dense(2)}

    def call(self, x):
        h = self.body(x)
        return {name: head(h) for name, head in self.heads.items()}


CUSTOM = {"Residual": Residual, "Pair": Pair}


def convolutional() -> tuple[Any, Any, Any]:
    model = mlapi.Sequential(
        [
            mlapi.Input((6, 6, 1)),
            layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(2, kernel_constraint="max_norm"),
        ]
    )
    return model, _data(8, 6, 6, 1), _data(8, 2)


def deferred() -> tuple[Any, Any, Any]:
    model = mlapi.Sequential([layers.Dense(4), layers.LayerNormalization(), layers.Dense(2)])
    x = _data(8, 3)
    model(x)
    return model, x, _data(8, 2)


def recurrent() -> tuple[Any, Any, Any]:
    model = mlapi.Sequential(
        [
            mlapi.Input((5,), dtype="int32"),
            layers.Embedding(7, 4, mask_zero=True),
            layers.LSTM(3),
            layers.Dense(2),
        ]
    )
    return model, np.arange(40, dtype="int32").reshape(8, 5) % 7, _data(8, 2)


def branching() -> tuple[Any, Any, Any]:
    """Several inputs and outputs by name, a shared layer, operations, a frozen layer."""
    left, right = mlapi.Input((3,), name="left"), mlapi.Input((3,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    a, b = shared(left), shared(right)
    h = ops.concatenate([a * 2.0 - b, ops.abs(a)], axis=-1)
    first, second = ops.split(h, 2, axis=1)
    frozen = layers.Dense(4, trainable=False, name="frozen")(first)
    outputs = {
        "sum": layers.Dense(1, name="one")(layers.Add()([frozen, second])),
        "rest": layers.Dense(2, name="two")(h[:, 1:5] / (1.0 + ops.exp(-second))),
    }
    model = mlapi.Model({"left": left, "right": right}, outputs, name="branching")
    x = {"left": _data(8, 3), "right": _data(8, 3)[::-1].copy()}
    return model, x, {"sum": _data(8, 1), "rest": _data(8, 2)}


def nested() -> tuple[Any, Any, Any]:
    inner_input = mlapi.Input((3,))
    inner = mlapi.Model(inner_input, layers.Dense(3)(inner_input), name="inner")
    x = mlapi.Input((3,))
    stack = mlapi.Sequential([layers.Dense(3), Residual(2, scale=0.25)], name="stack")
    model = mlapi.Model(x, layers.Dense(2)(inner(stack(inner(x)))))
    return model, _data(8, 3), _data(8, 2)


def subclassed() -> tuple[Any, Any, Any]:
    model = Pair(units=4, name="pair")
    x = _data(8, 3)
    model(x)
    return model, x, {"a": _data(8, 1), "b": _data(8, 2)}


ALL = (convolutional, deferred, recurrent, branching, nested, subclassed)
