"""House rules for extensions, as functions that raise AssertionError: `check_layer`.

They are what mlapi's own tests call, so that a layer of yours can be held to the same.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mlapi import host_random, ops, tree
from mlapi.graph import SymbolicTensor
from mlapi.layers.arguments import signature
from mlapi.layers.base import Layer
from mlapi.layers.input import Input
from mlapi.models import Model, load_model
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
    mixed: bool = True,
    tolerance: float = 1e-5,
) -> Any:
    """Holds a layer to the rules that every layer of mlapi keeps.

    The layer's output is the one expected; it comes out the same

    - under `mlapi.jit`, changes of its Variables included,
    - from a copy made through `get_config`, JSON and `from_config` with the same weights, which
      does not care whether numbers in the arguments are NumPy's and lists are tuples,
    - from a model saved to a `.keras` file and loaded,
    - nearly, in bfloat16 under the policy `mixed_bfloat16`, with variables that stay as they are.

    Symbolic outputs have its shape and dtype, with the batch size unknown; so they have in
    training; gradients with respect to inputs and weights agree with finite differences along a
    random direction; and a mask that comes in leaves as one that fits the output, or not at all.

    Args:
        layer_class: the class of the layer.
        arguments: its constructor's arguments.
        inputs: an array, or a list of arrays for layers that take a list.
        expected: the output as an array, or a nest of them; or a function that returns it for
            the inputs and the weights, `expected(inputs, *weights)`. For a function the trainable
            weights are moved away from their first values: a bias of 0 could be added anywhere.
        call_arguments: further arguments of the call, for instance `{"training": True}`. Calls
            must then be repeatable: no dropout.
        gradients: False for layers that have none, or steps in their output.
        mixed: False for layers that are of one dtype whatever the policy.
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
    _check_names(layer)
    if callable(expected):
        _move(layer)
        output = _numpy(layer(inputs, **call))
    weights = layer.get_weights()
    if expected is not None:
        wanted = expected(inputs, *weights) if callable(expected) else expected
        _check_close(output, wanted, tolerance, f"{layer_class.__name__}: unexpected output")
    copy = _check_copy(layer, inputs, call, tolerance)
    compiled = jit(lambda x: layer(x, **call), layer)
    layer.set_weights(weights)
    found = _numpy(compiled(_tensors(inputs)))
    _check_compiled(layer, found, copy, _numpy(copy(inputs, **call)), tolerance)
    layer.set_weights(weights)
    _check_odd_arguments(layer_class, arguments, layer)
    _check_symbolic(layer, inputs, output, call)
    _check_mask(layer, inputs, output)
    _check_saved(layer, inputs, call, tolerance)
    layer.set_weights(weights)
    if mixed:
        _check_mixed(layer, arguments, inputs, output, call)
    if signature(layer_class).takes_training:
        _check_training(layer, inputs, call)
        layer.set_weights(weights)
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


def _move(layer: Layer) -> None:
    generator = host_random.generator()
    for variable in layer.trainable_variables:
        noise = generator.normal(0.0, 0.3, variable.shape)
        variable.assign((variable.numpy() + noise).astype(variable.dtype))


def _check_names(layer: Layer) -> None:
    paths = [variable.path for variable in layer.weights]
    name = type(layer).__name__
    assert len(set(paths)) == len(paths), f"{name}: two weights of one path: {paths}"
    for path in paths:
        assert path.startswith(f"{layer.name}/"), f"{name}: {path!r} is not below {layer.name!r}"


def _check_copy(layer: Layer, inputs: Any, call: dict, tolerance: float) -> Layer:
    """A layer made from the config, as it looks after a journey through JSON, is the same layer."""
    name = type(layer).__name__
    config = json.loads(json.dumps(layer.get_config()))
    copy = type(layer).from_config(config)
    again = json.loads(json.dumps(copy.get_config()))
    assert again == config, f"{name}: the config changes on the way: {config} to {again}"
    weights = layer.get_weights()
    copy(inputs, **call)
    copy.set_weights(weights)
    found, wanted = _numpy(copy(inputs, **call)), _numpy(layer(inputs, **call))
    _check_close(found, wanted, tolerance, f"{name}: a copy is not equal")
    copy.set_weights(weights)
    return copy


def _check_odd_arguments(
    layer_class: type[Layer], arguments: Mapping[str, Any], layer: Layer
) -> None:
    """Numbers of NumPy and tuples in the place of lists make the same layer."""
    odd = {name: _odd(value) for name, value in arguments.items()}
    config = layer.get_config()
    found = layer_class(**{**odd, "name": layer.name}).get_config()
    found, wanted = json.loads(json.dumps(found)), json.loads(json.dumps(config))
    assert found == wanted, f"{layer_class.__name__}: {odd} makes the config {found}, not {wanted}"


