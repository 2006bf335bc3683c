"""Every layer, in its main variants: values, config, compiled and symbolic calls, gradients."""

import inspect

import pytest

from mlapi import layers
from mlapi.testing import check_layer
from tests.layers.cases import ROWS, Row

# Not called on data, or around a model of one framework: those are in test_foreign.py.
ELSEWHERE = {
    *("InputLayer", "Layer", "Wrapper"),
    *("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"),
}


@pytest.mark.parametrize(
    "row", ROWS, ids=[f"{row.layer.__name__}-{i}" for i, row in enumerate(ROWS)]
)
def test_layer(row: Row) -> None:
    check_layer(
        row.layer,
        row.arguments,
        row.inputs,
        expected=row.expected,
        call_arguments=row.call,
        **row.options,
    )


def test_every_layer_is_here() -> None:
    tested = {row.layer.__name__ for row in ROWS}
    public = {
        value.__name__
        for value in vars(layers).values()
        if inspect.isclass(value) and issubclass(value, layers.Layer)
    }
    assert public - tested == ELSEWHERE
