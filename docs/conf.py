"""How the documentation is built: `nox -s docs`."""

from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

import mlapi

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
    for name in modules:
        pages[name] = PAGE.format(module=f"mlapi.{name}", before="", names="")
    folder = Path(__file__).parent / "api"
    folder.mkdir(exist_ok=True)
    for page in folder.glob("*.md"):
        if page.stem not in pages:
            page.unlink()
    for name, text in pages.items():
        page = folder / f"{name}.md"
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
    # Before napoleon, at its priority of 500, has turned sections into indented blocks.
    app.connect("autodoc-process-docstring", keep_formulas, priority=400)
