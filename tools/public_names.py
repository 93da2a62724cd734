"""Writes python/likewise/_public.py and __init__.pyi, lists that follow from modules and registry.

``python tools/public_names.py`` with likewise installed (editable) after a public name or a
measure came or went; tests/test_public_names.py says when. What is public as ``lw.NAME`` is what
the modules of topics list in ``__all__``, but for classes of measures, which ``lw.measure`` makes.
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import likewise

PACKAGE = Path(likewise.__file__).parent
NAMESPACES = ("cuda", "maps", "scale", "studies", "torch", "truncation", "typing")
FROM_PACKAGES = {
    "_border.engine": ("build_config", "num_threads"),
    "measure": ("Measure", "measure", "measures", "register"),
}
METHODS = ("fit", "update")  # by which classes take arrays
LISTS = '''"""What is public and where it is. Made by tools/public_names.py."""

from typing import Literal

'''
STUB = """# What `import likewise` offers to checkers of types. Made by tools/public_names.py.

"""


def public_names() -> dict[str, str]:
    """Every name of ``lw`` and the module that it is in."""
    places = {name: module for module, names in FROM_PACKAGES.items() for name in names}
    for topic in sorted(path.stem for path in PACKAGE.glob("[!_]*.py")):
        if topic in NAMESPACES:
            continue
        module = importlib.import_module(f"likewise.{topic}")
        for name in getattr(module, "__all__", ()):
            if not _is_measure(getattr(module, name)):
                places[name] = topic
    return dict(sorted(places.items()))


def _is_measure(value: Any) -> bool:
    measure = importlib.import_module("likewise.measure")
    return isinstance(value, type) and issubclass(value, measure.Measure)


def measure_names() -> list[str]:
    """The names in the registry once all topics have been imported."""
    registry = importlib.import_module("likewise.measure.registry")
    return sorted(registry._registry)


def takers_of_arrays(places: dict[str, str]) -> list[str]:
    """Functions, and classes whose methods do, by the types that they declare: these take arrays of
    any library, on devices too."""
    owners = [("", name, f"likewise.{module}") for name, module in places.items()]
    for space in ("maps", "scale", "truncation"):
        module = importlib.import_module(f"likewise.{space}")
        owners += [(f"{space}.", name, f"likewise.{space}") for name in module.__all__]
    return sorted(
        prefix + name
        for prefix, name, module in owners
        if _takes_arrays(getattr(importlib.import_module(module), name))
    )


def _takes_arrays(value: Any) -> bool:
    if isinstance(value, type):
        methods = (getattr(value, name, None) for name in METHODS)
        return any(_takes_arrays(method) for method in methods if method)
    declared = {str(p.annotation) for p in inspect.signature(value).parameters.values()}
    return any(re.search(r"Any(Array|Items)|ArrayT|Network", name) for name in declared)


def written() -> dict[Path, str]:
    """Both files, as the formatter would leave them."""
    places = public_names()
    lists = [
        "MeasureName = Literal[",
        *(f'    "{name}",' for name in measure_names()),
        "]",
        f"NAMESPACES = {NAMESPACES}".replace("'", '"'),
        "PLACES = {",
        *(f'    "{name}": "{module}",' for name, module in places.items()),
        "}",
        "TAKE_ARRAYS = (",
        *(f'    "{name}",' for name in takers_of_arrays(places)),
        ")",
        "",
    ]
    found = sorted((module, name) for name, module in places.items())
    stub = [
        *(f"from likewise import {name} as {name}" for name in NAMESPACES),
        *(f"from likewise.{module} import {name} as {name}" for module, name in found),
        "",
        "__version__: str",
        "",
    ]
    return {
        PACKAGE / "_public.py": LISTS + "\n".join(lists),
        PACKAGE / "__init__.pyi": STUB + "\n".join(stub),
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text)
