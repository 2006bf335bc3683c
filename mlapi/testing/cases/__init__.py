"""The cases of mlapi's own ops, one table for each file of `mlapi.ops`."""

from mlapi.testing.case import Case
from mlapi.testing.cases import (
    activation,
    control,
    elementwise,
    indexing,
    nn,
    products,
    reduction,
    shape,
)

TABLES = (activation, control, elementwise, indexing, nn, products, reduction, shape)
CASES: list[Case] = [case for table in TABLES for case in table.CASES]
