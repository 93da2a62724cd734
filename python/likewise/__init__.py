"""How alike are two representations, and under which transformation?

Representations are arrays ``(..., n_samples, n_features)``: rows are the same stimuli in both
networks, columns are units, leading axes are a batch. NumPy arrays, torch tensors and anything with
DLPack go in, the same library comes out, from CUDA devices too (see ``likewise.cuda``).
"""

import sys
from types import ModuleType
from typing import Any

from likewise import _public

__all__ = list(_public.PLACES)


class _Package(ModuleType):
    """Imports what is asked for, which keeps ``import likewise`` short."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Some functions are named as their modules, which the first import would put here instead.
        if not (isinstance(value, ModuleType) and name in _public.PLACES):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("likewise")
    elif name in _public.NAMESPACES:
        value = import_module(f"likewise.{name}")
    elif name in _public.PLACES:
        value = getattr(import_module(f"likewise.{_public.PLACES[name]}"), name)
    else:
        registry = sys.modules.get("likewise.measure.registry")
        if registry is None or name not in registry.measures():
            raise AttributeError(f"module 'likewise' has no attribute {name!r}")
        return registry.function_of(name)  # of a measure that was registered from outside
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_public.NAMESPACES, "__version__"])
