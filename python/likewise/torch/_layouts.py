"""What the axes of activations mean, and which of their positions are padding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch
from torch import nn

from likewise._border.arrays import Array
from likewise.torch._modules import named_modules, time_first

__all__ = ["Layouts", "Masks", "matched"]

NAMES = ("nd", "nchw", "nhwc", "nct", "ntd", "tnd")

_TIMED = (nn.RNNBase, nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
_UNITS_LAST = (nn.Linear, nn.Embedding, nn.LayerNorm, nn.RMSNorm)
_CHANNELS_FIRST = (
    nn.modules.conv._ConvNd,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.GroupNorm,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
)


def matched(option: Any, name: str) -> Any:
    """What is said of a layer: an option itself, or of a mapping what its first pattern has."""
    if not isinstance(option, Mapping):
        return option
    return next((value for key, value in option.items() if fnmatchcase(name, key)), None)


class Layouts:
    """Layouts of layers: said by the caller, by the type of the module or, of modules that have no
    layout of their own (activations, blocks), by the tensors of those that have."""

    def __init__(self, model: nn.Module, said: str | Mapping[str, str] | None) -> None:
        for layout in said.values() if isinstance(said, Mapping) else [said]:
            if layout is not None and layout not in NAMES:
                raise ValueError(f"record: layout must be one of {list(NAMES)}, got {layout!r}")
        self._said = said
        self._names = {module: name for name, module in named_modules(model).items()}
        self._timed = [name for module, name in self._names.items() if time_first(module)]
        self._seen: dict[tuple[int, ...], set[str]] = {}

    def hooks(self) -> list[torch.utils.hooks.RemovableHandle]:
        """Note the tensors of modules whose type says what their axes are."""
        known = (*_TIMED, *_UNITS_LAST, *_CHANNELS_FIRST)
        return [
            module.register_forward_hook(self._note)
            for module in self._names
            if isinstance(module, known)
        ]

    def begin(self) -> None:
        """A forward pass begins."""
        self._seen.clear()

    def of(self, name: str, module: nn.Module, tensor: torch.Tensor) -> str:
        """The layout of what a layer gives or gets; ``ValueError`` where nothing says it."""
        said = matched(self._said, name)
        found = said or ("nd" if tensor.ndim == 2 else self._by_type(module, tensor.ndim))
        shape = tuple(tensor.shape)
        if not found:
            alike = self._seen.get(shape, set()) or self._alike(shape)
            if len(alike) != 1:
                raise ValueError(
                    f"record: layout must be given for layer {name!r} of shape {shape}, whose axes "
                    f"may mean {' or '.join(sorted(alike)) or 'anything'}, as in "
                    f"layout={{{name!r}: 'ntd'}}; or leave it out"
                )
            (found,) = alike
        if len(found) != tensor.ndim:
            raise ValueError(
                f"record: layout {found!r} of layer {name!r} needs {len(found)} axes, got shape "
                f"{shape}"
            )
        return found

    def _note(self, module: nn.Module, given: Any, output: Any) -> None:
        first = output[0] if isinstance(output, tuple) else output
        if isinstance(first, torch.Tensor):
            layout = self._by_type(module, first.ndim)
            if layout:
                self._seen.setdefault(tuple(first.shape), set()).add(layout)

    def _by_type(self, module: nn.Module, axes: int) -> str:
        if isinstance(module, _TIMED):
            return {3: "tnd" if time_first(module) else "ntd"}.get(axes, "")
        if isinstance(module, _CHANNELS_FIRST):
            return {3: "nct", 4: "nchw"}.get(axes, "")
        if isinstance(module, _UNITS_LAST):
            own = f"{self._names.get(module, '')}."
            timed = any(own.startswith(f"{name}.") for name in self._timed)
            return {3: "tnd" if timed else "ntd", 4: "nhwc"}.get(axes, "")
        return ""

    def _alike(self, shape: tuple[int, ...]) -> set[str]:
        """Layouts of known tensors that have as many units, or the same positions."""
        found = set()
        for known, layouts in self._seen.items():
            for layout in layouts if len(known) == len(shape) else ():
                units = layout.index("c" if "c" in layout else "d")
                places = [k for k, axis in enumerate(layout) if axis in "hwt"]
                if known[units] == shape[units] or all(known[k] == shape[k] for k in places):
                    found.add(layout)
        return found


class Masks:
    """Which positions of a batch are padding: given by the caller, or as the model is told."""

    def __init__(self, given: Any) -> None:
        self._given = given
        if given is not None and not callable(given):
            self._given = np.asarray(given)
            if self._given.ndim != 2:
                raise ValueError(
                    "record: mask must have shape (n, t) for all samples, or be a function of a "
                    f"batch, got shape {self._given.shape}"
                )

    def begin(self, batch: Any, keywords: Mapping[str, Any], seen: int, size: int) -> None:
        """The masks of a batch of so many samples, after so many."""
        self._told = {
            str(name): np.asarray(mask.detach().cpu()) != 0
            for name, mask in keywords.items()
            if str(name).endswith("attention_mask")
            and isinstance(mask, torch.Tensor)
            and mask.ndim == 2
        }
        self._decodes = any(str(name).startswith("decoder_") for name in keywords)
        self._own: Array | None = None
        if self._given is not None:
            own: Callable[[Any], Any] | Array = self._given
            mask = own(batch) if callable(own) else own[seen : seen + size]
            if isinstance(mask, torch.Tensor):
                mask = mask.detach().cpu()
            self._own = np.asarray(mask) != 0
            if self._own.shape[:1] != (size,):
                raise ValueError(
                    f"record: mask must have a row for each of the {size} samples of a batch, got "
                    f"shape {self._own.shape}"
                )

    def of(self, name: str, shape: tuple[int, ...], layout: str) -> Array | None:
        """``(n, t)`` of a layer of that shape, or None where no position is padding."""
        if layout == "nd":
            return None
        mask, by = self._own, "mask"
        if mask is None:
            padded = {key: told for key, told in self._told.items() if not told.all()}
            if not padded:
                return None
            encodes = any(part.startswith("encoder") for part in name.split("."))
            by = "attention_mask" if encodes or not self._decodes else ""
            mask = padded.get(by) if by else None
            if by and mask is None and by in self._told:
                return None  # the encoder's samples have no padding
            if mask is None:
                raise ValueError(
                    f"record: mask must be given for layer {name!r} of shape {shape}: "
                    f"{next(iter(padded))!r} has zeros, and nothing says whether they are of its "
                    "positions"
                )
        if mask.all():
            return None
        positions = shape[layout.index("t")] if "t" in layout else 0
        if positions != mask.shape[1]:
            raise ValueError(
                f"record: layer {name!r} of shape {shape} ({layout}) cannot be masked: {by!r} has "
                f"zeros and {mask.shape[1]} positions, the layer "
                f"{positions or 'those of a feature map'}; give mask= for its positions, layout= "
                "if its axes mean something else, or batches without padding"
            )
        return mask
