"""Symbolic tensors, the nodes that calls on them record, and the flat program made of both.

Shapes and dtypes are found by running the very function that is recorded, without its data: the
adapter's `abstract_eval` does that, and works out which sizes stay unknown (None).
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Self

from mlapi import tree
from mlapi.backends import adapter
from mlapi.backends.contract import Spec
from mlapi.backends.trials import common_spec
from mlapi.errors import ArgumentError
from mlapi.state import Variable
from mlapi.types import Shape

# To a type checker it has any attribute: the operators are attached below.
_Base: Any = object


class SymbolicTensor(_Base):
    """A tensor of a model under construction: a shape and a dtype, and how it comes about.

    Attributes:
        shape: tuple with None for sizes that are known at run time only.
        dtype: standard dtype name.
        node: the call that makes it, or None for the input of a model.
        name: of an input.
        index: its place among that call's results.
    """

    __slots__ = ("__weakref__", "dtype", "index", "name", "node", "shape")

    is_symbolic = True  # for modules that this one imports
    sparse = ragged = False
    ragged_rank = row_splits_dtype = None
    __array_priority__ = 100  # NumPy arrays leave operators with a symbolic tensor to it

    def __init__(
        self,
        shape: Shape,
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        *,
        node: "Node | None" = None,
        index: int = 0,
    ) -> None:
        if sparse or ragged:
            raise ArgumentError("sparse and ragged tensors are not supported.")
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name
        self.node: Any = node
        self.index = index

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def reshape(self, newshape: Shape) -> "SymbolicTensor":
        """As `ops.reshape`."""
        return registry["reshape"](self, newshape)

    def squeeze(self, axis: int | Sequence[int] | None = None) -> "SymbolicTensor":
        """As `ops.squeeze`."""
        return registry["squeeze"](self, axis)

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError("a symbolic tensor of unknown length has no len().")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape or self.shape[0] is None:
            raise TypeError(
                f"cannot iterate over {self!r}: its first size is known at run time only."
            )
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        raise TypeError(
            "a symbolic tensor has no truth value: it stands for data that is not there yet. "
            "Use mlapi.ops.where, or mlapi.ops.cond inside of a layer."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{self!r} has no values: it is part of a model under construction. Use functions "
            "of mlapi.ops on it instead of NumPy's."
        )

    def __repr__(self) -> str:
        name = "" if self.name is None else f" name={self.name}"
        return f"<SymbolicTensor shape={self.shape} dtype={self.dtype}{name}>"


# Every operation by name: filled by `mlapi.op`, asked by the operators of symbolic tensors, by
# saved models and by the conformance tests.
registry: dict[str, Callable[..., Any]] = {}

# Which operation an operator on a symbolic tensor is.
_OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "pow": "power",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
_COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
_UNARY = {"neg": "negative", "abs": "absolute", "invert": "bitwise_not"}


def _operator(name: str, swap: bool = False) -> Callable[..., Any]:
    def method(self: SymbolicTensor, *other: Any) -> Any:
        return registry[name](*other, self) if swap else registry[name](self, *other)

    return method


def _getitem(self: SymbolicTensor, index: Any) -> Any:
    return record(operator.getitem, (self, index), {})


for _name, _op in (_OPERATORS | _COMPARISONS | _UNARY).items():
    setattr(SymbolicTensor, f"__{_name}__", _operator(_op))
for _name, _op in _OPERATORS.items():
    setattr(SymbolicTensor, f"__r{_name}__", _operator(_op, swap=True))
SymbolicTensor.__getitem__ = _getitem


class Node:
    """One recorded call: `fn(*args, **kwargs)`, some of whose arguments are symbolic."""

    __slots__ = ("args", "fn", "inputs", "kwargs", "outputs", "places", "structure")

    def __init__(self, fn: Callable[..., Any], args: tuple, kwargs: dict, specs: Any) -> None:
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.inputs = symbols_in((args, kwargs))
        self.outputs: list[SymbolicTensor] = []
        self.structure = tree.map_structure(self._output, specs)
        leaves = tree.flatten(self.structure)
        self.places = [i for i, x in enumerate(leaves) if type(x) is SymbolicTensor]

    def _output(self, spec: Any) -> Any:
        if not isinstance(spec, Spec):
            return spec
        tensor = SymbolicTensor(spec.shape, spec.dtype, node=self, index=len(self.outputs))
        self.outputs.append(tensor)
        return tensor


def symbols_in(structure: Any) -> list[SymbolicTensor]:
    """The symbolic tensors of a nest, in order."""
    return [x for x in tree.flatten(structure) if type(x) is SymbolicTensor]


def infer(fn: Callable[..., Any], args: tuple, kwargs: dict, variables: Iterable[Any] = ()) -> Any:
    """What `fn(*args, **kwargs)` returns, with a `Spec` in place of every tensor."""
    flat = tree.flatten((args, kwargs))
    places = [i for i, x in enumerate(flat) if type(x) in (SymbolicTensor, Spec)]

    def call(*tensors: Any) -> Any:
        filled = list(flat)
        for i, tensor in zip(places, tensors, strict=True):
            filled[i] = tensor
        new_args, new_kwargs = tree.pack_sequence_as((args, kwargs), filled)
        return fn(*new_args, **new_kwargs)

    specs = [Spec(tuple(flat[i].shape), flat[i].dtype) for i in places]
    variables = [*variables, *(x for x in flat if type(x) is Variable)]
    with SymbolicScope():
        found = adapter.core.abstract_eval(call, specs, variables)
        if fn in clipping and any(None in spec.shape for spec in specs):
            ones = [Spec(tuple(1 if n is None else n for n in s.shape), s.dtype) for s in specs]
            with suppress(IndexError, ValueError):  # a place that only longer ones have
                least = adapter.core.abstract_eval(call, ones, variables)
                found = tree.map_structure(common_spec, found, least)
        return found


clipping: set[Callable[..., Any]] = {operator.getitem}
"""What takes fewer elements where there are fewer: unknown sizes are tried as 1 too."""


_inferring: ContextVar[bool] = ContextVar("inferring", default=False)


def is_inferring() -> bool:
    """Whether tensors are stand-ins at the moment, of which the values mean nothing."""
    return _inferring.get()


class SymbolicScope:
    """A stretch of code in which tensors are stand-ins for others that come later."""

    def __enter__(self) -> Self:
        self._token = _inferring.set(True)
        return self

    def __exit__(self, *exc: object) -> None:
        _inferring.reset(self._token)


def record(fn: Callable[..., Any], args: tuple, kwargs: dict, variables: Iterable = ()) -> Any:
    """Note that `fn` is to be called, and give back symbolic results."""
    return Node(fn, args, kwargs, infer(fn, args, kwargs, variables)).structure


class Program:
    """The calls between some inputs and some outputs, sorted once, run in a plain loop.

    Args:
        inputs: symbolic tensors whose values are given.
        outputs: a nest of symbolic tensors.
    """

    def __init__(self, inputs: Sequence[SymbolicTensor], outputs: Any) -> None:
        self.inputs = list(inputs)
        self.outputs = outputs
        self.nodes = _sorted_nodes(self.inputs, symbols_in(outputs))
        self._compile()

    def _compile(self) -> None:
        """Give every tensor a slot (reused once nobody reads it) and every call an instruction."""
        last_use: dict[int, int] = {}
        for step, node in enumerate(self.nodes):
            for tensor in node.inputs:
                last_use[id(tensor)] = step
        results = symbols_in(self.outputs)
        for tensor in results:
            last_use[id(tensor)] = len(self.nodes)
        slots = {id(tensor): i for i, tensor in enumerate(self.inputs)}
        free: list[int] = []
        count = len(self.inputs)
        self._steps = []
        for step, node in enumerate(self.nodes):
            call = _instruction(node, slots)
            done = {id(t) for t in node.inputs if last_use[id(t)] == step}
            free.extend(slots[number] for number in done)
            targets = []
            for tensor in node.outputs:
                if not free:
                    free.append(count)
                    count += 1
                slots[id(tensor)] = free.pop()
                targets.append(slots[id(tensor)])
                if id(tensor) not in last_use:
                    free.append(slots[id(tensor)])
            single = targets[0] if node.structure is node.outputs[0] else None
            self._steps.append((node.fn, *call, single, list(zip(node.places, targets))))
        self._blank = [None] * (count - len(self.inputs))
        self._single = slots[id(self.outputs)] if type(self.outputs) is SymbolicTensor else None
        self._results = [slots[id(t)] for t in results]

    def __call__(self, values: Sequence[Any]) -> Any:
        """The outputs' values, for one value an input."""
        slots = [*values, *self._blank]
        for fn, source, fill, single, targets in self._steps:
            out = fn(slots[source]) if fill is None else fill(slots)
            if single is not None:
                slots[single] = out
            else:
                leaves = tree.flatten(out)
                for place, target in targets:
                    slots[target] = leaves[place]
        if self._single is not None:
            return slots[self._single]
        flat = iter(self._results)
        return tree.map_structure(
            lambda x: slots[next(flat)] if type(x) is SymbolicTensor else x, self.outputs
        )


