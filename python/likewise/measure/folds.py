"""Folds of cross-validation, the same for everything that is scored on held-out samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from likewise._border.arrays import Array

__all__ = ["require_folds", "shuffled_folds"]


def shuffled_folds(samples: int, cv: int, random_state: int) -> tuple[Array, list[int]]:
    """Rows in the order of their folds, and where each fold starts (and the last one ends).

    The same folds as scikit-learn's ``KFold(cv, shuffle=True, random_state=random_state)``.
    """
    order = np.random.RandomState(random_state).permutation(samples)
    sizes = np.full(cv, samples // cv)
    sizes[: samples % cv] += 1
    return order, [0, *np.cumsum(sizes).tolist()]


def require_folds(function: str, cv: Any) -> None:
    if not isinstance(cv, (int, np.integer)) or cv < 2:
        raise ValueError(f"{function}: cv must be a whole number of at least 2, got {cv!r}")
