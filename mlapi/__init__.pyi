from mlapi import activations as activations
from mlapi import backend as backend
from mlapi import callbacks as callbacks
from mlapi import config as config
from mlapi import constraints as constraints
from mlapi import datasets as datasets
from mlapi import initializers as initializers
from mlapi import layers as layers
from mlapi import losses as losses
from mlapi import metrics as metrics
from mlapi import models as models
from mlapi import ops as ops
from mlapi import optimizers as optimizers
from mlapi import random as random
from mlapi import regularizers as regularizers
from mlapi import saving as saving
from mlapi import testing as testing
from mlapi import tree as tree
from mlapi import utils as utils
from mlapi import visualization as visualization
from mlapi.graph import SymbolicTensor as SymbolicTensor
from mlapi.initializers import Initializer as Initializer
from mlapi.layers import Input as Input
from mlapi.layers import InputSpec as InputSpec
from mlapi.layers import Layer as Layer
from mlapi.losses import Loss as Loss
from mlapi.metrics import Metric as Metric
from mlapi.models import Model as Model
from mlapi.models import Sequential as Sequential
from mlapi.optimizers import Optimizer as Optimizer
from mlapi.regularizers import Regularizer as Regularizer
from mlapi.state import Variable as Variable
from mlapi.transforms import grad as grad
from mlapi.transforms import jit as jit
from mlapi.transforms import value_and_grad as value_and_grad

__version__: str
KerasTensor = SymbolicTensor
