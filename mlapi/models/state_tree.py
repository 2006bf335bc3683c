"""All Variables of a model as a nest of dicts, by their paths."""

from collections.abc import Mapping
from typing import Any

from mlapi.errors import ArgumentError
from mlapi.state import Variable
from mlapi.validation import Choice

_format = Choice("backend_tensor", "numpy_array")


def read(model: Any, value_format: str) -> dict[str, Any]:
    """Values of the Variables of each kind, nested by the parts of their paths."""
    wanted = _format("get_state_tree", "value_format", value_format)

    def value(variable: Variable) -> Any:
        return variable.numpy() if wanted == "numpy_array" else variable.value

    return {
        kind: _nested({path: value(v) for path, v in variables.items()})
        for kind, variables in _kinds(model).items()
    }


def write(model: Any, state_tree: Mapping[str, Any]) -> None:
    """Assign what `read` returned, or some of it; nothing changes if a part does not fit."""
    kinds = _kinds(model)
    pairs = []
    for kind, nest in state_tree.items():
        if kind not in kinds:
            raise ArgumentError(
                f"set_state_tree: unknown part {kind!r}, expected some of {', '.join(kinds)}."
            )
        for path, value in _flat(nest).items():
            if path not in kinds[kind]:
                raise ArgumentError(
                    f'set_state_tree: the model "{model.name}" has no {kind} at {path!r}.'
                )
            variable = kinds[kind][path]
            pairs.append((variable, variable._accept(value)))
    for variable, value in pairs:
        variable.assign(value)


def _kinds(model: Any) -> dict[str, dict[str, Variable]]:
    metrics = model.metrics_variables
    counted = {id(v) for v in metrics}
    optimizer = getattr(model, "optimizer", None)
    lists = {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": [
            v for v in model.non_trainable_variables if id(v) not in counted
        ],
        "optimizer_variables": [] if optimizer is None else optimizer.variables,
        "metrics_variables": metrics,
    }
    kinds = {}
    for kind, variables in lists.items():
        kinds[kind] = {variable.path: variable for variable in variables}
        if len(kinds[kind]) < len(variables):
            raise ArgumentError(
                f'The {kind} of "{model.name}" cannot be told apart by their paths. Give the '
                "layers names of their own."
            )
    return kinds


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    nest: dict[str, Any] = {}
    for path, value in values.items():
        *groups, name = path.split("/")
        level = nest
        for group in groups:
            level = level.setdefault(group, {})
        level[name] = value
    return nest


def _flat(nest: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(nest, Mapping):
        return {prefix: nest}
    found: dict[str, Any] = {}
    for name, inner in nest.items():
        found.update(_flat(inner, f"{prefix}/{name}" if prefix else name))
    return found
