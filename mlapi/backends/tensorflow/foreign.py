"""SavedModels of tensorflow as layers."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class SavedModel:
    """A SavedModel whose variables are shared with Variables."""

    def __init__(self, path: str, endpoint: str, training_endpoint: str | None) -> None:
        self.model: Any = tf.saved_model.load(path)
        self.call = self._endpoint(endpoint)
        self.training_call = self._endpoint(training_endpoint) if training_endpoint else self.call

    def _endpoint(self, name: str) -> Any:
        own = getattr(self.model, name, None)
        signatures = getattr(self.model, "signatures", {})
        if own is None and name not in signatures:
            raise ValueError(f"it has no endpoint {name!r}, only {', '.join(signatures)}.")
        if own is not None:
            return own
        signature = signatures[name]
        names = list(signature.structured_input_signature[1])

        def call(inputs: Any) -> Any:
            outputs = signature(**(inputs if isinstance(inputs, dict) else {names[0]: inputs}))
            return next(iter(outputs.values())) if len(outputs) == 1 else outputs

        call.concrete_functions = [signature]  # type: ignore[attr-defined]
        return call

    def parts(self) -> list[tuple[str, tf.Variable, bool]]:
        """Name, variable and whether it is trained, of all that the model keeps."""
        used = {id(v): v for call in (self.call, self.training_call) for v in _variables(call)}
        return [(v.name.removesuffix(":0"), v, bool(v.trainable)) for v in used.values()]

    def __call__(
        self,
        values: Callable[[], dict[str, Any]],
        plain: bool,
        training: bool | None,
        args: tuple,
        kwargs: dict,
    ) -> Any:
        return (self.training_call if training else self.call)(*args, **kwargs)


def _variables(function: Any) -> list[tf.Variable]:
    return [v for concrete in function.concrete_functions for v in concrete.variables]


def share(variable: Any, other: tf.Variable) -> None:
    """Make the framework's variable the storage of ours."""
    variable._storage = other


def saved_model(path: str, endpoint: str, training_endpoint: str | None) -> SavedModel:
    return SavedModel(path, endpoint, training_endpoint)
