"""What recording, guidance and monitors do with the modules of a network."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

__all__ = [
    "compared",
    "evaluating",
    "first_tensor",
    "flat_copy",
    "is_compiled",
    "module_of",
    "named_modules",
    "padded_by",
    "time_first",
]


_COMPILED = "_orig_mod"  # where torch.compile keeps what it has compiled
# Where it, FSDP and checkpoint_wrapper keep the module that they stand for.
_WRAPPED = (_COMPILED, "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)

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
    """In evaluation mode and not compiled, every module back in its own mode afterwards.

    Compiled code does not call hooks that it has not been compiled with.
    """
    modes = [(module, module.training) for module in network.modules()]
    # What compiles is in that module, which takes a second to import.
    compiles = "torch._dynamo" in sys.modules
    network.eval()
    try:
        with torch.compiler.set_stance("force_eager") if compiles else nullcontext():
            yield
    finally:
        for module, training in modes:
            module.training = training


def named_modules(network: nn.Module) -> dict[str, nn.Module]:
    """Modules by name; of a wrapped one that which was wrapped, by the name that it has there."""
    while isinstance(network, _PARALLEL):
        network = network.module
    return {
        ".".join(part for part in name.split(".") if part not in _WRAPPED): module
        for name, module in network.named_modules()
        if not any(hasattr(module, wrapped) for wrapped in _WRAPPED)
    }


def is_compiled(network: nn.Module) -> bool:
    """Whether ``torch.compile`` has made the network or a module in it."""
    return any(
        hasattr(module, _COMPILED) or getattr(module, "_compiled_call_impl", None) is not None
        for module in network.modules()
    )


def padded_by(arguments: Mapping[str, Any]) -> str | None:
    """The name of an attention mask among them that leaves positions out."""
    for name, mask in arguments.items():
        is_mask = str(name).endswith("attention_mask") and isinstance(mask, torch.Tensor)
        if is_mask and mask.ndim == 2 and bool((mask == 0).any()):
            return str(name)
    return None


def module_of(function: str, role: str, network: nn.Module, name: str) -> Any:
    """The module of that name; ``ValueError`` with near names if there is none."""
    modules = named_modules(network)
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


def flat_copy(value: Any) -> torch.Tensor | None:
    """A tensor's samples flat and on the CPU, safe from what works in place; None if it is none."""
    if not isinstance(value, torch.Tensor):
        return None
    return value.detach().flatten(1).to("cpu", copy=True)


def time_first(module: nn.Module) -> bool:
    """Of recurrent and attention modules that were made so."""
    return not getattr(getattr(module, "self_attn", module), "batch_first", True)
