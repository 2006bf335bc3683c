"""Modules of the frameworks themselves as layers; each works on the backend of its framework.

None of them is ever made from a file: what they hold is code.
"""

import inspect
from collections.abc import Callable
from typing import Any, NoReturn

from mlapi import random, tree
from mlapi.backends import adapter
from mlapi.errors import ArgumentError, ArgumentTypeError, BackendError
from mlapi.layers.base import Layer
from mlapi.state import Variable, scope
from mlapi.types import DTypeLike

_core = adapter.core
_foreign = getattr(adapter, "foreign", None)


def _from_adapter(name: str, layer: str, backend: str) -> Callable[..., Any]:
    found = getattr(_foreign, name, None)
    if found is None:
        raise BackendError(
            f"{layer} needs the {backend} backend, and this program runs on {adapter.NAME}. Set "
            f"MLAPI_BACKEND={backend}."
        )
    return found


class _Foreign(Layer):
    """What the layers share: Variables that stand for another library's parameters."""

    def _adopt(self, name: str, value: Any, trainable: bool) -> Variable:
        array = _core.to_numpy(value) if _core.is_tensor(value) else value
        return Variable(
            array, trainable=trainable, name=name, path=f"{self.path}/{name.replace('/', '.')}"
        )

    def get_config(self) -> NoReturn:
        """Refuses: what the layer holds is code, which no file may bring.

        Raises:
            ArgumentError: always; the message says what to do instead.
        """
        raise ArgumentError(
            f"{self._where()} cannot be saved as a config, because what it holds is code. Save the "
            "weights (model.save_weights), and build the model in code before loading them."
        )


class _Shared(_Foreign):
    """A module whose storage the Variables share."""

    def _share(self, module: Any) -> None:
        self._held = [module]  # in a list of nothing but itself: its parameters are ours already
        self._variables = {}
        for name, value, trainable in module.parts():
            variable = self._adopt(name, value, trainable)
            _foreign.share(variable, value)  # type: ignore[union-attr]
            self._variables[name] = variable
        self.built = True

    def _call_held(self, training: bool | None, args: tuple, kwargs: dict[str, Any]) -> Any:
        def values() -> dict[str, Any]:
            return {name: v.value for name, v in self._variables.items()}

        return self._held[0](values, scope.plain, training, args, kwargs)


class TorchModuleWrapper(_Shared):
    """A `torch.nn.Module` as a layer: its parameters and buffers are the layer's weights.

    Args:
        module: the module. Lazy parameters must have been initialised by a call.
        name: of the layer.
        output_shape: kept for programs written for Keras; shapes are found by running the module.
        **kwargs: `trainable`, `dtype`.

    Raises:
        BackendError: the backend is not torch.
        ArgumentTypeError: `module` is no torch module, or a lazy one.
    """

    def __init__(
        self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any
    ) -> None:
        make = _from_adapter("torch_module", "TorchModuleWrapper", "torch")
        super().__init__(name=name, **kwargs)
        try:
            adopted = make(module)
        except TypeError as error:
            raise ArgumentTypeError(f'TorchModuleWrapper "{self.name}": {error}') from None
        self.output_shape = output_shape
        self._share(adopted)

    @property
    def module(self) -> Any:
        """The module."""
        return self._held[0].module

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Returns what the module returns."""
        return self._call_held(training, args, kwargs)


class TFSMLayer(_Shared):
    """A SavedModel of tensorflow as a layer.

    Args:
        filepath: of the SavedModel, a folder.
        call_endpoint: name of the function to call, or of a signature.
        call_training_endpoint: the same for calls with `training=True`; by default the other.
        trainable: whether its variables are trained.
        name: of the layer.
        dtype: of the computation.

    Raises:
        BackendError: the backend is not tensorflow.
        ArgumentError: there is no SavedModel, or it lacks an endpoint.
    """

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        load = _from_adapter("saved_model", "TFSMLayer", "tensorflow")
        super().__init__(name=name, dtype=dtype)
        try:
            adopted = load(str(filepath), call_endpoint, call_training_endpoint)
        except (OSError, ValueError) as error:
            raise ArgumentError(f'TFSMLayer "{self.name}": {filepath}: {error}') from None
        self.filepath = str(filepath)
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        self._share(adopted)
        self.trainable = trainable

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns what the endpoint returns."""
        return self._call_held(training, (inputs,), {})


