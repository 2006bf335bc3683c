"""House rules for extensions, as functions that raise AssertionError: `check_layer`.

They are what mlapi's own tests call, so that a layer of yours can be held to the same.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mlapi import host_random, ops, tree
from mlapi.layers.base import Layer
from mlapi.layers.input import Input
from mlapi.state import Variable
from mlapi.transforms import jit, value_and_grad

__all__ = ["check_layer"]

# Step of finite differences: short, since relu and max pooling bend, and long enough for float32.
_STEP = 2e-3
_SLOPE_TOLERANCE = 2e-2


def check_layer(
    layer_class: type[Layer],
    arguments: Mapping[str, Any],
    inputs: Any,
    *,
    expected: Any = None,
    call_arguments: Mapping[str, Any] | None = None,
    gradients: bool = True,
    tolerance: float = 1e-5,
) -> Any:
    """Holds a layer to the rules that every layer of mlapi keeps.

    The layer's output is the one expected; it comes out the same under `mlapi.jit`, and from a
    copy made through `get_config`, JSON and `from_config` with the same weights; symbolic
    outputs have its shape and dtype, with the batch size unknown; and gradients with respect to
    inputs and weights agree with finite differences along a random direction.

    Args:
        layer_class: the class of the layer.
        arguments: its constructor's arguments.
        inputs: an array, or a list of arrays for layers that take a list.
        expected: the output as an array, or a nest of them; or a function that returns it for
            the inputs and the weights, `expected(inputs, *weights)`.
        call_arguments: further arguments of the call, for instance `{"training": True}`. Calls
            must then be repeatable: no dropout.
        gradients: False for layers that have none, or steps in their output.
        tolerance: absolute and relative error allowed in the output.

    Returns:
        The output as NumPy arrays.

    Raises:
        AssertionError: a rule is broken; the message says which.

    Example:
        >>> import numpy as np
        >>> from mlapi import layers, testing
        >>> x = np.ones((2, 3), "float32")
        >>> testing.check_layer(layers.Rescaling, {"scale": 2.0}, x, expected=2 * x).shape
        (2, 3)
    """
    call = dict(call_arguments or {})
    layer = layer_class(**arguments)
    output = _numpy(layer(inputs, **call))
    weights = layer.get_weights()
    _check_names(layer)
    if expected is not None:
        wanted = expected(inputs, *weights) if callable(expected) else expected
        _check_close(output, wanted, tolerance, f"{layer_class.__name__}: unexpected output")
    copy = _check_copy(layer, inputs, tolerance)
    compiled = jit(lambda x: layer(x, **call), layer)
    layer.set_weights(weights)
    found = _numpy(compiled(_tensors(inputs)))
    _check_compiled(layer, found, copy, _numpy(copy(inputs, **call)), tolerance)
    layer.set_weights(weights)
    _check_symbolic(layer, inputs, output, call)
    if gradients:
        _check_gradients(layer, inputs, output, call, compiled)
        layer.set_weights(weights)
    return output


def _numpy(structure: Any) -> Any:
    return tree.map_structure(lambda x: np.array(ops.convert_to_numpy(x)), structure)


def _tensors(structure: Any) -> Any:
    return tree.map_structure(lambda x: ops.convert_to_tensor(x), structure)


def _check_close(found: Any, wanted: Any, tolerance: float, message: str) -> None:
    found, wanted = tree.flatten(found), tree.flatten(wanted)
    assert len(found) == len(wanted), f"{message}: {len(found)} outputs, expected {len(wanted)}"
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == np.shape(other), f"{message}: {one.shape}, expected {np.shape(other)}"
        np.testing.assert_allclose(one, other, tolerance, tolerance, err_msg=message)


def _check_names(layer: Layer) -> None:
    paths = [variable.path for variable in layer.weights]
    name = type(layer).__name__
    assert len(set(paths)) == len(paths), f"{name}: two weights of one path: {paths}"
    for path in paths:
        assert path.startswith(f"{layer.name}/"), f"{name}: {path!r} is not below {layer.name!r}"


def _check_copy(layer: Layer, inputs: Any, tolerance: float) -> Layer:
    """A layer made from the config, as it looks after a journey through JSON, is the same layer."""
    name = type(layer).__name__
    config = json.loads(json.dumps(layer.get_config()))
    copy = type(layer).from_config(config)
    again = json.loads(json.dumps(copy.get_config()))
    assert again == config, f"{name}: the config changes on the way: {config} to {again}"
    copy(inputs)
    copy.set_weights(layer.get_weights())
    found, wanted = _numpy(copy(inputs)), _numpy(layer(inputs))
    _check_close(found, wanted, tolerance, f"{name}: a copy is not equal")
    return copy


def _check_compiled(
    layer: Layer, output: Any, eager: Layer, eager_output: Any, tolerance: float
) -> None:
    """Output and changed variables of a compiled call are those of an eager one."""
    message = f"{type(layer).__name__}: compiled is not eager"
    _check_close(output, eager_output, tolerance, message)
    _check_close(layer.get_weights(), eager.get_weights(), tolerance, message)


def _check_symbolic(layer: Layer, inputs: Any, output: Any, call_arguments: dict) -> None:
    def symbol(x: np.ndarray) -> Any:
        return Input(x.shape[1:], dtype=ops.dtype(x))

    call_arguments = tree.map_structure(
        lambda x: symbol(x) if isinstance(x, np.ndarray) else x, call_arguments
    )
    symbols = layer(tree.map_structure(symbol, inputs), **call_arguments)
    name = type(layer).__name__
    for tensor, array in zip(tree.flatten(symbols), tree.flatten(output), strict=True):
        wanted = (None, *array.shape[1:])
        assert tensor.shape == wanted, f"{name}: symbolic shape {tensor.shape}, not {wanted}"
        dtype = ops.dtype(array)
        assert tensor.dtype == dtype, f"{name}: symbolic dtype {tensor.dtype}, not {dtype}"


def _check_gradients(
    layer: Layer, inputs: Any, output: Any, call_arguments: dict, compiled: Callable[[Any], Any]
) -> None:
    """Compare slopes of a random weighted sum of the outputs along random directions."""
    generator = host_random.generator()
    factors = [generator.standard_normal(y.shape).astype("float32") for y in tree.flatten(output)]
    state, variables = layer.get_weights(), layer.trainable_variables
    # Inputs, if all are floats, then weights: everything that a gradient may be asked for.
    given = tree.flatten(inputs)
    moving = given if all(x.dtype.kind == "f" for x in given) else []
    leaves = [*moving, *(variable.numpy() for variable in variables)]
    names = [*(f"input {i}" for i in range(len(moving))), *(v.path for v in variables)]
    slots = [Variable(x) for x in moving]

    def loss() -> Any:
        x = tree.pack_sequence_as(inputs, [slot.value for slot in slots]) if moving else inputs
        outputs = tree.flatten(layer(x, **call_arguments))
        return sum(ops.sum(ops.multiply(y, f)) for y, f in zip(outputs, factors, strict=True))

    def loss_at(leaves: list[np.ndarray]) -> float:
        layer.set_weights(state)
        for variable, value in zip(variables, leaves[len(moving) :], strict=True):
            variable.assign(value)
        x = tree.pack_sequence_as(inputs, leaves[: len(moving)]) if moving else inputs
        outputs = tree.flatten(_numpy(compiled(_tensors(x))))
        return sum(float(np.sum(y.astype("float64") * f)) for y, f in zip(outputs, factors))

    layer.set_weights(state)
    gradients = jit(value_and_grad(loss, [*slots, *variables]), [layer, slots])
    found = _numpy(gradients()[1]) if leaves else []
    for i, (leaf, grad) in enumerate(zip(leaves, found, strict=True)):
        direction = generator.standard_normal(leaf.shape)
        direction /= np.linalg.norm(direction)
        step = (_STEP * direction).astype(leaf.dtype)
        there = loss_at([*leaves[:i], leaf + step, *leaves[i + 1 :]])
        back = loss_at([*leaves[:i], leaf - step, *leaves[i + 1 :]])
        slope, by_gradient = (there - back) / (2 * _STEP), float(np.sum(grad * direction))
        allowed = _SLOPE_TOLERANCE * max(float(np.linalg.norm(grad)), 0.1)
        message = f"{type(layer).__name__}: gradient of {names[i]}: {by_gradient}, not {slope}"
        assert abs(slope - by_gradient) <= allowed, message
