"""House rules for extensions, as functions that raise AssertionError.

They are what mlapi's own tests call, so that a layer, an op or a backend of yours can be held to
the same. `check_op` and `check_backend` need the packages scipy and hypothesis.
"""

from mlapi._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
