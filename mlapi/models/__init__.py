"""Models: layers with a trainer."""

from mlapi.models.functional import Functional
from mlapi.models.model import Model
from mlapi.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential"]
