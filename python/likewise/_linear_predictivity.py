"""The measure of linear predictivity: cross-validated ridge regression of all pairs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array, read
from likewise._border.device import is_device_array
from likewise._border.engine import named_convergence
from likewise._border.pairs import Pair, batch_size, give_scores, read_pair
from likewise._ridge import GRID, checked_alphas, scaled_columns, sources
from likewise.errors import GridEdgeWarning, warn, warn_degenerate
from likewise.measure import Kind, register
from likewise.measure.folds import require_folds, shuffled_folds, unique_items
from likewise.measure.legacy import LegacyMeasure
from likewise.measure.moments import Moments, pooled

__all__ = ["LinearPredictivity", "Prediction"]

_AT_EDGE = 0.1  # share of the choices above which an edge of the grid is worth a warning


class Prediction(NamedTuple):
    """How well the units of one representation are predicted from another.

    Attributes
    ----------
    score
        Mean of ``per_target``, ``(...)``.
    alpha
        Penalty chosen for each fold and target, ``(..., cv, dy)``.
    per_target
        Pearson correlation on held-out samples, mean over folds, ``(..., dy)``.
    r2
        Coefficient of determination on held-out samples, mean over folds, ``(..., dy)``.
    per_fold
        The correlations themselves, ``(..., cv, dy)``.
    """

    score: Any
    alpha: Any
    per_target: Any
    r2: Any
    per_fold: Any

    def __repr__(self) -> str:
        if is_device_array(self.score):
            return f"Prediction(array of shape {tuple(self.per_target.shape)} on a device)"
        score, targets = np.asarray(self.score), np.asarray(self.per_target)
        shown = f"{float(score):.4g}" if score.ndim == 0 else f"array of shape {score.shape}"
        r2 = f"mean r2={float(np.asarray(self.r2).mean()):.4g}" if targets.size else "no pairs"
        return f"Prediction(score={shown}, {r2}, {targets.shape[-1]} targets)"

    def corrected(self, ceiling: Any) -> Prediction:
        """Correlations as shares of what noise in the targets allows; see :func:`noise_ceiling`.

        ``per_target / ceiling``, and with it ``per_fold`` and ``score``. Targets without a signal
        (ceiling 0) have no corrected value: they become NaN and leave the mean.
        """
        (bound,), library = read("Prediction.corrected", True, ceiling=ceiling)
        targets, folds = np.asarray(self.per_target), np.asarray(self.per_fold)
        if bound.shape[-1:] != targets.shape[-1:] or bound.min(initial=0) < 0:
            raise ValueError(
                "Prediction.corrected: ceiling must hold one number of at least 0 per target "
                f"{targets.shape[-1:]}, got shape {bound.shape}"
            )
        bound = np.where(bound > 0, bound, np.nan)
        targets, folds = targets / bound, folds / bound[..., None, :]
        kept = ~np.isnan(targets)
        count = kept.sum(axis=-1)
        total = np.where(kept, targets, 0).sum(axis=-1)
        score = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        given = (library.give(np.asarray(a)) for a in (score, targets, folds))
        return self._replace(**dict(zip(("score", "per_target", "per_fold"), given, strict=True)))


@register
@dataclass(frozen=True)
class LinearPredictivity(LegacyMeasure):
    """Cross-validated ridge regression; see :func:`linear_predictivity`."""

    alphas: tuple[float, ...] | None = None
    cv: int = 5
    random_state: int = 0

    name: ClassVar[str] = "linear_predictivity"
    streamable: ClassVar[bool] = True
    kind: ClassVar[Kind] = "similarity"
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    symmetric: ClassVar[bool] = False
    is_metric: ClassVar[bool] = False
    least_for_interval: ClassVar[int] = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "alphas", checked_alphas(self.name, self.alphas))
        require_folds(self.name, self.cv)

    @property
    def min_samples(self) -> int:
        """Two per fold: a correlation over one sample is none."""
        return 2 * self.cv

    @property
    def invariances(self) -> frozenset[str]:
        always = frozenset({"translation", "permutation"})
        return always | {"isotropic_scaling"} if self.alphas is None else always

    def folds(self, samples: int) -> list[Array]:
        """Which samples are held out together."""
        order, edges = shuffled_folds(samples, self.cv, self.random_state)
        return np.split(order, edges[1:-1])

    def prepare(self, items: Sequence[Array]) -> list[Array]:
        """Samples in the order of the folds."""
        if not items:
            return []
        order, _ = shuffled_folds(len(items[0]), self.cv, self.random_state)
        return [item[order] for item in items]

    def compare(self, a: list[Array], b: list[Array] | None) -> Array:
        """Scores of all pairs, one eigendecomposition per item of ``a`` and fold."""
        targets = a if b is None else b
        pairs = [(i, j) for i in range(len(a)) for j in range(len(targets))]
        predictions = self._predict(a, targets, pairs)
        if b is None:  # each item is a source and a target, its constant units count once
            self._warn([], predictions.constant_targets)
        else:
            self._warn(predictions.constant_sources, predictions.constant_targets)
        scores = [correlation.mean() for correlation in predictions.correlation]
        return np.array(scores, np.float64).reshape(len(a), len(targets))

    def on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> Any:
        """Scores of all pairs of device arrays."""
        items = a if b is None else a + b
        scores = library.empty((len(a), len(a if b is None else b)), np.float64)
        constants = library.empty((len(items),), np.int64)
        choices = library.empty((len(self.alphas or GRID),), np.int64)
        wide = [library.cast(item, np.dtype(np.float64)) for item in items]
        options = self._device_options(items[0].shape[0])
        library.engine.ridge_scores(
            wide[: len(a)],
            wide[len(a) :],
            b is None,
            scores,
            constants,
            choices,
            options,
            library.run,
        )
        self._finish(library, [item.shape[1] for item in items], constants, choices)
        return scores

    def _predict_on_device(self, pair: Pair) -> Prediction:
        library, (dx, dy) = pair.library, (pair.x.shape[-1], pair.y.shape[-1])
        shapes = ((), (self.cv, dy), (self.cv, dy), (dy,), (dy,))
        outputs = [library.empty((*pair.batch, *shape), np.float64) for shape in shapes]
        constants = library.empty((2, *pair.batch), np.int64)
        choices = library.empty((len(self.alphas or GRID),), np.int64)
        wide = [library.cast(side, np.dtype(np.float64)) for side in (pair.x, pair.y)]
        options = self._device_options(pair.x.shape[-2])
        library.engine.ridge_pairs(*wide, *outputs, constants, choices, options, library.run)
        self._finish(library, np.repeat([dx, dy], batch_size(pair.batch)), constants, choices)
        score, per_fold, alpha, per_target, r2 = outputs
        values = (score, alpha, per_target, r2, per_fold)
        return Prediction(*(give_scores(pair, value) for value in values))

    def _device_options(self, samples: int) -> tuple[list[int], int, list[float], bool, bool]:
        order, _ = shuffled_folds(samples, self.cv, self.random_state)
        return order.tolist(), self.cv, list(self.alphas or GRID), self.alphas is None, True

    def _finish(self, library: Any, widths: Any, constants: Any, choices: Any) -> None:
        found = library.finish(constants, sums=(choices,))
        if found is None:
            return
        self._warn(list(zip(found[0].ravel().tolist(), widths, strict=True)))
        if self.alphas is not None:
            self._warn_of_edges(found[1])

    def from_moments(self, moments: Sequence[Moments]) -> Array:
        """The same nested procedure, from the sums of every fold."""
        whole = pooled(moments)
        scores = np.full((len(whole.rows()), len(whole.columns())), np.nan)
        for (i, x), (j, y) in itertools.product(
            enumerate(whole.rows()), enumerate(whole.columns())
        ):
            if not (x.is_constant or y.is_constant):
                varying = min(whole.samples - 1, len(x.gram) - x.constant_units)
                scores[i, j] = self._score_of_moments(moments, i, j, np.trace(x.gram) / varying)
        whole.warn(self.name, flexible=False)
        return scores

    def _score_of_moments(
        self, moments: Sequence[Moments], i: int, j: int, eigenvalue: float
    ) -> float:
        sums = [(m.raw(0, i), m.uncentred(i, j), m.raw(1, j)) for m in moments]
        correlation = np.empty((len(sums), sums[0][1].shape[1]))
        given = None if self.alphas is None else np.array(self.alphas) / moments[0].unit(0, i) ** 2
        penalties = GRID * eigenvalue if given is None else given
        with named_convergence(self.name):
            _cpu.ridge_predictivity_of_moments(
                [m.samples for m in moments],
                [gram for (_, gram), _, _ in sums],
                [np.ascontiguousarray(x) for (x, _), _, _ in sums],
                [cross for _, cross, _ in sums],
                [np.ascontiguousarray(y) for _, _, (y, _) in sums],
                [np.diag(gram).copy() for _, _, (_, gram) in sums],
                [float(alpha) for alpha in penalties],
                correlation,
                np.empty_like(correlation),
                np.empty(correlation.shape, np.int32),
            )
        return float(correlation.mean())

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        return self.predict(x, y, check_finite=check_finite).score

    def predict(self, x: Any, y: Any, *, check_finite: bool = True) -> Prediction:
        """The whole result for a batch."""
        pair = read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)
        if pair.library.engine is not _cpu:
            return self._predict_on_device(pair)
        targets = pair.y.shape[-1]
        correlation = np.empty((*pair.batch, self.cv, targets))
        determination, alpha = np.empty_like(correlation), np.empty_like(correlation)
        if correlation.size:
            order, _ = shuffled_folds(pair.x.shape[-2], self.cv, self.random_state)
            (xs, of_x), (ys, of_y) = (unique_items(side, order) for side in (pair.x, pair.y))
            found = self._predict(xs, ys, list(zip(of_x, of_y, strict=True)))
            self._warn(found.constant_sources, found.constant_targets)
            shape = correlation.shape
            correlation = np.stack(found.correlation).reshape(shape)
            determination = np.stack(found.determination).reshape(shape)
            alpha = np.stack(found.alpha).reshape(shape)
        per_target = correlation.mean(axis=-2)
        values = (
            np.asarray(per_target.mean(axis=-1)),
            alpha,
            per_target,
            determination.mean(axis=-2),
        )
        with np.errstate(over="ignore"):  # a penalty may be too large for float32
            return Prediction(*(give_scores(pair, value) for value in (*values, correlation)))

    def _predict(
        self, xs: list[Array], ys: list[Array], pairs: list[tuple[int, int]]
    ) -> _Predictions:
        if not pairs:
            return _Predictions([], [], [], [], [])
        with named_convergence(self.name):
            prepared = sources(xs, self.alphas, center=True)
            targets, constant_targets = [], []
            for y in ys:
                columns, _ = scaled_columns(y)
                constant_targets.append((int((columns == 0).all(axis=0).sum()), y.shape[1]))
                targets.append(columns)
            shapes = [(self.cv, ys[j].shape[1]) for _, j in pairs]
            correlation = [np.full(shape, np.nan) for shape in shapes]
            determination = [np.full(shape, np.nan) for shape in shapes]
            choice = [np.zeros(shape, np.int32) for shape in shapes]
            constant = [data.shape[1] == 0 for data in prepared.data]
            wanted = [
                k
                for k, (i, j) in enumerate(pairs)
                if not constant[i] and constant_targets[j][0] < constant_targets[j][1]
            ]
            _, edges = shuffled_folds(len(xs[0]), self.cv, self.random_state)
            _cpu.ridge_predictivity(
                prepared.data,
                targets,
                prepared.penalties,
                [pairs[k] for k in wanted],
                edges,
                [correlation[k] for k in wanted],
                [determination[k] for k in wanted],
                [choice[k] for k in wanted],
                _engine.threads(),
            )
        if self.alphas is not None:
            counts = [np.bincount(choice[k].ravel(), minlength=len(self.alphas)) for k in wanted]
            self._warn_of_edges(np.sum(counts, axis=0) if counts else np.zeros(len(self.alphas)))
        alpha = [
            np.where(np.isnan(r), np.nan, prepared.alphas[i][c])
            for (i, _), c, r in zip(pairs, choice, correlation, strict=True)
        ]
        constant_sources = [
            (count, x.shape[1]) for count, x in zip(prepared.constant_units, xs, strict=True)
        ]
        return _Predictions(correlation, determination, alpha, constant_sources, constant_targets)

    def _warn(self, *sides: list[tuple[int, int]]) -> None:
        counts = [count for side in sides for count in side]
        units = sum(constant for constant, units in counts if constant < units)
        warn_degenerate(self.name, units, sum(constant == units for constant, units in counts))

    def _warn_of_edges(self, counts: Array) -> None:
        """Of how often each penalty was chosen."""
        assert self.alphas is not None
        total = int(counts.sum())
        for index, which in (
            (int(np.argmin(self.alphas)), "least"),
            (int(np.argmax(self.alphas)), "largest"),
        ):
            at_edge = int(counts[index])
            if total and len(set(self.alphas)) > 1 and at_edge > _AT_EDGE * total:
                warn(
                    f"{self.name}: the {which} of alphas, {self.alphas[index]:g}, was chosen for "
                    f"{at_edge / total:.0%} of the targets and folds; extend the grid",
                    GridEdgeWarning,
                )


class _Predictions(NamedTuple):
    """Arrays of each pair, folds by targets, and (constant, all) units of each item."""

    correlation: list[Array]
    determination: list[Array]
    alpha: list[Array]
    constant_sources: list[tuple[int, int]]
    constant_targets: list[tuple[int, int]]
