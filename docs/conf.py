"""How the documentation is built: `nox -s docs`."""

import ast
import importlib
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

import mlapi

ROOT = Path(__file__).parent.parent
project = "mlapi"
author = "the mlapi contributors"
project_copyright = author
release = version = mlapi.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"mlapi {release}"
# A single backquote in a docstring is code, as in Markdown.
default_role = "code"

# The docstrings tell shapes and dtypes; unions of every accepted type would only hide the names.
autodoc_typehints = "none"
autodoc_member_order = "groupwise"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
myst_heading_anchors = 3

PAGE = """\
# {module}

{before}```{{eval-rst}}
.. automodule:: {module}
   :members: {names}
```
"""


def write_reference() -> None:
    """Write one page for each public module, and one for the names of `mlapi` itself."""
    public = {name: getattr(mlapi, name) for name in mlapi.__all__}
    modules = {name: value for name, value in public.items() if isinstance(value, ModuleType)}
    homes = {
        name: family
        for family, module in modules.items()
        for name in public
        if name in module.__all__ and name not in modules
    }
    own = sorted(public.keys() - modules.keys() - homes.keys())
    links = "".join(f"- `mlapi.{n}`: see [mlapi.{m}]({m}.md)\n" for n, m in sorted(homes.items()))
    pages = {"mlapi": PAGE.format(module="mlapi", before=f"{links}\n", names=", ".join(own))}
    for name, module in modules.items():
        lent = {n: home for n in module.__all__ if (home := _home(module, n, modules))}
        links = "".join(f"- `mlapi.{name}.{n}`: see [mlapi.{m}]({m}.md)\n" for n, m in lent.items())
        names = ", ".join(n for n in module.__all__ if n not in lent) if lent else ""
        before = f"{links}\n" if lent else ""
        pages[name] = PAGE.format(module=f"mlapi.{name}", before=before, names=names)
    folder = ROOT / "docs" / "api"
    folder.mkdir(exist_ok=True)
    for page in folder.glob("*.md"):
        if page.stem not in {*pages, "op-support"}:
            page.unlink()
    for name, text in pages.items():
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def _home(module: ModuleType, name: str, modules: dict[str, ModuleType]) -> str | None:
    """The public module, another one, that a name of `module` is described in."""
    made_in = getattr(getattr(module, name), "__module__", "")
    for other, home in modules.items():
        if home is not module and made_in.startswith(f"{home.__name__}.") and name in home.__all__:
            return other
    return None


SUPPORT = """\
# Which backend has which op

Every op of `mlapi.ops` gives the same numbers, dtypes and shapes on every backend; the conformance
tests hold it to that (`mlapi.testing.check_backend`). The table says how it is computed: by one
function of the adapter (●), or by the one body that is written in other ops (○).
[](../op-bodies.md) says what that costs.

| op | torch | jax | tensorflow |
|---|:-:|:-:|:-:|
{rows}

## What a framework cannot do

Each is a test that is known to fail, with the framework's own limitation as the reason.

{gaps}
"""


def write_support() -> None:
    """Write the table of ops and backends, from the adapters' sources and `tests/gaps.toml`."""
    from mlapi.op import registry

    importlib.import_module("mlapi.ops")
    backends = ("torch", "jax", "tensorflow")
    natives = {backend: set() for backend in backends}
    for backend in backends:
        for source in (ROOT / "mlapi" / "backends" / backend).glob("*.py"):
            for statement in ast.parse(source.read_text(encoding="utf-8")).body:
                if isinstance(statement, ast.FunctionDef):
                    natives[backend].add(statement.name)
                elif isinstance(statement, ast.Assign):
                    natives[backend].update(ast.unparse(target) for target in statement.targets)
    rows = [
        f"| `{name}` | " + " | ".join("●" if name in natives[b] else "○" for b in backends) + " |"
        for name, op in sorted(registry.items())
        if op.__module__.startswith("mlapi.ops.")
    ]
    known = tomllib.loads((ROOT / "tests" / "gaps.toml").read_text(encoding="utf-8"))
    gaps = [
        f"- {backend}: `{test.partition('::')[2]}`: {reason}."
        for backend in backends
        for test, reason in known[backend].items()
    ]
    text = SUPPORT.format(rows="\n".join(rows), gaps="\n".join(gaps))
    page = ROOT / "docs" / "api" / "op-support.md"
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def keep_formulas(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]):
    """Show an indented block of a docstring, formulas as a rule, line by line as it stands."""
    for i in range(len(lines) - 1, 1, -1):
        opens_block = lines[i].startswith("    ") and not lines[i - 1].strip()
        before = lines[i - 2]
        if opens_block and before.strip() and not before.startswith((" ", "- ", "* ", "::")):
            lines[i:i] = ["::", ""]


def setup(app: Sphinx) -> None:
    write_reference()
    write_support()
    # Before napoleon, at its priority of 500, has turned sections into indented blocks.
    app.connect("autodoc-process-docstring", keep_formulas, priority=400)