class JaxLayer(_Foreign):
    """A function of jax with its parameters as a layer.

    Args:
        call_fn: called with those of the arguments that it names: `params`, `state`, `rng` (a key),
            `inputs`, `training`. With `state` it returns the outputs and the new state.
        init_fn: called with those that it names of `rng`, `inputs` and `training`, it returns the
            parameters, or parameters and state.
        params: the parameters, any tree of arrays, instead of `init_fn`.
        state: what is not trained, likewise.
        seed: of the keys.
        native_serialization_platforms: kept for programs written for Keras.
        **kwargs: `name`, `trainable`, `dtype`.

    Raises:
        BackendError: the backend is not jax.
        ArgumentError: `call_fn` has no argument `inputs`, or there are neither parameters nor
            `init_fn`.
    """

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Any = None,
        **kwargs: Any,
    ) -> None:
        self._flatten = _from_adapter("flatten", type(self).__name__, "jax")
        super().__init__(**kwargs)
        self.call_fn, self.init_fn = call_fn, init_fn
        self._wanted = set(inspect.signature(call_fn).parameters)
        if "inputs" not in self._wanted:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": call_fn must have an argument `inputs`, it '
                f"has {', '.join(self._wanted) or 'none'}."
            )
        self.seed_generator = random.SeedGenerator(seed)
        self._has_state = "state" in self._wanted
        self._params: list[Variable] = []
        self._state: list[Variable] = []
        if params is not None or state is not None:
            self._take(params, state)
            self.built = True
        elif init_fn is None:
            raise ArgumentError(
                f'{type(self).__name__} "{self.name}": give `params`, or `init_fn` to make them.'
            )

    def _take(self, params: Any, state: Any) -> None:
        named, self._tree_of_params = self._flatten(params)
        self._params = [self._adopt(name, value, True) for name, value in named]
        named, self._tree_of_state = self._flatten(state)
        self._state = [self._adopt(name, value, False) for name, value in named]

    def build(self, input_shape: Any) -> None:
        """Makes the parameters by `init_fn`."""
        if self._params or self.init_fn is None:
            return
        wanted = set(inspect.signature(self.init_fn).parameters)
        arguments: dict[str, Any] = {}
        if "rng" in wanted:
            arguments["rng"] = _foreign.random_key(self.seed_generator.next())  # type: ignore[union-attr]
        if "training" in wanted:
            arguments["training"] = True
        specs = tree.map_shape_structure(lambda s: _Spec(s, self.compute_dtype), input_shape)
        made = _foreign.initialize(self.init_fn, specs, arguments)  # type: ignore[union-attr]
        self._take(*(made if self._has_state else (made, None)))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the outputs of `call_fn`; keeps its new state."""
        arguments: dict[str, Any] = {"inputs": inputs}
        if "params" in self._wanted:
            arguments["params"] = self._tree_of_params([v.value for v in self._params])
        if self._has_state:
            arguments["state"] = self._tree_of_state([v.value for v in self._state])
        if "rng" in self._wanted:
            arguments["rng"] = _foreign.random_key(self.seed_generator.next())  # type: ignore[union-attr]
        if "training" in self._wanted:
            arguments["training"] = bool(training)
        if not self._has_state:
            return self.call_fn(**arguments)
        outputs, state = self.call_fn(**arguments)
        for variable, (_, value) in zip(self._state, self._flatten(state)[0], strict=True):
            variable.assign(value)
        return outputs


class _Spec:
    """Shape and dtype of an input."""

    def __init__(self, shape: tuple[int | None, ...], dtype: str) -> None:
        self.shape, self.dtype = shape, dtype


class FlaxLayer(JaxLayer):
    """A module of flax (`flax.linen`) as a layer.

    Args:
        module: the module.
        method: the method to call, by default `__call__`. It takes `inputs` and may take
            `training`.
        variables: the module's variables by collection, instead of made at the first call.
        **kwargs: `name`, `trainable`, `dtype`, `seed`.

    Raises:
        BackendError: the backend is not jax.
        ArgumentTypeError: `module` has no `init` and `apply`.
    """

    def __init__(
        self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any
    ) -> None:
        if not callable(getattr(module, "init", None)) or not callable(
            getattr(module, "apply", None)
        ):
            raise ArgumentTypeError(
                f"FlaxLayer: module must be a flax.linen.Module, received {type(module).__name__}."
            )
        self.module, self.method = module, method
        function = getattr(module, method) if isinstance(method, str) else method or module.__call__
        takes_training = "training" in inspect.signature(function).parameters

        def split(variables: Any) -> tuple[Any, Any]:
            others = {name: value for name, value in variables.items() if name != "params"}
            return variables.get("params", {}), others

        def options(rng: Any, training: bool) -> dict[str, Any]:
            found = {"rngs": {"params": rng, "dropout": rng}, "method": method}
            return found | ({"training": training} if takes_training else {})

        def init(rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
            given = options(rng, training)
            return split(module.init(given.pop("rngs"), inputs, **given))

        def apply(
            params: Any, state: Any, rng: Any, inputs: Any, training: bool
        ) -> tuple[Any, Any]:
            given = options(rng, training)
            whole = {"params": params, **state}
            if not state:
                return module.apply(whole, inputs, **given), state
            return module.apply(whole, inputs, mutable=list(state), **given)

        params, state = (None, None) if variables is None else split(variables)
        super().__init__(apply, init, params, state, **kwargs)
