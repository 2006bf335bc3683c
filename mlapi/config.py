"""Settings: float types and dtype policies, epsilon, image layout, limits, and the backend.

A setting comes from the call that set it, else from the file `mlapi.json` in the folder
`MLAPI_HOME` (`~/.mlapi` unless that variable is set), else from the defaults. What is set here
holds for what is made afterwards.
"""

from mlapi._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
