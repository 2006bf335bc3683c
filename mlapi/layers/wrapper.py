"""`Wrapper`, the base of layers around another layer, and `TimeDistributed`."""

from collections.abc import Mapping
from typing import Any

from mlapi import catalog, ops, serialization, tree
from mlapi.errors import ArgumentTypeError, ShapeError
from mlapi.layers.arguments import signature
from mlapi.layers.base import Layer
from mlapi.types import Tensor


def checked_layer(owner: Layer, name: str, layer: Any) -> Layer:
    """Returns `layer`.

    Raises:
        ArgumentTypeError: it is not a layer.
    """
    if isinstance(layer, Layer):
        return layer
    hint = f" Give an instance: {layer.__name__}(…)." if isinstance(layer, type) else ""
    raise ArgumentTypeError(
        f'{type(owner).__name__} "{owner.name}": {name} must be a layer, received {layer!r}.{hint}'
    )


def write_inner(layer: Any) -> Any:
    """Returns the record of a layer that another one builds, or of a list of them."""
    if isinstance(layer, list):
        return [write_inner(each) for each in layer]
    record = serialization.serialize(layer)
    record.pop("build_config", None)
    return record


def read_inner(record: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the layer of a record, not yet built: the layer around it builds it, under its path.

    What is no record is returned as it is.
    """
    if not serialization.is_record(record):
        return record
    record = {key: value for key, value in record.items() if key != "build_config"}
    return serialization.deserialize(record, custom_objects, family="layers")


class Wrapper(Layer):
    """Base of layers that change what another layer does.

    Args:
        layer: the layer inside. It is built with the wrapper, and its weights are the wrapper's.
        **kwargs: `name`, `trainable`, `dtype`.

    Raises:
        ArgumentTypeError: `layer` is not a layer.

    Example:
        >>> from mlapi import layers, ops
        >>> class Twice(layers.Wrapper):
        ...     def call(self, x):
        ...         return self.layer(self.layer(x))
        >>> ops.shape(Twice(layers.Dense(3))(ops.ones((2, 3))))
        (2, 3)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = checked_layer(self, "layer", layer)

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside for inputs of this shape."""
        if not self.layer.built:
            self.layer._build_in_call(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, with the record of the layer inside."""
        return {**super().get_config(), "layer": write_inner(self.layer)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Layer:
        """Returns a new wrapper, with a new layer inside, from what `get_config` returned."""
        return super().from_config({**config, "layer": read_inner(config["layer"], custom_objects)})


class TimeDistributed(Wrapper):
    """Applies a layer to every time step, with the same weights at all of them.

    Args:
        layer: the layer, for inputs without the axis of time.
        **kwargs: `name`, `trainable`, `dtype`.

    Shapes: `(batch, time, …)` → `(batch, time, …)`, where what follows the time is the layer's
    doing. A mask `(batch, time)` is handed on, and its steps to the layer if that takes one.

    Raises:
        ShapeError: the input has less than three axes, or the mask is not one of its steps.

    Example:
        >>> from mlapi import layers, ops
        >>> images = ops.ones((2, 10, 28, 28, 3))
        >>> ops.shape(layers.TimeDistributed(layers.Conv2D(4, 3))(images))
        (2, 10, 26, 26, 4)
    """

    supports_masking = True
    _sees_one_sample = False  # as far as is known; see `_takes_samples_one_by_one`

    def build(self, input_shape: Any = None) -> None:
        """Builds the layer inside for inputs without the axis of time."""
        if len(input_shape) < 3:
            raise ShapeError(
                f'TimeDistributed "{self.path}": the input must have at least 3 axes (batch, time '
                f"and those of the layer inside), received the shape {tuple(input_shape)}."
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Any:
        """Returns the layer's outputs for all steps."""
        if mask is not None:
            self._check_mask(inputs, mask)
        info = signature(type(self.layer))
        options: dict[str, Any] = {"training": training} if info.takes_training else {}
        mask = mask if info.takes_mask else None
        if not self._sees_one_sample:
            self._sees_one_sample = _takes_samples_one_by_one(self.layer)
        if mask is None and self._sees_one_sample:
            return self._all_at_once(inputs, options)

        def step(x: Tensor, mask: Tensor | None) -> Any:
            return self.layer(x, **options, **({} if mask is None else {"mask": mask}))

        time = inputs.shape[1]
        if time is None:  # known when the traced function runs
            given = [ops.swapaxes(x, 0, 1) for x in (inputs, mask) if x is not None]
            outputs = ops.map(lambda rows: step(rows[0], rows[1] if rows[1:] else None), given)
            return tree.map_structure(lambda y: ops.swapaxes(y, 0, 1), outputs)
        steps = [step(inputs[:, t], None if mask is None else mask[:, t]) for t in range(time)]
        return tree.map_structure(lambda *ys: ops.stack(ys, axis=1), *steps)

    def _all_at_once(self, inputs: Tensor, options: dict[str, Any]) -> Any:
        """Steps as samples: what a layer does to one sample, it does to each alone."""
        batch, time, *rest = ops.shape(inputs)
        outputs = self.layer(ops.reshape(inputs, (batch * time, *rest)), **options)
        return tree.map_structure(
            lambda y: ops.reshape(y, (batch, time, *ops.shape(y)[1:])), outputs
        )

    def _check_mask(self, inputs: Tensor, mask: Tensor) -> None:
        fits = len(mask.shape) >= 2 and all(
            m is None or n is None or m == n for m, n in zip(inputs.shape[:2], mask.shape[:2])
        )
        if not fits:
            raise ShapeError(
                f'TimeDistributed "{self.path}": the mask must begin with the axes (batch, time) '
                f"of the input, {tuple(inputs.shape[:2])}, received shape {tuple(mask.shape)}."
            )


# Layers whose outputs for a sample depend on no other sample, and which count no calls.
_ALONE = frozenset(
    {"Dense", "Embedding", "Identity", "ReLU", "LeakyReLU", "ELU", "PReLU", "Activation", "Dropout"}
)
_ALONE_MODULES = frozenset(
    f"mlapi.layers.{name}" for name in ("convolution", "pooling", "reshaping", "input")
)


def _takes_samples_one_by_one(layer: Layer) -> bool:
    """Whether this is known: not of layers of others, nor of a batch normalization."""
    cls: Any = type(layer)
    program = getattr(layer, "_program", None)
    if program is not None and cls.__module__.startswith("mlapi.models."):
        return all(
            isinstance(node.fn, Layer) and _takes_samples_one_by_one(node.fn)
            for node in program.nodes
        )
    known = cls.__module__ in _ALONE_MODULES or (
        cls.__name__ in _ALONE and catalog.family_of(cls) == "layers"
    )
    return (
        known
        and getattr(layer, "activation", ops.relu).__module__.startswith("mlapi.")
        and getattr(layer, "noise_shape", None) is None
        and layer.activity_regularizer is None
    )
