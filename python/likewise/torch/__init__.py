"""What works on torch models: recording, guidance, monitors, metrics, differentiable measures.

``procrustes``, ``shape_distance``, ``cka``, ``hsic``, ``nuclear_norm`` and ``rsa`` with a smooth
comparison take tensors that require grad, in ``torch.func`` transforms and ``torch.compile`` too.
Importing this module registers their operators; the functions do so themselves when they meet such
a tensor.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from likewise.torch import autograd as autograd

_MODULES = ("metrics",)
_NAMES = {
    "CollapseMonitor": "collapse",
    "Guidance": "guidance",
    "GuidanceStep": "guidance",
    "Monitor": "monitor",
    "Recording": "recording",
    "even_layer_map": "guidance",
    "record": "recording",
}

__all__ = [
    "CollapseMonitor",
    "Guidance",
    "GuidanceStep",
    "Monitor",
    "Recording",
    "even_layer_map",
    "metrics",
    "record",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"likewise.torch.{name}")
    if name in _NAMES:
        return getattr(import_module(f"likewise.torch.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'likewise.torch' has no attribute {name!r}")
