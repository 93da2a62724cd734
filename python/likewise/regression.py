"""Ridge regression of one network on another: how well it predicts, and its errors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple

import numpy as np

from likewise._border.arrays import NUMPY, Array, read
from likewise._border.device import is_device_array
from likewise._border.engine import named_convergence
from likewise._border.pairs import first_of_repeats, give_scores, read_pair
from likewise._border.types import AnyArray, ArrayT
from likewise.errors import GridEdgeWarning, warn, warn_degenerate
from likewise.measure import EngineMeasure, Found, register
from likewise.measure.folds import require_folds, shuffled_folds
from likewise.measure.moments import Moments, pooled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "LinearPredictivity",
    "Prediction",
    "RidgeErrors",
    "linear_predictivity",
    "ridge_cv_errors",
]

# From hardly any shrinkage to so much that more would no longer change the correlation.
GRID = np.logspace(-6, 4, 21)
MOST_PENALTY = 1e100  # a penalty in units of the squared norm at which all is shrunk away
_AT_EDGE = 0.1  # share of the choices above which an edge of the grid is worth a warning


class Prediction(NamedTuple, Generic[ArrayT]):
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

    score: ArrayT
    alpha: ArrayT
    per_target: ArrayT
    r2: ArrayT
    per_fold: ArrayT

    def __repr__(self) -> str:
        given: Any = self.per_target
        if is_device_array(given):
            return f"Prediction(array of shape {tuple(given.shape)} on a device)"
        score, targets = np.asarray(self.score), np.asarray(self.per_target)
        shown = f"{float(score):.4g}" if score.ndim == 0 else f"array of shape {score.shape}"
        r2 = f"mean r2={float(np.asarray(self.r2).mean()):.4g}" if targets.size else "no pairs"
        return f"Prediction(score={shown}, {r2}, {targets.shape[-1]} targets)"

    def corrected(self, ceiling: Any) -> Prediction[ArrayT]:
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
class LinearPredictivity(EngineMeasure):
    """Cross-validated ridge regression; see :func:`linear_predictivity`."""

    alphas: tuple[float, ...] | None = None
    cv: int = 5
    random_state: int = 0

    name: ClassVar[str] = "linear_predictivity"
    streamable: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    symmetric: ClassVar[bool] = False
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

    def sums(self) -> int:
        """How often each penalty was chosen."""
        return len(self.alphas or GRID)

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        options = self._options(a[0].shape[0])
        with named_convergence(self.name):
            return library.engine.ridge_scores(a, b, *out, options, library.run)

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return self._fill(library, x, y, *out, *self._details(library, x, y))

    def _fill(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        options = self._options(x.shape[-2])
        with named_convergence(self.name):
            return library.engine.ridge_pairs(x, y, *out, options, library.run)

    def _details(self, library: Any, x: Any, y: Any) -> list[Any]:
        """Room for correlations and penalties of folds and targets, and for the correlations and
        determinations of targets."""
        batch, targets = x.shape[:-2], y.shape[-1]
        shapes = ((self.cv, targets), (self.cv, targets), (targets,), (targets,))
        return [library.empty((*batch, *shape), np.float64) for shape in shapes]

    def _options(self, samples: int) -> tuple[Array, int, list[float], bool, bool]:
        return _ridge_options(samples, self.alphas, self.cv, self.random_state, True)

    def report(self, found: Found) -> None:
        super().report(found)
        if self.alphas is not None:
            self._warn_of_edges(found.sums)

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
            NUMPY.engine.ridge_predictivity_of_moments(
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

    def predict(self, x: Any, y: Any, *, check_finite: bool = True) -> Prediction[Any]:
        """The whole result for a batch."""
        pair = self._read(x, y, check_finite)
        details = self._details(pair.library, pair.x, pair.y)

        def fill(library: Any, x: Any, y: Any, *out: Any) -> Any:
            return self._fill(library, x, y, *out, *details)

        score = self.counted_pairs(pair, fill)
        per_fold, alpha, per_target, r2 = details
        values = (score, alpha, per_target, r2, per_fold)
        with np.errstate(over="ignore"):  # a penalty may be too large for float32
            return Prediction(*(give_scores(pair, value) for value in values))

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


class RidgeErrors(NamedTuple, Generic[ArrayT]):
    """Cross-validation errors of ridge regression."""

    errors: ArrayT
    """Mean squared error on held-out samples, mean over folds: ``(..., n_alphas, dy)``."""
    alphas: ArrayT
    """The penalties, ``(..., n_alphas)``."""


def linear_predictivity(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    alphas: ArrayLike | None = None,
    cv: int = 5,
    random_state: int = 0,
    check_finite: bool = True,
) -> Prediction[ArrayT]:
    """How well ridge regression predicts the units of ``y`` from those of ``x``.

    ``W = argmin |Y - X W|^2 + alpha |W|^2`` with an unpenalised intercept, fitted on all folds but
    one and scored on that one: Pearson correlation of each unit, mean over folds, then over units;
    never pooled over folds. The penalty is chosen for each unit inside the training folds, by
    generalised cross-validation (Golub, Heath & Wahba 1979): on pure noise the score is 0 within
    its standard error. Not symmetric. Range [-1, 1].

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast.
    alphas
        Penalties to choose from, as scikit-learn's ``Ridge(alpha=...)`` has them. Default: 21
        values from 1e-6 to 1e4 times the mean of the at most ``min(n - 1, dx)`` nonzero eigenvalues
        of the centred ``X'X``.
    cv
        Number of folds: those of scikit-learn's ``KFold(cv, shuffle=True, random_state)``.
    random_state
        Seed of the folds.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    Prediction
        ``score``, ``alpha``, ``per_target``, ``r2`` and ``per_fold``. A unit that is constant over
        a fold (or whose prediction is) has correlation and r2 0 there; a constant representation
        makes everything NaN. Everything is computed in float64. Directions whose variance is below
        rounding (``dx * 2**-52`` of the largest eigenvalue of a training set) count only under
        penalties above ``2**-34`` of it, as the default ones are for all data.

    Raises
    ------
    ValueError
        Fewer than 2 samples per fold, different numbers of samples, negative penalties, NaN or
        infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).
    ConvergenceError
        If an eigendecomposition does not converge; names the items.

    Warns
    -----
    DegenerateWarning
    GridEdgeWarning
        More than a tenth of the choices fell on an edge of the given ``alphas``.
    """
    chosen = LinearPredictivity(checked_alphas("linear_predictivity", alphas), cv, random_state)
    return chosen.predict(x, y, check_finite=check_finite)


def ridge_cv_errors(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    alphas: ArrayLike | None = None,
    cv: int = 5,
    random_state: int = 0,
    fit_intercept: bool = True,
    check_finite: bool = True,
) -> RidgeErrors[ArrayT]:
    """Cross-validation error of every penalty and target of a ridge regression.

    ``mean over folds of mean over held-out samples of (y - X W_alpha - b)^2``, with ``W_alpha`` and
    ``b`` fitted on the other folds: what himalaya's ``RidgeCV`` minimises, whose default is
    ``fit_intercept=False``. For many sources, pass ``x`` of shape ``(sources, n, dx)`` and all
    targets side by side.

    Parameters and errors are those of :func:`linear_predictivity`.

    Returns
    -------
    RidgeErrors
        ``errors (..., n_alphas, dy)`` in squared units of ``y``; ``alphas (..., n_alphas)``. What
        is too large for a number of the inputs' type is infinite.
    """
    name = "ridge_cv_errors"
    chosen = checked_alphas(name, alphas)
    require_folds(name, cv)
    pair = read_pair(name, x, y, check_finite=check_finite, min_samples=cv)
    batch, library, count = pair.batch, pair.library, len(chosen or GRID)
    errors = library.empty((*batch, count, pair.y.shape[-1]), np.float64)
    grid = library.empty((*batch, count), np.float64)
    counts = library.zeros((1, *batch), np.int64)
    options = _ridge_options(pair.x.shape[-2], chosen, cv, random_state, fit_intercept)
    with named_convergence(name):
        library.engine.ridge_errors(pair.x, pair.y, errors, grid, counts, options, library.run)
    if found := library.finish(counts):
        warn_degenerate(name, int(first_of_repeats(found[0], pair.x).sum()), 0)
    with np.errstate(over="ignore", under="ignore"):  # squares may not fit any number
        return RidgeErrors(give_scores(pair, errors), give_scores(pair, grid))


def _ridge_options(
    samples: int, alphas: tuple[float, ...] | None, cv: int, random_state: int, intercept: bool
) -> tuple[Array, int, list[float], bool, bool]:
    order, _ = shuffled_folds(samples, cv, random_state)
    grid = list(GRID if alphas is None else alphas)
    return order.astype(np.int32), cv, grid, alphas is None, bool(intercept)


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