def _instruction(
    node: Node, slots: dict[int, int]
) -> tuple[int, Callable[[list[Any]], Any] | None]:
    """`(slot, None)` for the common call with one tensor, else a function that fills arguments."""
    fn, args, kwargs = node.fn, node.args, node.kwargs
    if len(args) == 1 and type(args[0]) is SymbolicTensor and not kwargs:
        return slots[id(args[0])], None
    if all(type(a) is SymbolicTensor for a in args) and not symbols_in(kwargs):
        sources = [slots[id(a)] for a in args]
        return -1, lambda values: fn(*[values[i] for i in sources], **kwargs)
    flat = tree.flatten((args, kwargs))
    places = [(i, slots[id(x)]) for i, x in enumerate(flat) if type(x) is SymbolicTensor]

    def fill(values: list[Any]) -> Any:
        filled = list(flat)
        for i, slot in places:
            filled[i] = values[slot]
        new_args, new_kwargs = tree.pack_sequence_as((args, kwargs), filled)
        return fn(*new_args, **new_kwargs)

    return -1, fill


def _sorted_nodes(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> list[Node]:
    """Every call that the outputs need, each after those that it needs itself."""
    given = {id(t) for t in inputs}
    order: list[Node] = []
    done: set[int] = set()
    stack: list[tuple[SymbolicTensor, bool]] = [(t, False) for t in reversed(outputs)]
    while stack:
        tensor, ready = stack.pop()
        if id(tensor) in given:
            continue
        node = tensor.node
        if node is None or (not node.inputs and not ready):
            raise ArgumentError(
                f"the outputs depend on {tensor!r}, which is not among the inputs: "
                f"{', '.join(map(repr, inputs))}. Add it to the inputs, or connect it."
            )
        if id(node) in done:
            continue
        if ready:
            done.add(id(node))
            order.append(node)
        else:
            stack.append((tensor, True))
            stack.extend((t, False) for t in reversed(node.inputs))
    return order
