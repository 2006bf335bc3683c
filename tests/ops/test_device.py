"""No op waits for the device: on jax and tensorflow compiling shows it, on torch this does."""

import pytest

from mlapi import ops
from mlapi.config import backend
from mlapi.testing import conformance
from mlapi.testing.case import Case, arrays_of
from mlapi.testing.cases import CASES

# The sizes of their results depend on values, which are on the device.
ON_HOST: frozenset[str] = frozenset()


@pytest.mark.skipif(backend() != "torch", reason="test_compiled covers the others")
@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.label and arrays_of(c) and c.op not in ON_HOST], ids=str
)
def test_values_are_not_asked_for(case: Case) -> None:
    """Tensors without values would fail where one is fetched."""
    from torch._subclasses import FakeTensorMode

    tensors = [ops.convert_to_tensor(x) for x in arrays_of(case)]
    with FakeTensorMode() as mode:
        conformance.call(case, [mode.from_tensor(x) for x in tensors])
