"""Symbolic shapes promise nothing that a small batch would not keep."""

import pytest

import mlapi
from mlapi import ops


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        (lambda x: x[:5], (None, 4)),
        (lambda x: x[-3:, :2], (None, 2)),
        (lambda x: x[0], (4,)),
        (lambda x: x[7], (4,)),
        (lambda x: x[:, :9], (None, 4)),
        (lambda x: x[::2], (None, 4)),
        (ops.diagonal, (None,)),
        (lambda x: ops.diagonal(x, offset=1), (None,)),
        (ops.trace, ()),
    ],
)
def test_what_may_be_cut_short(take, expected):
    assert take(mlapi.Input((4,))).shape == expected
