"""Tensors that torch follows: their functions are handed in by the package that knows torch."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["is_tracked", "track", "tracked"]

_functions: dict[str, Callable[..., Any]] = {}


def is_tracked(*arrays: Any) -> bool:
    """Whether torch follows what is done to these: for gradients, in ``torch.func`` transforms, or
    to compile it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    return any(
        isinstance(array, torch.Tensor)
        and (array.requires_grad or torch.compiler.is_compiling() or wrapped(array))
        for array in arrays
    )


def tracked(name: str) -> Callable[..., Any]:
    """What computes this for tensors that are tracked."""
    if name not in _functions:
        importlib.import_module("likewise.torch.autograd")
    return _functions[name]


def track(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function by whose name :func:`tracked` finds it."""
    _functions[function.__name__] = function
    return function
