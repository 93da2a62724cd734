"""What recording, guidance and monitors do with the modules of a network."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

__all__ = ["compared", "evaluating", "first_tensor", "module_of", "time_first"]


# What Subramaniam et al. compare: outputs before normalisation and nonlinearity.
_COMPARED = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.Linear,
    nn.AdaptiveAvgPool2d,
    nn.RNNBase,
    nn.LayerNorm,
    nn.MultiheadAttention,
    nn.TransformerEncoderLayer,
    nn.TransformerDecoderLayer,
)


def compared(name: str, module: nn.Module) -> bool:
    """Whether layers are compared by the outputs of this module unless others are named."""
    return isinstance(module, _COMPARED)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """In evaluation mode, every module back in its own afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def module_of(function: str, role: str, network: nn.Module, name: str) -> Any:
    """The module of that name; ``ValueError`` with near names if there is none."""
    modules = dict(network.named_modules())
    if name not in modules:
        near = difflib.get_close_matches(name, modules, n=3)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise ValueError(f"{function}: no layer {name!r} in the {role}{hint}")
    return modules[name]


def first_tensor(value: Any) -> torch.Tensor | None:
    """The first floating-point tensor in what a module gives or gets."""
    if isinstance(value, torch.Tensor):
        return value if value.is_floating_point() else None
    parts = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, (Mapping, tuple, list)):
        return None
    return next((found for part in parts if (found := first_tensor(part)) is not None), None)


def time_first(module: nn.Module) -> bool:
    """Of recurrent and attention modules that were made so."""
    return not getattr(getattr(module, "self_attn", module), "batch_first", True)
