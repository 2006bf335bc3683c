"""`Lambda`: a function as a layer."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

from mlapi import serialization, tree
from mlapi.backends.contract import Spec
from mlapi.catalog import get_registered_object
from mlapi.errors import ArgumentError, ArgumentTypeError
from mlapi.layers.arguments import specs_of
from mlapi.layers.base import Layer


class Lambda(Layer):
    """Calls a function.

    A file keeps the function's name only, never its code. On loading, functions of `mlapi.ops` and
    `mlapi.activations` are found by it; one of your own must be registered
    (`mlapi.saving.register_serializable`) or passed in `custom_objects`; a lambda in a file of
    Keras is passed there under the name of its layer. For more than a line, write a layer.

    Args:
        function: takes the input, the `arguments`, and `training` and `mask` if it names them.
        output_shape: without the batch axis, or a function of the input's shape; only for
            functions that cannot be run without data. By default found by running the function.
        mask: a function of the input and its mask that returns the output's, or a mask.
        arguments: further arguments of the function, by name.
        **kwargs: `name`, `trainable`, `dtype`.

    Raises:
        ArgumentTypeError: `function` cannot be called.

    Example:
        >>> from mlapi import layers, ops
        >>> double = layers.Lambda(lambda x: 2 * x)
        >>> ops.convert_to_numpy(double([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ArgumentTypeError(
                f'Lambda "{self.name}": function must be callable, received {function!r}.'
            )
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.makes_mask = mask is not None
        try:
            self._passed = {"training", "mask"} & set(inspect.signature(function).parameters)
        except ValueError:  # of a function written in C
            self._passed = set()

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Returns what the function returns."""
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{n: given[n] for n in self._passed})

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns the argument `mask`, or what it returns."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def _infer(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        if self.output_shape is None:
            try:
                return super()._infer(args, kwargs)
            except Exception as error:
                error.add_note("A function that needs data to run may be given an `output_shape`.")
                raise
        if not callable(self.output_shape):
            first = tree.flatten(specs_of(args[0]))[0]
            return Spec((first.shape[0], *self.output_shape), self.compute_dtype)
        shapes = self.output_shape(tree.map_structure(lambda s: s.shape, specs_of(args[0])))
        return tree.map_shape_structure(lambda s: Spec(s, self.compute_dtype), shapes)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, functions by their names.

        Raises:
            ArgumentError: the function is a lambda, which has no name.
        """
        try:
            return super().get_config()
        except ArgumentError as error:
            error.add_note(f"in {self._where()}")
            raise

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns a new layer from what `get_config` returned."""
        config = dict(config)
        for name in ("function", "output_shape", "mask"):
            value = config.get(name)
            if isinstance(value, Mapping) and value.get("class_name") == "__lambda__":
                known = get_registered_object(config.get("name"))
                config[name] = known or serialization.deserialize(value)
            elif isinstance(value, str):
                config[name] = serialization.deserialize(
                    {"class_name": "function", "config": value, "module": "builtins"}
                )
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        for gone in ("function_type", "module", "output_shape_type", "output_shape_module"):
            config.pop(gone, None)  # entries of older files
        return super().from_config(config)
