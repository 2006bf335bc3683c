"""Models: layers with a trainer, and the functions that make them from files."""

from mlapi.models.cloning import clone_model
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
