"""Saving and loading: whole models, weights, architectures."""

from mlapi.catalog import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    register_serializable,
)
from mlapi.errors import LoadError
from mlapi.saving.archive import load_model, model_from_json, save_model, to_json
from mlapi.saving.weights import load_weights, save_weights
from mlapi.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "LoadError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_json",
    "register_keras_serializable",
    "register_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
    "to_json",
]
