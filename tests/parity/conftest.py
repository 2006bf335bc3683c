"""Compared with Keras itself, on the same backend in the same process: `nox -s parity`."""

import os

os.environ["KERAS_BACKEND"] = os.environ["MLAPI_BACKEND"]  # asked when Keras is imported
