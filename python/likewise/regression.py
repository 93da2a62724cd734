"""Ridge regression of one network on another: how well it predicts, and its errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.engine import named_convergence
from likewise._border.pairs import Pair, give_scores, read_pair
from likewise._linear_predictivity import LinearPredictivity, Prediction
from likewise._ridge import GRID, checked_alphas, scaled_columns, sources
from likewise.errors import warn_degenerate
from likewise.measure.folds import require_folds, shuffled_folds, unique_items

__all__ = [
    "LinearPredictivity",
    "Prediction",
    "RidgeErrors",
    "linear_predictivity",
    "ridge_cv_errors",
]


class RidgeErrors(NamedTuple):
    """Cross-validation errors of ridge regression."""

    errors: Any
    """Mean squared error on held-out samples, mean over folds: ``(..., n_alphas, dy)``."""
    alphas: Any
    """The penalties, ``(..., n_alphas)``."""


def linear_predictivity(
    x: Any,
    y: Any,
    *,
    alphas: Any = None,
    cv: int = 5,
    random_state: int = 0,
    check_finite: bool = True,
) -> Prediction:
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
    return LinearPredictivity(alphas, cv, random_state).predict(x, y, check_finite=check_finite)


def ridge_cv_errors(
    x: Any,
    y: Any,
    *,
    alphas: Any = None,
    cv: int = 5,
    random_state: int = 0,
    fit_intercept: bool = True,
    check_finite: bool = True,
) -> RidgeErrors:
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
    if pair.library.engine is not _cpu:
        return _errors_on_device(pair, chosen, cv, random_state, fit_intercept)
    order, edges = shuffled_folds(pair.x.shape[-2], cv, random_state)
    (xs, of_x), (ys, of_y) = (unique_items(side, order) for side in (pair.x, pair.y))
    scaled = [scaled_columns(y, fit_intercept) for y in ys]
    with named_convergence(name):
        prepared = sources(xs, chosen, center=fit_intercept)
        warn_degenerate(name, sum(prepared.constant_units), 0)
        count = len(chosen or GRID)
        errors = [np.empty((count, pair.y.shape[-1])) for _ in of_x]
        _cpu.ridge_errors(
            prepared.data,
            [columns for columns, _ in scaled],
            prepared.penalties,
            list(zip(of_x, of_y, strict=True)),
            edges,
            fit_intercept,
            errors,
            _engine.threads(),
        )
    shape = (*pair.batch, count, pair.y.shape[-1])
    grid = np.array([prepared.alphas[i] for i in of_x]).reshape(*pair.batch, count)
    with np.errstate(over="ignore", under="ignore"):  # squares may not fit any number
        in_units = [np.ldexp(e, -2 * scaled[j][1]) for e, j in zip(errors, of_y, strict=True)]
        stacked = np.array(in_units).reshape(shape)
        return RidgeErrors(give_scores(pair, stacked), give_scores(pair, grid))


def _errors_on_device(
    pair: Pair, alphas: tuple[float, ...] | None, cv: int, random_state: int, intercept: bool
) -> RidgeErrors:
    library, count = pair.library, len(alphas or GRID)
    errors = library.empty((*pair.batch, count, pair.y.shape[-1]), np.float64)
    grid = library.empty((*pair.batch, count), np.float64)
    constants = library.empty(pair.batch, np.int64)
    order, _ = shuffled_folds(pair.x.shape[-2], cv, random_state)
    wide = [library.cast(side, np.dtype(np.float64)) for side in (pair.x, pair.y)]
    options = (order.tolist(), cv, list(alphas or GRID), alphas is None, intercept)
    library.engine.ridge_errors(*wide, errors, grid, constants, options, library.run)
    if found := library.finish(constants):
        warn_degenerate("ridge_cv_errors", int(found[0].sum()), 0)
    return RidgeErrors(give_scores(pair, errors), give_scores(pair, grid))
