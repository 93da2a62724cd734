"""Everything that is compared between two networks: held-out scores of maps, on common folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.errors import quiet
from likewise.maps.cross_validation import haar
from likewise.studies.convergence.recordings import Recorded
from likewise.studies.convergence.settings import REDUCTIONS, Settings

LINEAR, PROCRUSTES, PERMUTATION, SOFT = "linear", "Procrustes", "permutation", "soft matching"
MEASURES = (LINEAR, PROCRUSTES, PERMUTATION, SOFT)
MATCHINGS = (PERMUTATION, SOFT)

Sides = tuple[Sequence[Array | None], Sequence[Array | None]]
"""The layers of both networks, in one recording."""


@dataclass(frozen=True)
class Scores:
    """Of one pair of networks, or of all with pairs first; NaN where there is nothing to compare.

    Axes: m measures, l layers, c checkpoints, r reductions, s shifts, d draws of a control.
    """

    depth: Array
    """(m, l, l): every layer of the source with every layer of the target, at the end."""
    training: Array
    """(m, c, l)."""
    training_shuffled: Array
    """(m, c, l, 1): its control, the samples of the source in random order."""
    reduced: Array
    """(m, r, l), at the end."""
    reduced_shuffled: Array
    """(m, r, l, d)."""
    rotated: Array
    """(m, r, l, d): the units of the source rotated at random; matchings only."""
    refitted: Array
    """(m, s, l): shifted samples, the map fitted to shifted samples too."""
    refitted_shuffled: Array
    """(m, s, l, 1)."""
    transferred: Array
    """(m, s, l): shifted samples, the map fitted to samples that are not."""

    @classmethod
    def stacked(cls, scores: list[Scores]) -> Scores:
        """Of all pairs, their axis first."""
        arrays = {f.name: np.stack([getattr(one, f.name) for one in scores]) for f in fields(cls)}
        return cls(**arrays)


@dataclass(frozen=True)
class Job:
    """Two networks and the number of their pair, which the draws of the controls depend on."""

    number: int
    source: Recorded
    target: Recorded


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


def compared(settings: Settings, job: Job) -> Scores:
    """All scores of one pair of networks, from the source to the target."""
    from sklearn import config_context

    with quiet(), config_context(assume_finite=True):  # a third of the time would be checks
        return _Pair(settings, job).scores()


class _Pair:
    def __init__(self, settings: Settings, job: Job) -> None:
        self._source, self._target = job.source, job.target
        samples = len(job.source.checkpoints[0][0])
        self._folds = Folds(samples, settings.folds, settings.seed)
        seed = (settings.seed, job.number)
        orders, turns = np.random.default_rng(seed), np.random.default_rng((*seed, 1))
        drawn = [orders.permutation(samples) for _ in range(settings.draws)]
        self._shuffled = [partial(self._folds.reordered, order=order) for order in drawn]
        self._rotated = [partial(_turned, turns)] * settings.draws

    def scores(self) -> Scores:
        a, b = self._source, self._target
        checkpoints = list(zip(a.checkpoints, b.checkpoints, strict=True))
        reductions = [(a.reduced[how], b.reduced[how]) for how in REDUCTIONS]
        shifts = list(zip(a.shifted, b.shifted, strict=True))
        scores = Scores(
            depth=self._all_layers(),
            training=self._same_layers(checkpoints, [_same])[..., 0],
            training_shuffled=self._same_layers(checkpoints, self._shuffled[:1]),
            reduced=self._same_layers(reductions, [_same])[..., 0],
            reduced_shuffled=self._same_layers(reductions, self._shuffled),
            rotated=self._same_layers(reductions, self._rotated, MATCHINGS),
            refitted=self._same_layers(shifts, [_same])[..., 0],
            refitted_shuffled=self._same_layers(shifts, self._shuffled[:1]),
            transferred=self._transferred(),
        )
        for array in vars(scores).values():
            permutation, soft = (array[MEASURES.index(measure)] for measure in MATCHINGS)
            np.copyto(soft, permutation, where=~np.isnan(permutation))
        return scores

    def _all_layers(self) -> Array:
        sources, targets = self._source.checkpoints[-1], self._target.checkpoints[-1]
        return np.array(
            [[[self._score(m, x, y) for y in targets] for x in sources] for m in MEASURES]
        )

    def _same_layers(
        self,
        recordings: Sequence[Sides],
        versions: Sequence[Callable[[Array], Array]],
        measures: Sequence[str] = MEASURES,
    ) -> Array:
        """Scores (m, k, l, d) of k recordings, the source in each of d versions."""
        shape = (len(MEASURES), len(recordings), len(self._source.layers), len(versions))
        scores = np.full(shape, np.nan)
        for k, (sources, targets) in enumerate(recordings):
            for layer, (x, y) in enumerate(zip(sources, targets, strict=True)):
                for d, version in enumerate(versions):
                    if x is None:
                        continue
                    changed = version(x)
                    for measure in measures:
                        score = self._score(measure, changed, y)
                        scores[MEASURES.index(measure), k, layer, d] = score
        return scores

    def _transferred(self) -> Array:
        a, b = self._source, self._target
        scores = np.full((len(MEASURES), len(a.shifted), len(a.layers)), np.nan)
        for m, layer in np.ndindex(len(MEASURES), len(a.layers)):
            x, y = a.checkpoints[-1][layer], b.checkpoints[-1][layer]
            if _comparable(MEASURES[m], x, y):
                pairs = zip(a.shifted, b.shifted, strict=True)
                others = [(p[layer], q[layer]) for p, q in pairs]
                scores[m, :, layer] = held_out(MEASURES[m], x, y, self._folds, others)[1:]
        return scores

    def _score(self, measure: str, x: Array, y: Array | None) -> float:
        if y is None or not _comparable(measure, x, y):
            return float("nan")
        return held_out(measure, x, y, self._folds)[0]


def _same(x: Array) -> Array:
    return x


def _turned(generator: np.random.Generator, x: Array) -> Array:
    turned: Array = (x @ haar(x.shape[1], generator)).astype(x.dtype)
    return turned


def _comparable(measure: str, x: Array, y: Array) -> bool:
    """Positions must be as many on both sides.

    Between equal numbers of units soft matching is the best permutation, and there is no other.
    """
    if len(x) != len(y):
        return False
    return measure not in MATCHINGS or (measure == PERMUTATION) == (x.shape[1] == y.shape[1])
