"""What regressions on a representation share: its preparation, and penalties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from likewise import _cpu, _engine
from likewise._array import Array

__all__ = ["GRID", "Sources", "checked_alphas", "default_alphas", "sources"]

# From hardly any shrinkage to so much that more would no longer change the correlation.
GRID = np.logspace(-6, 4, 21)


class Sources(NamedTuple):
    """Representations to predict from: of unit norm, rotated where that makes them smaller."""

    data: list[Array]
    alphas: list[Array]
    """Penalties in the data's own units."""
    penalties: list[list[float]]
    """The same in units of the squared norm."""
    constant_units: list[int]


def sources(items: Sequence[Array], alphas: Sequence[float] | None, center: bool) -> Sources:
    prepared = _cpu.procrustes_prepare(
        list(items), center, True, 1.0, "similarity", _engine.threads()
    )
    out = Sources([], [], [], [])
    for item, (data, norm, constant, _) in zip(items, prepared, strict=True):
        squares = norm**2
        relative = default_alphas(item, 1.0, constant)
        grid = relative * squares if alphas is None else np.asarray(alphas, np.float64)
        out.data.append(data)
        out.alphas.append(grid)
        if alphas is None:
            out.penalties.append(relative.tolist())
        else:
            out.penalties.append((grid / norm / norm).tolist() if norm else grid.tolist())
        out.constant_units.append(constant)
    return out


def default_alphas(x: Array, squares: float, constant_units: int = 0) -> Array:
    """The default grid for data of this shape and squared Frobenius norm."""
    grid: Array = GRID * (squares / max(min(len(x) - 1, x.shape[1] - constant_units), 1))
    return grid


def checked_alphas(function: str, alphas: Any) -> tuple[float, ...] | None:
    if alphas is None:
        return None
    values = np.atleast_1d(np.asarray(alphas, np.float64))
    if values.ndim != 1 or not values.size or not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(f"{function}: alphas must be finite numbers of at least 0, got {alphas!r}")
    return tuple(values.tolist())
