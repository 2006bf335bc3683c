"""House rules for extensions, as functions that raise AssertionError: `check_layer`.

They are what mlapi's own tests call, so that a layer of yours can be held to the same.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlapi import host_random, ops, tree
from mlapi.graph import SymbolicTensor
from mlapi.layers.base import Layer
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
    call_arguments = dict(call_arguments or {})
    layer = layer_class(**arguments)
    output = _numpy(layer(inputs, **call_arguments))
    weights = layer.get_weights()
    _check_names(layer)
    if expected is not None:
        wanted = expected(inputs, *weights) if callable(expected) else expected
        _check_close(output, wanted, tolerance, f"{layer_class.__name__}: unexpected output")
    _check_copy(layer, inputs, call_arguments, tolerance)
    _check_compiled(layer_class, arguments, inputs, weights, call_arguments, tolerance)
    _check_symbolic(layer, inputs, output, call_arguments)
    if gradients:
        _check_gradients(layer, inputs, call_arguments)
    return output


def _numpy(structure: Any) -> Any:
    return tree.map_structure(lambda x: np.array(ops.convert_to_numpy(x)), structure)


def _tensor(x: Any) -> Any:
    return ops.convert_to_tensor(x)


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


def _check_copy(layer: Layer, inputs: Any, call_arguments: dict, tolerance: float) -> None:
    """A layer made from the config, as it looks after a journey through JSON, is the same layer."""
    name = type(layer).__name__
    config = json.loads(json.dumps(layer.get_config()))
    copy = type(layer).from_config(config)
    again = json.loads(json.dumps(copy.get_config()))
    assert again == config, f"{name}: the config changes on the way: {config} to {again}"
    copy(inputs, **call_arguments)
    copy.set_weights(layer.get_weights())
    _check_close(
        _numpy(copy(inputs)), _numpy(layer(inputs)), tolerance, f"{name}: a copy is not equal"
    )


def _check_compiled(
    layer_class: type[Layer],
    arguments: Mapping[str, Any],
    inputs: Any,
    weights: list[np.ndarray],
    call_arguments: dict,
    tolerance: float,
) -> None:
    """Output and changed variables are those of an eager call."""
    eager, compiled = layer_class(**arguments), layer_class(**arguments)
    for layer in (eager, compiled):
        layer(inputs)
        layer.set_weights(weights)
    run = jit(lambda x: compiled(x, **call_arguments), compiled)
    tensors = tree.map_structure(_tensor, inputs)
    message = f"{layer_class.__name__}: compiled is not eager"
    _check_close(_numpy(run(tensors)), _numpy(eager(inputs, **call_arguments)), tolerance, message)
    _check_close(compiled.get_weights(), eager.get_weights(), tolerance, message)


def _check_symbolic(layer: Layer, inputs: Any, output: Any, call_arguments: dict) -> None:
    def symbol(x: np.ndarray) -> SymbolicTensor:
        return SymbolicTensor((None, *x.shape[1:]), ops.dtype(x))

    symbols = layer(tree.map_structure(symbol, inputs), **call_arguments)
    name = type(layer).__name__
    for tensor, array in zip(tree.flatten(symbols), tree.flatten(output), strict=True):
        wanted = (None, *array.shape[1:])
        assert tensor.shape == wanted, f"{name}: symbolic shape {tensor.shape}, not {wanted}"
        dtype = ops.dtype(array)
        assert tensor.dtype == dtype, f"{name}: symbolic dtype {tensor.dtype}, not {dtype}"


def _check_gradients(layer: Layer, inputs: Any, call_arguments: dict) -> None:
    """Compare slopes of a random weighted sum of the outputs along random directions."""
    generator = host_random.generator()
    state = layer.get_weights()
    variables = layer.trainable_variables
    factors = [
        generator.standard_normal(y.shape).astype("float32")
        for y in tree.flatten(_numpy(layer(inputs, **call_arguments)))
    ]
    # Inputs, if all are floats, then weights: everything that a gradient may be asked for.
    given = tree.flatten(inputs)
    moving = given if all(x.dtype.kind == "f" for x in given) else []
    leaves = [*moving, *(variable.numpy() for variable in variables)]

    def weighted(x: Any) -> list[Any]:
        outputs = tree.flatten(layer(x, **call_arguments))
        return [ops.multiply(y, factor) for y, factor in zip(outputs, factors, strict=True)]

    def loss(x: Any) -> Any:
        return sum(ops.sum(y) for y in weighted(x))

    def loss_at(leaves: list[np.ndarray]) -> float:
        layer.set_weights(state)
        for variable, value in zip(variables, leaves[len(moving) :], strict=True):
            variable.assign(value)
        x = tree.pack_sequence_as(inputs, leaves[: len(moving)]) if moving else inputs
        return sum(float(np.sum(y, dtype="float64")) for y in _numpy(weighted(x)))

    grads = []
    if moving:
        layer.set_weights(state)
        grads += tree.flatten(value_and_grad(loss)(tree.map_structure(_tensor, inputs))[1])
    if variables:
        layer.set_weights(state)
        grads += value_and_grad(lambda: loss(inputs), variables)()[1]
    for place, (leaf, grad) in enumerate(zip(leaves, _numpy(grads), strict=True)):
        direction = generator.standard_normal(leaf.shape)
        direction /= np.linalg.norm(direction)

        def moved(step: float, k: int = place, d: np.ndarray = direction) -> float:
            return loss_at([*leaves[:k], leaves[k] + step * d.astype("float32"), *leaves[k + 1 :]])

        slope = (moved(_STEP) - moved(-_STEP)) / (2 * _STEP)
        found = float(np.sum(grad * direction))
        allowed = _SLOPE_TOLERANCE * max(float(np.linalg.norm(grad)), 0.1)
        what = [*(f"input {i}" for i in range(len(moving))), *(v.path for v in variables)][place]
        message = f"{type(layer).__name__}: gradient of {what}: {found}, by differences {slope}"
        assert abs(slope - found) <= allowed, message
    layer.set_weights(state)