def _odd(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | list):
        return value
    if isinstance(value, list):
        return tuple(map(_odd, value))
    return np.int64(value) if isinstance(value, int) else np.float64(value)


def _check_mask(layer: Layer, inputs: Any, output: Any) -> None:
    """A mask of the first two axes leaves as one of the output's first axes, or not at all."""
    if not layer.supports_masking or any(np.ndim(x) < 3 for x in tree.flatten(inputs)):
        return
    masks = tree.map_structure(lambda x: ops.ones(x.shape[:2], "bool"), inputs)
    found = layer.compute_mask(_tensors(inputs), masks)
    pairs = zip(tree.flatten(found), tree.flatten(output))
    for mask, array in pairs:
        shape = None if mask is None else tuple(mask.shape)
        fits = shape is None or shape == array.shape[: len(shape)]
        name = type(layer).__name__
        assert fits, f"{name}: a mask of shape {shape} for an output of shape {array.shape}"


def _check_saved(layer: Layer, inputs: Any, call: dict[str, Any], tolerance: float) -> None:
    """A model with the layer comes back from a file as it was."""
    given = [inputs, *(x for x in tree.flatten(call) if isinstance(x, np.ndarray))]
    symbols, call = tree.map_structure(_symbol, (inputs, call))
    arguments = [x for x in tree.flatten(call) if isinstance(x, SymbolicTensor)]
    model = Model([symbols, *arguments], layer(symbols, **call))
    known = {type(layer).__name__: type(layer)}
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = load_model(f"{folder}/model.keras", known)
    message = f"{type(layer).__name__}: loaded from a file it is another layer"
    _check_close(loaded.get_weights(), model.get_weights(), 0.0, message)
    _check_close(_numpy(loaded(given)), _numpy(model(given)), tolerance, message)


def _symbol(x: Any) -> Any:
    """An input of a model for an array; what is none stays."""
    return Input(x.shape[1:], dtype=ops.dtype(x)) if isinstance(x, np.ndarray) else x


def _check_mixed(
    layer: Layer, arguments: Mapping[str, Any], inputs: Any, output: Any, call: dict[str, Any]
) -> None:
    """Computes in bfloat16 and keeps its weights in float32."""
    name = type(layer).__name__
    mixed = type(layer)(**{**arguments, "dtype": "mixed_bfloat16"})
    mixed(inputs, **call)
    assert [v.dtype for v in mixed.weights] == [v.dtype for v in layer.weights], name
    mixed.set_weights(layer.get_weights())
    for found, wanted in zip(tree.flatten(mixed(inputs, **call)), tree.flatten(output)):
        if wanted.dtype.kind == "f":
            dtype = ops.dtype(found)
            assert dtype == "bfloat16", f"{name}: an output of {dtype} under mixed_bfloat16"
            scale = float(np.max(np.abs(wanted), initial=1.0))
            np.testing.assert_allclose(
                ops.convert_to_numpy(ops.cast(ops.stop_gradient(found), "float32")) / scale,
                wanted / scale,
                atol=0.1,
                err_msg=f"{name}: another output under mixed_bfloat16",
            )


def _check_training(layer: Layer, inputs: Any, call: dict[str, Any]) -> None:
    """Runs in training, where outputs have the shapes and dtypes that they have elsewhere."""
    calls = ({**call, "training": training} for training in (False, True))
    plain, training = (tree.flatten(layer(inputs, **arguments)) for arguments in calls)
    for one, other in zip(plain, training, strict=True):
        same = ops.shape(one) == ops.shape(other) and ops.dtype(one) == ops.dtype(other)
        assert same, f"{type(layer).__name__}: outputs of another shape or dtype in training"


def _check_compiled(
    layer: Layer, output: Any, eager: Layer, eager_output: Any, tolerance: float
) -> None:
    """Output and changed variables of a compiled call are those of an eager one."""
    message = f"{type(layer).__name__}: compiled is not eager"
    _check_close(output, eager_output, tolerance, message)
    _check_close(layer.get_weights(), eager.get_weights(), tolerance, message)


def _check_symbolic(layer: Layer, inputs: Any, output: Any, call_arguments: dict) -> None:
    given, named = tree.map_structure(_symbol, (inputs, call_arguments))
    symbols = layer(given, **named)
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
