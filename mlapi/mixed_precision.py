"""Mixed precision, under the names that older programs use; see `mlapi.dtype_policies`."""

from mlapi._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
