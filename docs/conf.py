"""How the documentation is built: `nox -s docs`."""

from pathlib import Path
from types import ModuleType

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
# {title}

```{{eval-rst}}
.. automodule:: {module}
   :members:
```
"""


def write_reference() -> None:
    """Write one page for each public module, and one for the names of `mlapi` itself."""
    folder = Path(__file__).parent / "api"
    folder.mkdir(exist_ok=True)
    modules = [name for name in mlapi.__all__ if isinstance(getattr(mlapi, name), ModuleType)]
    wanted = {"mlapi": "mlapi", **{name: f"mlapi.{name}" for name in modules}}
    for page in folder.glob("*.md"):
        if page.stem not in wanted:
            page.unlink()
    for name, module in wanted.items():
        page = folder / f"{name}.md"
        text = PAGE.format(title=module, module=module)
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


write_reference()
