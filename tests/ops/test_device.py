"""No op waits for the device to learn a value."""

import pytest

from mlapi import ops
from mlapi.backends import adapter
from mlapi.backends.contract import Spec
from mlapi.testing import conformance
from mlapi.testing.case import Case, arrays_of
from mlapi.testing.cases import CASES


@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.label and conformance.can_compile(c)], ids=str
)
def test_values_are_not_asked_for(case: Case) -> None:
    specs = [Spec(x.shape, ops.dtype(x)) for x in arrays_of(case)]
    adapter.core.call_without_values(lambda *xs: conformance.call(case, xs), specs)
