"""Deep learning written once, run by PyTorch, JAX or TensorFlow.

The public names are listed in `__init__.pyi` and load on first use.
"""

from mlapi._lazy import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(__name__, __file__)
