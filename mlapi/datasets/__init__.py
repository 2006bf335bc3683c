"""Small data sets that come with mlapi; nothing is downloaded."""

from mlapi.datasets import digits as digits

__all__ = [
    "digits",
]
