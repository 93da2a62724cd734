"""Held-out scores of maps between two networks, on folds that are the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from likewise._border.arrays import Array

LINEAR, PROCRUSTES, PERMUTATION, SOFT = "linear", "Procrustes", "permutation", "soft matching"
MEASURES = (LINEAR, PROCRUSTES, PERMUTATION, SOFT)
MATCHINGS = (PERMUTATION, SOFT)


class Folds:
    """Every sample is held out once, with all its positions: the folds of scikit-learn's KFold."""

    def __init__(self, samples: int, cv: int, seed: int) -> None:
        from sklearn.model_selection import KFold

        folds = KFold(cv, shuffle=True, random_state=seed)
        self.samples = samples
        self._splits = list(folds.split(np.arange(samples)))

    def rows(self, count: int) -> list[tuple[Array, Array]]:
        """Rows to fit on and rows to score, where a sample has `count / samples` rows."""
        each = np.arange(count // self.samples)
        return [
            (_rows_of(training, each), _rows_of(held_out, each))
            for training, held_out in self._splits
        ]

    def reordered(self, array: Array, order: Array) -> Array:
        """The samples in this order, each with all its positions."""
        blocks = array.reshape(self.samples, -1, array.shape[1])
        reordered: Array = blocks[order].reshape(array.shape)
        return reordered


def held_out(
    measure: str,
    source: Array,
    target: Array,
    folds: Folds,
    others: Sequence[tuple[Array, Array]] = (),
) -> list[float]:
    """Pearson r of each unit of the target with its prediction, mean over units, then over folds.

    The map is fitted on all folds but one and scored on that one: first on what it was fitted to,
    then on each of `others`, the answers of both networks to other versions of the same samples.
    Units that are constant count as 0.
    """
    scores = []
    for training, test in folds.rows(len(source)):
        fitted = _map(measure).fit(source[training], target[training])
        pairs = ((source, target), *others)
        scores.append([fitted.correlation_score(x[test], y[test]) for x, y in pairs])
    return [float(score) for score in np.mean(scores, axis=0)]


def _map(measure: str) -> Any:
    from likewise.maps import Orthogonal, Permutation, Ridge, SoftPermutation

    makers = {LINEAR: Ridge, PROCRUSTES: Orthogonal, PERMUTATION: Permutation}
    return makers.get(measure, SoftPermutation)()


def _rows_of(samples: Array, each: Array) -> Array:
    rows: Array = (samples[:, None] * len(each) + each).ravel()
    return rows
