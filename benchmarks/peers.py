"""Where each peer comes from, and the one way to import it."""

from __future__ import annotations

import importlib
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_EXTRA = 'pip install ".[bench]"'

# import name -> (distribution, how to get it)
SOURCES = {
    "likewise": ("likewise", "pip install ."),
    "numpy": ("numpy", _EXTRA),
    "scipy.linalg": ("scipy", _EXTRA),
    "scipy.optimize": ("scipy", _EXTRA),
    "scipy.spatial.distance": ("scipy", _EXTRA),
    "torch": ("torch", _EXTRA),
    "lapcpp": ("lapcpp", _EXTRA),
    "lap": ("lapx", _EXTRA),
    "lapjv": ("lapjv", _EXTRA),
    "ot": ("POT", _EXTRA),
    "cka": ("pytorch-cka", _EXTRA),
    "ckatorch": ("ckatorch", _EXTRA),
    "torch_cka": ("torch-cka", _EXTRA),
    "repsim": ("repsim", _EXTRA),
    "calibrated_similarity": ("calibrated-similarity", _EXTRA),
    "rsatoolbox": ("rsatoolbox", _EXTRA),
    "himalaya.backend": ("himalaya", _EXTRA),
    "sklearn.linear_model": ("scikit-learn", _EXTRA),
    "torch_linear_assignment": (
        "torch-linear-assignment",
        "pip install --no-deps --no-build-isolation torch-linear-assignment",
    ),
    "netrep.metrics": (
        "netrep",
        "on no registry: clone github.com/ahwillia/netrep and put it on PYTHONPATH",
    ),
}


def load(name: str) -> Any:
    """Import a peer, silencing what it says on import (pytest turns warnings into errors).

    Raises ImportError when the peer or something it needs is not there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def how_to_get(name: str) -> str:
    return SOURCES[name][1]


def versions() -> dict[str, str]:
    """Version of every peer installed here; one on PYTHONPATH without metadata is left out."""
    found = {}
    for distribution, _ in SOURCES.values():
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:
            continue
    return found
