"""Models: layers with a trainer, and the functions that make them from files."""

from mlapi.models.functional import Functional
from mlapi.models.model import Model
from mlapi.models.sequential import Sequential
from mlapi.saving import load_model, model_from_json, save_model

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]


def clone_model(model: Model) -> Model:
    """A new model of the same architecture, with weights of its own.

    Example:
        >>> import mlapi
        >>> model = mlapi.Sequential([mlapi.Input((4,)), mlapi.layers.Dense(2)])
        >>> mlapi.models.clone_model(model).output_shape
        (None, 2)
    """
    clone = type(model).from_config(model.get_config())
    if model.built and not clone.built:
        clone.build_from_config(model.get_build_config() or {})
    return clone
