"""The callbacks of training, under their public name."""

from mlapi.training.callbacks import *  # noqa: F403
