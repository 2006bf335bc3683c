"""A functional model as plain data, in Keras 3's layout, and back.

Every layer (and every op that was called on symbolic tensors) is a record with `inbound_nodes`:
the arguments of each of its calls, where a tensor is written as

    {"class_name": "__keras_tensor__",
     "config": {"shape": …, "dtype": …, "keras_history": [name, number of the call, output]}}
"""

import operator
from typing import Any

from mlapi import naming, serialization, tree
from mlapi.errors import ArgumentError, LoadError
from mlapi.graph import Node, SymbolicTensor, registry
from mlapi.layers import InputLayer, Layer

_TENSOR = "__keras_tensor__"
_OPS, _OPERATORS = "mlapi.ops", "mlapi.operators"
_FUNCTIONS = {_OPS: registry, _OPERATORS: {"getitem": operator.getitem}}


def to_config(model: Any) -> dict[str, Any]:
    """The config of a functional model: JSON data."""
    names, calls = _name_calls(model)

    def reference(tensor: SymbolicTensor) -> list[Any]:
        name, number = names[id(tensor.node)]
        return [name, number, tensor.index]

    def plain(value: Any) -> Any:
        if type(value) is SymbolicTensor:
            return {
                "class_name": _TENSOR,
                "config": {
                    "shape": list(value.shape),
                    "dtype": value.dtype,
                    "keras_history": reference(value),
                },
            }
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, list):
            return [plain(v) for v in value]
        if isinstance(value, tuple):  # JSON would make a list of it, which indexes differently
            return {"class_name": "__tuple__", "items": [plain(v) for v in value]}
        return serialization.serialize(value)

    records = []
    for name, (fn, nodes) in calls.items():
        record = _record(fn)
        record["name"] = name
        record["inbound_nodes"] = [
            {"args": [plain(a) for a in node.args], "kwargs": plain(node.kwargs)}
            for node in nodes
            if node.inputs
        ]
        records.append(record)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": records,
        "input_layers": tree.map_structure(reference, model._inputs_struct),
        "output_layers": tree.map_structure(reference, model._outputs_struct),
    }


def _name_calls(
    model: Any,
) -> tuple[dict[int, tuple[str, int]], dict[str, tuple[Any, list[Node]]]]:
    """`(name, number)` of each call, and all calls by name, in the order of the program."""
    names: dict[int, tuple[str, int]] = {}
    calls: dict[str, tuple[Any, list[Node]]] = {}
    taken = {layer.name for layer in model.layers}
    for node in [*(t.node for t in model.inputs), *model._compile().nodes]:
        if isinstance(node.fn, Layer):
            name = node.fn.name
        else:
            name = naming.unique_name(node.fn.__name__, taken)
            taken.add(name)
        entry = calls.setdefault(name, (node.fn, []))
        names[id(node)] = (name, len(entry[1]))
        entry[1].append(node)
    return names, calls


def _record(fn: Any) -> dict[str, Any]:
    if isinstance(fn, Layer):
        record = serialization.serialize(fn)
        build_config = fn.get_build_config()
        if build_config is not None and not isinstance(fn, InputLayer):
            record["build_config"] = serialization.serialize(build_config)
        return record
    for module, functions in _FUNCTIONS.items():
        if functions.get(fn.__name__) is fn:
            return {
                "module": module,
                "class_name": fn.__name__,
                "config": {},
                "registered_name": None,
            }
    raise ArgumentError(
        f"{fn.__name__!r} cannot be saved: it is no operation of mlapi.ops, nor one declared "
        "with @op under a name of its own. Put it into a layer."
    )


def from_config(cls: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """A model from what `to_config` returned; the calls are made again in a possible order."""
    functions: dict[str, Any] = {}
    waiting: list[tuple[str, int, dict[str, Any]]] = []
    outputs: dict[tuple[str, int], list[SymbolicTensor]] = {}
    for record in config["layers"]:
        name = record.get("name") or record["config"]["name"]
        functions[name] = fn = _function(record, custom_objects)
        if isinstance(fn, InputLayer):
            outputs[name, 0] = [fn.output]
        for number, call in enumerate(record.get("inbound_nodes") or ()):
            waiting.append((name, number, call))
    while waiting:
        ready = [c for c in waiting if _needs(c[2]) <= outputs.keys()]
        if not ready:
            raise LoadError(
                f'The config of model "{config.get("name")}" has calls whose inputs come from '
                f"nowhere: {', '.join(sorted({name for name, _, _ in waiting}))}."
            )
        for name, number, call in ready:
            args = _filled(call.get("args", ()), outputs, custom_objects)
            kwargs = _filled(call.get("kwargs", {}), outputs, custom_objects)
            result = functions[name](*args, **kwargs)
            outputs[name, number] = [t for t in tree.flatten(result) if type(t) is SymbolicTensor]
        done = {id(c) for c in ready}
        waiting = [c for c in waiting if id(c) not in done]

    def tensor(reference: Any) -> Any:
        name, number, index = reference
        try:
            return outputs[name, number][index]
        except (KeyError, IndexError):
            raise LoadError(
                f'The config of model "{config.get("name")}" names the tensor {reference!r}, '
                "which none of its layers makes."
            ) from None

    return cls(
        _map_references(tensor, config["input_layers"]),
        _map_references(tensor, config["output_layers"]),
        name=config.get("name"),
        trainable=config.get("trainable", True),
    )


def _function(record: dict[str, Any], custom_objects: Any) -> Any:
    table = _FUNCTIONS.get(str(record.get("module")))
    if table is None:
        return serialization.deserialize(record, custom_objects=custom_objects)
    name = record["class_name"]
    if name not in table:
        raise LoadError(f"The config names the function {name!r}, which {record['module']} lacks.")
    return table[name]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == _TENSOR


def _needs(value: Any) -> set[tuple[str, int]]:
    """The calls whose results an argument holds."""
    if _is_tensor(value):
        name, number, _ = value["config"]["keras_history"]
        return {(name, number)}
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*(_needs(v) for v in value))
    return set()


def _filled(value: Any, outputs: dict, custom_objects: Any) -> Any:
    if _is_tensor(value):
        name, number, index = value["config"]["keras_history"]
        return outputs[name, number][index]
    if isinstance(value, list):
        return [_filled(v, outputs, custom_objects) for v in value]
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return tuple(_filled(v, outputs, custom_objects) for v in value["items"])
    if isinstance(value, dict) and not serialization.is_record(value):
        return {k: _filled(v, outputs, custom_objects) for k, v in value.items()}
    return serialization.deserialize(value, custom_objects=custom_objects)


def _map_references(fn: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _map_references(fn, v) for k, v in value.items()}
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return fn(value)
    return [_map_references(fn, v) for v in value]
