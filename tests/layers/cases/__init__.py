"""The table of all layers, in their main variants: a module for each family.

A row is a layer, its arguments, its inputs, and the expected output as an array or as a function of
the inputs and the weights. The arguments of the call may follow, and options of `check_layer`.
"""

from typing import Any, NamedTuple

from tests.layers.cases import (
    activations,
    attention,
    convolution,
    core,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
)


class Row(NamedTuple):
    layer: type
    arguments: dict[str, Any]
    inputs: Any
    expected: Any
    call: dict[str, Any] = {}
    options: dict[str, Any] = {}


FAMILIES = (
    core,
    activations,
    convolution,
    pooling,
    recurrent,
    attention,
    normalization,
    merging,
    reshaping,
    regularization,
    preprocessing,
)
ROWS = [Row(*case) for family in FAMILIES for case in family.CASES]
