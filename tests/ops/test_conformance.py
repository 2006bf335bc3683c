"""Every op against NumPy and SciPy: value, dtype, symbolic shape, compiled result and gradient."""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlapi.op import registry
from mlapi.testing import conformance
from mlapi.testing.case import ALL, Case
from mlapi.testing.cases import CASES

# Cases that are run once more as views and compiled, by their labels; each costs a compilation.
LABELS = ("", "axes", "mask", "nothing_seen", "channels_first", "image")
REPEATED = [case for case in CASES if case.label in LABELS]
# `nox -s nightly` takes all dtypes, the gradients of all cases, and more random examples.
NIGHTLY = bool(os.environ.get("MLAPI_NIGHTLY"))
EXAMPLES = 100 if NIGHTLY else 8
# The random examples draw from all dtypes.
KINDS = ALL if NIGHTLY else ("bfloat16", "uint8", "int32", "bool")
CONVERTED = [
    (case, kind)
    for case in CASES
    if case.label in ("", "whole")
    for kind in case.dtypes
    if kind in KINDS
]
SMOOTH = [case for case in CASES if conformance.is_smooth(case)]
SLOPES = [case for case in SMOOTH if NIGHTLY or case.label in LABELS]
_found = {case.op for case in SLOPES}
SLOPES += {case.op: case for case in reversed(SMOOTH) if case.op not in _found}.values()


def cases(check: str, among: list[Case] = CASES) -> Any:
    _, applies = conformance.CHECKS[check]
    return pytest.mark.parametrize("case", [case for case in among if applies(case)], ids=str)


def test_every_op_is_in_the_table() -> None:
    ours = {name for name, op in registry.items() if op.__module__.startswith("mlapi.ops.")}
    assert ours == {case.op for case in CASES}


def test_cases_have_names_of_their_own() -> None:
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names), {name for name in names if names.count(name) > 1}


@cases("value")
def test_value(case: Case) -> None:
    conformance.check_value(case)


@cases("strided", REPEATED)
def test_strided_tensors(case: Case) -> None:
    conformance.check_strided(case)


@cases("compiled", REPEATED)
def test_compiled(case: Case) -> None:
    conformance.check_compiled(case)


@cases("symbolic")
def test_symbolic(case: Case) -> None:
    conformance.check_symbolic(case)


@cases("unknown_size")
def test_symbolic_with_unknown_size(case: Case) -> None:
    conformance.check_unknown_size(case)


@cases("gradient", SLOPES)
def test_gradient(case: Case) -> None:
    conformance.check_gradient(case)


@pytest.mark.parametrize(
    ("case", "kind"), CONVERTED, ids=[f"{case}-{kind}" for case, kind in CONVERTED]
)
def test_dtype(case: Case, kind: str) -> None:
    conformance.check_dtype(case, kind)


@pytest.mark.parametrize("name", sorted({case.op for case in CASES}))
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_examples(name: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([case for case in CASES if case.op == name]))
    conformance.check_example(case, data.draw)
