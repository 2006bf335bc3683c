"""The public list: every name is there, and asking for it is the only thing that loads it."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mlapi

PACKAGE = Path(mlapi.__file__).parent
HEAVY = {
    "torch",
    "jax",
    "tensorflow",
    "keras",
    "numpy",
    "matplotlib",
    "h5py",
    "rich",
    "safetensors",
}


def stubbed_packages() -> list[str]:
    """Dotted names of all packages whose public list is a stub."""
    stubs = sorted(PACKAGE.rglob("__init__.pyi"))
    return [".".join(stub.parent.relative_to(PACKAGE.parent).parts) for stub in stubs]


@pytest.mark.parametrize("package", stubbed_packages())
def test_public_names_resolve(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__
    for name in module.__all__:
        value = getattr(module, name)
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        assert home.startswith("mlapi"), f"{package}.{name} comes from {home}"
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("name", mlapi.__all__)
def test_public_modules_say_what_is_public(name: str) -> None:
    value = getattr(mlapi, name)
    if isinstance(value, ModuleType):
        assert value.__doc__
        assert value.__all__
        for public in value.__all__:
            assert not public.startswith("_")
            assert getattr(value, public, None) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'mlapi' has no attribute 'lyers'"):
        mlapi.lyers  # noqa: B018


def test_second_name_is_the_same_object() -> None:
    assert mlapi.KerasTensor is mlapi.SymbolicTensor


def test_callbacks_import_from_their_public_module() -> None:
    from mlapi.callbacks import EarlyStopping
    from mlapi.training.callbacks import EarlyStopping as original

    assert EarlyStopping is original is mlapi.callbacks.EarlyStopping


def test_import_loads_nothing_heavy() -> None:
    program = "import json, sys, mlapi; dir(mlapi); print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    loaded = {name.partition(".")[0] for name in json.loads(output)}
    assert not loaded & HEAVY


def test_malformed_public_list_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "misspelt"
    package.mkdir()
    (package / "__init__.pyi").write_text("from mlapi.layers import (Dense)\n")
    (package / "__init__.py").write_text(
        "from mlapi._lazy import attach\n"
        "__getattr__, __dir__, __all__ = attach(__name__, __file__)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", "import misspelt"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "one import a line" in run.stderr
    assert "__init__.pyi" in run.stderr
