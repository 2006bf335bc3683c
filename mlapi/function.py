"""Computations as objects: `Operation` has arguments of its own, `Function` is a recorded graph."""

import inspect
from collections.abc import Callable
from typing import Any, Self

from mlapi import naming, serialization, tree
from mlapi.errors import ArgumentError
from mlapi.graph import Program, SymbolicTensor, infer, record, symbols_in
from mlapi.transforms import remat
from mlapi.types import Shape


class Operation:
    """A computation with arguments of its own but without Variables.

    A subclass defines `call`. Called with tensors an operation computes; called with symbolic
    tensors it becomes part of the model under construction. `mlapi.op.op` makes operations of plain
    functions; a class is for those that are to be saved with their arguments.

    Args:
        name: by default made from the class's.

    Example:
        >>> import mlapi
        >>> class Scale(mlapi.Operation):
        ...     def __init__(self, factor, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.factor = factor
        ...     def call(self, x):
        ...         return x * self.factor
        >>> Scale(3.0)(mlapi.KerasTensor((None, 2))).shape
        (None, 2)
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or naming.auto_name(type(self).__name__)
        self._outputs: Any = None
        self._inputs: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Computes, or records the call if some argument is symbolic."""
        return (self.symbolic_call if symbols_in((args, kwargs)) else self.call)(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs."""
        raise NotImplementedError(f"{type(self).__name__} does not define `call`.")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Records the call and returns symbolic outputs."""
        outputs = record(self, args, kwargs)
        self._inputs = args[0] if args else next(iter(kwargs.values()))
        self._outputs = outputs
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs for symbolic inputs, recording nothing."""
        specs = infer(self.call, args, kwargs)
        return tree.map_structure(lambda s: SymbolicTensor(s.shape, s.dtype), specs)

    def rematerialized_call(self, layer_call: Callable, *args: Any, **kwargs: Any) -> Callable:
        """Returns `layer_call` with its intermediate results computed anew for the gradient."""
        return remat(layer_call)

    @property
    def input(self) -> Any:
        """What it was last called with symbolically."""
        return self._known(self._inputs)

    @property
    def output(self) -> Any:
        """What it last returned symbolically."""
        return self._known(self._outputs)

    def _known(self, structure: Any) -> Any:
        if structure is None:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}" has not been called on symbolic tensors.'
            )
        return structure

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, kept in attributes of the same names."""
        names = inspect.signature(type(self)).parameters
        return {n: serialization.serialize(getattr(self, n)) for n in names if hasattr(self, n)} | {
            "name": self.name
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Returns a new operation from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class Function(Operation):
    """The calls between some symbolic tensors, to be made again on others.

    As a functional model, but without Variables to be trained, saved or loaded.

    Args:
        inputs: a nest of symbolic tensors.
        outputs: a nest of symbolic tensors that depend on nothing but the inputs.
        name: by default made from the class's.

    Raises:
        ArgumentError: the outputs depend on something else.

    Example:
        >>> import mlapi
        >>> x = mlapi.KerasTensor((None, 2))
        >>> double = mlapi.Function(x, x * 2.0)
        >>> mlapi.ops.convert_to_numpy(double(mlapi.ops.ones((1, 2)))).tolist()
        [[2.0, 2.0]]
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        self._inputs, self._outputs = inputs, outputs
        self._program = Program(symbols_in(inputs), outputs)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The inputs as a list."""
        return symbols_in(self._inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The outputs as a list."""
        return symbols_in(self._outputs)

    @property
    def operations(self) -> list[Callable[..., Any]]:
        """The functions and layers that are called, each once, in order."""
        return list({id(node.fn): node.fn for node in self._program.nodes}.values())

    def call(self, inputs: Any) -> Any:
        """Computes the outputs for a nest in the structure of the inputs."""
        return self._program(tree.flatten(inputs))

    def symbolic_call(self, inputs: Any) -> Any:
        """Records the calls anew and returns symbolic outputs."""
        return self.call(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Shapes of the outputs for other shapes of the inputs."""
        shapes: list[Shape] = []
        tree.map_shape_structure(shapes.append, input_shape)
        inputs = [SymbolicTensor(s, t.dtype) for s, t in zip(shapes, self.inputs, strict=True)]
        outputs = self.compute_output_spec(tree.pack_sequence_as(self._inputs, inputs))
        return tree.map_structure(lambda t: t.shape, outputs)

    def get_config(self) -> dict[str, Any]:
        """Refuses: a nest of symbolic tensors is no config."""
        raise ArgumentError(
            f'Function "{self.name}" cannot be saved; make a model of it: '
            "mlapi.Model(inputs, outputs)."
        )
