"""Settings under the names that older programs use: `from mlapi import backend as K`.

New programs find them in `mlapi.config` and `mlapi.utils`, and all arithmetic in `mlapi.ops`.
"""

from mlapi.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from mlapi.dtypes import is_float as is_float_dtype
from mlapi.dtypes import is_integer as is_int_dtype
from mlapi.dtypes import promote as result_type
from mlapi.utils import clear_session, get_uid, is_keras_tensor, standardize_dtype

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
