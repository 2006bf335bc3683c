"""No op waits for the device: on jax and tensorflow compiling shows it, on torch this does."""

import pytest

from mlapi import ops
from mlapi.config import backend
from mlapi.testing import conformance
from mlapi.testing.case import Case, arrays_of
from mlapi.testing.cases import CASES

MAIN = [case for case in CASES if not case.label]
# Draws on the CPU read their seed, which is there; and torch cannot tell what its CTC kernel makes.
APART = frozenset({"elastic_transform", "ctc_loss"})


@pytest.mark.skipif(backend() != "torch", reason="test_compiled covers the others")
@pytest.mark.parametrize(
    "case", [c for c in MAIN if conformance.can_compile(c) and c.op not in APART], ids=str
)
def test_values_are_not_asked_for(case: Case) -> None:
    """Tensors without values would fail where one is fetched."""
    from torch._subclasses import FakeTensorMode

    tensors = [ops.convert_to_tensor(x) for x in arrays_of(case)]
    with FakeTensorMode() as mode:
        conformance.call(case, [mode.from_tensor(x) for x in tensors])
