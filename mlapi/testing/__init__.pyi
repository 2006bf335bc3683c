from mlapi.testing.case import Case as Case
from mlapi.testing.conformance import check_backend as check_backend
from mlapi.testing.conformance import check_op as check_op
from mlapi.testing.layers import check_layer as check_layer
