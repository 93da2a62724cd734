"""What becomes of feature maps and sequences of layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from likewise._border.arrays import Array
from likewise.reduce import Reduction
from likewise.reduce import reduce as reduced

__all__ = ["How", "Reducing", "named"]

How = Reduction | Callable[[Array, Array], Any]


def named(reduce: How | None) -> str | None:
    """What labels say of it."""
    return getattr(reduce, "__name__", "callable") if callable(reduce) else reduce


class Reducing:
    """What becomes of the output of a layer."""

    def __init__(self, how: How | None, positions: int | None, random_state: int) -> None:
        self._how, self._positions, self._random_state = how, positions, random_state
        self._reduced: set[str] = set()
        self._kept: dict[str, Array | None] = {}

    def of(self, name: str) -> str:
        """What became of the output of this layer, "" where nothing had to."""
        return str(named(self._how)) if name in self._reduced else ""

    def ids(self, name: str, samples: Any, rows: int) -> Any:
        """Ids of the last rows of a layer: of samples, or of their positions."""
        kept = self._kept.get(name)
        if kept is not None:
            return [
                f"{one}/{k}"
                for one, row in zip(samples, kept, strict=True)
                for k in np.nonzero(row)[0]
            ]
        each = rows // len(samples)
        return samples if each == 1 else [f"{one}/{k}" for one in samples for k in range(each)]

    def __call__(self, name: str, tensor: torch.Tensor, layout: str, mask: Array | None) -> Array:
        shape = tuple(tensor.shape)
        tensor = tensor.detach().to("cpu", torch.float32)
        if layout == "nd":
            return np.asarray(tensor.numpy())
        if self._how is None:
            raise ValueError(
                f"record: reduce must be given for layer {name!r} of shape {shape}: 'flatten', "
                "'mean', 'centre', 'first', 'last', 'positions' or a function"
            )
        if mask is not None and (self._how == "flatten" or self._positions is not None):
            raise ValueError(
                f"record: layer {name!r} of shape {shape} is padded, so that "
                f"{'flattened' if self._how == 'flatten' else 'drawn'} positions would not be the "
                "same ones in all samples; take another reduce or batches without padding"
            )
        self._reduced.add(name)
        if callable(self._how):
            return self._by_function(name, tensor, layout, mask)
        if self._positions is not None:
            tensor, layout = self._drawn(tensor, layout)
        self._kept[name] = mask if self._how == "positions" else None
        how: Any = self._how
        # What stands in padding is nobody's business.
        return np.asarray(
            reduced(tensor.numpy(), layout, how, mask=mask, check_finite=mask is None)  # type: ignore[arg-type]
        )

    def _by_function(
        self, name: str, tensor: torch.Tensor, layout: str, mask: Array | None
    ) -> Array:
        function: Any = self._how
        rows = _rows(tensor, layout).numpy()
        kept = np.ones(rows.shape[:2], bool) if mask is None else mask
        found = np.stack([np.asarray(function(*given)) for given in zip(rows, kept, strict=True)])
        if found.ndim != 2:
            raise ValueError(
                f"record: reduce must give one axis for each sample, got shape {found.shape[1:]} "
                f"for layer {name!r}"
            )
        return found

    def _drawn(self, tensor: torch.Tensor, layout: str) -> tuple[torch.Tensor, str]:
        """The drawn positions as a sequence."""
        rows = _rows(tensor, layout)
        count = rows.shape[1]
        if self._positions is None or self._positions >= count:
            return rows, "ntd"
        generator = np.random.default_rng((self._random_state, count))
        return rows[:, np.sort(generator.permutation(count)[: self._positions])], "ntd"


def _rows(tensor: torch.Tensor, layout: str) -> torch.Tensor:
    """``(n, positions, units)``."""
    order = [layout.index(axis) for axis in layout if axis in "hwt"]
    units = layout.index("c" if "c" in layout else "d")
    return tensor.permute(layout.index("n"), *order, units).flatten(1, -2)
