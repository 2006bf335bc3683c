"""Loads public names on first use, from the list that type checkers read.

A package's `__init__.pyi` states its public names, one import a line and always with `as`:

    from mlapi.layers.core import Dense as Dense

The same file serves editors and type checkers, so the public list is written once. A second
name for the same thing is a line `KerasTensor = SymbolicTensor` below the imports. The file is
split by hand: importing `ast`, `re` or `typing` would cost more than the rest of `import mlapi`.
"""

import sys
from collections.abc import Callable
from importlib import import_module


def attach(
    package: str, init_file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Make `__getattr__`, `__dir__` and `__all__` for a package or module with a stub beside it.

    Args:
        package: Its `__name__`.
        init_file: Its `__file__`; the stub `__init__.pyi` or `name.pyi` lies in the same folder.

    Returns:
        The three values to be bound in the package's `__init__.py`.

    Raises:
        SyntaxError: An import in the stub has not the form `from source import name as public`.

    Example:
        `__getattr__, __dir__, __all__ = attach(__name__, __file__)`
    """
    sources = _read_stub(init_file + "i")
    names = sorted(sources)
    namespace = sys.modules[package].__dict__

    def load(name: str) -> object:
        if name not in sources:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules[package])
        source, original = sources[name]
        if source == package:
            value = import_module(f"{source}.{original}")
        else:
            value = getattr(__import__(source, fromlist=[original]), original)
        namespace[name] = value
        return value

    def list_names() -> list[str]:
        return sorted({*names, *namespace})

    return load, list_names, names


def _read_stub(path: str) -> dict[str, tuple[str, str]]:
    """Map every public name to the module and the name that it comes from."""
    sources = {}
    with open(path, encoding="utf-8") as stub:
        for number, line in enumerate(stub, start=1):
            match line.partition("#")[0].split():
                case ["from", source, "import", original, "as", public]:
                    sources[public] = (source, original)
                case [public, "=", known]:
                    sources[public] = sources[known]
                case ["from", *_]:
                    message = "write one import a line: from source import name as name"
                    raise SyntaxError(message, (path, number, 1, line))
    return sources


class LazyModule:
    """Stands for a module of another package until something of it is used.

    Args:
        name: The module's full name.

    Example:
        `h5py = LazyModule("h5py")`, then `h5py.File(…)` as ever.
    """

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> object:
        module = import_module(self.__dict__["_name"])
        self.__dict__.update(module.__dict__)
        return getattr(module, attribute)
