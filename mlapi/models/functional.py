"""Models made of symbolic tensors: a flat program of calls."""

from collections.abc import Iterator
from typing import Any

from mlapi import tree
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ShapeError
from mlapi.graph import Program, SymbolicTensor, symbols_in
from mlapi.layers import InputLayer, Layer
from mlapi.layers.arguments import accepted
from mlapi.layers.input_spec import InputSpec
from mlapi.models import graph_config
from mlapi.models.model import Model
from mlapi.state import Variable

_core = adapter.core


class Functional(Model):
    """What `Model(inputs, outputs)` makes.

    Args:
        inputs: a nest of symbolic tensors; dicts are matched by name.
        outputs: a nest of symbolic tensors that can be reached from the inputs.
        name: of the model.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        Layer.__init__(self, name=name, **kwargs)
        self._set_program(inputs, outputs)
        self._compile()

    def _set_program(self, inputs: Any, outputs: Any) -> None:
        for what, nest in (("inputs", inputs), ("outputs", outputs)):
            flat = tree.flatten(nest)
            wrong = [x for x in flat if type(x) is not SymbolicTensor]
            if wrong or not flat:
                raise ArgumentError(
                    f'{type(self).__name__} "{self.name}": {what} must be symbolic tensors, made '
                    "by mlapi.Input and by calling layers on them; received "
                    f"{type(wrong[0]).__name__ if wrong else 'none'}."
                )
        self._inputs_struct, self._outputs_struct = inputs, outputs
        flat_inputs = symbols_in(inputs)
        self._input_names = [t.name or f"input_{i}" for i, t in enumerate(flat_inputs)]
        self._program = None  # made at the first call: a growing Sequential needs only the last
        self._program_layers: list[Layer] = []
        self._forget_functions()  # steps were compiled for the program before
        specs = [_input_spec(t) for t in flat_inputs]
        self.input_spec = tree.pack_sequence_as(inputs, specs)
        self.built = True
        self._built_from = ((tree.map_structure(lambda t: t.shape, inputs),), {})
        self._single_input = type(inputs) is SymbolicTensor
        self._ndim = len(inputs.shape) if self._single_input else -1
        self._fast = None
        # Each input is cast to its own dtype, not to that of the model's policy.
        self._input_dtypes = [t.dtype for t in flat_inputs]
        self._accepts = frozenset().union(*map(accepted, self._input_dtypes))

    def _compile(self) -> Program:
        if self._program is None:
            inputs = symbols_in(self._inputs_struct)
            self._program = Program(inputs, self._outputs_struct)
            self._program_layers = _layers_of(inputs, self._program)
            self._program_variables = _variables_of(self._program)
            self._check_names()
        return self._program

    def _check_names(self) -> None:
        names: set[str] = set()
        for layer in self._program_layers:
            if layer.name in names:
                raise ArgumentError(
                    f'{type(self).__name__} "{self.name}": two different layers are named '
                    f'"{layer.name}"; give one of them another name.'
                )
            names.add(layer.name)

    def _state_of(self) -> Iterator[tuple[str, Any]]:
        """The program's layers by name, then what a subclass keeps in attributes."""
        self._compile()
        yield from ((layer.name, layer) for layer in self._program_layers)
        yield from ((n, v) for n, v in super()._state_of() if not n.startswith("_program_layers"))

    @property
    def inputs(self) -> list[SymbolicTensor]:
        return symbols_in(self._inputs_struct)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        return symbols_in(self._outputs_struct)

    @property
    def input(self) -> Any:
        return self._inputs_struct

    @property
    def output(self) -> Any:
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        return tree.map_structure(lambda t: t.shape, self._inputs_struct)

    @property
    def output_shape(self) -> Any:
        return tree.map_structure(lambda t: t.shape, self._outputs_struct)

    @property
    def output_names(self) -> list[str]:
        """Names by which losses, metrics and targets are matched to outputs."""
        if isinstance(self._outputs_struct, dict):
            return list(self._outputs_struct)
        return [t.node.fn.name if isinstance(t.node.fn, Layer) else f"output_{i}"
                for i, t in enumerate(self.outputs)]  # fmt: skip

    @property
    def input_names(self) -> list[str]:
        return self._input_names

    @property
    def layers(self) -> list[Layer]:
        return list(self._program_layers)

    def _prepared(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        if args and not self._single_input:
            args = (self._matched(args[0]), *args[1:])
        elif args and isinstance(args[0], dict):
            args = (self._only(args[0]), *args[1:])
        elif args and isinstance(args[0], (list, tuple)):
            nested = tree.flatten(args[0])
            if len(nested) == 1:
                args = (nested[0], *args[1:])
        given = tree.flatten(args[0]) if args else []
        if len(given) != len(self._input_dtypes):
            return super()._prepared(args, kwargs)
        tensors = list(map(self._to_tensor, given, self._input_dtypes))
        return (tree.pack_sequence_as(args[0], tensors), *args[1:]), kwargs

    def _matched(self, inputs: Any) -> Any:
        """The given nest in the structure of the model's inputs: by name, or by place.

        A dict may hold more than the inputs; what the model has no input for is passed over.
        """
        want = self._inputs_struct
        if isinstance(inputs, dict) and isinstance(want, dict) and want.keys() <= inputs.keys():
            flat = tree.flatten(_without_others(inputs, want))
        elif isinstance(inputs, dict):
            missing = [n for n in self._input_names if n not in inputs]
            if missing:
                names = list(want) if isinstance(want, dict) else self._input_names
                raise self._missing([n for n in names if n not in inputs] or missing, inputs)
            flat = [inputs[n] for n in self._input_names]
        else:
            flat = tree.flatten(inputs)
        if len(flat) != len(self.inputs):
            raise ShapeError(
                f"{self._where()}: expected {len(self.inputs)} inputs "
                f"({', '.join(self._input_names)}), received {len(flat)}."
            )
        return tree.pack_sequence_as(want, flat)

    def _only(self, inputs: dict[str, Any]) -> Any:
        """The one input in a dict: of its name, or the only entry."""
        name = (getattr(self, "_input_names", None) or ["input"])[0]
        if name in inputs:
            return inputs[name]
        nested = tree.flatten(inputs)
        if len(nested) != 1:
            raise self._missing([name], inputs)
        return nested[0]

    def _missing(self, names: list[str], inputs: dict[str, Any]) -> ShapeError:
        return ShapeError(
            f"{self._where()}: inputs {', '.join(map(repr, names))} are missing; "
            f"received {', '.join(map(repr, inputs)) or 'none'}."
        )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        nested = not self._single_input or isinstance(inputs, (list, tuple))
        values = tree.flatten(inputs) if nested else [inputs]
        return (self._program or self._compile())(values)

    def get_config(self) -> dict[str, Any]:
        return graph_config.to_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Functional":
        return graph_config.from_config(cls, config, custom_objects)


def _without_others(inputs: Any, want: Any) -> Any:
    """What of `inputs` the nest `want` has the keys of, at every level."""
    if isinstance(want, dict) and isinstance(inputs, dict) and want.keys() <= inputs.keys():
        return {name: _without_others(inputs[name], child) for name, child in want.items()}
    return inputs


def _input_spec(tensor: SymbolicTensor) -> InputSpec:
    return InputSpec(shape=(None, *tensor.shape[1:]), name=tensor.name)


def _layers_of(inputs: list[SymbolicTensor], program: Program) -> list[Layer]:
    found: dict[int, Layer] = {}
    for tensor in inputs:
        if tensor.node is not None and isinstance(tensor.node.fn, InputLayer):
            found[id(tensor.node.fn)] = tensor.node.fn
    for node in program.nodes:
        if isinstance(node.fn, Layer):
            found.setdefault(id(node.fn), node.fn)
    return list(found.values())


def _variables_of(program: Program) -> list[Variable]:
    """Variables that operations of the program have as arguments."""
    arguments = tree.flatten([(node.args, node.kwargs) for node in program.nodes])
    return list({id(x): x for x in arguments if type(x) is Variable}.values())


Model.functional_class = Functional
