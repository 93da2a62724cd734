"""How the site is built: ``sphinx-build -W docs build/docs``, with likewise installed."""

import importlib.metadata
from pathlib import Path

project = "likewise"
release = importlib.metadata.version("likewise")
extensions = ["myst_parser", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
html_theme = "pydata_sphinx_theme"
autodoc_typehints = "none"  # signatures would be longer than what they say
napoleon_use_rtype = False

# The reference lists what is public: a page for each name, and nothing to keep by hand.
MODULES = ("likewise", "likewise.maps", "likewise.scale", "likewise.torch", "likewise.cuda")


def reference() -> str:
    """The page, in reStructuredText."""
    lines = ["Reference", "=========", ""]
    for module in MODULES:
        names = [f"{module}.{name}" for name in sorted(importlib.import_module(module).__all__)]
        lines += [module, "-" * len(module), "", ".. autosummary::", "   :toctree: api", ""]
        lines += [f"   {name}" for name in names] + [""]
    return "\n".join(lines)


Path(__file__).with_name("reference.rst").write_text(reference(), encoding="utf-8")
