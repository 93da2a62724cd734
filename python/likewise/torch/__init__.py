"""What works on torch models: recording, guidance, monitors, metrics, differentiable measures.

``procrustes``, ``shape_distance``, ``cka``, ``hsic``, ``nuclear_norm`` and ``rsa`` with a smooth
comparison take tensors that require grad, in ``torch.func`` transforms and ``torch.compile`` too.
Importing this module registers their operators; the functions do so themselves when they meet such
a tensor.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError('likewise.torch needs PyTorch: pip install "likewise[torch]"') from error

from likewise.torch import autograd as autograd  # registers the operators

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
        value: Any = import_module(f"likewise.torch.{name}")
    elif name in _NAMES:
        value = getattr(import_module(f"likewise.torch.{_NAMES[name]}"), name)
    else:
        raise AttributeError(f"module 'likewise.torch' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
