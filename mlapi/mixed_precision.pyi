from mlapi.dtype_policies import DTypePolicy as DTypePolicy
from mlapi.dtype_policies import dtype_policy as dtype_policy
from mlapi.dtype_policies import set_dtype_policy as set_dtype_policy
from mlapi.optimizers import LossScaleOptimizer as LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
