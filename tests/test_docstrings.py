"""Every example in a docstring runs and prints what it says, on the backend under test."""

import doctest
import importlib
import inspect
import io
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import mlapi

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Finder(doctest.DocTestFinder):
    """Finds the examples of operations too, whose function is wrapped by the door."""

    def _from_module(self, module: ModuleType, object: object) -> bool:
        return super()._from_module(module, inspect.unwrap(object))


def examples() -> list[doctest.DocTest]:
    finder = Finder()
    modules = (
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(mlapi.__path__, "mlapi.")
        if not found.name.startswith("mlapi.backends.")
    )
    return [test for module in modules for test in finder.find(module) if test.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_example(example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(example, out=report.write)
    if runner.failures:
        pytest.fail(f"{example.filename}\n{report.getvalue()}", pytrace=False)
