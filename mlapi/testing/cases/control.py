"""Cases of the ops in `mlapi.ops.control`; its other functions have tests of their own."""

import numpy as np

from mlapi.testing.case import ALL, Case, real

CASES = [
    Case("stop_gradient", (real(2, 3),), np.asarray, dtypes=ALL, grad=False),
    Case("convert_to_tensor", (real(2, 3),), np.asarray, dtypes=ALL),
    Case("convert_to_tensor", (real(2, 3),), lambda x, dtype: x.astype(dtype), {"dtype": "int8"},
         "dtype", result="int8", grad=False),
]  # fmt: skip
